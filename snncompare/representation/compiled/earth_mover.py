"""Earth mover's distances between all pairs of trials."""

import math

import numpy as np
from numba import njit, void
from numba.types import float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import FLOATS, INTEGERS, over_pairs
from snncompare.representation.compiled.trains import Trains

__all__ = ["earth_mover"]


def earth_mover(trains: Trains, rows: range, columns: range) -> NDArray[np.float64]:
    r"""Return the earth mover's distances between trials in seconds, averaged over units.

    .. math:: D = \int \left| \frac{N_a(t)}{n_a} - \frac{N_b(t)}{n_b} \right| dt

    with :math:`N(t)` the spikes up to :math:`t` of :math:`n`: the cost of moving unit mass along a line. The steps are
    compared as whole numbers, :math:`N_a n_b - N_b n_a`, so that equal distributions are exactly 0.

    Parameters
    ----------
    trains : Trains
    rows, columns : range
        Trials, as in `over_pairs`.

    Returns
    -------
    array (1, n_rows, n_columns)

    References
    ----------
    Sihn & Kim 2019, Front. Comput. Neurosci. 13:82.
    """

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill(trains.times, trains.offsets, trains.n_units, trains.stop - trains.start, first, second, out)

    return over_pairs(kernel, rows, columns, 1)


@njit(float64(FLOATS, FLOATS), cache=True, nogil=True)
def _moved(a, b):  # type: ignore[no-untyped-def]
    """Return the distance of two trains that both have spikes."""
    i = j = 0
    total, last = 0.0, min(a[0], b[0])
    while i < a.size or j < b.size:
        next_a = a[i] if i < a.size else math.inf
        next_b = b[j] if j < b.size else math.inf
        now = min(next_a, next_b)
        total += abs(i * b.size - j * a.size) * (now - last)
        i += 1 if next_a == now else 0
        j += 1 if next_b == now else 0
        last = now
    return total / (a.size * b.size)


@njit(void(FLOATS, INTEGERS, int64, float64, INTEGERS, INTEGERS, float64[:, ::1]), cache=True, nogil=True)
def _fill(times, offsets, n_units, duration, first, second, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, 1)`` with the distances of the trials ``first`` and ``second``."""
    out[:] = 0.0
    for pair in range(first.size):
        for unit in range(n_units):
            k, m = first[pair] * n_units + unit, second[pair] * n_units + unit
            a, b = times[offsets[k] : offsets[k + 1]], times[offsets[m] : offsets[m + 1]]
            if a.size > 0 and b.size > 0:
                out[pair, 0] += _moved(a, b)
            elif a.size > 0 or b.size > 0:
                out[pair, 0] += duration
        out[pair] /= n_units
