"""The verb ``mismatch``: how a trained network bears chips that are never as they were asked to be."""
