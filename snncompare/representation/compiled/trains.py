"""Ragged spike trains of units in trials, as the kernels take them, and what is made of them before any comparison."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trains", "distinct_times", "first_spikes", "pool_units"]


class Trains(NamedTuple):
    """Spike trains in flat arrays, laid out as in a `Recording`.

    Attributes
    ----------
    times : array (n_spikes,)
        Seconds, relative to the trial; sorted by trial, then unit, then time.
    offsets : array (n_trials * n_units + 1,)
        Train of (trial i, unit j) is ``times[offsets[k]:offsets[k + 1]]`` with ``k = i * n_units + j``.
    n_units : int
    start, stop : float
        The window of every trial, seconds; needed by metrics that look at the time before the first or after the last
        spike.
    """

    times: NDArray[np.float64]
    offsets: NDArray[np.int64]
    n_units: int
    start: float
    stop: float

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return (self.offsets.size - 1) // self.n_units


def pool_units(trains: Trains) -> Trains:
    """Return the trains in which the units lost their names: one per trial.

    Spikes of different units at the same time are all kept.
    """
    offsets = np.ascontiguousarray(trains.offsets[:: trains.n_units])
    trial = np.repeat(np.arange(trains.n_trials), np.diff(offsets))
    return Trains(trains.times[np.lexsort((trains.times, trial))], offsets, 1, trains.start, trains.stop)


def distinct_times(trains: Trains) -> Trains:
    """Return the trains as sets of times inside the window: a time at which a train has several spikes is kept once.

    Windows of trials may differ by rounding, so a time that lies outside by less than that is put on the edge.
    """
    times = np.clip(trains.times, trains.start, trains.stop)
    train = np.repeat(np.arange(trains.offsets.size - 1), np.diff(trains.offsets))
    kept = np.ones(times.size, dtype=bool)
    kept[1:] = (times[1:] != times[:-1]) | (train[1:] != train[:-1])
    offsets = np.concatenate([[0], np.cumsum(kept)])[trains.offsets].astype(np.int64)
    return trains._replace(times=times[kept], offsets=offsets)


def first_spikes(trains: Trains) -> NDArray[np.float64]:
    """Return the time of the first spike of each unit in each trial ``(n_trials, n_units)``; infinite if silent."""
    begin, end = trains.offsets[:-1], trains.offsets[1:]
    first = np.full(begin.size, np.inf)
    first[end > begin] = trains.times[begin[end > begin]]
    return first.reshape(trains.n_trials, trains.n_units)
