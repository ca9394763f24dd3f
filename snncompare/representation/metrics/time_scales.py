"""Time scales at the door of a metric: one that must be above zero, or the several of a sweep."""

import math
from collections.abc import Sequence

from snncompare.errors import InputError
from snncompare.units import QuantityLike, seconds

__all__ = ["positive_seconds", "several_time_scales"]


def several_time_scales(time_scales: Sequence[QuantityLike]) -> list[QuantityLike]:
    """Return the time scales of a sweep; refuse none, or a single one that is not in a list."""
    if isinstance(time_scales, str) or not hasattr(time_scales, "__iter__"):
        raise InputError(f"a sweep takes a list of time scales such as ['1 ms', '10 ms'], got {time_scales!r}.")
    several = list(time_scales)
    if not several:
        raise InputError("a sweep needs at least one time scale, got none. Write for example ['1 ms', '10 ms'].")
    return several


def positive_seconds(given: QuantityLike, what: str) -> float:
    """Return a time above zero in seconds, or refuse it with the line to write."""
    value = seconds(given, what)
    if value <= 0 or not math.isfinite(1.0 / value):
        raise InputError(f"{what} must be above zero, got {given}. Write for example '10 ms'.")
    return value
