"""A sweep through time over the trains of two tiles of trials: every pair between them, one spike after the other."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit, void
from numba.types import Array, Tuple, UniTuple, float64, int64
from numba.types import NamedTuple as CompiledTuple
from numpy.typing import NDArray

from snncompare.representation.compiled.knots import knots_of
from snncompare.representation.compiled.steps import LANES, put
from snncompare.representation.compiled.threads import in_threads
from snncompare.representation.compiled.trains import Trains

__all__ = [
    "INTERVALS",
    "SHORTEST",
    "SWEEP",
    "Sweep",
    "advance",
    "aligned",
    "begin",
    "between",
    "last_interval",
    "over_tiles",
    "sweep_of",
]

SHORTEST = 1e-300
"""Seconds. The reciprocal of a shorter interval is that of this one: infinities do not arise."""
INTERVALS = 3 * LANES
"""What is known about the intervals of a tile: even knots, odd knots and reciprocals, each one number per lane."""


class Sweep(NamedTuple):
    """Knots, and the spikes inside the window in the order of a sweep: by tile of ``LANES`` trials, unit and time.

    Trial i is lane ``i % LANES`` of tile ``i // LANES``.

    Attributes
    ----------
    knots, sources, offsets : arrays
        See `Knots`.
    times : array (n_spikes,)
        The spikes.
    around : array (n_spikes, 5)
        Knot before each spike and reciprocal of the interval between, knot after it and reciprocal of the interval
        between; the source of the knot before.
    lanes : array (n_spikes,)
        Lane of the trial of each spike.
    parities : array (n_spikes,)
        0 and 1 by turns in each train, as the index of the knot is even or odd.
    bounds : array (n_tiles * n_units + 1,)
        Spikes of (tile i, unit j) are ``times[bounds[k]:bounds[k + 1]]`` with ``k = i * n_units + j``.
    longest : int
        Most spikes of a unit in a tile.
    n_trials, n_units : int
    start, stop : float
        The window, seconds.
    """

    knots: NDArray[np.float64]
    sources: NDArray[np.float64]
    offsets: NDArray[np.int64]
    times: NDArray[np.float64]
    around: NDArray[np.float64]
    lanes: NDArray[np.int64]
    parities: NDArray[np.int64]
    bounds: NDArray[np.int64]
    longest: int
    n_trials: int
    n_units: int
    start: float
    stop: float


_NUMBERS, _WHOLES = Array(float64, 1, "C"), Array(int64, 1, "C")
_ARRAYS = (_NUMBERS, _NUMBERS, _WHOLES, _NUMBERS, Array(float64, 2, "C"), _WHOLES, _WHOLES, _WHOLES)
SWEEP = CompiledTuple((*_ARRAYS, int64, int64, int64, float64, float64), Sweep)
"""Compiled type of a `Sweep`."""


def sweep_of(trains: Trains) -> Sweep:
    """Return the trains in the order of a sweep."""
    knots, sources, offsets = knots_of(trains)
    train = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    inside = np.ones(knots.size, dtype=bool)
    inside[offsets[:-1]] = inside[offsets[1:] - 1] = False
    event = np.flatnonzero(inside)
    event = event[np.argsort(knots[event])]
    trial, unit = np.divmod(train[event], trains.n_units)
    n_groups = -(-trains.n_trials // LANES) * trains.n_units
    group = (trial // LANES * trains.n_units + unit).astype(np.min_scalar_type(n_groups))
    order = np.argsort(group, kind="stable")
    event, lanes = event[order], trial[order] % LANES
    bounds = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=n_groups))])
    rates = np.append(1.0 / np.maximum(np.diff(knots), SHORTEST), 0.0)
    around = np.stack([knots[event - 1], rates[event - 1], knots[event + 1], rates[event], sources[event - 1]], axis=1)
    longest = int(np.diff(bounds).max(initial=0))
    events = (knots[event], around, lanes, event & 1, bounds, longest)
    window = (float(trains.start), float(trains.stop))
    return Sweep(knots, sources, offsets, *events, trains.n_trials, trains.n_units, *window)


def aligned(size: int) -> NDArray[np.float64]:
    """Return zeros that start on a cache line, so that no vector lies on two."""
    room = np.zeros(size + 7)
    start = -room.ctypes.data // 8 % 8
    return room[start : start + size]


def over_tiles(
    work: Callable[[int, int, NDArray[np.float64]], None], rows: range, columns: range, n_parameters: int
) -> NDArray[np.float64]:
    """Return a block ``(n_parameters, n_rows, n_columns)`` of symmetric matrices with zero diagonals.

    The result depends neither on the number of threads nor on the block.

    Parameters
    ----------
    work : callable
        ``work(tile, first, out)`` fills ``out (n_parameters, LANES, n_tiles * LANES)`` with the distances of the trials
        of a tile to those of the tiles from ``first`` on. It must release the interpreter's lock.
    rows, columns : range
        Trials: either the same range, or the columns lie after the rows.
    n_parameters : int
    """
    result = np.zeros((n_parameters, len(rows), len(columns)))
    if not result.size:
        return result
    last = (columns.stop - 1) // LANES

    def fill(tile: int) -> None:
        first = tile if rows == columns else columns.start // LANES
        out = np.empty((n_parameters, LANES, (last - first + 1) * LANES))
        work(tile, first, out)
        for trial in range(max(rows.start, tile * LANES), min(rows.stop, (tile + 1) * LANES)):
            start = trial + 1 if rows == columns else columns.start
            values = out[:, trial - tile * LANES, start - first * LANES : columns.stop - first * LANES]
            result[:, trial - rows.start, start - columns.start :] = values
            if rows == columns:
                result[:, start - columns.start :, trial - rows.start] = values

    in_threads(fill, range(rows.start // LANES, (rows.stop - 1) // LANES + 1))
    return result


@njit(int64(SWEEP, int64, int64, int64, int64[::1]), cache=True, nogil=True)
def between(sweep, unit, tile, other, merged):  # type: ignore[no-untyped-def]
    """Write the spikes of two tiles as time goes by, ``2 i`` or, of the other, ``2 i + 1``; return how many.

    Which tile has the next spike is a coin flip, so it is arithmetic, not a branch; unsigned numbers save the check
    for negative positions.
    """
    times, one, two = sweep.times, np.uint64(1), np.uint64(2)
    k, m = tile * sweep.n_units + unit, other * sweep.n_units + unit
    i, end_i = np.uint64(sweep.bounds[k]), np.uint64(sweep.bounds[k + 1])
    j, end_j = np.uint64(sweep.bounds[m]), np.uint64(sweep.bounds[m + 1])
    n = np.uint64(0)
    while i < end_i and j < end_j:
        earlier = np.uint64(times[i] <= times[j])
        merged[n] = two * j + one + earlier * (two * (i - j) - one)
        i, j, n = i + earlier, j + one - earlier, n + one
    while i < end_i:
        merged[n] = two * i
        i, n = i + one, n + one
    while j < end_j:
        merged[n] = two * j + one
        j, n = j + one, n + one
    return n


@njit(void(float64[::1], int64, int64, int64, float64, float64), cache=True, nogil=True)
def advance(intervals, role, lane, parity, ahead, rate):  # type: ignore[no-untyped-def]
    """Let a lane be in the interval after a knot of this parity: ``ahead`` takes the place of the knot before."""
    put(intervals, role * INTERVALS + (1 - parity) * LANES, lane, ahead)
    put(intervals, role * INTERVALS + 2 * LANES, lane, rate)


@njit(void(SWEEP, int64, int64, int64, float64[::1]), cache=True, nogil=True)
def begin(sweep, unit, tile, role, intervals):  # type: ignore[no-untyped-def]
    """Let every lane be in the first interval of its train; lanes without a trial are in an interval of one second."""
    for lane in range(LANES):
        trial, at = tile * LANES + lane, role * INTERVALS + lane
        intervals[at], intervals[at + LANES], intervals[at + 2 * LANES] = 0.0, 1.0, 1.0
        if trial < sweep.n_trials:
            knot = sweep.offsets[trial * sweep.n_units + unit]
            here, ahead = sweep.knots[knot], sweep.knots[knot + 1]
            intervals[at + (knot & 1) * LANES], intervals[at + (knot + 1 & 1) * LANES] = here, ahead
            intervals[at + 2 * LANES] = 1.0 / max(ahead - here, SHORTEST)


@njit(Tuple((int64, UniTuple(float64, 5)))(SWEEP, int64, int64), cache=True, nogil=True)
def last_interval(sweep, trial, unit):  # type: ignore[no-untyped-def]
    """Return the last knot of a train, and the interval before it as the steps take it."""
    knot = sweep.offsets[trial * sweep.n_units + unit + 1] - 1
    behind, ahead = sweep.knots[knot - 1], sweep.knots[knot]
    return knot, (behind, ahead, 1.0 / max(ahead - behind, SHORTEST), sweep.stop, max(behind, sweep.start))
