"""A layout to begin with, guessed from the names and shapes of what a file without a format of its own holds."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import SnncompareError
from snncompare.recording.array_files import Header, array_headers, read_arrays
from snncompare.recording.text_units import to_seconds

__all__ = ["contents", "guess_layout", "has_no_format"]

_ARRAYS = frozenset({".npz", ".csv", ".tsv", ".h5", ".hdf5"})
_TIME = re.compile(r"(^|_)(spike_?)?(times?|t)(_|$)")
_UNIT = re.compile(r"(^|_)(unit|neuron|cell|cluster|channel)s?(_|$)")
_TRIAL = re.compile(r"(^|_)(trial|repeat|repetition|sweep|presentation)(_|$)")
_TIME_UNITS = {"s": "s", "sec": "s", "seconds": "s", "ms": "ms", "us": "us"}
_NUMBERS, _WHOLE = "iuf", "iu"


def has_no_format(path: Path) -> bool:
    """Whether a file or folder holds named arrays, columns, JSON or text files, in none of the formats of `read`."""
    suffix = path.suffix.lower()
    if path.is_dir():
        return any(file.suffix.lower() == ".txt" for file in path.rglob("*.txt"))
    if suffix == ".json":
        return True
    if suffix in {".csv", ".tsv"}:
        first = path.read_bytes()[:500].decode("utf-8-sig", errors="replace").splitlines()
        return bool(first) and any(character.isalpha() for character in first[0]) and not first[0].startswith("#")
    if suffix == ".npz":
        try:
            return "header" not in array_headers(path)
        except SnncompareError:
            return False
    return False


def contents(path: Path) -> str:
    """Return in words what named arrays a file holds, one a line, or which text files a folder.

    Raises
    ------
    FileError
        If it is damaged or refused.
    """
    if path.is_dir():
        files = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        return "\n".join([f"Folder: {path.name}, {len(files)} files", *(f"  {name}" for name in files[:8])])
    if path.suffix.lower() not in _ARRAYS:
        return f"File: {path.name}"
    headers = array_headers(path)
    listed = [f"  {name}: {header.dtype}, shape {header.shape}" for name, header in headers.items()]
    return "\n".join([f"File: {path.name}, {len(headers)} arrays and no format of its own", *listed[:30]])


def guess_layout(path: Path) -> dict[str, Any] | None:
    """Return a layout that may fit, or None where names and shapes say too little.

    A guess goes by names such as ``time_s``, ``unit``, ``trial``, ``condition`` and ``condition_names``; its window is
    that of the spikes.

    Parameters
    ----------
    path : Path

    Raises
    ------
    FileError
        If the file is damaged or refused.
    """
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() == ".json":
        return _records(path)
    headers = array_headers(path)
    lists = [name for name, header in headers.items() if len(header.shape) == 1 and header.dtype.kind in _NUMBERS]
    name = next((name for name in lists if _TIME.search(name)), None)
    if name is None:
        return None
    arrays = read_arrays(path, headers)
    begin: dict[str, Any] = {"times": name, "time_unit": _TIME_UNITS.get(name.rsplit("_", 1)[-1], "s")}
    begin["window"] = _window(arrays[name], begin["time_unit"])
    return _counts(arrays, begin, name) or _rows(arrays, headers, begin, name)


def _window(times: NDArray[Any], time_unit: str) -> list[str]:
    values = to_seconds(times.astype(np.float64), time_unit)
    if values.size == 0 or not np.isfinite(values).all():
        return ["0 s", "1 s"]
    first, last = min(0.0, float(np.floor(values.min() * 100) / 100)), float(np.ceil(values.max() * 100 + 1e-9) / 100)
    return [f"{first:g} s", f"{max(last, first + 0.01):g} s"]


def _counts(arrays: dict[str, NDArray[Any]], begin: dict[str, Any], times: str) -> dict[str, Any] | None:
    total = arrays[times].size
    for name, values in arrays.items():
        if name == times or values.dtype.kind not in _WHOLE or values.size < 2:
            continue
        if values.ndim == 2 and values.min() >= 0 and int(values.sum()) == total:
            sizes, how = values.shape, {"counts": name}
        elif values.ndim == 1 and values[0] == 0 and values[-1] == total and (np.diff(values.astype(int)) >= 0).all():
            sizes, how = (values.size - 1, 1), {"offsets": name}
        else:
            continue
        other = {n: v.shape for n, v in arrays.items() if n not in {times, name} and v.ndim == 1}
        labels = {key: [n for n, shape in other.items() if shape == (size,)] for key, size in zip(
            ("labels", "unit_labels"), sizes, strict=True)}  # fmt: skip
        return {"type": "counts", **begin, **how} | {key: found for key, found in labels.items() if found}
    return None


def _rows(
    arrays: dict[str, NDArray[Any]], headers: Mapping[str, Header], begin: dict[str, Any], times: str
) -> dict[str, Any] | None:
    same = [n for n, h in headers.items() if h.shape == headers[times].shape and n != times]
    unit = next((n for n in same if _UNIT.search(n)), None)
    trials = [n for n in same if n != unit and headers[n].dtype.kind != "f"]
    trials.sort(key=lambda n: bool(_TRIAL.search(n)))
    if unit is None or not trials:
        return None
    layout: dict[str, Any] = {"type": "rows", **begin}
    layout["unit"] = {_label(unit): _column(arrays, unit)}
    layout["trial"] = {_label(n): _column(arrays, n) for n in trials}
    tables = {n: h for n, h in headers.items() if len(h.shape) == 2 and h.dtype.kind in _WHOLE}
    if tables and len(trials) == 1:
        layout["labels"] = {_label(n): _column(arrays, n) for n in tables}
    if len(trials) == 2:
        known = {"present": "trials_present", "units_present": "units_present"}
        layout |= {key: name for key, name in known.items() if name in headers}
    return layout


def _label(name: str) -> str:
    short = re.sub(r"^spike_|_index$|_id$", "", name)
    return short if short not in {"trial", "session", "start", "stop"} else f"{short}_number"


def _column(arrays: dict[str, NDArray[Any]], name: str) -> Any:
    values = arrays[name]
    plain = re.sub(r"^spike_|_index$|_id$", "", name)
    names = next((n for n in (f"{plain}_names", f"{plain}s") if n in arrays and arrays[n].dtype.kind in "US"), None)
    column: dict[str, Any] = {"values": name}
    if names is not None and values.dtype.kind in _WHOLE:
        column["names"] = names
    if values.dtype.kind == "i" and values.ndim == 2 and values.size and values.min() == -1:
        column["missing"] = -1
    return column if len(column) > 1 else name


def _folder(path: Path) -> dict[str, Any] | None:
    files = sorted(path.rglob("*.txt"))
    depth = {len(file.relative_to(path).parts) for file in files}
    if depth not in ({1}, {2}):
        return None
    lines = files[0].read_text(encoding="utf-8", errors="replace").splitlines()[:50]
    several = any(len(line.split()) > 1 for line in lines)
    template = "{condition}.txt" if depth == {1} else "{unit}/{condition}.txt"
    layout = {"type": "text", "files": template, "line": "trial" if several else "spike", "time_unit": "ms"}
    if depth == {2}:
        layout["session"] = "unit"
    words = " ".join(file.read_text(encoding="utf-8", errors="replace") for file in files).split()
    try:
        return {**layout, "window": _window(np.array([float(word) for word in words]), "ms")}
    except ValueError:
        return None


def _records(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError):
        return None
    lists = {k: v for k, v in content.items() if isinstance(v, list)} if isinstance(content, dict) else {}
    for key, records in lists.items():
        if not records or not all(isinstance(record, dict) for record in records):
            continue
        times = next((k for k, v in records[0].items() if isinstance(v, list)), None)
        unit = next((k for k in [*records[0], *content] if _UNIT.search(k) or "unit" in k), None)
        if times is not None and unit is not None:
            values = np.array([t for record in records for t in record.get(times, [])], dtype=np.float64)
            return {"type": "records", "records": key, "times": times, "unit": unit, "time_unit": "s",
                    "window": _window(values, "s")}  # fmt: skip
    return None
