"""Compiled kernels over pairs of trials: ragged trains in, arrays out; threads, no Python per pair."""
