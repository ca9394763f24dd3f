"""Spike times end to end in one array, and a second array that says how many belong to each train."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording import checks
from snncompare.recording.array_files import read_arrays
from snncompare.recording.layouts import Column, Counts
from snncompare.recording.parts import Parts, trains_of_rows
from snncompare.recording.spike_rows import decoded, refuse_outside_window
from snncompare.recording.text_units import to_seconds
from snncompare.units import seconds

__all__ = ["read_counts"]


def read_counts(path: Path, layout: Counts) -> Parts:
    """Return the spikes of a file that holds them train by train; within a train they may stand in any order.

    Parameters
    ----------
    path : Path
        ``.npz``, ``.h5`` or ``.hdf5``; see `array_files.read_arrays`.
    layout : Counts

    Raises
    ------
    FileError
        If the file is damaged or could run code.
    InputError
        If counts are negative or no whole numbers, do not add up to the number of spikes, or labels do not fit.
    """
    if (layout.counts is None) == (layout.offsets is None):
        raise InputError("give either counts (trials by units) or offsets, which say where trains begin and end.")
    columns = [*layout.labels.values(), *layout.unit_labels.values()]
    names = [layout.times, layout.counts, layout.offsets, *(c.values for c in columns), *(c.names for c in columns)]
    arrays = read_arrays(path, [name for name in names if name is not None])
    times = to_seconds(checks.spike_times(arrays[layout.times]), layout.time_unit)
    counts = _counts(arrays, layout, times.size)
    n_trials, n_units = counts.shape
    begin, end = (seconds(edge) for edge in layout.window)
    refuse_outside_window(times, begin, end, layout.time_unit)
    train = np.repeat(np.arange(counts.size), counts.ravel())
    ordered, offsets = trains_of_rows(times, train, counts.size)
    units = pd.DataFrame(_labels(arrays, layout.unit_labels, n_units, "unit"), index=pd.RangeIndex(n_units))
    labels = _labels(arrays, layout.labels, n_trials, "trial")
    trials = pd.DataFrame({"start": begin, "stop": end, **labels}, index=pd.RangeIndex(n_trials))
    provenance: dict[str, Any] = {"layout": layout.plain()}
    return Parts(times=ordered, offsets=offsets, units=units, trials=trials, marks={}, provenance=provenance)


def _counts(arrays: dict[str, NDArray[Any]], layout: Counts, n_spikes: int) -> NDArray[np.int64]:
    name = str(layout.counts or layout.offsets)
    given = arrays[name]
    if given.dtype.kind not in "iu":
        raise InputError(f"the array '{name}' must hold whole numbers, got {given.dtype}.")
    values = given.astype(np.int64)
    if layout.offsets is not None:
        if values.ndim != 1 or values.size < 2 or values[0] != 0 or (values.size - 1) % layout.n_units:
            raise InputError(
                f"the array '{name}' must rise from 0 in n_trials * {layout.n_units} + 1 entries, got shape "
                f"{values.shape}{f' beginning with {values[0]}' if values.ndim == 1 and values.size else ''}."
            )
        values = np.diff(values).reshape(-1, layout.n_units)
    if values.ndim != 2 or values.size == 0:
        raise InputError(f"the array '{name}' must have the shape (trials, units), got {values.shape}.")
    if (values < 0).any():
        raise InputError(f"{int((values < 0).sum())} counts in '{name}' are negative, the first is {values.min()}.")
    if values.sum() != n_spikes:
        raise InputError(
            f"the counts in '{name}' add up to {values.sum()}, but '{layout.times}' holds {n_spikes} times."
        )
    return values


def _labels(
    arrays: dict[str, NDArray[Any]], columns: dict[str, Column], n_rows: int, what: str
) -> dict[str, NDArray[Any]]:
    labels = {name: decoded(arrays, column, arrays[column.values]) for name, column in columns.items()}
    for name, values in labels.items():
        if values.shape != (n_rows,):
            raise InputError(f"the label '{name}' has shape {values.shape}, but there are {n_rows} {what}s.")
    return labels
