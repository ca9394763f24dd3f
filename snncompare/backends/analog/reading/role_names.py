"""The roles that a parameter can have for a chip, and the kinds of states, as names."""

from enum import StrEnum
from typing import Literal

__all__ = ["POTENTIALS", "Role", "StateKind"]

StateKind = Literal["membrane", "synaptic", "adaptation", "other"]


class Role(StrEnum):
    """What a parameter of a neuron or of its synapses is for; the value is the key of a chip profile."""

    MEMBRANE_TIME_CONSTANT = "membrane_time_constant"
    SYNAPTIC_TIME_CONSTANT = "synaptic_time_constant"
    ADAPTATION_TIME_CONSTANT = "adaptation_time_constant"
    OTHER_TIME = "other_time"
    REFRACTORY = "refractory"
    THRESHOLD = "threshold"
    LEAK = "leak"
    RESET = "reset"
    ADAPTATION_STRENGTH = "adaptation_strength"
    OTHER = "other"


POTENTIALS = frozenset({Role.THRESHOLD, Role.LEAK, Role.RESET})
"""Roles of potentials, whose mismatch is additive, in fractions of threshold - leak."""
