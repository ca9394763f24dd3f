"""A recording into distances between its trials, for one spike-train metric or a sweep of them."""

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics import Metric

__all__ = ["distances"]

WINDOW_TOLERANCE = 1e-9
"""Seconds; far below any spike time's resolution, far above the rounding of a difference of times."""


def distances(recording: Recording, metric: Metric | Sequence[Metric]) -> xr.DataArray:
    """Return the distance between every two trials of a recording.

    Spike times count from the reference of their own trial, so all trials must have the same window.

    Parameters
    ----------
    recording : Recording
    metric : Metric or sequence of Metric
        For example ``VanRossum(tau="10 ms")``, or ``VictorPurpura.sweep(["1 ms", "10 ms"])``.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(trial, trial_)`` for one metric, ``(metric, trial, trial_)`` for a sequence; symmetric, zero on
        the diagonal. Coordinates: the names of the trials; ``label``, ``time_scale`` (seconds), ``euclidean`` and
        ``additive`` of each metric.

    Raises
    ------
    InputError
        If the windows of the trials differ, or a metric is given twice or is none.
    """
    metrics = _several(metric)
    _refuse_unlike_windows(recording)
    values = _between_trials(recording, metrics)
    names = recording.trials.index.to_numpy()
    result = xr.DataArray(
        values,
        dims=("metric", "trial", "trial_"),
        coords={
            "metric": [repr(value) for value in metrics],
            "label": ("metric", [value.label for value in metrics]),
            "time_scale": ("metric", [value.time_scale for value in metrics], {"units": "s"}),
            "euclidean": ("metric", [value.euclidean for value in metrics]),
            "additive": ("metric", [value.additive for value in metrics]),
            "trial": names,
            "trial_": names,
        },
        name="distance",
    )
    return result.isel(metric=0) if isinstance(metric, Metric) else result


def _several(metric: Metric | Sequence[Metric]) -> list[Metric]:
    given = metric if isinstance(metric, Iterable) else [metric]
    several = list(given)
    for value in several:
        if not isinstance(value, Metric):
            raise InputError(f"expected a metric such as VanRossum(tau='10 ms'), got {value!r}.")
    if not several:
        raise InputError("no metric given; give for example VanRossum(tau='10 ms').")
    twice = next((value for k, value in enumerate(several) if value in several[:k]), None)
    if twice is not None:
        raise InputError(f"the metric {twice!r} is given twice; give each once.")
    return several


def _refuse_unlike_windows(recording: Recording) -> None:
    start, stop = (recording.trials[side].to_numpy(dtype=np.float64) for side in ("start", "stop"))
    unlike = (np.abs(start - start[0]) > WINDOW_TOLERANCE) | (np.abs(stop - stop[0]) > WINDOW_TOLERANCE)
    if unlike.any():
        k = int(unlike.argmax())
        names = recording.trials.index
        raise InputError(
            f"distances need trials with one common window relative to their own reference; trial {names[0]!r} has "
            f"{start[0]:g} to {stop[0]:g} s, trial {names[k]!r} has {start[k]:g} to {stop[k]:g} s. Cut the recording "
            "first, with recording.cut(name, window=...) or recording.cut_windows(length)."
        )


def _between_trials(recording: Recording, metrics: list[Metric]) -> NDArray[np.float64]:
    """Compute metrics of one class together, so that a sweep visits the spikes once."""
    start, stop = (float(recording.trials[side].iloc[0]) for side in ("start", "stop"))
    trains = Trains(recording.times, recording.offsets, recording.n_units, start, stop)
    every = range(trains.n_trials)
    values = np.empty((len(metrics), trains.n_trials, trains.n_trials))
    for kind in dict.fromkeys(type(value) for value in metrics):
        chosen = [k for k, value in enumerate(metrics) if type(value) is kind]
        same = [metrics[k] for k in chosen]
        values[chosen] = kind.between_trials(same, trains, every, every)
    return values
