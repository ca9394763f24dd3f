"""Spike times in a JSON file with one record per train, such as pprox (https://meliza.org/spec:2/pprox.json)."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from snncompare.errors import FileError, InputError, unknown
from snncompare.recording.labelled_trains import LabelledTrain, parts_of_trains
from snncompare.recording.layouts import Records
from snncompare.recording.parts import Parts

__all__ = ["read_records"]

_OWN = frozenset({"start", "stop", "trial", "session", "index"})


def read_records(path: Path, layout: Records) -> Parts:
    """Return the spikes in a JSON file that holds a list of records.

    Trials are numbered in the label ``index`` in the order of the records of each unit. Single values that stand in the
    file beside the list go to ``provenance["file_labels"]``.

    Parameters
    ----------
    path : Path
    layout : Records

    Raises
    ------
    FileError
        If the file is no JSON.
    InputError
        If a key does not exist, or times are no list of numbers.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError) as problem:
        raise FileError(f"'{path.name}' cannot be read as JSON: {' '.join(str(problem).split())[:120]}.") from problem
    if not isinstance(content, dict) or not isinstance(content.get(layout.records), list):
        keys = content if isinstance(content, dict) else ()
        raise InputError(f"'{path.name}': {unknown('list of records', layout.records, keys)}")
    trains: list[LabelledTrain] = []
    number: dict[str, int] = {}
    for k, record in enumerate(content[layout.records]):
        train = _train(f"record {k} of '{path.name}'", record, content, layout)
        unit = str(train.unit["unit"])
        index = number.setdefault(unit, 0)
        number[unit] += 1
        trains.append(train._replace(trial={"index": index, **train.trial}))
    if not trains:
        raise FileError(f"'{path.name}' holds no records in '{layout.records}'.")
    beside = {key: value for key, value in content.items() if _single(value)}
    provenance = {"layout": layout.plain(), "file_labels": beside}
    return parts_of_trains(
        trains, time_unit=layout.time_unit, window=layout.window, session=None, provenance=provenance
    )


def _train(where: str, record: Any, content: dict[str, Any], layout: Records) -> LabelledTrain:
    if not isinstance(record, dict) or layout.times not in record:
        keys = record if isinstance(record, dict) else ()
        raise InputError(f"{where}: {unknown('key', layout.times, keys)}")
    unit = record.get(layout.unit, content.get(layout.unit))
    if not _single(unit):
        raise InputError(f"{where}: {unknown('name of a unit', layout.unit, [*content, *record])}")
    try:
        times = np.array(record[layout.times], dtype=np.float64)
    except (ValueError, TypeError) as problem:
        raise InputError(f"{where}: '{layout.times}' is no list of numbers.") from problem
    labels = {key: value for key, value in record.items() if _single(value) and key not in {layout.unit, layout.times}}
    trial = {(f"record_{key}" if key in _OWN else key): value for key, value in labels.items()}
    return LabelledTrain(times, {"unit": unit}, trial, where)


def _single(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)
