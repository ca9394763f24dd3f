"""Cut recordings into trials: at marks with or without a window, or into consecutive windows of one length."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording.checks import positions
from snncompare.recording.marks import Marks
from snncompare.recording.trace_cutting import Windows, cut_trace
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording

__all__ = ["cut", "cut_at_zero", "cut_windows"]

_ZERO = "zero"
_OWN = ("start", "stop", "onset", "source_trial")


def cut(recording: "Recording", name: str, window: tuple[QuantityLike, QuantityLike] | None = None) -> "Recording":
    """Return one trial per mark called ``name``, with times relative to the mark's start.

    With onset ``o`` and window ``(a, b)``, a spike at ``t`` belongs to the trial if ``o + a <= t < o + b`` and gets
    the time ``t - o``; a window that ends with its source trial includes that end. Windows may overlap. Samples of
    traces are taken by ``o + a <= t < o + b`` at every end, see `trace_cutting.cut_trace`.

    Parameters
    ----------
    recording : Recording
    name : str
        One of ``recording.marks``.
    window : (time, time), optional
        Relative to each onset, for example ``("-100 ms", "500 ms")``. Default: the mark's own start to stop.

    Returns
    -------
    Recording
        ``trials`` has ``start``, ``stop``, ``onset`` (time of the mark in its source trial, seconds),
        ``source_trial``, the labels of the mark, and the labels of the source trial (as ``source_<label>`` where the
        mark has that label too). Other marks that touch a window come along, relative to its onset.

    Raises
    ------
    InputError
        For an unknown name, no marks, events without window, windows that reach beyond their trial, or windows that do
        not fall on the samples of a trace.
    """
    if name not in recording.marks:
        raise InputError(unknown("mark", name, recording.marks))
    marks = recording.marks[name]
    table = marks.table
    if table.empty:
        raise InputError(f"there are no marks in '{name}'; nothing to cut.")
    onset = table["start"].to_numpy()
    if window is None:
        if marks.kind == "event":
            raise InputError(f"'{name}' are events, without length; give a window, such as ['0 s', '500 ms'].")
        begin, end = np.zeros(len(table)), (table["stop"] - table["start"]).to_numpy()
    else:
        begin, end = (np.full(len(table), value) for value in _window(window))
    source = positions(table["trial"], recording.trials.index, "trial")
    windows = Windows(source, onset, onset + begin, onset + end)
    _refuse_beyond(recording, name, windows)
    labels = {(f"mark_{c}" if c in _OWN else c): table[c] for c in table if c not in {"trial", "start", "stop"}}
    labelled = pd.DataFrame({"start": begin, "stop": end, **labels})
    return _assemble(recording, windows, labelled)


def cut_at_zero(recording: "Recording", window: tuple[QuantityLike, QuantityLike]) -> "Recording":
    """Return the part of every trial between two times that are relative to the trials' own reference; see `cut`."""
    table = pd.DataFrame({"trial": recording.trials.index, "start": 0.0, "stop": 0.0})
    trials = recording.trials.drop(columns=["onset", "source_trial"], errors="ignore")
    known = {name: recording.trials[name].to_numpy() for name in ("onset", "source_trial") if name in recording.trials}
    bare = replace(recording, trials=trials, marks={**recording.marks, _ZERO: Marks("event", table)})
    part = cut(bare, _ZERO, window)
    others = {name: marks for name, marks in part.marks.items() if name != _ZERO}
    return replace(part, trials=part.trials.assign(**known), marks=others)


def cut_windows(recording: "Recording", length: QuantityLike) -> "Recording":
    """Return consecutive trials of one length, with times relative to their start.

    Window ``k`` of a trial that starts at ``s`` holds the spikes with ``s + k L <= t < s + (k + 1) L``. A rest
    shorter than ``L`` at the end of a trial is left out; ``provenance["left_out_s"]`` holds its length in seconds,
    summed over the trials. Samples of traces are taken by the same rule, see `trace_cutting.cut_trace`.

    Parameters
    ----------
    recording : Recording
    length : time
        ``L``, for example ``"500 ms"``.

    Returns
    -------
    Recording
        ``trials`` has ``start`` (0), ``stop``, ``onset``, ``source_trial``, ``window`` (k) and the source's labels.

    Raises
    ------
    InputError
        If the length is not positive, exceeds that of a trial, or is no multiple of the interval of a trace.
    """
    step = seconds(length, "length")
    if step <= 0:
        raise InputError(f"the length of the windows must be positive, got {length}.")
    start, stop = recording.trials["start"].to_numpy(), recording.trials["stop"].to_numpy()
    fits = np.floor((stop - start) / step * (1 + 4 * np.finfo(float).eps)).astype(int)
    if (fits < 1).any():
        lasts = f"the shortest lasts {(stop - start).min():g} s"
        raise InputError(f"windows of {length} do not fit into {(fits < 1).sum()} of {fits.size} trials; {lasts}.")
    source = np.repeat(np.arange(len(fits)), fits)
    number = np.concatenate([np.arange(n) for n in fits])
    begin, end = start[source] + number * step, start[source] + (number + 1) * step
    labelled = pd.DataFrame({"start": 0.0, "stop": step, "window": number})
    result = _assemble(recording, Windows(source, begin, begin, end), labelled)
    result.provenance["left_out_s"] = float(np.maximum(stop - start - fits * step, 0.0).sum())
    return result


def _window(window: tuple[QuantityLike, QuantityLike]) -> tuple[float, float]:
    if isinstance(window, str) or len(window) != 2:
        raise InputError(f"a window is two times, for example ['0 s', '500 ms']; got {window!r}.")
    begin, end = seconds(window[0], "the start of the window"), seconds(window[1], "the end of the window")
    if end <= begin:
        raise InputError(f"the window must end after it starts, got {window[0]} to {window[1]}.")
    return begin, end


def _slack(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 8 * np.finfo(float).eps * np.maximum(np.abs(values), 1.0)


def _refuse_beyond(recording: "Recording", name: str, windows: Windows) -> None:
    start, stop = (recording.trials[edge].to_numpy()[windows.source] for edge in ("start", "stop"))
    lo, hi = windows.lo, windows.hi
    beyond = (lo < start - _slack(start)) | (hi > stop + _slack(stop))
    if beyond.any():
        i = int(beyond.argmax())
        raise InputError(
            f"{beyond.sum()} of {beyond.size} windows at '{name}' reach beyond the recording; the first is number {i}, "
            f"from {lo[i]:.9g} to {hi[i]:.9g} s, where the recording lasts from {start[i]:.9g} to {stop[i]:.9g} s. "
            "Choose a window that fits around every mark, or leave out the marks that it does not fit (in a "
            "configuration by a 'trials_table' of the onsets to keep, in Python by Recording.with_marks)."
        )


def _assemble(recording: "Recording", windows: Windows, labelled: pd.DataFrame) -> "Recording":
    trials = _with_source_labels(recording, windows, labelled)
    first, last = _spike_ranges(recording, windows)
    lengths = (last - first).ravel()
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    spikes = np.repeat(first.ravel() - offsets[:-1], lengths) + np.arange(offsets[-1])
    row = np.repeat(np.arange(windows.source.size), (last - first).sum(axis=1))
    start, stop = trials["start"].to_numpy()[row], trials["stop"].to_numpy()[row]
    relative = recording.times[spikes] - windows.onset[row]
    return type(recording)(
        times=np.clip(relative, start, stop),  # undoes the rounding of the subtraction, nothing else
        offsets=offsets,
        units=recording.units,
        trials=trials,
        marks={name: _marks_inside(recording, marks, windows) for name, marks in recording.marks.items()},
        traces={name: cut_trace(name, trace, windows, trials.index) for name, trace in recording.traces.items()},
        provenance=recording.provenance,
    )


def _with_source_labels(recording: "Recording", windows: Windows, labelled: pd.DataFrame) -> pd.DataFrame:
    table = labelled.copy()
    table.insert(2, "onset", windows.onset)
    table.insert(3, "source_trial", recording.trials.index[windows.source])
    for name in recording.trials:
        if name not in {"start", "stop"}:
            free = name if name not in table else f"source_{name}"
            if free in table:
                raise InputError(f"the label '{name}' of the trials cannot be kept: '{free}' is taken; rename it.")
            table[free] = recording.trials[name].iloc[windows.source].set_axis(table.index)
    return table


def _spike_ranges(recording: "Recording", windows: Windows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the spikes of each window begin and end in ``times``: two arrays of shape (n_windows, n_units)."""
    start, stop = (recording.trials[edge].to_numpy()[windows.source] for edge in ("start", "stop"))
    lo = np.where(windows.lo <= start + _slack(start), start, windows.lo)
    hi = np.where(windows.hi >= stop - _slack(stop), np.nextafter(stop, np.inf), windows.hi)
    n_units = recording.n_units
    first, last = (np.empty((lo.size, n_units), dtype=np.int64) for _ in range(2))
    by_trial = np.argsort(windows.source, kind="stable")
    borders = np.searchsorted(windows.source[by_trial], np.arange(recording.n_trials + 1))
    for trial in np.unique(windows.source):
        rows = by_trial[borders[trial] : borders[trial + 1]]
        for unit in range(n_units):
            k = trial * n_units + unit
            begin = recording.offsets[k]
            train = recording.times[begin : recording.offsets[k + 1]]
            first[rows, unit] = begin + np.searchsorted(train, lo[rows])
            last[rows, unit] = begin + np.searchsorted(train, hi[rows])
    return first, last


def _marks_inside(recording: "Recording", marks: Marks, windows: Windows) -> Marks:
    """Return the marks that touch a window, relative to its onset: overlapping epochs, events in ``[lo, hi)``."""
    table = marks.table
    home = positions(table["trial"], recording.trials.index, "trial")
    start, stop = table["start"].to_numpy(), table["stop"].to_numpy()
    touching = [
        np.flatnonzero((home == trial) & (start < hi) & ((stop > lo) | (start >= lo)))
        for trial, lo, hi in zip(windows.source, windows.lo, windows.hi, strict=True)
    ]
    window = np.repeat(np.arange(len(touching)), [rows.size for rows in touching])
    inside = table.iloc[np.concatenate(touching)].reset_index(drop=True)
    inside["trial"] = window
    inside["start"] = start[np.concatenate(touching)] - windows.onset[window]
    inside["stop"] = stop[np.concatenate(touching)] - windows.onset[window]
    return Marks(marks.kind, inside)
