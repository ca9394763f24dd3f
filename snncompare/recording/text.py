"""Spike times in plain text: one time a line, or one train a line."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import FileError, InputError
from snncompare.recording.parts import Parts, ragged
from snncompare.recording.text_units import refuse_impossible_seconds, to_seconds

__all__ = ["read_text"]

_SEPARATOR = re.compile(r"[\s,;]+")
_IN_PYTHON = "Several trials or labels: make a recording in Python with Recording.from_arrays and save it as .npz."


def read_text(path: Path, time_unit: str | None = None) -> Parts:
    """Return the spike times in a text file as one trial.

    One number a line is one unit, named after the file. Several numbers a line (tab, blank, comma or semicolon
    between them) are one unit a line, named ``0, 1, ...``. Lines that start with ``#`` are comments. Blank lines are
    allowed at the ends, and between trains if one stands between each two. The window runs from 0, or the first
    spike if that is negative, to the last spike.

    Parameters
    ----------
    path : Path
    time_unit : str, optional
        See `text_units.to_seconds`; default seconds, which are refused if they cannot be true.

    Raises
    ------
    FileError
        For files that hold something else than numbers.
    InputError
        For times that decrease (several trials one after the other), irregular blank lines, impossible seconds.
    """
    lines = _lines(path)
    rows = [(number, _numbers(path, number, text)) for number, text in lines if text]
    if not rows:
        raise FileError(f"'{path.name}' holds no spike times.")
    single = all(row.size == 1 for _, row in rows)
    _refuse_blank(path, lines, single=single and len(rows) > 1)
    trains = [np.concatenate([row for _, row in rows])] if single else [row for _, row in rows]
    _refuse_falling(path, rows, trains, single=single)
    if time_unit is None:
        refuse_impossible_seconds(trains, path.name)
    trains = [train if time_unit is None else to_seconds(train, time_unit) for train in trains]
    times, offsets = ragged(trains)
    start, stop = min(0.0, float(times.min())), float(times.max())
    if stop <= start:
        raise InputError(f"'{path.name}' holds a single time at 0; nothing says how long the recording lasts.")
    provenance: dict[str, Any] = {"time_unit": time_unit or "s (assumed)"}
    units = pd.DataFrame(index=pd.Index([path.stem]) if single else pd.RangeIndex(len(trains)))
    trials = pd.DataFrame({"start": [start], "stop": [stop]})
    return Parts(times=times, offsets=offsets, units=units, trials=trials, marks={}, provenance=provenance)


def _lines(path: Path) -> list[tuple[int, str]]:
    """Return numbered lines without comments, and without the blank ones at both ends."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise FileError(f"'{path.name}' is no plain text; give numbers, one unit a line.") from problem
    lines = [(i, line.strip()) for i, line in enumerate(text.splitlines(), start=1) if not line.startswith("#")]
    full = [i for i, (_, line) in enumerate(lines) if line]
    return lines[full[0] : full[-1] + 1] if full else []


def _numbers(path: Path, number: int, line: str) -> NDArray[np.float64]:
    words = [word for word in _SEPARATOR.split(line) if word]
    try:
        values = np.array([float(word) for word in words])
    except ValueError as problem:
        raise FileError(
            f"line {number} of '{path.name}' is not all numbers ({line[:40]!r}); spike times in text are numbers only, "
            f"comments start with '#'. {_IN_PYTHON}"
        ) from problem
    if not np.isfinite(values).all():
        raise InputError(f"line {number} of '{path.name}' holds times that are not finite.")
    return values


def _refuse_blank(path: Path, lines: list[tuple[int, str]], *, single: bool) -> None:
    blank = [number for number, text in lines if not text]
    regular = all(bool(text) == (i % 2 == 0) for i, (_, text) in enumerate(lines))
    if blank and (single or not regular):
        meaning = "a border between trials or spacing" if single else "a silent unit or spacing"
        raise InputError(
            f"line {blank[0]} of '{path.name}' is blank, which could mean {meaning}; remove the blank lines if "
            f"they mean nothing. {_IN_PYTHON}"
        )


def _refuse_falling(
    path: Path, rows: list[tuple[int, NDArray[np.float64]]], trains: list[NDArray[np.float64]], *, single: bool
) -> None:
    falls = [int((np.diff(train) < 0).sum()) for train in trains]
    if not any(falls):
        return
    first = next(i for i, n in enumerate(falls) if n)
    line = rows[int((np.diff(trains[0]) < 0).argmax()) + 1][0] if single else rows[first][0]
    raise InputError(
        f"the times in '{path.name}' decrease {sum(falls)} times, first in line {line}: it holds several trials or "
        f"units one after the other, and nothing says which. {_IN_PYTHON}"
    )
