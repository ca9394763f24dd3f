"""By what a finished piece of a study is known, and the file that keeps it."""

import hashlib
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snncompare.commands.mismatch.probe import Probe
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError
from snncompare.provenance import fingerprint

if TYPE_CHECKING:
    from snncompare.learning.trained import Trained

__all__ = ["dataset_key", "kept_rows", "probe_key", "trained_key", "write_rows"]

_SHOWN = 24
"""Hexadecimal digits of a hash in a file name."""


def dataset_key(dataset: SpikeDataset | None) -> dict[str, Any] | None:
    """Return what differs where the trials or their classes do."""
    if dataset is None:
        return None
    trials = [str(name) for name in dataset.trials.index]
    return {
        "spikes": dataset.source.fingerprint(),
        "trials": fingerprint(trials),
        "label": dataset.label,
        "classes": [str(each) for each in dataset.classes],
    }


def probe_key(probe: Probe | None) -> dict[str, Any] | None:
    """Return what differs where the probe does."""
    if probe is None:
        return None
    window = None if probe.window is None else [str(each) for each in probe.window]
    animal = probe.recording
    recorded = None
    if animal is not None:
        vectors = np.ascontiguousarray(animal.get_vectors(), dtype=np.float64)
        conditions = [str(label) for label in animal.pattern_descriptors["condition"]]
        recorded = {"dissimilarities": hashlib.sha256(vectors.tobytes()).hexdigest(), "conditions": conditions}
    return {
        "dataset": dataset_key(probe.dataset),
        "conditions": fingerprint([str(each) for each in probe.dataset.trials[probe.by]]),
        "population": probe.population,
        "metrics": [repr(metric) for metric in probe.metrics],
        "measure": repr(probe.measure),
        "recording": recorded,
        "window": window,
    }


def trained_key(trained: "Trained") -> dict[str, str]:
    """Return what differs where the network or any of its numbers does."""
    hashed = hashlib.sha256()
    for name, connections in sorted(trained.realisation.connections.items()):
        parts = {"source": connections.source, "target": connections.target, "weight": connections.weight}
        parts |= {"delay": connections.delay} if connections.delay is not None else {}
        for key, array in {**parts, **connections.values}.items():
            hashed.update(f"{name} {key} {array.dtype.str} {array.shape};".encode())
            hashed.update(np.ascontiguousarray(array).tobytes())
    for name, values in sorted(trained.realisation.values.items()):
        for key, array in sorted(values.items()):
            hashed.update(f"{name} {key} {array.shape};".encode())
            hashed.update(np.ascontiguousarray(array, dtype=np.float64).tobytes())
    return {"network": trained.network.fingerprint(), "numbers": hashed.hexdigest()}


def kept_rows(folder: Path, key: str, columns: tuple[str, ...]) -> list[dict[str, Any]] | None:
    """Return the rows that `write_rows` wrote for this key; None where there are none.

    Raises
    ------
    FileError
        If the file is damaged.
    """
    path = folder / f"{key[:_SHOWN]}.json"
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        rows = stored["rows"]
        if stored["depends_on"] != key or not rows or any(set(row) != set(columns) for row in rows):
            raise ValueError("it holds something else")
        return [{name: math.nan if value is None else value for name, value in row.items()} for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise FileError(f"the kept piece '{path}' is damaged ({problem}); delete it, and it is made anew.") from problem


def write_rows(folder: Path, key: str, words: str, rows: list[dict[str, Any]]) -> None:
    """Keep the rows of a finished piece; the file is there whole or not at all.

    Raises
    ------
    FileError
        If the folder cannot be written.
    """
    plain = [{name: None if value != value else value for name, value in row.items()} for row in rows]  # noqa: PLR0124
    text = json.dumps({"depends_on": key, "piece": words, "rows": plain}, indent=1)
    path = folder / f"{key[:_SHOWN]}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as problem:
        raise FileError(f"cannot keep a finished piece in '{folder}': {problem.strerror or problem}.") from problem
