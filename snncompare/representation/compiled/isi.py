"""ISI-distances between all pairs of trials, for several thresholds at once."""

import numpy as np
from numba import float64, int64, njit, void
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import FLOATS
from snncompare.representation.compiled.steps import LANES, isi_step
from snncompare.representation.compiled.sweeps import (
    INTERVALS,
    SHORTEST,
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

__all__ = ["isi"]


def isi(trains: Trains, thresholds: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    r"""Return the ISI-distances between trials, averaged over units.

    .. math:: D = \frac{1}{T} \int \frac{|\nu_a(t) - \nu_b(t)|}{\max(\nu_a(t), \nu_b(t), \theta)} \, dt

    with the interval :math:`\nu(t)` between the spikes around :math:`t`, constant from spike to spike: one term per
    spike of either train. The quotient is a product with the least of the reciprocals, which are known per interval.

    Parameters
    ----------
    trains : Trains
        Each train with distinct times inside the window.
    thresholds : array (n_thresholds,)
        :math:`\theta` in seconds, zero or more.
    rows, columns : range
        Trials, as in `over_tiles`.

    Returns
    -------
    array (n_thresholds, n_rows, n_columns)

    References
    ----------
    Kreuz et al. 2007, J. Neurosci. Methods 165:151. Satuvuori et al. 2017, J. Neurosci. Methods 287:25, eq. 6.
    """
    sweep = sweep_of(trains)
    limits = 1.0 / np.maximum(thresholds, SHORTEST)

    def work(tile: int, first: int, out: NDArray[np.float64]) -> None:
        _fill(sweep, tile, first, limits, aligned(2 * INTERVALS), aligned(2 * LANES * LANES), out)

    return over_tiles(work, rows, columns, thresholds.size)


@njit(
    void(SWEEP, int64, int64, int64, float64, int64[::1], float64[::1], float64[::1]),
    cache=True,
    nogil=True,
)
def _integrate(sweep, unit, tile, other, limit, merged, intervals, sums):  # type: ignore[no-untyped-def]
    """Add to ``sums (2, LANES, LANES)`` the integrals of the profiles of one unit, as seen from either tile.

    All spikes of one moment are counted before any interval changes, so their order does not matter.
    """
    begin(sweep, unit, tile, 0, intervals)
    begin(sweep, unit, other, 1, intervals)
    times, around, lanes, parities, start = sweep.times, sweep.around, sweep.lanes, sweep.parities, sweep.start
    k = following = 0
    while k < merged.size:
        time = times[np.uint64(merged[k] >> 1)]
        while following < merged.size and times[np.uint64(merged[following] >> 1)] == time:
            event, role = np.uint64(merged[following] >> 1), merged[following] & 1
            row, others = (role * LANES + lanes[event]) * LANES, (1 - role) * INTERVALS
            behind, rate = around[event, 0], around[event, 1]
            isi_step(intervals, others, sums, row, (behind, time, rate, time, max(behind, start)), limit, False)
            following += 1
        while k < following:
            event, role = np.uint64(merged[k] >> 1), merged[k] & 1
            advance(intervals, role, lanes[event], parities[event], around[event, 2], around[event, 3])
            k += 1
    for role in range(2):
        trial = (other if role else tile) * LANES
        for lane in range(min(LANES, sweep.n_trials - trial)):
            _, interval = last_interval(sweep, trial + lane, unit)
            isi_step(intervals, (1 - role) * INTERVALS, sums, (role * LANES + lane) * LANES, interval, limit, True)


@njit(
    void(SWEEP, int64, int64, FLOATS, float64[::1], float64[::1], float64[:, :, ::1]),
    cache=True,
    nogil=True,
)
def _fill(sweep, tile, first, limits, intervals, sums, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_thresholds, LANES, n_trials)`` with the distances of a tile to the tiles from ``first`` on."""
    merged = np.empty(2 * sweep.longest, dtype=np.int64)
    for k in range(out.shape[2] // LANES):
        for r in range(limits.size):
            sums[:] = 0.0
            for unit in range(sweep.n_units):
                n = between(sweep, unit, tile, first + k, merged)
                _integrate(sweep, unit, tile, first + k, limits[r], merged[:n], intervals, sums)
            for lane in range(LANES):
                for mate in range(LANES):
                    total = sums[lane * LANES + mate] + sums[(LANES + mate) * LANES + lane]
                    out[r, lane, k * LANES + mate] = total / (sweep.n_units * (sweep.stop - sweep.start))
