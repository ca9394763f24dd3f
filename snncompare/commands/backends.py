"""The verb ``backends``: what can run networks here."""

import json
from importlib import metadata
from pathlib import Path

from snncompare.errors import FileError, SnncompareError

__all__ = ["list_backends"]


def list_backends(out: str | Path | None = None) -> str:
    """Return one line per installed backend: its name, the package that brings it, and whether it can be used.

    Parameters
    ----------
    out : path, optional
        Folder to write the same as ``backends.json`` to.

    Raises
    ------
    FileError
        If the folder cannot be written.
    """
    from snncompare.backends.registry import available

    rows = [_row(name) for name in available()]
    if out is not None:
        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "backends.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
        except OSError as problem:
            raise FileError(f"cannot write to the folder '{folder}': {problem.strerror or problem}.") from problem
    return "\n".join(f"{row['name']}: {row['state']}" for row in rows) or "no backend is installed."


def _row(name: str) -> dict[str, str]:
    """Import a backend; another's package can fail in any way, and the list goes on."""
    from snncompare.backends.registry import backend_named

    try:
        backend_named(name)
    except SnncompareError as problem:
        return {"name": name, "state": f"cannot be used: {problem}"}
    except Exception as problem:  # noqa: BLE001 (somebody else's package)
        return {"name": name, "state": f"cannot be used: {type(problem).__name__}: {problem}"}
    return {"name": name, "state": f"ready{_version(name)}"}


def _version(name: str) -> str:
    try:
        return f" ({name} {metadata.version(name)})"
    except metadata.PackageNotFoundError:
        return ""
