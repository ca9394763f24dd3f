"""A recording into distances between its trials, for one spike-train metric or a sweep of them."""

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from snncompare.errors import InputError
from snncompare.recording.arguments import a_recording
from snncompare.recording.recording import Recording
from snncompare.representation.blocks.execution import Execution, assembled
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics import Metric

__all__ = ["aligned_trains", "distances", "refuse_unlike_windows", "several_metrics"]

WINDOW_TOLERANCE = 1e-9
"""Seconds; far below any spike time's resolution, far above the rounding of a difference of times."""


def distances(
    recording: Recording, metric: Metric | Sequence[Metric], *, execution: Execution | None = None
) -> xr.DataArray:
    """Return the distance between every two trials of a recording.

    Spike times count from the reference of their own trial, so all trials must have the same window.

    Parameters
    ----------
    recording : Recording
    metric : Metric or sequence of Metric
        For example ``VanRossum(tau="10 ms")``, or ``VictorPurpura.sweep(["1 ms", "10 ms"])``.
    execution : Execution, optional
        How the work is cut into blocks and who does it; the distances do not depend on it.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(trial, trial_)`` for one metric, ``(metric, trial, trial_)`` for a sequence; symmetric, zero on
        the diagonal. Coordinates: the names of the trials; ``label``, ``time_scale`` (seconds), ``euclidean`` and
        ``additive`` of each metric. Attribute ``duration`` of the trials (seconds).

    Raises
    ------
    InputError
        If the windows of the trials differ, or a metric is given twice or is none.
    """
    metrics = several_metrics(metric)
    trains = aligned_trains(recording)
    values = assembled(metrics, "between_trials", trains, execution)
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
        attrs={"duration": trains.stop - trains.start},
    )
    return result.isel(metric=0) if isinstance(metric, Metric) else result


def several_metrics(metric: Metric | Sequence[Metric]) -> list[Metric]:
    """Return the metrics as a list; refuse none, one given twice, and what is no metric."""
    given = metric if isinstance(metric, Iterable) and not isinstance(metric, str) else [metric]
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


def aligned_trains(recording: Recording) -> Trains:
    """Return the spike trains of trials that have one common window; refuse others."""
    refuse_unlike_windows(a_recording(recording))
    start, stop = (float(recording.trials[side].iloc[0]) for side in ("start", "stop"))
    return Trains(recording.times, recording.offsets, recording.n_units, start, stop)


def refuse_unlike_windows(recording: Recording) -> None:
    """Raise an `InputError` if the windows of the trials differ."""
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
