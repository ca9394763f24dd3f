"""Training on chips, emulated or real, and how well trained networks do there."""

from snncompare.learning.on_chip.evaluate import evaluate_on_chip
from snncompare.learning.on_chip.settings import AdversarialMismatch, OnChip

__all__ = ["AdversarialMismatch", "OnChip", "evaluate_on_chip"]
