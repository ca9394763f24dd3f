"""Spikes of trials on a grid of time steps: which unit fires in which step, and how often."""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.source import SpikeSource
from snncompare.errors import InputError
from snncompare.recording.time_steps import brian2_step, spike_steps, window_steps

__all__ = ["counts_in_steps", "events_in_steps", "raster_of", "steps_of"]

_WHOLE = 1e-6
"""Fraction of a step by which a window may exceed a whole number of steps: rounding of decimals to floats."""

_MOST_STEPS = 1e9
"""No array holds more; a file may announce any duration."""


def raster_of(source: SpikeSource, chosen: NDArray[np.int64], dt: float) -> NDArray[np.bool_]:
    """Return which unit fires in which step; see `SpikeDataset.raster`."""
    windows = source.trials
    lengths = windows["stop"] - windows["start"]
    if np.ptp(lengths) > _WHOLE * dt > 0:
        raise InputError(
            f"the windows of the trials last from {lengths.min():g} to {lengths.max():g} s, so no raster holds them; "
            "take dataset.counts, which pads the shorter ones with silence, or cut them (Recording.cut_windows)."
        )
    n_steps = window_steps(windows, dt)
    starts = source.trials["start"].to_numpy(dtype=np.float64)[chosen]
    where = spike_steps(*source.spikes(chosen), starts, dt, n_steps)
    raster = np.zeros((chosen.size, n_steps, len(source.units)), dtype=bool)
    raster[where] = True
    if np.count_nonzero(raster) < where[0].size:
        _refuse_twice(source, chosen, where, dt)
    return raster


def counts_in_steps(
    source: SpikeSource, chosen: NDArray[np.int64], dt: float, duration: float | None
) -> NDArray[np.float32]:
    """Return how often each unit fires in each step; see `SpikeDataset.counts`."""
    n_steps = steps_of(source, dt, duration)
    step, trial, unit, _ = events_in_steps(source, chosen, dt, n_steps)
    counts = np.zeros((chosen.size, n_steps, len(source.units)), dtype=np.float32)
    np.add.at(counts, (trial, step, unit), np.float32(1.0))
    return counts


def events_in_steps(
    source: SpikeSource, chosen: NDArray[np.int64], dt: float, n_steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return step, trial (position in `chosen`), unit and time since the start of the trial (s) of each spike.

    Spikes after step `n_steps`, or after the end of their own trial, are absent.
    """
    windows = source.trials[["start", "stop"]].to_numpy(dtype=np.float64)[chosen]
    start, stop = windows.T
    own_steps = np.minimum(np.ceil((stop - start) / dt - _WHOLE), n_steps).astype(np.int64)
    times, per_train = source.spikes(chosen)
    n_units = len(source.units)
    trial = np.repeat(np.arange(chosen.size), per_train.sum(axis=1))
    unit = np.repeat(np.tile(np.arange(n_units), chosen.size), per_train.ravel())
    since = times - start[trial]
    step = brian2_step(since, dt)
    inside = step < own_steps[trial]
    return step[inside], trial[inside], unit[inside], since[inside]


def steps_of(source: SpikeSource, dt: float, duration: float | None) -> int:
    """Return how many steps hold the longest window, or `duration` where it is given.

    Raises
    ------
    InputError
        If the time step or the duration is not positive, or there are too many steps.
    """
    if not 0 < dt < np.inf:
        raise InputError(f"dt must be positive, got {dt:g} s.")
    windows = source.trials
    longest = float((windows["stop"] - windows["start"]).max()) if duration is None else duration
    if not 0 < longest < np.inf:
        raise InputError(f"a duration must be positive, got {longest:g} s.")
    if longest / dt > _MOST_STEPS:
        raise InputError(f"{longest:g} s in steps of {dt:g} s are more than {_MOST_STEPS:.0g} steps; take a longer dt.")
    return max(1, math.ceil(longest / dt - _WHOLE))


def _refuse_twice(source: SpikeSource, chosen: NDArray[np.int64], where: tuple[NDArray[Any], ...], dt: float) -> None:
    cells = pd.DataFrame(dict(zip(("row", "step", "unit"), where, strict=True)))
    twice = cells[cells.duplicated()]
    row, step, unit = twice.iloc[0]
    raise InputError(
        f"{len(twice)} spikes share a step of {dt:g} s with another spike of their unit, the first in trial "
        f"{source.trials.index[chosen[row]]!r}, unit {source.units.index[unit]!r}, step {step}; take a smaller dt, or "
        "dataset.counts, which counts them."
    )
