"""Events and Epochs of Neo Segments as marks."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from snncompare.recording.columns import decode_or_infer
from snncompare.recording.marks import Marks
from snncompare.recording.neo_values import plain, scale_to_seconds

__all__ = ["marks_of"]

Kind = Literal["event", "epoch"]


def marks_of(segments: Sequence[Any], trials: pd.Index, schema: dict[str, Any]) -> dict[str, Marks]:
    """Return the Events and Epochs of all Segments by name, ``schema`` giving their types where it knows them.

    Those without a name are called ``events`` and ``epochs``; an Epoch named like an Event gets `` (epoch)`` behind
    its name. Labels become the column ``label``, array annotations columns of their own.
    """
    found: dict[str, Kind] = {name: marks["kind"] for name, marks in schema.items()}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in found}
    for trial, segment in zip(trials, segments, strict=True):
        kinds: tuple[tuple[Kind, Any], ...] = (("event", segment.events), ("epoch", segment.epochs))
        for kind, objects in kinds:
            for obj in objects:
                name = str(obj.name) if obj.name else f"{kind}s"
                name = name if found.setdefault(name, kind) == kind else f"{name} ({kind})"
                found.setdefault(name, kind)
                rows.setdefault(name, []).extend({"trial": trial, **row} for row in _rows(obj, kind))
    return {name: _marks(kind, rows[name], schema.get(name, {})) for name, kind in found.items()}


def _rows(obj: Any, kind: Kind) -> list[dict[str, Any]]:
    scale = scale_to_seconds(obj.dimensionality)
    start = np.asarray(obj.magnitude, dtype=np.float64) * scale
    arrays = dict(obj.array_annotations)
    stop = start
    if kind == "epoch":
        durations = np.asarray(obj.durations.magnitude, dtype=np.float64)
        stop = start + durations * scale_to_seconds(obj.durations.dimensionality)
        exact = np.asarray(arrays.get("stop", stop), dtype=np.float64)
        if np.allclose(exact, stop, rtol=1e-12, atol=1e-12):
            stop = exact
            arrays.pop("stop", None)
    rows: list[dict[str, Any]] = [{"start": a, "stop": b} for a, b in zip(start.tolist(), stop.tolist(), strict=True)]
    labels = [str(label) for label in obj.labels] if obj.labels is not None else []
    if len(labels) == len(rows) and any(labels):
        arrays = {"label": labels} | arrays
    for key, values in arrays.items():
        name = key if key not in {"trial", "start", "stop"} else f"mark_{key}"
        missing = arrays.get(f"{key} (missing)", np.zeros(len(rows), bool))
        if not str(key).endswith(" (missing)"):
            for row, value, lacks in zip(rows, values, missing, strict=True):
                row[name] = None if lacks else plain(value)
    return rows


def _marks(kind: Kind, rows: list[dict[str, Any]], schema: dict[str, Any]) -> Marks:
    types = schema.get("columns", {})
    seen = dict.fromkeys(key for row in rows for key in row)
    order = [*schema.get("order", ["trial", "start", "stop"])]
    order += [name for name in seen if name not in order]
    columns = {name: decode_or_infer([row.get(name) for row in rows], types.get(name)) for name in order}
    table = pd.DataFrame(columns)
    return Marks(kind, table.astype({"start": float, "stop": float}))
