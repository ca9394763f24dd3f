"""The verb ``hardware``: which adapters to neuromorphic hardware there are, and whether one can be used from here."""

import json
from pathlib import Path
from typing import Any

from snncompare.backends.hardware.registry import adapter_named, adapters, connect, is_ours
from snncompare.commands.result_files import made_folder
from snncompare.errors import FileError

__all__ = ["check_hardware", "list_hardware"]


def list_hardware(out: str | Path | None = None) -> str:
    """Return one line per adapter: its name, and whether its hardware can be used from here.

    Adapters of other packages are named and not imported.

    Parameters
    ----------
    out : path, optional
        Folder to write the same as ``hardware.json`` to.

    Raises
    ------
    FileError
        If the folder or the file cannot be written.
    """
    rows = [_row(name) for name in adapters()]
    if out is not None:
        path = made_folder(Path(out)) / "hardware.json"
        try:
            path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
        except OSError as problem:
            raise FileError(f"cannot write '{path}': {problem.strerror or problem}.") from problem
    return "\n".join(f"{row['name']}: {row['state']}" for row in rows)


def check_hardware(name: str | None = None) -> str:
    """Return one line on hardware that can be used from here.

    Parameters
    ----------
    name : str, optional
        Of an adapter; one of another package is imported. Default: the first of ours that can be used.

    Raises
    ------
    InputError
        If no adapter has that name.
    UnsupportedError
        If there is no hardware: one line with what was looked for.
    """
    adapter = connect(name)
    return f"{adapter.name}: ready; {adapter.available().reason}"


def _row(name: str) -> dict[str, Any]:
    if not is_ours(name):
        return {"name": name, "state": f"of another package; 'snncompare hardware check {name}' asks it", "ready": None}
    found = adapter_named(name).available()
    return {"name": name, "state": f"{'ready' if found else 'not here'}; {found.reason}", "ready": found.usable}
