"""SPIKE-distances between all pairs of trials, for several thresholds at once."""

import numpy as np
from numba import boolean, float64, int64, njit, void
from numba.types import Array
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import FLOATS
from snncompare.representation.compiled.steps import DISTANCE, LANES, PARITIES, SQUARE, TABLES, WEIGHT, spike_step
from snncompare.representation.compiled.sweeps import (
    INTERVALS,
    SWEEP,
    advance,
    aligned,
    begin,
    between,
    last_interval,
    over_tiles,
    sweep_of,
)
from snncompare.representation.compiled.trains import Trains

__all__ = ["spike"]

FLAGS = Array(boolean, 1, "C", readonly=True)


def spike(
    trains: Trains, thresholds: NDArray[np.float64], rate_independent: NDArray[np.bool_], rows: range, columns: range
) -> NDArray[np.float64]:
    r"""Return the SPIKE-distances between trials, averaged over units.

    .. math::

        D = \frac{1}{T} \int \frac{S_a(t) \, \nu_b(t) + S_b(t) \, \nu_a(t)}
        {(\nu_a + \nu_b) \max(\bar\nu, \theta)} \, dt \qquad \text{or, independent of rate,} \qquad
        D = \frac{1}{T} \int \frac{S_a(t) + S_b(t)}{2 \max(\bar\nu, \theta)} \, dt

    with the mean interval :math:`\bar\nu = (\nu_a + \nu_b) / 2`, and :math:`S_a(t)` the line between the distances of
    the previous and of the next spike of a to their nearest spikes of b. Between two spikes of either train the
    profile is a line, so its value in the middle times the length is the integral, exactly. It is linear in the
    distances to nearest spikes, so each of these is weighted once, when the last piece it takes part in has ended.

    Parameters
    ----------
    trains : Trains
        Each train with distinct times inside the window.
    thresholds : array (n_parameters,)
        :math:`\theta` in seconds, zero or more.
    rate_independent : array (n_parameters,)
        Which form.
    rows, columns : range
        Trials, as in `over_tiles`.

    Returns
    -------
    array (n_parameters, n_rows, n_columns)

    References
    ----------
    Kreuz et al. 2013, J. Neurophysiol. 109:1457. Satuvuori et al. 2017, J. Neurosci. Methods 287:25.
    """
    sweep = sweep_of(trains)

    def work(tile: int, first: int, out: NDArray[np.float64]) -> None:
        room = (aligned(2 * INTERVALS), aligned(2 * TABLES * SQUARE))
        _fill(sweep, tile, first, thresholds, rate_independent, *room, out)

    return over_tiles(work, rows, columns, thresholds.size)


@njit(void(float64, int64, float64[::1], float64[::1]), cache=True, nogil=True)
def _clear(start, role, intervals, tables):  # type: ignore[no-untyped-def]
    """Forget the weights of the unit before; the first knots count as far as the window's start is from the others."""
    own = TABLES * role * SQUARE
    tables[own + SQUARE : own + TABLES * SQUARE] = 0.0
    for mate in range(LANES):
        at = (1 - role) * INTERVALS + mate
        distance = min(abs(start - intervals[at]), abs(start - intervals[at + LANES]))
        for lane in range(LANES):
            tables[own + DISTANCE * SQUARE + lane * LANES + mate] = distance


@njit(
    void(SWEEP, int64, int64, int64, int64, float64, boolean, float64[::1], float64[::1]),
    cache=True,
    nogil=True,
)
def _finish(  # type: ignore[no-untyped-def]
    sweep, unit, trial, role, lane, threshold, rate_independent, intervals, tables
):
    """Add the pieces that end with the window, and the last two knots of a train."""
    knot, interval = last_interval(sweep, trial, unit)
    flags = (
        rate_independent,
        sweep.sources[knot - 1] == interval[1],
        sweep.sources[knot] == interval[0],
        True,
    )
    row = TABLES * role * SQUARE + lane * LANES
    column = (TABLES * (1 - role) + PARITIES) * SQUARE + lane
    before, last = column + (knot - 1 & 1) * SQUARE, column + (knot & 1) * SQUARE
    spike_step(intervals, (1 - role) * INTERVALS, tables, row, before, interval, threshold, flags)
    for mate in range(LANES):
        weight = tables[row + WEIGHT * SQUARE + mate] + tables[last + mate * LANES]
        tables[row + mate] += tables[row + DISTANCE * SQUARE + mate] * weight


@njit(
    void(SWEEP, int64, int64, int64, float64, boolean, int64[::1], float64[::1], float64[::1]),
    cache=True,
    nogil=True,
)
def _integrate(  # type: ignore[no-untyped-def]
    sweep, unit, tile, other, threshold, rate_independent, merged, intervals, tables
):
    """Add to ``tables`` the integrals of the profiles of one unit, as seen from either tile.

    All spikes of one moment are counted before any interval changes, so their order does not matter.
    """
    begin(sweep, unit, tile, 0, intervals)
    begin(sweep, unit, other, 1, intervals)
    _clear(sweep.start, 0, intervals, tables)
    _clear(sweep.start, 1, intervals, tables)
    times, around, lanes, parities, start = sweep.times, sweep.around, sweep.lanes, sweep.parities, sweep.start
    k = following = 0
    while k < merged.size:
        time = times[np.uint64(merged[k] >> 1)]
        while following < merged.size and times[np.uint64(merged[following] >> 1)] == time:
            event, role = np.uint64(merged[following] >> 1), merged[following] & 1
            row = TABLES * role * SQUARE + lanes[event] * LANES
            column = (TABLES * (1 - role) + PARITIES + 1 - parities[event]) * SQUARE + lanes[event]
            behind, rate = around[event, 0], around[event, 1]
            interval = (behind, time, rate, time, max(behind, start))
            flags = (rate_independent, around[event, 4] == time, False, False)
            spike_step(intervals, (1 - role) * INTERVALS, tables, row, column, interval, threshold, flags)
            following += 1
        while k < following:
            event, role = np.uint64(merged[k] >> 1), merged[k] & 1
            advance(intervals, role, lanes[event], parities[event], around[event, 2], around[event, 3])
            k += 1
    for role in range(2):
        trial = (other if role else tile) * LANES
        for lane in range(min(LANES, sweep.n_trials - trial)):
            _finish(sweep, unit, trial + lane, role, lane, threshold, rate_independent, intervals, tables)


@njit(
    void(SWEEP, int64, int64, FLOATS, FLAGS, float64[::1], float64[::1], float64[:, :, ::1]),
    cache=True,
    nogil=True,
)
def _fill(sweep, tile, first, thresholds, rate_independent, intervals, tables, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_parameters, LANES, n_trials)`` with the distances of a tile to the tiles from ``first`` on."""
    merged = np.empty(2 * sweep.longest, dtype=np.int64)
    for k in range(out.shape[2] // LANES):
        for r in range(thresholds.size):
            tables[:] = 0.0
            for unit in range(sweep.n_units):
                n = between(sweep, unit, tile, first + k, merged)
                form = thresholds[r], rate_independent[r]
                _integrate(sweep, unit, tile, first + k, *form, merged[:n], intervals, tables)
            for lane in range(LANES):
                for mate in range(LANES):
                    total = tables[lane * LANES + mate] + tables[(TABLES * LANES + mate) * LANES + lane]
                    out[r, lane, k * LANES + mate] = total / (sweep.n_units * (sweep.stop - sweep.start))
