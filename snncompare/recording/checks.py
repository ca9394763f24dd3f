"""What a recording must satisfy, each condition with the sentence that says it does not."""

import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown

__all__ = [
    "boolean_mask",
    "checked_provenance",
    "checked_trials",
    "checked_units",
    "float_column",
    "positions",
    "refuse_outside",
    "refuse_unsorted",
    "spike_times",
]


def spike_times(times: Any) -> NDArray[np.float64]:
    """Return ``times`` as float64 of shape (n_spikes,), refusing what is no finite number.

    Raises
    ------
    InputError
        For text, more than one dimension, quantities with a unit, NaN or infinity.
    """
    if hasattr(times, "dimensionality"):
        raise InputError("spike times are plain numbers in seconds here; give `times.rescale('s').magnitude`.")
    array = np.asarray(times)
    if array.size == 0:
        array = array.astype(np.float64)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise InputError(f"spike times must be numbers in one dimension, got shape {array.shape} of {array.dtype}.")
    array = array.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        where = int(bad.argmax())
        raise InputError(
            f"{int(bad.sum())} spike times are not finite, the first at position {where} ({array[where]})."
        )
    return array


def float_column(table: pd.DataFrame, name: str, what: str) -> NDArray[np.float64]:
    """Return a column of times as finite float64, shape (n_rows,).

    Raises
    ------
    InputError
        If the column is missing, not numeric, or has missing or infinite values.
    """
    if name not in table:
        raise InputError(f"the {what} table has no column '{name}' (seconds); it has {_listed(table.columns)}.")
    if not (pd.api.types.is_numeric_dtype(table[name]) or len(table) == 0) or pd.api.types.is_bool_dtype(table[name]):
        raise InputError(f"column '{name}' of the {what} table must be seconds, got {table[name].dtype}.")
    values = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~np.isfinite(values)
    if bad.any():
        raise InputError(
            f"column '{name}' of the {what} table is not finite in {bad.sum()} rows, first {bad.argmax()}."
        )
    return values


def checked_units(units: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of the table of units, refusing one without rows or with a name twice.

    Raises
    ------
    InputError
        If it is no table, has no rows, or its index is not unique names.
    """
    return _named_rows(units, "unit")


def checked_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of the table of trials with float64 ``start`` and ``stop``.

    Raises
    ------
    InputError
        If it is no table, has no rows, a name twice, no window, or a window that does not last.
    """
    table = _named_rows(trials, "trial")
    for name in ("start", "stop"):
        table[name] = float_column(table, name, "trials")
    short = table["stop"].to_numpy() <= table["start"].to_numpy()
    if short.any():
        row = int(short.argmax())
        window = f"{table['start'].iloc[row]:g} to {table['stop'].iloc[row]:g} s"
        raise InputError(f"{short.sum()} trials have no positive length, the first is '{table.index[row]}' ({window}).")
    return table


def _named_rows(table: pd.DataFrame, what: str) -> pd.DataFrame:
    if not isinstance(table, pd.DataFrame):
        raise InputError(
            f"the {what}s must be a pandas.DataFrame with the {what} names as index, got {type(table).__name__}."
        )
    index = table.index
    if len(index) == 0:
        raise InputError(f"there are no {what}s; the table needs one row per {what}, silent or empty ones included.")
    if index.nlevels > 1:
        raise InputError(f"the {what}s have an index of {index.nlevels} levels; use one level, the others as columns.")
    if index.hasnans:
        raise InputError(f"some {what} names are missing; every {what} needs a name in the index.")
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise InputError(f"{what} names must be unique, but '{twice}' stands {int((index == twice).sum())} times.")
    if not all(isinstance(name, str) for name in table.columns) or not table.columns.is_unique:
        raise InputError(f"the columns of the {what}s table must have unique text names, got {_listed(table.columns)}.")
    return table.copy()


def positions(labels: Any, index: pd.Index, what: str) -> NDArray[np.int64]:
    """Return where each label stands in the index, shape (n_spikes,).

    Raises
    ------
    InputError
        For labels that are not in the index; names the first and the nearest that exists.
    """
    if len(labels) == 0:
        return np.zeros(0, dtype=np.int64)
    found = index.get_indexer(pd.Index(labels)).astype(np.int64)
    missing = found < 0
    if missing.any():
        first = pd.Index(labels)[int(missing.argmax())]
        raise InputError(f"{missing.sum()} rows name a {what} that is not in its table: {unknown(what, first, index)}")
    return found


def refuse_unsorted(times: NDArray[np.float64], offsets: NDArray[np.int64]) -> None:
    """Refuse trains, given as ``times`` (n_spikes,) and ``offsets`` (n_trains + 1,), that are not sorted in time.

    Raises
    ------
    InputError
        If a time is smaller than the one before it in the same train.
    """
    if times.size < 2:
        return
    falls = np.diff(times) < 0
    borders = offsets[(offsets > 0) & (offsets < times.size)]
    falls[borders - 1] = False
    if falls.any():
        raise InputError(f"spike times fall at position {int(falls.argmax()) + 1}; each train must be sorted in time.")


def refuse_outside(
    times: NDArray[np.float64], trial: NDArray[np.int64], unit: NDArray[np.int64], units: pd.Index, trials: pd.DataFrame
) -> None:
    """Refuse spikes outside the closed window of their trial; ``trial`` and ``unit`` are positions, shape (n_spikes,).

    Raises
    ------
    InputError
        Says how many there are and where the first is.
    """
    start, stop = trials["start"].to_numpy(), trials["stop"].to_numpy()
    outside = (times < start[trial]) | (times > stop[trial])
    if outside.any():
        first = int(outside.argmax())
        row = trial[first]
        raise InputError(
            f"{outside.sum()} of {times.size} spikes lie outside the window of their trial; the first is at "
            f"{times[first]:.9g} s, unit '{units[unit[first]]}', in trial '{trials.index[row]}', which lasts from "
            f"{start[row]:.9g} to {stop[row]:.9g} s. Widen start and stop, or leave these spikes out."
        )


def boolean_mask(mask: Any, index: pd.Index, what: str) -> NDArray[np.bool_]:
    """Return a selection as boolean array of shape (len(index),).

    Raises
    ------
    InputError
        If it is not boolean, has another length, is labelled differently, or selects nothing.
    """
    if isinstance(mask, pd.Series) and not mask.index.equals(index):
        raise InputError(
            f"the mask over {what}s is labelled differently from the {what}s table; build it from its columns."
        )
    array = np.asarray(mask)
    if array.dtype != np.bool_ or array.shape != (len(index),):
        raise InputError(
            f"a selection of {what}s is a boolean mask of length {len(index)}; got {array.dtype}, shape {array.shape}."
        )
    if not array.any():
        raise InputError(f"the selection of {what}s is empty; the mask must keep at least one of {len(index)}.")
    return array


def checked_provenance(provenance: dict[str, Any] | None) -> dict[str, Any]:
    """Return a copy of the provenance as plain JSON values.

    Raises
    ------
    InputError
        For values that JSON does not have.
    """
    try:
        return dict(json.loads(json.dumps(provenance or {})))
    except (TypeError, ValueError) as problem:
        raise InputError(f"provenance must be plain JSON (text, numbers, lists, dictionaries): {problem}.") from problem


def _listed(names: Any) -> str:
    return ", ".join(repr(name) for name in list(names)[:12]) or "no columns"
