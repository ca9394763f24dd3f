"""Recordings as named arrays of numbers with a description in JSON, and hashes of what was asked."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.connections import Connections
from snncompare.recording.columns import decode_table, encode_table
from snncompare.recording.recording import Recording
from snncompare.recording.traces import trace_array

__all__ = ["Arrays", "arrays_of", "digest", "recording_from"]

Arrays = dict[str, NDArray[Any]]


def arrays_of(recording: Recording, name: str) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays of a recording, their names beginning with `name`, and what else it holds as plain JSON."""
    arrays: Arrays = {f"{name}_times": recording.times, f"{name}_offsets": recording.offsets}
    traces = []
    for k, (label, trace) in enumerate(recording.traces.items()):
        arrays |= {f"{name}_trace_{k}": trace.to_numpy(), f"{name}_trace_{k}_time": trace["time"].to_numpy()}
        units = recording.units.index.get_indexer(trace.indexes["unit"])
        traces.append({"name": label, "units": units.tolist(), "unit": trace.attrs["unit"], "dt": trace.attrs["dt"]})
    tables = {"units": encode_table(recording.units), "trials": encode_table(recording.trials)}
    return arrays, {**tables, "traces": traces, "provenance": recording.provenance}


def recording_from(arrays: Mapping[str, NDArray[Any]], name: str, about: Mapping[str, Any]) -> Recording:
    """Return the recording that `arrays_of` took apart.

    Raises
    ------
    Exception
        Whatever damaged parts make pandas, xarray and `Recording` raise.
    """
    units, trials = decode_table(about["units"]), decode_table(about["trials"])
    traces = {
        each["name"]: trace_array(
            arrays[f"{name}_trace_{k}"],
            trials=trials.index,
            units=units.index[each["units"]],
            time=arrays[f"{name}_trace_{k}_time"],
            unit=each["unit"],
            dt=each["dt"],
        )
        for k, each in enumerate(about["traces"])
    }
    return Recording(
        times=arrays[f"{name}_times"],
        offsets=arrays[f"{name}_offsets"],
        units=units,
        trials=trials,
        traces=traces,
        provenance=dict(about["provenance"]),
    )


def digest(part: Connections | Recording | Mapping[str, NDArray[Any]]) -> str:
    """Return a SHA-256 of the numbers in a part of a request; names of trials and provenance do not count."""
    hashed = hashlib.sha256()
    for key, array in _numbers(part).items():
        plain = np.ascontiguousarray(array)
        hashed.update(f"{key} {plain.dtype.str} {plain.shape};".encode())
        hashed.update(plain.tobytes())
    return hashed.hexdigest()


def _numbers(part: Connections | Recording | Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    match part:
        case Connections():
            optional = {"delay": part.delay, "shared": part.shared}
            there = {name: array for name, array in optional.items() if array is not None}
            plain = {"shape": np.array(part.shape), "source": part.source, "target": part.target, "weight": part.weight}
            return {**plain, **there, **{f"values.{name}": part.values[name] for name in sorted(part.values)}}
        case Recording():
            window = {edge: part.trials[edge].to_numpy(np.float64) for edge in ("start", "stop")}
            return {"times": part.times, "offsets": part.offsets, **window}
        case _:
            return {name: part[name] for name in sorted(part)}
