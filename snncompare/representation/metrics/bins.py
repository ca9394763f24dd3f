"""Spike counts in bins that fill the window of the trials exactly."""

import math

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics.time_scales import positive_seconds
from snncompare.units import Quantity, QuantityLike, quantity

__all__ = ["binned_counts", "checked_width", "seconds_of"]

ROUNDING = 1e-9
"""In bins: a spike that is closer to an edge than this lies on it. Far above the rounding of a quotient of times, far
below what a recording resolves."""


def checked_width(width: QuantityLike | None, what: str) -> Quantity | None:
    """Return the width of a bin as a quantity; None for one bin that is the window."""
    if width is None:
        return None
    positive_seconds(width, what)
    return quantity(width)


def seconds_of(width: QuantityLike | None) -> float:
    """Return the time scale of a checked width: seconds, or not a number for one bin."""
    return math.nan if width is None else float(width.value)


def binned_counts(trains: Trains, width: QuantityLike | None) -> NDArray[np.float64]:
    """Return whole numbers ``(n_trials, n_units * n_bins)``, the bins of a unit next to each other.

    A spike on the edge between two bins belongs to the later one, on the end of the window to the last.

    Parameters
    ----------
    trains : Trains
    width : Quantity or None
        Checked by `checked_width`; None is one bin.

    Raises
    ------
    InputError
        If the bins do not fill the window; the message names the nearest width that does.
    """
    n_bins = 1 if width is None else _number_of_bins(width, trains.stop - trains.start)
    train = np.repeat(np.arange(trains.offsets.size - 1), np.diff(trains.offsets))
    within = (trains.times - trains.start) * (n_bins / (trains.stop - trains.start))
    which = np.clip(np.floor(within + ROUNDING).astype(np.int64), 0, n_bins - 1)
    counts = np.bincount(train * n_bins + which, minlength=(trains.offsets.size - 1) * n_bins)
    return counts.reshape(trains.n_trials, trains.n_units * n_bins).astype(np.float64)


def _number_of_bins(width: Quantity, duration: float) -> int:
    exact = duration / width.value
    nearest = max(1, round(exact))
    if abs(exact - nearest) > ROUNDING * nearest:
        raise InputError(
            f"bins of {width} do not fill the window of {duration:.9g} s: {exact:.6g} bins. "
            f"The nearest width that does is {duration / nearest:.9g} s ({nearest} bins)."
        )
    return nearest
