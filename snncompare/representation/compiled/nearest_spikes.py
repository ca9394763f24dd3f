"""Hunter-Milton dissimilarities between all pairs of trials, for several time constants at once."""

import math

import numpy as np
from numba import njit, void
from numba.types import float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import FLOATS, INTEGERS, over_pairs
from snncompare.representation.compiled.trains import Trains

__all__ = ["hunter_milton"]


def hunter_milton(trains: Trains, taus: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    r"""Return one minus the mean closeness of nearest spikes, the mean over units.

    .. math::

        D = 1 - \frac{1}{2} \left( \frac{1}{n_a} \sum_{s \in a} e^{-\min_r |t_s - t_r| / \tau}
        + \frac{1}{n_b} \sum_{r \in b} e^{-\min_s |t_s - t_r| / \tau} \right)

    Parameters
    ----------
    trains : Trains
    taus : array (n_taus,)
        Time constants in seconds, above zero.
    rows, columns : range
        Trials, as in `over_pairs`.

    Returns
    -------
    array (n_taus, n_rows, n_columns)

    References
    ----------
    Hunter & Milton 2003, J. Neurophysiol. 90:387.
    """

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill(trains.times, trains.offsets, trains.n_units, first, second, taus, out)

    return over_pairs(kernel, rows, columns, taus.size)


@njit(float64(FLOATS, FLOATS, float64), cache=True, nogil=True)
def _distance_to_nearest(a, b, tau):  # type: ignore[no-untyped-def]
    """Return one minus the mean closeness of the spikes of ``a`` to their nearest in ``b``."""
    total = 0.0
    k = 0
    for s in a:
        while k + 1 < b.size and abs(b[k + 1] - s) <= abs(b[k] - s):
            k += 1
        total -= math.expm1(-abs(b[k] - s) / tau)
    return total / a.size


@njit(void(FLOATS, INTEGERS, int64, INTEGERS, INTEGERS, FLOATS, float64[:, ::1]), cache=True, nogil=True)
def _fill(times, offsets, n_units, first, second, taus, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, n_taus)`` with the dissimilarities of the trials ``first`` and ``second``."""
    out[:] = 0.0
    for pair in range(first.size):
        for unit in range(n_units):
            k, m = first[pair] * n_units + unit, second[pair] * n_units + unit
            a, b = times[offsets[k] : offsets[k + 1]], times[offsets[m] : offsets[m + 1]]
            for r in range(taus.size):
                if a.size > 0 and b.size > 0:
                    out[pair, r] += 0.5 * (_distance_to_nearest(a, b, taus[r]) + _distance_to_nearest(b, a, taus[r]))
                elif a.size != b.size:
                    out[pair, r] += 1.0
        for r in range(taus.size):
            out[pair, r] /= n_units
