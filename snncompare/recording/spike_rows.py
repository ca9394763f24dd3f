"""Tables of spikes: one row per spike, with arrays that say which unit and which trial it belongs to."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording import checks
from snncompare.recording.array_files import read_arrays
from snncompare.recording.layouts import Column, Rows, Session
from snncompare.recording.parts import Parts, trains_of_rows
from snncompare.recording.text_units import to_seconds
from snncompare.units import seconds

__all__ = ["decoded", "read_rows", "refuse_outside_window", "session_of_units"]


class _Units(NamedTuple):
    """Units of the table, the position of each spike's unit in it, and their sessions, if any."""

    table: pd.DataFrame
    of_spike: NDArray[np.int64]
    session: NDArray[Any] | None


def read_rows(path: Path, layout: Rows) -> Parts:
    """Return the spikes of a file in which each has a row.

    Trials of one session come in the order of their labels (of the numbers that stand for them, where they have names).
    Two spikes at the same time in the same train are two spikes.

    Parameters
    ----------
    path : Path
        ``.npz``, ``.csv``, ``.tsv``, ``.h5`` or ``.hdf5``; see `array_files.read_arrays`.
    layout : Rows

    Raises
    ------
    FileError
        If the file is damaged or could run code.
    InputError
        If an array does not exist, has another length than the others, or holds something else than it is said to.
    """
    arrays = read_arrays(path, _named(layout))
    times = to_seconds(checks.spike_times(arrays[layout.times]), layout.time_unit)
    _refuse_lengths(arrays, layout, times.size)
    units = _units(arrays, layout)
    trials, of_spike = _trials(arrays, layout, units)
    begin, end = (seconds(edge) for edge in layout.window)
    refuse_outside_window(times, begin, end, layout.time_unit)
    if layout.units_present is not None:
        units.table["complete"] = _complete(arrays, layout, units.table.index)
    train = of_spike * len(units.table) + units.of_spike
    ordered, offsets = trains_of_rows(times, train, len(trials) * len(units.table))
    trials.insert(0, "start", begin)
    trials.insert(1, "stop", end)
    provenance: dict[str, Any] = {"layout": layout.plain()}
    if layout.present is None and not layout.labels:
        provenance["trials"] = "those with at least one spike; the file does not name others"
    return Parts(times=ordered, offsets=offsets, units=units.table, trials=trials, marks={}, provenance=provenance)


def _named(layout: Rows) -> list[str]:
    columns = [*layout.unit.values(), *layout.trial.values(), *layout.labels.values()]
    names = [layout.times, *(c.values for c in columns), *(c.names for c in columns), layout.present]
    return [name for name in [*names, layout.units_present] if name is not None]


def _refuse_lengths(arrays: dict[str, NDArray[Any]], layout: Rows, n_spikes: int) -> None:
    for column in [*layout.unit.values(), *layout.trial.values()]:
        if arrays[column.values].shape != (n_spikes,):
            raise InputError(
                f"the array '{column.values}' has shape {arrays[column.values].shape}, but there are {n_spikes} spikes "
                f"in '{layout.times}'; one entry per spike is needed."
            )


def refuse_outside_window(times: NDArray[np.float64], begin: float, end: float, time_unit: str) -> None:
    """Refuse spikes outside the closed window ``[begin, end]`` (seconds), with the range that they have.

    Raises
    ------
    InputError
        Names the two likely mistakes: the window, and the unit of the times.
    """
    outside = (times < begin) | (times > end)
    if outside.any():
        raise InputError(
            f"{int(outside.sum())} of {times.size} spikes lie outside the window of {begin:g} to {end:g} s: with "
            f"time_unit '{time_unit}' the times run from {times.min():.6g} to {times.max():.6g} s. Correct time_unit "
            "(a sampling rate such as '15 kHz' for sample numbers) or widen the window of the layout."
        )


def decoded(arrays: dict[str, NDArray[Any]], column: Column, codes: NDArray[Any]) -> NDArray[Any]:
    """Return the labels that codes stand for, of the same shape: the codes themselves where there are no names.

    Raises
    ------
    InputError
        For codes that are no whole numbers from 0 to the number of names.
    """
    if codes.dtype.kind not in "biufUS":
        raise InputError(f"the array '{column.values}' holds {codes.dtype}; labels are numbers or text.")
    if codes.dtype.kind == "S":
        codes = np.char.decode(codes)
    if codes.dtype.kind == "f" and not np.isfinite(codes).all():
        raise InputError(f"the array '{column.values}' holds {int((~np.isfinite(codes)).sum())} values that are NaN.")
    if column.names is None:
        return codes
    names = arrays[column.names]
    if names.ndim != 1 or codes.dtype.kind not in "iu":
        raise InputError(
            f"'{column.values}' must be whole numbers that count along the list '{column.names}'; they are "
            f"{codes.dtype}, and the list has shape {names.shape}."
        )
    wrong = (codes < 0) | (codes >= names.size)
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum())} numbers in '{column.values}' stand for none of the {names.size} names in "
            f"'{column.names}', the first is {codes[wrong][0]}; they count from 0."
        )
    return names[codes]


def _units(arrays: dict[str, NDArray[Any]], layout: Rows) -> _Units:
    codes = pd.DataFrame({label: arrays[column.values] for label, column in layout.unit.items()})
    shown = {label: decoded(arrays, column, arrays[column.values]) for label, column in layout.unit.items()}
    [(label, column), *others] = layout.unit.items()
    if column.names is not None and not others:
        names = arrays[column.names]
        table = pd.DataFrame({label: names}, index=pd.Index(names))
        of_spike = codes[label].to_numpy(dtype=np.int64)
    else:
        of_spike, seen = _numbered(codes)
        table = pd.DataFrame({key: values[seen] for key, values in shown.items()})
        joined = ["/".join(map(str, row)) for row in table.itertuples(index=False)]
        table.index = pd.Index(joined if others else table[label])
        table.index.name = None
    session = session_of_units(table, layout.session)
    if session is not None:
        table["session"] = session
    return _Units(table if others else table.drop(columns=label), of_spike, session)


def _numbered(codes: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each row the position of its combination in the sorted combinations, and a row of each of them."""
    first = codes.drop_duplicates().sort_values(list(codes.columns))
    keys, rows = (_key(frame) for frame in (first, codes))
    return keys.get_indexer(rows).astype(np.int64), first.index.to_numpy()


def _key(frame: pd.DataFrame) -> pd.Index:
    return pd.Index(frame.iloc[:, 0]) if frame.shape[1] == 1 else pd.MultiIndex.from_frame(frame)


def session_of_units(table: pd.DataFrame, session: Session | str | None) -> NDArray[Any] | None:
    """Return the session of each unit, shape (n_units,), from a label or from the beginning of one.

    Raises
    ------
    InputError
        If the label does not exist, or does not contain the text that ends the session's name.
    """
    if session is None:
        return None
    rule = session if isinstance(session, Session) else Session(of=session, until=" ")
    if rule.of not in table:
        raise InputError(f"session: {unknown('label of the units', rule.of, table.columns)}")
    values = table[rule.of].to_numpy()
    if isinstance(session, str):
        return np.asarray(values)
    cut = [str(value).split(rule.until, 1) for value in values]
    without = [value for value, parts in zip(values, cut, strict=True) if len(parts) < 2]
    if without:
        raise InputError(f"session: '{rule.until}' does not occur in the {rule.of} '{without[0]}'.")
    return np.array([parts[0] for parts in cut])


def _trials(arrays: dict[str, NDArray[Any]], layout: Rows, units: _Units) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return the labels of the trials and the position of each spike's trial."""
    codes = {label: arrays[column.values] for label, column in layout.trial.items()}
    if units.session is not None:
        of_unit = pd.factorize(pd.Series(units.session))[0]
        codes = {"session": of_unit[units.of_spike], **codes}
    spikes = pd.DataFrame(codes)
    if layout.labels:
        return _labelled_trials(arrays, layout, units, spikes)
    if layout.present is not None:
        existing = _present(arrays, layout)
        position = _key(existing).get_indexer(_key(spikes))
        _refuse_absent(spikes, position, f"the trials in '{layout.present}'")
    else:
        position, seen = _numbered(spikes)
        existing = spikes.iloc[seen].reset_index(drop=True)
    return _with_names(arrays, layout, units, existing), position.astype(np.int64)


def _with_names(arrays: dict[str, NDArray[Any]], layout: Rows, units: _Units, existing: pd.DataFrame) -> pd.DataFrame:
    columns = {label: decoded(arrays, c, existing[label].to_numpy()) for label, c in layout.trial.items()}
    if units.session is not None:
        names = pd.factorize(pd.Series(units.session))[1].to_numpy()
        columns = {"session": names[existing["session"].to_numpy()], **columns}
    return pd.DataFrame(columns)


def _refuse_absent(spikes: pd.DataFrame, position: NDArray[Any], where: str) -> None:
    absent = position < 0
    if absent.any():
        first = {label: spikes[label].iloc[int(absent.argmax())] for label in spikes}
        found = ", ".join(f"{label} {value}" for label, value in first.items())
        raise InputError(f"{int(absent.sum())} spikes are in trials that are not among {where}, the first in {found}.")


def _json(arrays: dict[str, NDArray[Any]], name: str) -> dict[str, list[Any]]:
    array = arrays[name]
    try:
        given = json.loads(array.item()) if array.size == 1 and array.dtype.kind == "U" else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not all(isinstance(value, list) for value in given.values()):
        raise InputError(
            f"the array '{name}' must be one JSON text that maps names to lists, such as {{'mint': [0, 1]}}."
        )
    return given


def _present(arrays: dict[str, NDArray[Any]], layout: Rows) -> pd.DataFrame:
    if len(layout.trial) != 2 or layout.session is not None:
        raise InputError("present: needs two labels in 'trial' (what it maps from and to), and no session.")
    [(outer, column), (inner, _)] = layout.trial.items()
    given = _json(arrays, str(layout.present))
    names = list(arrays[column.names]) if column.names is not None else None
    rows = []
    for name, values in given.items():
        if names is not None and name not in names:
            raise InputError(f"present: {unknown(outer, name, names)}")
        code = name if names is None else names.index(name)
        rows += [(code, value) for value in values]
    table = pd.DataFrame(rows, columns=[outer, inner])
    if table.duplicated().any():
        raise InputError(f"the array '{layout.present}' names a trial twice.")
    return table.sort_values([outer, inner], ignore_index=True)


def _complete(arrays: dict[str, NDArray[Any]], layout: Rows, units: pd.Index) -> list[bool]:
    recorded = _json(arrays, str(layout.units_present))
    for names in recorded.values():
        for name in names:
            if name not in units:
                raise InputError(f"units_present: {unknown('unit', name, units)}")
    return [all(unit in names for names in recorded.values()) for unit in units]


def _labelled_trials(
    arrays: dict[str, NDArray[Any]], layout: Rows, units: _Units, spikes: pd.DataFrame
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return trials that are numbered from 0 and have their labels in arrays of their own."""
    if len(layout.trial) != 1:
        raise InputError("labels: need one array in 'trial' that numbers the trials from 0.")
    [(label, column)] = layout.trial.items()
    session = np.zeros(len(units.table), int) if units.session is None else pd.factorize(pd.Series(units.session))[0]
    found = {name: _per_session(arrays, name, c, session) for name, c in layout.labels.items()}
    shapes = {values.shape for values, _ in found.values()}
    if len(shapes) > 1:
        raise InputError(f"labels: the arrays are of different shapes, {sorted(shapes)} (sessions, trials).")
    exists = np.logical_and.reduce([there for _, there in found.values()])
    which, number = np.nonzero(exists)
    existing = pd.DataFrame(({} if units.session is None else {"session": which}) | {label: number})
    position = _key(existing).get_indexer(_key(spikes))
    _refuse_absent(spikes, position, f"the trials that {', '.join(layout.labels)} label")
    table = _with_names(arrays, layout, units, existing) if column.names is None else existing
    for name, (values, _) in found.items():
        table[name] = decoded(arrays, layout.labels[name], values[exists])
    return table, position.astype(np.int64)


def _per_session(
    arrays: dict[str, NDArray[Any]], name: str, column: Column, session: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return codes of one label and whether there is such a trial, shape (n_sessions, n_trials) each."""
    given = arrays[column.values]
    codes = np.tile(given, (session.size, 1)) if given.ndim == 1 else given
    if codes.ndim != 2 or len(codes) != session.size:
        raise InputError(
            f"labels.{name}: '{column.values}' has shape {given.shape}; give one entry per trial, or one row for each "
            f"of {session.size} units with one entry per trial."
        )
    first = np.array([int(np.argmax(session == s)) for s in range(session.max() + 1)])
    unlike = np.flatnonzero((codes != codes[first[session]]).any(axis=1))
    if unlike.size:
        unit, other = int(unlike[0]), int(first[session[unlike[0]]])
        trial = int((codes[unit] != codes[other]).argmax())
        raise InputError(
            f"labels.{name}: units {other} and {unit} have different labels in trial {trial}, so they were not "
            "recorded in the same trials; say by 'session' which units were."
        )
    codes = codes[first]
    missing = np.zeros(codes.shape, bool) if column.missing is None else codes == column.missing
    return codes, ~missing
