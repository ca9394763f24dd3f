"""What tests may import, ours and other people's: backend conformance, and populations whose code is known."""
