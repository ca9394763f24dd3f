"""The verb ``inspect``: what is in a lab file, and a configuration to begin with."""

import os
from pathlib import Path

from snncompare.errors import FileError

__all__ = ["run_inspect"]


def run_inspect(file: str | Path, time_unit: str | None = None, out: str | Path | None = None, seed: int = 0) -> str:
    """Return what a file holds, followed by a configuration for ``snncompare compare``.

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
    from snncompare.commands.inspect_suggestion import suggest
    from snncompare.recording.inspect import describe
    from snncompare.recording.read import read

    source = Path(file)
    recording = read(source, time_unit=time_unit)
    if out is None:
        suggested = suggest(recording, str(file), time_unit, seed)
        here = "# Configuration to begin with; save it here as compare.yaml, then run"
        return f"{describe(recording)}\n\n{here}\n{suggested}"
    folder = Path(out)
    target = folder / f"{source.stem}.yaml"
    suggested = suggest(recording, _relative(source, folder), time_unit, seed, target.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_text(suggested, encoding="utf-8")
    except OSError as problem:
        raise FileError(f"cannot write to the folder '{folder}': {problem.strerror or problem}.") from problem
    return f"{describe(recording)}\n\n{suggested}\n{target}"


def _relative(source: Path, folder: Path) -> str:
    return source.as_posix() if source.is_absolute() else Path(os.path.relpath(source, folder)).as_posix()
