"""Time scales at the door of a metric: one that must be above zero, or the several of a sweep."""

import math
from collections.abc import Sequence

from snncompare.errors import InputError
from snncompare.units import FREQUENCY, Quantity, QuantityLike, seconds

__all__ = ["checked_mixing", "costs_of", "positive_seconds", "several_time_scales"]


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


def costs_of(time_scales: Sequence[QuantityLike], what: str) -> list[Quantity]:
    """Return the costs ``1 / time_scale`` of an edit distance for the time scales of a sweep."""
    costs = [1.0 / positive_seconds(scale, what) for scale in several_time_scales(time_scales)]
    return [Quantity(cost, FREQUENCY, f"{cost:.12g} Hz") for cost in costs]


def checked_mixing(given: float, what: str) -> float:
    """Return a number from 0 (labelled line) to 1 (summed population), or refuse it."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        raise InputError(f"{what} must be a number from 0 (labelled line) to 1 (summed), got {given!r}.")
    return float(given)
