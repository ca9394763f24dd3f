"""Recordings into spike-train distances, and distances into representational dissimilarity matrices (RDMs)."""
