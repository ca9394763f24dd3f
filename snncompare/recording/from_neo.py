"""Neo to recording: Segments become trials, SpikeTrains the spikes of units that are matched over Segments."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.columns import decode_index, decode_or_infer
from snncompare.recording.neo_marks import marks_of
from snncompare.recording.neo_traces import traces_of
from snncompare.recording.neo_values import plain, same, scale_to_seconds
from snncompare.recording.parts import Parts, ragged
from snncompare.recording.to_neo import SCHEMA

if TYPE_CHECKING:
    import neo

__all__ = ["from_neo"]

_UNIT_KEYS = ("unit_name", "unit_id", "unit", "id", "cluster_id", "channel_name", "channel_id")
"""Annotations of SpikeTrains that may name a unit, tried in this order after the train's own name."""


def from_neo(block: "neo.Block | neo.Segment") -> Parts:
    """Return the spikes, labels and marks of a Neo Block (trial = Segment), or of one Segment.

    Times are converted to seconds by one factor per unit of time. Units are matched over Segments by the names of
    the SpikeTrains or, failing that, by an annotation such as ``unit_id``, where these are unique in every Segment;
    else by position. The window of a trial runs from the earliest ``t_start`` to the latest ``t_stop`` of its trains.
    Annotations of a SpikeTrain that are the same in all Segments are unit labels, those of a Segment trial labels;
    what is no single value is left out and listed in ``provenance["left_out"]``. Analog signals that `to_neo` wrote
    become traces again, all others are left out too, see `neo_traces.traces_of`.

    Raises
    ------
    InputError
        For a Block without Segments or SpikeTrains, and for Segments that do not hold the same units.
    """
    segments = list(getattr(block, "segments", None) or [block])
    trains = [list(getattr(segment, "spiketrains", [])) for segment in segments]
    _refuse_empty(trains)
    schema = json.loads(str(block.annotations[SCHEMA])) if SCHEMA in block.annotations else {}
    keys, named_by = _unit_keys(trains)
    ordered = [[row[i] for i in order] for row, order in zip(trains, _orders(keys), strict=True)]
    values = [np.sort(_seconds(train)) for row in ordered for train in row]
    times, offsets = ragged(values)
    left_out: set[str] = set()
    units = _unit_table(ordered, keys[0], named_by, left_out, schema.get("units", {}))
    trials = _trial_table(segments, ordered, left_out, schema.get("trials", {}))
    traces, unread = traces_of(segments, trials.index, units.index, keys[0], schema.get("traces", {}))
    left_out.update(unread)
    provenance = dict(schema.get("provenance", {}))
    if left_out:
        provenance["left_out"] = sorted(left_out)
    marks = marks_of(segments, trials.index, schema.get("marks", {}))
    return Parts(
        times=times, offsets=offsets, units=units, trials=trials, marks=marks, provenance=provenance, traces=traces
    )


def _refuse_empty(trains: list[list[Any]]) -> None:
    if not any(trains):
        raise InputError("there are no spikes: no Segment holds a SpikeTrain. Sort the signals first.")
    bare = [i for i, row in enumerate(trains) if not row]
    if bare:
        raise InputError(
            f"{len(bare)} of {len(trains)} Segments hold no SpikeTrain, the first is number {bare[0]}; "
            "add empty SpikeTrains for silent units, or leave these Segments out."
        )


def _seconds(train: Any) -> NDArray[np.float64]:
    return np.asarray(train.magnitude, dtype=np.float64) * scale_to_seconds(train.dimensionality)


def _unit_keys(trains: list[list[Any]]) -> tuple[list[list[Any]], str]:
    """Return a key per train of each Segment, and what it was taken from (empty: the position)."""
    for name in ("name", *_UNIT_KEYS):
        keys = [[plain(_named(train, name)) for train in row] for row in trains]
        known = all(key is not None and key != "" for row in keys for key in row)
        if known and all(len(set(row)) == len(row) for row in keys):
            _refuse_other_units(keys, name)
            return keys, name
    sizes = {len(row) for row in trains}
    if len(sizes) > 1:
        raise InputError(
            f"Segments hold between {min(sizes)} and {max(sizes)} SpikeTrains, and neither names nor an annotation "
            "such as 'unit_id' tell which unit is which; name the SpikeTrains, each unit once per Segment."
        )
    names = [[plain(train.name) for train in row] for row in trains]
    different = [i for i, row in enumerate(names) if row != names[0]]
    if different:
        raise InputError(
            f"Segments disagree on their SpikeTrains: names are not unique, and those of Segment {different[0]} "
            "stand in another order than in Segment 0; name each unit once per Segment."
        )
    return [list(range(len(row))) for row in trains], ""


def _named(train: Any, name: str) -> Any:
    return train.name if name == "name" else train.annotations.get(name)


def _refuse_other_units(keys: list[list[Any]], name: str) -> None:
    everything = dict.fromkeys(key for row in keys for key in row)
    for i, row in enumerate(keys):
        lacking = [key for key in everything if key not in set(row)]
        if lacking:
            raise InputError(
                f"Segments disagree on their units (by {name}): Segment {i} has no SpikeTrain of {lacking[0]!r}"
                f"{f' and {len(lacking) - 1} others' if len(lacking) > 1 else ''}; "
                "add an empty SpikeTrain where a unit was silent, or leave the unit out everywhere."
            )


def _orders(keys: list[list[Any]]) -> list[list[int]]:
    orders = []
    for row in keys:
        where = {key: i for i, key in enumerate(row)}
        orders.append([where[key] for key in keys[0]])
    return orders


def _unit_table(
    ordered: list[list[Any]], keys: list[Any], named_by: str, left_out: set[str], schema: dict[str, Any]
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for trains in zip(*ordered, strict=True):
        row = {} if named_by == "name" or not trains[0].name else {"name": plain(trains[0].name)}
        for key, value in trains[0].annotations.items():
            if key in {named_by, "nix_name"}:
                continue
            first = plain(value)
            if first is None or not all(same(plain(train.annotations.get(key)), first) for train in trains[1:]):
                left_out.add(f"annotation '{key}' of the SpikeTrains")
            else:
                row[key] = first
        rows.append(row)
    return _table(rows, pd.Index(keys) if named_by else pd.RangeIndex(len(keys)), schema)


def _trial_table(
    segments: Sequence[Any], ordered: list[list[Any]], left_out: set[str], schema: dict[str, Any]
) -> pd.DataFrame:
    names = [segment.name for segment in segments]
    unique = all(names) and len(set(names)) == len(names)
    rows: list[dict[str, Any]] = []
    for segment, trains in zip(segments, ordered, strict=True):
        factors = [scale_to_seconds(train.dimensionality) for train in trains]
        row: dict[str, Any] = {
            "start": min(float(t.t_start.magnitude) * f for t, f in zip(trains, factors, strict=True)),
            "stop": max(float(t.t_stop.magnitude) * f for t, f in zip(trains, factors, strict=True)),
        }
        if not unique and segment.name:
            row["name"] = str(segment.name)
        for key, value in segment.annotations.items():
            if key in {"nix_name", "start", "stop"} or plain(value) is None:
                left_out |= {f"annotation '{key}' of the Segments"} - {"annotation 'nix_name' of the Segments"}
            else:
                row[key] = plain(value)
        rows.append(row)
    return _table(rows, pd.Index([str(n) for n in names]) if unique else pd.RangeIndex(len(rows)), schema)


def _table(rows: list[dict[str, Any]], index: pd.Index, schema: dict[str, Any]) -> pd.DataFrame:
    """Return rows as table, with the names and types they had before they became Neo where they still fit."""
    if schema:
        names = {str(name): name for name in schema["names"]}
        described = schema["index"]
        if all(text in names for text in index):
            whole = len(index) == len(names)
            kept = [names[text] for text in index]
            index = decode_index(kept, described | {"range": described["range"] and whole})
    types = schema.get("columns", {})
    columns = dict.fromkeys([*schema.get("order", []), *(key for row in rows for key in row)])
    typed = {key: decode_or_infer([row.get(key) for row in rows], types.get(key)) for key in columns}
    return pd.DataFrame({key: values.set_axis(index) for key, values in typed.items()}, index=index)
