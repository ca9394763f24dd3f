"""Victor-Purpura distances between all pairs of trials, for several costs at once."""

import numpy as np
from numba import njit, void
from numba.types import float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import FLOATS, INTEGERS, over_pairs
from snncompare.representation.compiled.trains import Trains

__all__ = ["victor_purpura"]


def victor_purpura(trains: Trains, costs: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    r"""Return the Victor-Purpura distances between trials, added over units.

    With :math:`n_a, n_b` spikes the distance is :math:`n_a + n_b - G`, where :math:`G` is the largest total gain
    :math:`2 - q |a_i - b_j|` of an order-preserving matching: matching two spikes saves a removal and an insertion and
    costs the shift. Written this way nothing cancels: identical trains are exactly 0, no distance is below the
    difference in count, and only pairs closer than :math:`2/q` have to be visited:

    .. math:: G_{i,j} = \max(G_{i-1,j},\ G_{i,j-1},\ G_{i-1,j-1} + 2 - q |a_i - b_j|)

    which is the recursion of the paper after :math:`D_{i,j} = i + j - G_{i,j}`.

    Parameters
    ----------
    trains : Trains
    costs : array (n_costs,)
        :math:`q` in 1/s, zero or more, finite.
    rows, columns : range
        Trials, as in `over_pairs`.

    Returns
    -------
    array (n_costs, n_rows, n_columns)

    References
    ----------
    Victor & Purpura 1996, J. Neurophysiol. 76:1310, appendix; 1997, Network 8:127.
    """

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill(trains.times, trains.offsets, trains.n_units, first, second, costs, out)

    return over_pairs(kernel, rows, columns, costs.size)


@njit(float64(FLOATS, FLOATS, float64, float64[::1]), cache=True, nogil=True)
def _gain(a, b, cost, row):  # type: ignore[no-untyped-def]
    """Return the largest gain of a matching of ``a`` and ``b``.

    ``row[j]`` holds it for the spikes of ``a`` so far and ``b[:j + 1]``; from ``high`` on it is what it is before.
    """
    if cost == 0.0:
        return 2.0 * min(a.size, b.size)
    widest = 2.0 / cost
    low = high = 0
    for t in a:
        while high < b.size and b[high] <= t + widest:
            row[high] = row[high - 1] if high > 0 else 0.0
            high += 1
        while low < high and b[low] < t - widest:
            low += 1
        diagonal = left = row[low - 1] if low > 0 else 0.0
        for j in range(low, high):
            above = row[j]
            without_left = max(above, diagonal + (2.0 - cost * abs(t - b[j])))
            left = max(left, without_left)
            diagonal = above
            row[j] = left
    return row[high - 1] if high > 0 else 0.0


@njit(void(FLOATS, INTEGERS, int64, INTEGERS, INTEGERS, FLOATS, float64[:, ::1]), cache=True, nogil=True)
def _fill(times, offsets, n_units, first, second, costs, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, n_costs)`` with the distances of the trials ``first`` and ``second``."""
    longest = 1
    for k in range(offsets.size - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    row = np.empty(longest)
    out[:] = 0.0
    for pair in range(first.size):
        for unit in range(n_units):
            k, m = first[pair] * n_units + unit, second[pair] * n_units + unit
            a, b = times[offsets[k] : offsets[k + 1]], times[offsets[m] : offsets[m + 1]]
            for c in range(costs.size):
                out[pair, c] += (a.size + b.size) - _gain(a, b, costs[c], row)
