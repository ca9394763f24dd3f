"""Recording to Neo: one Segment per trial, one SpikeTrain per unit, one AnalogSignal per trace."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snncompare.errors import InputError
from snncompare.recording.columns import describe, describe_index, encode
from snncompare.recording.marks import Marks
from snncompare.recording.neo_traces import add_traces, trace_schema

if TYPE_CHECKING:
    import neo

    from snncompare.recording.recording import Recording

__all__ = ["SCHEMA", "to_neo"]

SCHEMA = "snncompare_schema"
"""Annotation of the Block that holds the exact types of names and labels, as JSON."""


def to_neo(recording: "Recording") -> "neo.Block":
    """Return a Neo Block with the same spikes, labels, marks and traces.

    Each trial becomes a Segment whose name is the trial's and whose annotations are its labels; each unit a
    SpikeTrain (seconds) in every Segment, silent ones included, named and annotated in the same way; marks become
    Events and Epochs, their labels array annotations, a text column ``label`` the labels; traces become AnalogSignals
    with one channel per unit. Missing labels are left out. The types of names and labels stand as JSON in an
    annotation of the Block, so that `from_neo` restores everything to the last bit.

    Raises
    ------
    InputError
        For labels that Neo cannot hold, and for names that read the same as text.
    """
    import neo
    import quantities as pq

    units = _named(recording.units, "unit")
    block = neo.Block(name="recording", **{SCHEMA: json.dumps(_schema(recording))})
    unit_labels = _rows(recording.units)
    trial_labels = _rows(recording.trials.drop(columns=["start", "stop"]))
    windows = recording.trials[["start", "stop"]].to_numpy()
    for i, name in enumerate(_named(recording.trials, "trial")):
        segment = neo.Segment(name=name)
        segment.annotations.update(trial_labels[i])
        t_start, t_stop = windows[i] * pq.s
        for j, unit in enumerate(units):
            k = i * recording.n_units + j
            times = recording.times[recording.offsets[k] : recording.offsets[k + 1]]
            train = neo.SpikeTrain(times.copy(), units="s", t_start=t_start, t_stop=t_stop, name=unit)
            train.annotations.update(unit_labels[j])
            segment.spiketrains.append(train)
        for key, marks in recording.marks.items():
            here = marks.table[marks.table["trial"] == recording.trials.index[i]]
            if len(here):
                _add_marks(segment, key, Marks(marks.kind, here))
        add_traces(segment, i, recording.traces)
        block.segments.append(segment)
    return block


def _named(table: pd.DataFrame, what: str) -> list[str]:
    names = [str(name) for name in table.index]
    if len(set(names)) < len(names):
        raise InputError(f"two {what} names read the same as text, and Neo's names are text; rename one of them.")
    return names


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    columns = {str(name): encode(table[name], name) for name in table}
    return [{name: c[i] for name, c in columns.items() if c[i] is not None} for i in range(len(table))]


def _schema(recording: "Recording") -> dict[str, Any]:
    def types(table: pd.DataFrame, skip: set[str]) -> dict[str, Any]:
        return {str(name): describe(table[name], name) for name in table if name not in skip}

    def names(table: pd.DataFrame) -> dict[str, Any]:
        return {"index": describe_index(table.index), "names": encode(table.index, "index"), "order": list(table)}

    return {
        "units": names(recording.units) | {"columns": types(recording.units, set())},
        "trials": names(recording.trials) | {"columns": types(recording.trials, set())},
        "marks": {
            name: {"kind": m.kind, "columns": types(m.table, {"trial", "start", "stop"}), "order": list(m.table)}
            for name, m in recording.marks.items()
        },
        "provenance": recording.provenance,
    } | ({"traces": trace_schema(recording.traces)} if recording.traces else {})


def _add_marks(segment: "neo.Segment", name: str, marks: Marks) -> None:
    import neo
    import quantities as pq

    table = marks.table
    arrays: dict[str, Any] = {}
    labels = None
    for column in table:
        if column in {"trial", "start", "stop"}:
            continue
        values = encode(table[column], column)
        if column == "label" and all(isinstance(value, str) for value in values):
            labels = np.array(values, dtype=str)
        else:
            arrays |= _array(str(column), values)
    start, stop = table["start"].to_numpy(), table["stop"].to_numpy()
    if marks.kind == "event":
        segment.events.append(neo.Event(start * pq.s, labels=labels, name=name, array_annotations=arrays))
        return
    if not np.array_equal(start + (stop - start), stop):
        arrays["stop"] = stop
    durations = (stop - start) * pq.s
    epoch = neo.Epoch(start * pq.s, durations=durations, labels=labels, name=name, array_annotations=arrays)
    segment.epochs.append(epoch)


def _array(column: str, values: list[Any]) -> dict[str, Any]:
    """Return an array annotation, with a second one that says where values are missing if any are."""
    missing = np.array([value is None for value in values], dtype=bool)
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1:
        raise InputError(f"the mark label '{column}' mixes {sorted(k.__name__ for k in kinds)}; Neo needs one type.")
    blank: Any = kinds.pop()() if kinds else ""
    filled = np.array([blank if value is None else value for value in values], dtype=None if values else str)
    return {column: filled} | ({f"{column} (missing)": missing} if missing.any() else {})
