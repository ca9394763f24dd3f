"""The verb ``schema``: the JSON Schema of network files, for editors."""

import json
from pathlib import Path

from snncompare.errors import FileError

__all__ = ["network_schema"]


def network_schema(out: str | Path | None = None) -> str:
    """Return the JSON Schema of network files as text.

    Parameters
    ----------
    out : path, optional
        Folder to write the same to, as ``network.schema.json``.

    Raises
    ------
    FileError
        If the folder cannot be written.
    """
    from snncompare.network.network import Network

    text = json.dumps(Network.json_schema(), indent=2, ensure_ascii=False)
    if out is not None:
        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "network.schema.json").write_text(f"{text}\n", encoding="utf-8")
        except OSError as problem:
            raise FileError(f"cannot write to the folder '{folder}': {problem.strerror or problem}.") from problem
    return text
