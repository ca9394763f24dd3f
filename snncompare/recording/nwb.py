"""NWB files, read by h5py: all spikes as one continuous trial, every interval table as marks.

Neo's own reader fails on ordinary files (no ``obs_intervals``, several of them, epochs without tags) and drops the
trials and the labels of units; the layout read here is that of the NWB schema 2.x.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import FileError
from snncompare.recording.marks import Marks
from snncompare.recording.parts import Parts, ragged

__all__ = ["read_nwb"]

_REFERENCE = "reference_time"
"""Column of intervals that `to_nwb` writes where they do not begin at the reference of their times."""

_NAMES = ("unit_name", "name", "unit_id")
"""Columns of the units table that name units, if they are unique text; otherwise the table's ``id`` does."""


def read_nwb(path: Path) -> Parts:
    """Return the units table as units, and every table of intervals as marks of kind ``epoch`` (events without stop).

    A column ``reference_time`` of intervals, as `to_nwb` writes it, also becomes the events ``NAME_references``.

    Scalar columns become labels; ragged columns, waveforms and references are left out and listed in
    ``provenance["left_out"]``. The one trial spans spikes, observation intervals and marks; observation intervals, if
    the file has them, are the marks ``obs_intervals``, with a column ``unit`` if they differ between units.

    Parameters
    ----------
    path : Path
        An HDF5 file of NWB 2.x.

    Raises
    ------
    FileError
        If the file is no NWB 2.x file or has no spike times; then it says what it has.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _parts(file, path.name)
    except FileError:
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as problem:
        reason = (str(problem).splitlines() or [type(problem).__name__])[0]
        raise FileError(f"'{path.name}' cannot be read as NWB 2.x: {reason[:200]}.") from problem


def _parts(file: Any, name: str) -> Parts:
    if "units" not in file or "spike_times" not in file["units"]:
        raise FileError(f"'{name}' holds no spikes (no units table with spike_times); it has {_contents(file)}.")
    table = file["units"]
    left_out: list[str] = []
    trains = [np.sort(train) for train in _ragged_column(table, "spike_times")]
    units = _unit_table(file, table, left_out)
    marks: dict[str, Marks] = {}
    for key in file.get("intervals", {}):
        found = _interval_table(file, file["intervals"][key], f"intervals/{key}", left_out)
        if found is not None:
            marks |= {key: found} | _references(key, found)
    if "obs_intervals" in table:
        marks["obs_intervals"] = _observed(table, units.index)
    times, offsets = ragged(trains)
    trials = pd.DataFrame({"start": [0.0], "stop": [0.0]})
    trials["start"], trials["stop"] = _span(times, marks, name)
    description = _text(file.get("session_description"))
    provenance: dict[str, Any] = {"nwb_version": str(file.attrs.get("nwb_version", ""))}
    provenance |= {"session": description} if description else {}
    provenance |= {"left_out": left_out} if left_out else {}
    return Parts(times=times, offsets=offsets, units=units, trials=trials, marks=marks, provenance=provenance)


def _contents(file: Any) -> str:
    places = ("acquisition", "processing", "intervals", "stimulus/presentation", "analysis")
    found = [f"{place}: {', '.join(list(file[place])[:5])}" for place in places if place in file and len(file[place])]
    return "; ".join(found) or "no data either"


def _ragged_column(table: Any, name: str) -> list[NDArray[np.float64]]:
    values = np.asarray(table[name][()], dtype=np.float64)
    if f"{name}_index" not in table:
        raise ValueError(f"the column '{name}' of the units has no index")
    ends = np.asarray(table[f"{name}_index"][()], dtype=np.int64)
    return np.split(values, ends[:-1]) if ends.size else []


def _unit_table(file: Any, table: Any, left_out: list[str]) -> pd.DataFrame:
    columns = _scalar_columns(file, table, "units", left_out)
    for name in _NAMES:
        text = [str(value) for value in columns.get(name, [])]
        if text and all(text) and len(set(text)) == len(text):
            del columns[name]
            return pd.DataFrame({"id": table["id"][()], **columns}, index=pd.Index(text))
    return pd.DataFrame(columns, index=pd.Index(table["id"][()]))


def _scalar_columns(file: Any, table: Any, where: str, left_out: list[str]) -> dict[str, list[Any]]:
    n_rows = len(table["id"])
    columns = {}
    for name, data in table.items():
        known = name in {"id", "spike_times", "obs_intervals", "start_time", "stop_time"} or name.endswith("_index")
        if known or not hasattr(data, "shape"):
            continue
        if f"{name}_index" in table or data.shape != (n_rows,):
            left_out.append(f"{where}: column '{name}' (not one value per row)")
            continue
        columns[name] = [_label(file, value) for value in _elements(file, data)]
    return columns


def _elements(file: Any, data: Any) -> list[Any]:
    """Return the values of a column, looked up where it stores positions in a list of elements."""
    values = list(data[()])
    if "elements" in data.attrs:
        elements = list(file[data.attrs["elements"]][()])
        return [elements[int(value)] for value in values]
    return values


def _label(file: Any, value: Any) -> Any:
    import h5py

    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, h5py.Reference):
        return file[value].name.rsplit("/", 1)[-1] if value else None
    return value.item() if isinstance(value, np.generic) else value


def _interval_table(file: Any, table: Any, where: str, left_out: list[str]) -> Marks | None:
    if "start_time" not in table:
        left_out.append(f"{where}: no start_time")
        return None
    start = np.asarray(table["start_time"][()], dtype=np.float64)
    stop = np.asarray(table["stop_time"][()], dtype=np.float64) if "stop_time" in table else start
    unusable = ~(np.isfinite(start) & np.isfinite(stop) & (stop >= start))
    if unusable.any():
        left_out.append(f"{where}: start_time or stop_time is missing or reversed in {int(unusable.sum())} rows")
        return None
    columns = _scalar_columns(file, table, where, left_out)
    labels = {(f"mark_{c}" if c in {"trial", "start", "stop"} else c): values for c, values in columns.items()}
    rows = pd.DataFrame({"trial": np.zeros(start.size, dtype=int), "start": start, "stop": stop, **labels})
    return Marks("epoch" if "stop_time" in table else "event", rows)


def _references(key: str, marks: Marks) -> dict[str, Marks]:
    """Return as events the times that intervals are relative to, where a column ``reference_time`` says so."""
    if _REFERENCE not in marks.table or marks.table[_REFERENCE].dtype.kind not in "iuf":
        return {}
    at = marks.table[_REFERENCE].astype(np.float64)
    events = marks.table.drop(columns=_REFERENCE).assign(start=at, stop=at)
    return {f"{key}_references": Marks("event", events)} if np.isfinite(at).all() else {}


def _observed(table: Any, units: pd.Index) -> Marks:
    intervals = np.asarray(table["obs_intervals"][()], dtype=np.float64).reshape(-1, 2)
    ends = np.asarray(table["obs_intervals_index"][()], dtype=np.int64)
    unit = np.repeat(np.arange(len(units)), np.diff(ends, prepend=0))
    first, *others = np.split(intervals, ends[:-1])
    if all(np.array_equal(first, other) for other in others):
        return Marks("epoch", pd.DataFrame({"trial": 0, "start": first[:, 0], "stop": first[:, 1]}))
    start, stop = intervals.T
    return Marks("epoch", pd.DataFrame({"trial": 0, "start": start, "stop": stop, "unit": units[unit]}))


def _span(times: NDArray[np.float64], marks: dict[str, Marks], name: str) -> tuple[float, float]:
    edges = [times, *(marks[key].table[edge].to_numpy() for key in marks for edge in ("start", "stop"))]
    everything = np.concatenate(edges)
    if everything.size == 0 or everything.min() == everything.max():
        raise FileError(f"'{name}' has units but no spikes and no intervals; nothing says how long it lasts.")
    return float(everything.min()), float(everything.max())


def _text(data: Any) -> str:
    value = data[()] if data is not None else ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
