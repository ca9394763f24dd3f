"""Events of cameras as arrays of rows (x, y, t, p), the form of the package tonic, and as spikes of named units."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.encoder import Spikes
from snncompare.encoding.presentations import trial_table
from snncompare.encoding.visual.event_camera import pixel_units
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = ["EVENT", "checked_events", "event_array", "events_of", "recording_of_events", "spikes_of_events"]

EVENT = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", np.bool_)])
"""One event: pixel from the left, pixel from the top, microseconds, ON or OFF; tonic's ``events_struct``."""

_MICROSECOND = 1e-6
_MOST_PIXELS = 1 << 15


def event_array(
    x: NDArray[np.int64], y: NDArray[np.int64], t: NDArray[np.int64], p: NDArray[np.int64]
) -> NDArray[np.void]:
    """Return columns as an array of `EVENT`."""
    events = np.empty(len(t), dtype=EVENT)
    for name, column in (("x", x), ("y", y), ("t", t), ("p", p)):
        events[name] = column
    return events


def checked_events(events: NDArray[np.void], width: int, height: int) -> NDArray[np.void]:
    """Return events as an array of `EVENT`.

    Parameters
    ----------
    events : structured array, shape (n_events,)
        Fields ``x``, ``y``, ``t`` (microseconds, never falling) and ``p`` (0 or 1), whole numbers or bool.
    width, height : int
        Pixels of the camera.

    Raises
    ------
    InputError
        For fields that are missing or no whole numbers, pixels beyond the camera, polarities other than 0 and 1,
        times that are negative or fall, and cameras of more than 32768 pixels a side.
    """
    if not (1 <= width <= _MOST_PIXELS and 1 <= height <= _MOST_PIXELS):
        raise InputError(f"a camera has 1 to {_MOST_PIXELS} pixels a side, got {width} x {height}.")
    given = np.asarray(events)
    if given.ndim != 1 or given.dtype.names is None or not {"x", "y", "t", "p"} <= set(given.dtype.names):
        raise InputError(f"events are a structured array with the fields x, y, t, p, got {given.dtype!s:.100}.")
    columns = {name: given[name] for name in ("x", "y", "t", "p")}
    for name, column in columns.items():
        if column.dtype.kind not in "iub":
            raise InputError(
                f"the field '{name}' of events holds whole numbers, got {column.dtype}; t in microseconds."
            )
    limits = {"x": width - 1, "y": height - 1, "p": 1, "t": np.iinfo(np.int64).max}
    for name, most in limits.items():
        column = columns[name]
        if column.size and not 0 <= int(column.min()) <= int(column.max()) <= most:
            raise InputError(
                f"the field '{name}' of events goes from 0 to {most}, got {int(column.min())} to {int(column.max())}; "
                f"the camera has {width} x {height} pixels."
            )
    t = columns["t"].astype(np.int64)
    if (np.diff(t) < 0).any():
        first = int(np.flatnonzero(np.diff(t) < 0)[0])
        raise InputError(f"the times of events never fall, but event {first + 1} comes before event {first}.")
    return event_array(columns["x"], columns["y"], t, columns["p"])


def spikes_of_events(events: NDArray[np.void], width: int, height: int) -> Spikes:
    """Return events as spikes of the units of `pixel_units`, times in seconds; see `checked_events`."""
    checked = checked_events(events, width, height)
    unit = 2 * (checked["y"].astype(np.int64) * width + checked["x"]) + checked["p"]
    order = np.argsort(unit, kind="stable")
    return Spikes(checked["t"][order] * _MICROSECOND, np.bincount(unit, minlength=2 * width * height))


def recording_of_events(
    arrays: Sequence[NDArray[np.void]],
    width: int,
    height: int,
    *,
    duration: QuantityLike,
    trials: pd.DataFrame | None = None,
) -> Recording:
    """Return a recording with a trial for each array of events and a unit for each pixel and polarity.

    Parameters
    ----------
    arrays : sequence of structured arrays
        See `checked_events`.
    width, height : int
        Pixels of the camera.
    duration : time
        Of every trial, from time 0 of its events.
    trials : pandas.DataFrame, optional
        Names (index) and labels (columns) of the trials; default: numbered, no labels.

    Raises
    ------
    InputError
        As `checked_events` does, and for events after the end of a trial.
    """
    spikes = [spikes_of_events(events, width, height) for events in arrays]
    counts = np.concatenate([np.empty(0, dtype=np.int64), *(one.counts for one in spikes)])
    return Recording(
        times=np.concatenate([np.empty(0), *(one.times for one in spikes)]),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        units=pixel_units(width, height),
        trials=trial_table(trials, [seconds(duration, "duration")] * len(spikes)),
    )


def events_of(recording: Recording, trial: int) -> NDArray[np.void]:
    """Return the events of a trial in the order of their times.

    Parameters
    ----------
    recording : Recording
        With the columns ``x``, ``y`` and ``polarity`` in its table of units, as `EventCamera` makes them.
    trial : int
        Position of the trial.

    Returns
    -------
    array of EVENT
        Times rounded to microseconds, counted from the start of the trial.

    Raises
    ------
    InputError
        For units that are no pixels, and trials that do not exist.
    """
    units = recording.units
    missing = [name for name in ("x", "y", "polarity") if name not in units]
    if missing:
        raise InputError(f"units of events have columns x, y and polarity; {missing} are missing.")
    if not 0 <= trial < len(recording.trials):
        raise InputError(f"there is no trial {trial}; they go from 0 to {len(recording.trials) - 1}.")
    offsets = recording.offsets[trial * recording.n_units : (trial + 1) * recording.n_units + 1]
    start = float(recording.trials["start"].iloc[trial])
    t = np.round((recording.times[offsets[0] : offsets[-1]] - start) / _MICROSECOND).astype(np.int64)
    columns = [np.repeat(units[name].to_numpy(), np.diff(offsets)) for name in ("x", "y", "polarity")]
    order = np.argsort(t, kind="stable")
    x, y, p = (column[order] for column in columns)
    return event_array(x, y, t[order], p)
