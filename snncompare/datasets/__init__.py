"""Labelled trials of spikes: where they come from, and how they are split, batched and binned."""

from snncompare.datasets.catalogue import card, load, names

__all__ = ["card", "load", "names"]
