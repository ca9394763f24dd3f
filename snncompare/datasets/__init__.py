"""Labelled trials of spikes: where they come from, and how they are split, batched and binned."""

from snncompare.datasets.catalogue import card, load, names
from snncompare.datasets.facts import facts
from snncompare.datasets.fetch import fetch

__all__ = ["card", "facts", "fetch", "load", "names"]
