"""Recording to xarray and back: one dimension of spikes, with the offsets of the trains (compressed sparse rows)."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.columns import decode_table, encode_table
from snncompare.recording.marks import Marks

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording

__all__ = ["from_xarray", "to_xarray"]

_SCHEMA = "snncompare_recording"


def to_xarray(recording: "Recording") -> xr.Dataset:
    """Return the spikes as a dataset with one row per spike.

    Returns
    -------
    xarray.Dataset
        ``time (event)`` in seconds; ``offsets (boundary)``: the train of (trial i, unit j) is the events from
        ``offsets[k]`` to ``offsets[k + 1]`` with ``k = i * n_units + j``; coordinates ``event_trial`` and
        ``event_unit`` ``(event)``, positions along ``trial`` and ``unit``; ``start``, ``stop`` ``(trial)``; labels as
        coordinates ``trial_<label>`` and ``unit_<label>``; traces as ``trace_<name>`` with their own dimensions. Types
        of labels, marks and provenance stand as JSON in an attribute, so that `from_xarray` restores everything.

    Raises
    ------
    InputError
        For labels that cannot be stored.
    """
    trial, unit = recording.spike_index()
    schema = {
        "units": encode_table(recording.units),
        "trials": encode_table(recording.trials),
        "marks": [{"name": n, "kind": m.kind, "table": encode_table(m.table)} for n, m in recording.marks.items()],
        "provenance": recording.provenance,
    }
    coordinates: dict[str, Any] = {
        "trial": recording.trials.index.to_numpy(),
        "unit": recording.units.index.to_numpy(),
        "event_trial": ("event", trial),
        "event_unit": ("event", unit),
    }
    for dimension, table in (("trial", recording.trials), ("unit", recording.units)):
        for label in table:
            if label not in {"start", "stop"} or dimension == "unit":
                coordinates[f"{dimension}_{label}"] = (dimension, table[label].to_numpy())
    variables = {
        "time": ("event", recording.times, {"units": "s"}),
        "offsets": ("boundary", recording.offsets),
        "start": ("trial", recording.trials["start"].to_numpy(), {"units": "s"}),
        "stop": ("trial", recording.trials["stop"].to_numpy(), {"units": "s"}),
    }
    result = xr.Dataset(variables, coords=coordinates, attrs={_SCHEMA: json.dumps(schema)})
    for number, (name, trace) in enumerate(recording.traces.items()):
        own = {"unit": f"trace_unit_{number}", "time": f"trace_time_{number}"}
        result[f"trace_{name}"] = trace.rename(own).reset_coords(drop=True).assign_attrs(trace.attrs)
    return result


def from_xarray(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the arguments of `Recording.from_arrays` for a dataset of `to_xarray`, or one like it.

    A dataset of another program needs the variables ``time (event)``, ``start`` and ``stop (trial)``, the coordinates
    ``trial`` and ``unit``, and ``event_trial`` and ``event_unit`` (positions), or ``offsets``. Coordinates called
    ``trial_<label>`` and ``unit_<label>`` become labels.

    Raises
    ------
    InputError
        If one of these is missing, or they contradict each other.
    """
    units, trials = _tables(dataset)
    trial, unit = _positions(dataset, len(trials), len(units))
    schema = json.loads(dataset.attrs[_SCHEMA]) if _SCHEMA in dataset.attrs else {}
    stored = {what: decode_table(schema[what]) for what in ("units", "trials") if what in schema}
    units, trials = _restored(units, stored.get("units")), _restored(trials, stored.get("trials"))
    marks = {m["name"]: Marks(m["kind"], decode_table(m["table"])) for m in schema.get("marks", [])}
    kept = {n: Marks(m.kind, m.table[m.table["trial"].isin(trials.index)]) for n, m in marks.items()}
    return {
        "times": dataset["time"].to_numpy(),
        "unit": units.index[unit],
        "trial": trials.index[trial],
        "units": units,
        "trials": trials,
        "marks": kept,
        "traces": _traces(dataset, trials.index),
        "provenance": schema.get("provenance", {}),
    }


def _tables(dataset: xr.Dataset) -> tuple[pd.DataFrame, pd.DataFrame]:
    for name in ("trial", "unit"):
        if name not in dataset.coords:
            raise InputError(f"the dataset has no coordinate '{name}'; it has {', '.join(map(str, dataset.coords))}.")
    for name in ("time", "start", "stop"):
        if name not in dataset:
            raise InputError(f"the dataset has no variable '{name}'; it has {', '.join(map(str, dataset.data_vars))}.")
    tables = {}
    for dimension in ("unit", "trial"):
        prefix = f"{dimension}_"
        labels = {
            str(name).removeprefix(prefix): values.to_numpy()
            for name, values in dataset.coords.items()
            if str(name).startswith(prefix) and values.dims == (dimension,)
        }
        tables[dimension] = pd.DataFrame(labels, index=pd.Index(dataset[dimension].to_numpy()))
    edges = {edge: dataset[edge].to_numpy() for edge in ("start", "stop")}
    return tables["unit"], pd.DataFrame({**edges, **tables["trial"]}, index=tables["trial"].index)


def _positions(dataset: xr.Dataset, n_trials: int, n_units: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if "offsets" in dataset:
        offsets = dataset["offsets"].to_numpy()
        if offsets.size == n_trials * n_units + 1 and offsets[0] == 0 and offsets[-1] == dataset.sizes["event"]:
            if (np.diff(offsets) < 0).any():
                raise InputError("offsets must not fall.")
            train = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
            trial, unit = np.divmod(train, n_units)
            return trial, unit
        raise InputError(
            f"offsets do not fit {n_trials} trials, {n_units} units and {dataset.sizes['event']} spikes; after a "
            "selection in xarray the trains are no longer in place. Select with Recording.select instead."
        )
    for name in ("event_trial", "event_unit"):
        if name not in dataset.coords:
            raise InputError(f"the dataset has neither 'offsets' nor the coordinate '{name}'.")
    trial, unit = (dataset[name].to_numpy() for name in ("event_trial", "event_unit"))
    for name, position, size in (("event_trial", trial, n_trials), ("event_unit", unit, n_units)):
        if position.dtype.kind not in "iu" or (position.size and (position.min() < 0 or position.max() >= size)):
            raise InputError(f"'{name}' must be positions from 0 to {size - 1}.")
    return trial.astype(np.int64), unit.astype(np.int64)


def _restored(table: pd.DataFrame, stored: pd.DataFrame | None) -> pd.DataFrame:
    """Return the table with the exact types that it had, where it still is that table."""
    same = stored is not None and len(stored) == len(table) and list(stored.index) == list(table.index)
    return stored if same and stored is not None else table


def _traces(dataset: xr.Dataset, trials: pd.Index) -> "dict[str, xr.DataArray]":
    found = {}
    names = [str(name) for name in dataset.data_vars if str(name).startswith("trace_")]
    for name in names:
        trace = dataset[name]
        own = {str(dim): str(dim).split("_")[1] for dim in trace.dims if str(dim).startswith("trace_")}
        bare = trace.reset_coords(drop=True).rename(own)
        found[name.removeprefix("trace_")] = bare.assign_coords(trial=trials.to_numpy())
    return found
