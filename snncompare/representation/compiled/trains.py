"""Ragged spike trains of units in trials, as the kernels take them, and the pooling of units."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trains", "pool_units"]


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
