"""The project's own file: one ``.npz`` of arrays and a JSON header, read without unpickling."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import FileError
from snncompare.recording.array_files import npz_headers
from snncompare.recording.columns import decode_table, encode_table
from snncompare.recording.marks import Marks
from snncompare.recording.parts import Parts
from snncompare.recording.traces import trace_array

if TYPE_CHECKING:
    import xarray as xr

    from snncompare.recording.recording import Recording

__all__ = ["load", "save"]

_FORMAT = "snncompare recording"
_VERSION = 1
_VERSION_WITH_TRACES = 2
"""Programs that know no traces refuse the file instead of losing them; files without traces stay version 1."""


def save(recording: "Recording", path: str | Path) -> Path:
    """Write a recording to a ``.npz`` file and return its path; `load` gives it back to the last bit.

    The file holds ``times`` (float64), ``offsets`` (int64) and ``header`` (JSON as UTF-8 bytes) with the tables, their
    types, and the provenance; for trace ``k`` also ``trace_k`` (n_trials, n_units, n_samples) and ``trace_k_time``
    (float64). The same recording gives the same bytes.

    Raises
    ------
    FileError
        If the name does not end in ``.npz`` or the folder does not exist.
    InputError
        For labels that cannot be stored.
    """
    target = Path(path)
    if target.suffix.lower() != ".npz":
        raise FileError(f"recordings are saved as .npz, got '{target.name}'; write for example '{target.stem}.npz'.")
    if not target.parent.is_dir():
        raise FileError(f"the folder '{target.parent}' does not exist; make it first.")
    header = {
        "format": _FORMAT,
        "version": _VERSION_WITH_TRACES if recording.traces else _VERSION,
        "units": encode_table(recording.units),
        "trials": encode_table(recording.trials),
        "marks": [{"name": n, "kind": m.kind, "table": encode_table(m.table)} for n, m in recording.marks.items()],
        "provenance": recording.provenance,
    }
    arrays: dict[str, Any] = {}
    if recording.traces:
        header["traces"] = [_described(name, trace, recording.units.index) for name, trace in recording.traces.items()]
        for k, trace in enumerate(recording.traces.values()):
            arrays |= {f"trace_{k}": trace.values, f"trace_{k}_time": trace["time"].to_numpy()}
    encoded = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    np.savez_compressed(target, times=recording.times, offsets=recording.offsets, header=encoded, **arrays)
    return target


def _described(name: str, trace: "xr.DataArray", units: pd.Index) -> dict[str, Any]:
    return {"name": name, "units": units.get_indexer(trace.indexes["unit"]).tolist(), **trace.attrs}


def load(path: str | Path) -> Parts:
    """Return the parts of a recording from a file that `save` wrote.

    Raises
    ------
    FileError
        If the file is none, is damaged, or was written by a later version.
    """
    source = Path(path)
    npz_headers(source)
    try:
        with source.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            if not isinstance(stored, np.lib.npyio.NpzFile) or "header" not in stored.files:
                raise FileError(_not_ours(source, getattr(stored, "files", [])))
            header = json.loads(stored["header"].tobytes().decode())
            times, offsets = stored["times"], stored["offsets"]
            samples = [
                (stored[f"trace_{k}"], stored[f"trace_{k}_time"]) for k, _ in enumerate(header.get("traces", []))
            ]
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        raise FileError(
            f"'{source.name}' is damaged or no recording saved by snncompare ({_line(problem)})."
        ) from problem
    if header.get("format") != _FORMAT or header.get("version") not in {_VERSION, _VERSION_WITH_TRACES}:
        raise FileError(
            f"'{source.name}' has format {header.get('format')!r}, version {header.get('version')!r}; "
            f"this program reads '{_FORMAT}', versions {_VERSION} and {_VERSION_WITH_TRACES}."
        )
    parts = Parts(
        times=times,
        offsets=offsets,
        units=decode_table(header["units"]),
        trials=decode_table(header["trials"]),
        marks={m["name"]: Marks(m["kind"], decode_table(m["table"])) for m in header["marks"]},
        provenance=header["provenance"],
    )
    if samples:
        parts["traces"] = _traces(source, header["traces"], samples, parts["trials"].index, parts["units"].index)
    return parts


def _traces(
    source: Path,
    described: list[dict[str, Any]],
    samples: list[tuple[NDArray[Any], NDArray[Any]]],
    trials: pd.Index,
    units: pd.Index,
) -> "dict[str, xr.DataArray]":
    traces = {}
    try:
        for entry, (values, time) in zip(described, samples, strict=True):
            values.setflags(write=False)
            traces[entry["name"]] = trace_array(
                values, trials=trials, units=units[entry["units"]], time=time, unit=entry["unit"], dt=entry["dt"]
            )
    except (KeyError, IndexError, TypeError, ValueError) as problem:
        raise FileError(f"'{source.name}' is damaged: its traces do not fit ({_line(problem)}).") from problem
    return traces


def _not_ours(source: Path, arrays: Any) -> str:
    held = ", ".join(f"'{name}'" for name in list(arrays)[:8]) or "no named arrays"
    return (
        f"'{source.name}' is no recording saved by snncompare; it holds {held}. Say by a 'layout' in a configuration "
        "which array holds what ('snncompare inspect' suggests one). In Python, give it to read as layout, or the "
        "arrays to Recording.from_arrays."
    )


def _line(problem: Exception) -> str:
    return str(problem).splitlines()[0][:120] if str(problem) else type(problem).__name__
