"""Pairwise work in blocks: bounded in memory, resumable, in processes or on a cluster."""
