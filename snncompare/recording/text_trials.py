"""Spike times in plain text files whose names, and lines, say which unit and trial they are of."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from snncompare.errors import FileError, InputError
from snncompare.recording.labelled_trains import LabelledTrain, parts_of_trains
from snncompare.recording.layouts import TextFiles
from snncompare.recording.parts import Parts

__all__ = ["read_text_files"]

_FIELD = re.compile(r"\{(\w+)\}")
_MOST_FILES, _MOST_FIELDS = 100_000, 6


def read_text_files(path: Path, layout: TextFiles) -> Parts:
    """Return the spikes in a text file, or in those files of a folder whose names fit.

    Parameters
    ----------
    path : Path
        A file; or a folder, where the layout has ``files``.
    layout : TextFiles

    Raises
    ------
    FileError
        If no file fits, or one is no plain text or holds something else than numbers.
    InputError
        If the layout contradicts itself or the files contradict each other.
    """
    found, others = _files(path, layout)
    trains = [train for file, labels in found for train in _trains(file, labels, layout)]
    if not trains:
        raise FileError(f"'{path.name}' holds no lines with spike times.")
    provenance: dict[str, Any] = {"layout": layout.plain()}
    if others:
        provenance["left_out"] = [f"{len(others)} files with other names, for example {others[0]}"]
    return parts_of_trains(
        trains, time_unit=layout.time_unit, window=layout.window, session=layout.session, provenance=provenance
    )


def _files(path: Path, layout: TextFiles) -> tuple[list[tuple[Path, dict[str, str]]], list[str]]:
    """Return the files that fit with the labels in their names, and the names of those that do not."""
    if path.is_file():
        if layout.files is not None:
            raise InputError(f"'{path.name}' is one file; 'files' is for a folder. Leave it out, or give the folder.")
        return [(path, {})], []
    if layout.files is None:
        raise InputError(f"'{path.name}' is a folder; say by 'files' how its files are named, such as '{{song}}.txt'.")
    pattern = _pattern(layout.files)
    inside = sorted(file for file in path.rglob("*") if file.is_file())
    if len(inside) > _MOST_FILES:
        raise FileError(f"'{path.name}' holds {len(inside)} files; at most {_MOST_FILES} are looked at.")
    fitting, others = [], []
    for file in inside:
        name = file.relative_to(path).as_posix()
        match = pattern.fullmatch(name)
        if match is None:
            others.append(name)
        else:
            fitting.append((file, match.groupdict()))
    if not fitting:
        raise FileError(f"no file in '{path.name}' is named like '{layout.files}'; there is {', '.join(others[:5])}.")
    return fitting, others


def _pattern(template: str) -> re.Pattern[str]:
    fields = _FIELD.findall(template)
    if len(set(fields)) < len(fields) or len(fields) > _MOST_FIELDS or not fields:
        raise InputError(f"files: '{template}' needs one to {_MOST_FIELDS} labels in braces, each once.")
    parts = _FIELD.split(template)
    written = [f"(?P<{part}>[^/]+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts)]
    return re.compile("".join(written))


def _trains(file: Path, labels: dict[str, str], layout: TextFiles) -> Iterator[LabelledTrain]:
    lines = _lines(file)
    unit = {name: labels[name] for name in layout.unit if name in labels} or {
        "unit": file.stem if layout.files is None else "0"
    }
    trial: dict[str, Any] = {name: label for name, label in labels.items() if name not in layout.unit}
    if layout.blank == "ignored" or layout.line == "spike":
        lines = [(number, line) for number, line in lines if line]
    if layout.line == "spike":
        times = np.concatenate([_numbers(file, number, line, one=True) for number, line in lines] or [np.zeros(0)])
        yield LabelledTrain(times, unit, trial, f"'{file.name}'")
        return
    for k, (number, line) in enumerate(lines):
        times = _numbers(file, number, line)
        source = f"line {number} of '{file.name}'"
        if layout.line == "trial":
            yield LabelledTrain(times, unit, {**trial, "line": k}, source)
        else:
            yield LabelledTrain(times, {**({} if layout.files is None else unit), "line": k}, trial, source)


def _lines(file: Path) -> list[tuple[int, str]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as problem:
        raise FileError(f"'{file.name}' is no plain text that can be read; give numbers.") from problem
    return [(i, line.strip()) for i, line in enumerate(text.splitlines(), start=1) if not line.startswith("#")]


def _numbers(file: Path, number: int, line: str, *, one: bool = False) -> Any:
    words = line.replace(",", " ").replace(";", " ").split()
    try:
        values = np.array([float(word) for word in words])
    except ValueError as problem:
        raise FileError(f"line {number} of '{file.name}' is not all numbers ({line[:40]!r}).") from problem
    if one and values.size != 1:
        raise InputError(f"line {number} of '{file.name}' holds {values.size} numbers, but a line is one spike here.")
    return values
