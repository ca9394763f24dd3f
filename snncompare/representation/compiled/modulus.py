"""Modulus-metric distances between all pairs of trials."""

import numpy as np
from numba import njit, void
from numba.types import float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import FLOATS, INTEGERS, over_pairs
from snncompare.representation.compiled.trains import Trains

__all__ = ["modulus"]


def modulus(trains: Trains, rows: range, columns: range) -> NDArray[np.float64]:
    r"""Return the modulus-metric distances between trials in squared seconds, averaged over units.

    .. math:: D = \int_{T_0}^{T_1} |d(s, a) - d(s, b)| \, ds, \qquad d(s, a) = \min_i |s - a_i|

    The distance of a moment to the nearest spike rises and falls with slope one, with corners at the spikes and half
    way between them. Between the corners of either train the difference is a line, which may cross zero once.

    Parameters
    ----------
    trains : Trains
        Each train with distinct times inside the window.
    rows, columns : range
        Trials, as in `over_pairs`.

    Returns
    -------
    array (1, n_rows, n_columns)

    References
    ----------
    Rusu & Florian 2014, Neural Comput. 26:306 (arXiv 1507.08939).
    """
    n_spikes = np.diff(trains.offsets)
    offsets = np.concatenate([[0], np.cumsum(np.where(n_spikes > 0, 2 * n_spikes + 1, 2))]).astype(np.int64)
    corners, heights = np.empty(offsets[-1]), np.empty(offsets[-1])
    _corners(trains.times, trains.offsets, trains.start, trains.stop, offsets, corners, heights)

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill(corners, heights, offsets, trains.n_units, trains.start, trains.stop, first, second, out)

    return over_pairs(kernel, rows, columns, 1)


@njit(void(FLOATS, INTEGERS, float64, float64, INTEGERS, float64[::1], float64[::1]), cache=True, nogil=True)
def _corners(times, offsets, start, stop, where, corners, heights):  # type: ignore[no-untyped-def]
    """Write the corners of the distance to the nearest spike; without a spike it is the length of the window."""
    for train in range(offsets.size - 1):
        spikes = times[offsets[train] : offsets[train + 1]]
        k, last = where[train], where[train + 1] - 1
        corners[k], corners[last] = start, stop
        heights[k] = heights[last] = stop - start
        if spikes.size == 0:
            continue
        heights[k], heights[last] = spikes[0] - start, stop - spikes[spikes.size - 1]
        for i in range(spikes.size):
            corners[k + 1 + 2 * i], heights[k + 1 + 2 * i] = spikes[i], 0.0
        for i in range(spikes.size - 1):
            middle = 0.5 * (spikes[i] + spikes[i + 1])
            corners[k + 2 + 2 * i], heights[k + 2 + 2 * i] = middle, middle - spikes[i]


@njit(float64(FLOATS, FLOATS, FLOATS, FLOATS, float64, float64), cache=True, nogil=True)
def _area(a, height_a, b, height_b, start, stop):  # type: ignore[no-untyped-def]
    """Return the area between the lines through the corners of two trains."""
    i = j = 0
    total, last, before = 0.0, start, height_a[0] - height_b[0]
    while last < stop:
        end = min(a[i + 1], b[j + 1])
        of_a = height_a[i] + np.sign(height_a[i + 1] - height_a[i]) * (end - a[i])
        of_b = height_b[j] + np.sign(height_b[j + 1] - height_b[j]) * (end - b[j])
        now = of_a - of_b
        both = abs(before) + abs(now)
        if before * now < 0.0:
            total += 0.5 * (end - last) * (before * before + now * now) / both
        else:
            total += 0.5 * (end - last) * both
        i += 1 if a[i + 1] <= end < stop else 0
        j += 1 if b[j + 1] <= end < stop else 0
        last, before = end, now
    return total


@njit(
    void(FLOATS, FLOATS, INTEGERS, int64, float64, float64, INTEGERS, INTEGERS, float64[:, ::1]),
    cache=True,
    nogil=True,
)
def _fill(corners, heights, offsets, n_units, start, stop, first, second, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, 1)`` with the distances of the trials ``first`` and ``second``."""
    out[:] = 0.0
    for pair in range(first.size):
        for unit in range(n_units):
            k, m = first[pair] * n_units + unit, second[pair] * n_units + unit
            of_a, of_b = slice(offsets[k], offsets[k + 1]), slice(offsets[m], offsets[m + 1])
            out[pair, 0] += _area(corners[of_a], heights[of_a], corners[of_b], heights[of_b], start, stop)
        out[pair] /= n_units
