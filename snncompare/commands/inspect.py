"""The verb ``inspect``: what is in a lab file, and a configuration to begin with."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snncompare.errors import FileError, SnncompareError

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording

__all__ = ["run_inspect"]


def run_inspect(file: str | Path, time_unit: str | None = None, out: str | Path | None = None, seed: int = 0) -> str:
    """Return what a file holds, followed by a configuration for ``snncompare compare``.

    For arrays, tables, JSON and folders of text without a format of their own the layout is guessed from names and
    shapes.

    Parameters
    ----------
    file : path
    time_unit : str, optional
        Of plain text files.
    out : path, optional
        Folder to write the configuration to, as ``NAME.yaml``.
    seed : int
        For the configuration.

    Raises
    ------
    SnncompareError
        If the file cannot be read, or the folder cannot be written.
    """
    source = Path(file)
    before, recording, layout = _opened(source, time_unit)
    if recording is None:
        return before
    from snncompare.commands.inspect_suggestion import suggest
    from snncompare.recording.inspect import describe

    described = f"{before}{describe(recording)}"
    if out is None:
        suggested = suggest(recording, str(file), time_unit, seed, layout=layout)
        here = "# Configuration to begin with; save it here as compare.yaml, then run"
        return f"{described}\n\n{here}\n{suggested}"
    folder = Path(out)
    target = folder / f"{source.stem}.yaml"
    suggested = suggest(recording, _relative(source, folder), time_unit, seed, target.name, layout)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_text(suggested, encoding="utf-8")
    except OSError as problem:
        raise FileError(f"cannot write to the folder '{folder}': {problem.strerror or problem}.") from problem
    return f"{described}\n\n{suggested}\n{target}"


def _opened(source: Path, time_unit: str | None) -> "tuple[str, Recording | None, dict[str, Any] | None]":
    """Return what is said first, the recording if it can be read, and the layout if one was guessed."""
    from snncompare.recording.layout_guess import contents, guess_layout, has_no_format
    from snncompare.recording.read import read_as_stated

    if time_unit is not None or not source.exists() or not has_no_format(source):
        return "", read_as_stated(source, time_unit=time_unit), None
    said, layout = contents(source), guess_layout(source)
    if layout is None:
        return f"{said}\n\n{_TEMPLATE}", None, None
    try:
        return f"{said}\n\nRead by a layout that is guessed:\n", read_as_stated(source, layout=layout), layout
    except SnncompareError as problem:
        return (
            f"{said}\n\nA layout that is guessed does not fit: {problem}\n{_shown(layout)}\n\n{_TEMPLATE}",
            None,
            None,
        )


def _shown(layout: dict[str, Any]) -> str:
    from snncompare.commands.inspect_suggestion import as_yaml

    return as_yaml({"layout": layout})


_TEMPLATE = """Say in a configuration which array, column, line or key is what, for example:
recording:
  file: FILE
  layout:
    type: rows                 # or counts, text (folders of text files), records (JSON)
    times: time_s
    time_unit: s               # ms, us, or a sampling rate such as 15 kHz
    unit: {unit: {values: unit, names: unit_names}}
    trial: {stimulus: {values: condition, names: condition_names}, number: trial}
    session: null              # a label of the units, where units were recorded in different trials
    window: [0 s, 10 s]        # what was recorded of each trial
  condition: stimulus"""


def _relative(source: Path, folder: Path) -> str:
    return source.as_posix() if source.is_absolute() else Path(os.path.relpath(source, folder)).as_posix()
