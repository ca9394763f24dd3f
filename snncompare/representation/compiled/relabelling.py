"""Victor-Purpura distances in which a spike may change its unit at a cost."""

import numpy as np
from numba import njit, void
from numba.types import float64, int64
from numpy.typing import NDArray

from snncompare.errors import UnsupportedError
from snncompare.representation.compiled.pairs import FLOATS, INTEGERS, over_pairs
from snncompare.representation.compiled.trains import Trains

__all__ = ["relabelled_victor_purpura"]

MOST_STEPS = 1e12
"""Of the assignment for all pairs together: on one core about an hour."""
STEPS_PER_SECOND = 3e8


def relabelled_victor_purpura(
    trains: Trains, costs: NDArray[np.float64], relabelling: float, rows: range, columns: range
) -> NDArray[np.float64]:
    r"""Return the distances between trials as a whole, with the cost :math:`k` of moving a spike to another unit.

    Every spike is removed, added, or matched with one of the other trial at the cost
    :math:`q |\Delta t| + k \, [u \neq u']`; a match saves a removal and an addition. The distance is therefore
    :math:`n_a + n_b - G` with the largest total gain :math:`2 - q |\Delta t| - k \, [u \neq u']` of a matching of the
    spikes in pairs: an assignment problem, solved exactly by shortest augmenting paths (Kuhn 1955; Jonker & Volgenant
    1987) for any number of units. Matches of different units may cross in time, which rules out the recursion over
    spikes in order; Aronov's is exponential in the number of units. Spikes more than :math:`2/q` apart are never
    matched, and the trials fall into groups of spikes without such neighbours, each with an assignment of its own. A
    group of n and m spikes, n <= m, takes of the order of :math:`n^2 m` steps.

    Parameters
    ----------
    trains : Trains
    costs : array (n_costs,)
        :math:`q` in 1/s, zero or more, finite.
    relabelling : float
        :math:`k`, from 0 (units lose their names) to 2 (units are compared one by one).
    rows, columns : range
        Trials, as in `over_pairs`.

    Returns
    -------
    array (n_costs, n_rows, n_columns)

    Raises
    ------
    UnsupportedError
        If the assignments would take more than ``MOST_STEPS`` steps; the message names the number and the time.

    References
    ----------
    Aronov 2003, J. Neurosci. Methods 124:175 (the metric).
    """
    spikes = _by_time(trains)
    _refuse_too_many_steps(spikes, costs, rows, columns)

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill(*spikes, first, second, costs, float(relabelling), out)

    return over_pairs(kernel, rows, columns, costs.size)


def _by_time(trains: Trains) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the times and units of the spikes by trial and time, and the offsets of the trials."""
    offsets = np.ascontiguousarray(trains.offsets[:: trains.n_units])
    trial = np.repeat(np.arange(trains.n_trials), np.diff(offsets))
    unit = np.repeat(np.arange(trains.offsets.size - 1) % trains.n_units, np.diff(trains.offsets))
    order = np.lexsort((unit, trains.times, trial))
    return trains.times[order], unit[order].astype(np.int64), offsets


def _refuse_too_many_steps(
    spikes: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]],
    costs: NDArray[np.float64],
    rows: range,
    columns: range,
) -> None:
    times, _, offsets = spikes

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _count_steps(times, offsets, first, second, costs, out)

    steps = over_pairs(kernel, rows, columns, costs.size).sum() / (2 if rows == columns else 1)
    if steps > MOST_STEPS:
        raise UnsupportedError(
            f"relabelling between 0 and 2 needs about {steps:.1e} steps here, {steps / STEPS_PER_SECOND / 3600:.0f} "
            "hours on one core, because a match may swap units across time. Use a higher cost, fewer units or shorter "
            "windows; or relabelling=0 (pooled) or 2 (labelled line), which are fast."
        )


@njit(int64(FLOATS, FLOATS, int64, int64, float64), cache=True, nogil=True)
def _group(a, b, i, j, widest):  # type: ignore[no-untyped-def]
    """Return how many spikes, of ``a[i:]`` and ``b[j:]`` together, lie before the next silence above ``widest``."""
    n, m = i, j
    latest = -np.inf
    while n < a.size or m < b.size:
        of_a = m == b.size or (n < a.size and a[n] <= b[m])
        t = a[n] if of_a else b[m]
        if latest > -np.inf and t - latest > widest:
            break
        latest = t
        if of_a:
            n += 1
        else:
            m += 1
    return (n - i) + (m - j)


@njit(int64(FLOATS, FLOATS, int64, int64, int64), cache=True, nogil=True)
def _share(a, b, i, j, size):  # type: ignore[no-untyped-def]
    """Return how many of the next ``size`` spikes are of ``a``."""
    n, m = i, j
    for _ in range(size):
        if m == b.size or (n < a.size and a[n] <= b[m]):
            n += 1
        else:
            m += 1
    return n - i


@njit(void(FLOATS, INTEGERS, INTEGERS, INTEGERS, FLOATS, float64[:, ::1]), cache=True, nogil=True)
def _count_steps(times, offsets, first, second, costs, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, n_costs)`` with the steps of the assignments."""
    out[:] = 0.0
    for pair in range(first.size):
        a = times[offsets[first[pair]] : offsets[first[pair] + 1]]
        b = times[offsets[second[pair]] : offsets[second[pair] + 1]]
        for c in range(costs.size):
            widest = 2.0 / costs[c] if costs[c] > 0.0 else np.inf
            i = j = 0
            while i < a.size or j < b.size:
                size = _group(a, b, i, j, widest)
                n = _share(a, b, i, j, size)
                out[pair, c] += float(n) * (size - n) * min(n, size - n)
                i, j = i + n, j + size - n


@njit(int64(float64[:, ::1], int64, float64[::1], float64[::1], int64[::1], int64[::1]), cache=True, nogil=True)
def _free_column(gain, row, of_row, of_column, row_of, came_from):  # type: ignore[no-untyped-def]
    """Find the shortest augmenting path from a row to a column without a row, move the potentials, return the column.

    Rows and columns count from 1; column 0 stands for the start of the path.
    """
    nearest, visited = np.full(of_column.size, np.inf), np.zeros(of_column.size, dtype=np.bool_)
    row_of[0] = row
    column = 0
    while row_of[column] != 0:
        visited[column] = True
        here = row_of[column]
        step, following = np.inf, 0
        for j in range(1, of_column.size):
            if not visited[j]:
                reduced = -gain[here - 1, j - 1] - of_row[here] - of_column[j]
                if reduced < nearest[j]:
                    nearest[j], came_from[j] = reduced, column
                if nearest[j] < step:
                    step, following = nearest[j], j
        for j in range(of_column.size):
            if visited[j]:
                of_row[row_of[j]] += step
                of_column[j] -= step
            else:
                nearest[j] -= step
        column = following
    return column


@njit(float64(float64[:, ::1]), cache=True, nogil=True)
def _largest_gain(gain):  # type: ignore[no-untyped-def]
    """Return the largest sum of ``gain (n, m)`` over pairs, n <= m, each row with a column of its own."""
    n, m = gain.shape
    of_row, of_column = np.zeros(n + 1), np.zeros(m + 1)
    row_of, came_from = np.zeros(m + 1, dtype=np.int64), np.zeros(m + 1, dtype=np.int64)
    for row in range(1, n + 1):
        column = _free_column(gain, row, of_row, of_column, row_of, came_from)
        while column != 0:
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    total = 0.0
    for j in range(1, m + 1):
        if row_of[j] > 0:
            total += gain[row_of[j] - 1, j - 1]
    return total


@njit(void(FLOATS, INTEGERS, INTEGERS, INTEGERS, INTEGERS, FLOATS, float64, float64[:, ::1]), cache=True, nogil=True)
def _fill(times, unit, offsets, first, second, costs, relabelling, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, n_costs)`` with the distances of the trials ``first`` and ``second``."""
    for pair in range(first.size):
        begin_a, begin_b = offsets[first[pair]], offsets[second[pair]]
        a, b = times[begin_a : offsets[first[pair] + 1]], times[begin_b : offsets[second[pair] + 1]]
        for c in range(costs.size):
            widest = 2.0 / costs[c] if costs[c] > 0.0 else np.inf
            gained = 0.0
            i = j = 0
            while i < a.size or j < b.size:
                size = _group(a, b, i, j, widest)
                n = _share(a, b, i, j, size)
                m = size - n
                gain = np.zeros((min(n, m), max(n, m)))
                for s in range(n):
                    for r in range(m):
                        moved = relabelling if unit[begin_a + i + s] != unit[begin_b + j + r] else 0.0
                        saved = max(0.0, 2.0 - (costs[c] * abs(a[i + s] - b[j + r]) + moved))
                        if n <= m:
                            gain[s, r] = saved
                        else:
                            gain[r, s] = saved
                gained += _largest_gain(gain)
                i, j = i + n, j + m
            out[pair, c] = (a.size + b.size) - gained
