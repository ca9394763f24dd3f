"""Decoding of labels from trials: cross-validated readouts with permuted labels, and the information in them."""
