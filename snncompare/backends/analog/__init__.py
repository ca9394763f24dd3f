"""Imperfect chips in software: profiles of chips, the frozen device that a network becomes on one, noise, read-out."""

from snncompare.backends.analog.backend import AnalogBackend
from snncompare.backends.analog.chip import Chip, deploy
from snncompare.backends.analog.profiles.catalogue import chip_profiles
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.program import AnalogProgram

__all__ = ["AnalogBackend", "AnalogProgram", "Chip", "ChipProfile", "chip_profiles", "deploy"]
