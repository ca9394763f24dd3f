"""Victor-Purpura distances between all pairs of trials, for several costs at once."""

import numpy as np
from numba import njit, void
from numba.types import boolean, float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.lanes import LANES, edit_step
from snncompare.representation.compiled.pairs import FLOATS, INTEGERS
from snncompare.representation.compiled.threads import in_threads
from snncompare.representation.compiled.trains import Trains

__all__ = ["victor_purpura"]


def victor_purpura(
    trains: Trains, costs: NDArray[np.float64], rows: range, columns: range, *, ascending: bool = True
) -> NDArray[np.float64]:
    r"""Return the Victor-Purpura distances between trials, added over units.

    With :math:`n_a, n_b` spikes the distance is :math:`n_a + n_b - G`, where :math:`G` is the largest total gain
    :math:`2 - q |a_i - b_j|` of an order-preserving matching: matching two spikes saves a removal and an insertion and
    costs the shift. Written this way nothing cancels: identical trains are exactly 0, no distance is below the
    difference in count, and only pairs closer than :math:`2/q` have to be visited:

    .. math:: G_{i,j} = \max(G_{i-1,j},\ G_{i,j-1},\ G_{i-1,j-1} + 2 - q |a_i - b_j|)

    which is the recursion of the paper after :math:`D_{i,j} = i + j - G_{i,j}`. One train is compared with ``LANES``
    trains of similar count at once, step by step. Visiting a pair of spikes that only another trial needs changes
    nothing, because a pair without gain is never matched; so a distance does not depend on its lane mates.

    Parameters
    ----------
    trains : Trains
    costs : array (n_costs,)
        :math:`q` in 1/s, zero or more, finite.
    rows, columns : range
        Trials: either the same range, or the columns lie after the rows.
    ascending : bool
        Whether the values of a train ascend; if not (intervals), every pair of values is visited.

    Returns
    -------
    array (n_costs, n_rows, n_columns)

    References
    ----------
    Victor & Purpura 1996, J. Neurophysiol. 76:1310, appendix; 1997, Network 8:127.
    """
    counts = np.diff(trains.offsets[:: trains.n_units])
    same = rows == columns
    across = np.array(columns)[np.argsort(counts[columns], kind="stable")]
    down = across if same else np.array(rows)
    values = np.empty((costs.size, down.size, across.size))

    def work(start: int) -> None:
        lanes = across[start : start + LANES]
        needed = down[: start + LANES] if same else down
        part = np.zeros((costs.size, needed.size, LANES))
        _fill(trains.times, trains.offsets, trains.n_units, needed, lanes, costs, ascending, part)
        values[:, : needed.size, start : start + LANES] = part[:, :, : lanes.size]

    in_threads(work, reversed(range(0, across.size, LANES)))
    result = np.zeros((costs.size, len(rows), len(columns)))
    if same:
        i, j = np.triu_indices(across.size, k=1)
        first, second = across[i] - rows.start, across[j] - rows.start
        result[:, first, second] = result[:, second, first] = values[:, i, j]
    else:
        result[:, :, across - columns.start] = values
    return result


@njit(
    int64(FLOATS, INTEGERS, int64, int64, INTEGERS, boolean, float64[::1], float64[::1], float64[::1]),
    cache=True,
    nogil=True,
)
def _pack(times, offsets, n_units, unit, lanes, ascending, packed, first, last):  # type: ignore[no-untyped-def]
    """Write the k-th spikes of all lanes side by side, missing ones at infinity; return the count of the longest.

    ``first`` and ``last`` are the earliest and the latest k-th spike, or without bound if trains do not ascend.
    """
    longest = 0
    for lane in range(lanes.size):
        k = lanes[lane] * n_units + unit
        longest = max(longest, offsets[k + 1] - offsets[k])
    packed[: longest * LANES] = np.inf
    first[:longest], last[:longest] = np.inf, -np.inf
    for lane in range(lanes.size):
        k = lanes[lane] * n_units + unit
        for s in range(offsets[k + 1] - offsets[k]):
            t = times[offsets[k] + s]
            packed[s * LANES + lane] = t
            first[s], last[s] = min(first[s], t), max(last[s], t)
    if not ascending:
        first[:longest], last[:longest] = -np.inf, np.inf
    return longest


@njit(int64(FLOATS, float64[::1], float64[::1], float64[::1], int64, float64, float64[::1]), cache=True, nogil=True)
def _gains(a, packed, first, last, longest, cost, gains):  # type: ignore[no-untyped-def]
    """Match the spikes of ``a`` with all lanes; return where in ``gains`` the largest gains of the lanes start.

    ``gains[k * LANES + lane]`` holds the gain of the spikes of ``a`` so far and the first k of the lane; from ``high``
    on it is what it is at ``high``, and below ``low`` it does not change any more.
    """
    widest = 2.0 / cost
    low = high = 0
    gains[:LANES] = 0.0
    for t in a:
        while high < longest and first[high] <= t + widest:
            for lane in range(LANES):
                gains[(high + 1) * LANES + lane] = gains[high * LANES + lane]
            high += 1
        while low < high and last[low] < t - widest:
            low += 1
        edit_step(gains, packed, low, high, t, cost)
    return high * LANES


@njit(void(FLOATS, INTEGERS, int64, INTEGERS, INTEGERS, FLOATS, boolean, float64[:, :, ::1]), cache=True, nogil=True)
def _fill(times, offsets, n_units, trials, lanes, costs, ascending, out):  # type: ignore[no-untyped-def]
    """Add to ``out[cost, trial, lane]`` the distances of all units."""
    longest = 1
    for k in range(offsets.size - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    packed, first, last = np.empty(longest * LANES), np.empty(longest), np.empty(longest)
    gains = np.empty((longest + 1) * LANES)
    for unit in range(n_units):
        n = _pack(times, offsets, n_units, unit, lanes, ascending, packed, first, last)
        for i in range(trials.size):
            k = trials[i] * n_units + unit
            a = times[offsets[k] : offsets[k + 1]]
            for c in range(costs.size):
                at = _gains(a, packed, first, last, n, costs[c], gains) if costs[c] > 0.0 else 0
                for lane in range(lanes.size):
                    m = lanes[lane] * n_units + unit
                    n_b = offsets[m + 1] - offsets[m]
                    gain = gains[at + lane] if costs[c] > 0.0 else 2.0 * min(a.size, n_b)
                    out[c, i, lane] += (a.size + n_b) - gain
