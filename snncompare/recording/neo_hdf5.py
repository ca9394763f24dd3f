"""The HDF5 files that Neo wrote before version 0.5 and no longer reads, read by h5py.

Their annotations are pickled text. They are never unpickled: the standard library's ``pickletools`` lists the text
constants in them without carrying anything out.
"""

import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import FileError, InputError
from snncompare.recording.parts import Parts, ragged
from snncompare.units import parse_unit

__all__ = ["is_old_neo", "read_old_neo"]

_SECONDS = (0, 0, 1, 0, 0, 0, 0)


def is_old_neo(path: Path) -> bool:
    """Whether a file is HDF5 and holds a Neo Block in the layout of Neo 0.3 and 0.4."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return "Block_0/segments" in file
    except OSError:
        return False


def read_old_neo(path: Path) -> Parts:
    """Return the spike trains of the first Block; several trains of a unit in one Segment are its repeats.

    Trials have the labels ``segment`` (its number), ``repeat``, and the text annotations of the Segment, such as the
    name of a stimulus. Their windows are what the file states, from the first ``t_start`` to the last ``t_stop``; where
    that cannot be true, `read` asks for the ``extent``.

    Raises
    ------
    FileError
        If the file is damaged or holds no spike trains.
    InputError
        If units of one Segment have different numbers of trains.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _parts(file["Block_0"], path.name)
    except (FileError, InputError):
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as problem:
        reason = " ".join(str(problem).split())[:200] or type(problem).__name__
        raise FileError(f"'{path.name}' cannot be read as HDF5 of Neo before 0.5: {reason}.") from problem


def _parts(block: Any, name: str) -> Parts:
    segments = [block["segments"][key] for key in sorted(block["segments"], key=_number)]
    rows: list[dict[str, Any]] = []
    trains: list[list[NDArray[np.float64]]] = []
    units: list[str] = []
    for k, segment in enumerate(segments):
        by_unit: dict[str, list[Any]] = {}
        for key in sorted(segment["spiketrains"], key=_number):
            train = segment["spiketrains"][key]
            by_unit.setdefault(_text(train.attrs.get("unit", b"")), []).append(train)
        units = units or list(by_unit)
        repeats = {len(group) for group in by_unit.values()}
        if set(by_unit) != set(units) or len(repeats) != 1:
            raise InputError(f"'{name}': Segment {k} does not hold the same number of trains of every unit.")
        for repeat in range(repeats.pop()):
            here = [by_unit[unit][repeat] for unit in units]
            rows.append(_trial(here, {"segment": k, "repeat": repeat, **_annotations(segment)}))
            trains.append([np.sort(_times(train)) for train in here])
    if not units:
        raise FileError(f"'{name}' holds no spike trains.")
    times, offsets = ragged([train for row in trains for train in row])
    names = [_text(block.file[unit].attrs.get("name", b"")) if unit in block.file else "" for unit in units]
    index = pd.Index(names) if all(names) and len(set(names)) == len(names) else pd.RangeIndex(len(units))
    return Parts(
        times=times,
        offsets=offsets,
        units=pd.DataFrame(index=index),
        trials=pd.DataFrame(rows),
        marks={},
        provenance={"left_out": ["waveforms of the spikes", "annotations other than text"]},
    )


def _number(key: str) -> tuple[int, str]:
    digits = key.rsplit("_", 1)[-1]
    return (int(digits) if digits.isdecimal() else -1, key)


def _trial(trains: list[Any], labels: dict[str, Any]) -> dict[str, Any]:
    edges = [[float(train[edge][()]) * _scale(train[edge]) for train in trains] for edge in ("t_start", "t_stop")]
    return {"start": min(edges[0]), "stop": max(edges[1]), **labels}


def _times(train: Any) -> NDArray[np.float64]:
    return np.asarray(train["times"][()], dtype=np.float64).ravel() * _scale(train["times"])


def _scale(data: Any) -> float:
    """Return the seconds in the unit that stands in the name of an attribute: ``unit__second``."""
    named = [key.removeprefix("unit__") for key in data.attrs if key.startswith("unit__")]
    scale, dimension = parse_unit(named[0]) if len(named) == 1 else (0.0, ())
    if dimension != _SECONDS:
        raise ValueError(f"the unit of '{data.name}' is {named or 'missing'}, not a time")
    return scale


def _annotations(segment: Any) -> dict[str, str]:
    """Return the annotations whose key and value are text."""
    pickled = segment.attrs.get("annotations", b"")
    found: dict[str, str] = {}
    constants: list[Any] = []
    try:
        for operation, argument, _ in pickletools.genops(bytes(pickled)):
            if operation.name in {"STRING", "UNICODE", "BINUNICODE", "SHORT_BINSTRING", "BINSTRING"}:
                constants.append(argument)
            elif operation.name == "SETITEM" and len(constants) == 2:
                found[str(constants[0])] = str(constants[1])
                constants = []
            elif operation.name not in {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}:
                constants = []
    except (ValueError, UnicodeDecodeError):
        return {}
    return {key: value for key, value in found.items() if key not in {"start", "stop", "segment", "repeat"}}


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
