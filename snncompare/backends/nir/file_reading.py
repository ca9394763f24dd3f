"""NIR files from strangers: read in a process of their own, with bounds; damage is told in one line.

The reader of the `nir` package follows links to other files, allocates what a file announces, and lets any exception
through. Here `hdf5_values` reads the file, and only the finished values are given to the package.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from snncompare.errors import FileError, UnsupportedError

__all__ = ["MAX_BYTES", "MAX_SECONDS", "read_graph"]

MAX_BYTES = 1_000_000_000
"""Bytes that a file and what it unpacks to may have, at 8 bytes a number."""
MAX_SECONDS = 120
"""Time that reading the values of a file may take."""
_LIMITS = {"objects": 50_000, "depth": 12, "texts": 20_000, "characters": 1_000_000}
_DAMAGED = (KeyError, ValueError, TypeError, AttributeError, AssertionError, IndexError, ArithmeticError)


def read_graph(path: str | Path, max_bytes: int = MAX_BYTES) -> Any:
    """Return the `nir.NIRGraph` of a file.

    Parameters
    ----------
    path : path
    max_bytes : int
        Bytes that the file, and its arrays unpacked, may have.

    Raises
    ------
    FileError
        If the file is missing, damaged, no NIR graph, too large, or refers to other files.
    UnsupportedError
        If it has nodes that the installed `nir` does not know.
    """
    import nir

    path = Path(path)
    if not path.is_file():
        raise FileError(f"there is no file '{path}'.")
    try:
        data = _values(path, max_bytes).get("node")
        if not isinstance(data, dict) or data.get("type") != "NIRGraph":
            raise ValueError("it holds no graph of NIR")
        _prepare(data, "the graph")
        return nir.dict2NIRNode(data)
    except _DAMAGED as error:
        reason = (str(error).splitlines() or [""])[0][:200].rstrip(".") or type(error).__name__
        raise FileError(f"'{path.name}' cannot be read as a NIR file: {reason}.") from error


def _values(path: Path, max_bytes: int) -> dict[str, Any]:
    """Return everything in an HDF5 file: groups as dictionaries, datasets as arrays, text, or nested lists of text."""
    from snncompare.backends.nir.hdf5_values import REFUSED

    if path.stat().st_size > max_bytes:
        raise ValueError(f"it has more than {max_bytes:,} bytes; if you trust it, raise max_bytes")
    program = Path(__file__).with_name("hdf5_values.py")
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "values.npz"
        arguments = [str(path.absolute()), str(written), str(max_bytes), json.dumps(_LIMITS)]
        command = [sys.executable, "-P", str(program), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=MAX_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise ValueError(f"the HDF5 library does not come to an end within {MAX_SECONDS} s") from error
        if done.returncode == REFUSED:
            raise ValueError(done.stderr.strip())
        if done.returncode:
            raise ValueError(f"the HDF5 library crashes on it (exit code {done.returncode})")
        with np.load(written, allow_pickle=False) as arrays:
            found: dict[str, Any] = _unpacked(json.loads(arrays["structure"].tobytes()), arrays)
    return found


def _unpacked(packed: Any, arrays: Any) -> Any:
    if "group" in packed:
        return {name: _unpacked(part, arrays) for name, part in packed["group"].items()}
    return arrays[packed["array"]][()] if "array" in packed else packed["text"]


def _prepare(data: dict[str, Any], where: str) -> None:
    """Check the kinds of nodes, and tell the `nir` package not to change the graph where it infers shapes."""
    import nir

    kind = data.get("type")
    if not isinstance(kind, str):
        raise ValueError(f"{where!r:.60} has no type")
    known = getattr(nir, kind, None)
    if not (isinstance(known, type) and issubclass(known, nir.NIRNode) and known is not nir.NIRNode):
        raise UnsupportedError(
            f"the node {where!r:.60} is of the type {kind!r:.60}, which nir {nir.version} does not know."
        )
    if kind != "NIRGraph":
        return
    nodes, edges = data.get("nodes"), data.get("edges")
    if not isinstance(nodes, dict) or "type_check" in data:
        raise ValueError(f"{where!r:.60} has no nodes")
    if not isinstance(edges, list | np.ndarray):
        raise ValueError(f"{where!r:.60} has no edges")
    data["edges"] = [_edge(edge) for edge in edges if np.size(edge)]
    data["type_check"] = False
    for name, node in nodes.items():
        if not isinstance(node, dict):
            raise ValueError(f"the node {name!r:.60} is no group")
        _prepare(node, name)


def _edge(edge: Any) -> tuple[str, str]:
    match edge:
        case [str() as source, str() as target]:
            return source, target
    raise ValueError("its edges are not pairs of names")
