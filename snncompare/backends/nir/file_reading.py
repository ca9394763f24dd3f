"""NIR files from strangers: HDF5 read with bounds, nothing outside the file touched, damage told in one line.

The reader of the `nir` package follows links to other files, allocates what a file announces, and lets any exception
through; the file is read here instead, and only the finished values are given to the package.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from snncompare.errors import FileError, UnsupportedError

__all__ = ["MAX_BYTES", "read_graph"]

MAX_BYTES = 1_000_000_000
"""Bytes that a file and what it unpacks to may have, at 8 bytes a number."""
_MAX_OBJECTS = 50_000
_MAX_DEPTH = 12
_MAX_TEXTS = 20_000
_MAX_TEXT = 1_000_000
_FILTERS = {1, 2, 3, 4, 32000}  # gzip, shuffle, Fletcher checksum, szip, lzf: others would load code from plugins
_DAMAGED = (
    OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, AssertionError, IndexError, ArithmeticError,
    MemoryError,
)  # fmt: skip


class _RefusedError(Exception):
    """What is wrong with a file, to be said with its name."""


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
    import h5py
    import nir

    path = Path(path)
    try:
        if path.stat().st_size > max_bytes:
            raise _RefusedError(f"it has more than {max_bytes:,} bytes; if you trust it, raise max_bytes")
        with h5py.File(path, "r") as file:
            data = _Reader(max_bytes).group(file, 0, only="node")["node"]
        if not isinstance(data, dict) or data.get("type") != "NIRGraph":
            raise _RefusedError("it holds no graph")
        _prepare(data, "the graph")
        return nir.dict2NIRNode(data)
    except _RefusedError as error:
        raise FileError(f"'{path.name}' cannot be read as a NIR file: {error}.") from error
    except FileNotFoundError as error:
        raise FileError(f"there is no file '{path}'.") from error
    except UnsupportedError:
        raise
    except _DAMAGED as error:
        reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
        raise FileError(f"'{path.name}' cannot be read as a NIR file: {reason}.") from error


class _Reader:
    """Reads groups as dictionaries and datasets as arrays or text, counting what it reads."""

    def __init__(self, max_bytes: int) -> None:
        self._bytes, self._objects, self._texts, self._characters = max_bytes, _MAX_OBJECTS, _MAX_TEXTS, _MAX_TEXT

    def group(self, group: Any, depth: int, only: str | None = None) -> dict[str, Any]:
        """Return what a group holds, by name; with `only` that one member."""
        import h5py

        if depth > _MAX_DEPTH:
            raise _RefusedError(f"its groups are nested deeper than {_MAX_DEPTH} levels")
        if only is not None and only not in group:
            raise _RefusedError(f"it has no '{only}'")
        found: dict[str, Any] = {}
        for name in [only] if only is not None else group:
            self._objects -= 1
            if self._objects < 0:
                raise _RefusedError(f"it has more than {_MAX_OBJECTS:,} objects")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise _RefusedError(f"{name!r:.60} is a link to another place or file")
            member = group[name]
            if isinstance(member, h5py.Group):
                found[name] = self.group(member, depth + 1)
            elif isinstance(member, h5py.Dataset):
                found[name] = self._dataset(name, member)
            else:
                raise _RefusedError(f"{name!r:.60} is neither a group nor an array")
        return found

    def _dataset(self, name: str, data: Any) -> Any:
        import h5py

        if data.shape is None:
            raise _RefusedError(f"{name!r:.60} is empty")
        if data.is_virtual or data.external:
            raise _RefusedError(f"{name!r:.60} lies in another file")
        creation = data.id.get_create_plist()
        if not {creation.get_filter(k)[0] for k in range(creation.get_nfilters())} <= _FILTERS:
            raise _RefusedError(f"{name!r:.60} is packed in an uncommon way")
        if h5py.check_string_dtype(data.dtype) is not None:
            return self._text(name, data)
        if data.dtype.kind not in "fiub":
            raise _RefusedError(f"{name!r:.60} holds {data.dtype!s:.60}, not real numbers or text")
        self._bytes -= 8 * max(math.prod(data.shape), math.prod(data.chunks or (0,)))
        if self._bytes < 0:
            raise _RefusedError("it unpacks to too many bytes; if you trust it, raise max_bytes")
        return data[()]

    def _text(self, name: str, data: Any) -> Any:
        """Return text, or nested lists of it, read one by one: each is no longer than the file."""
        n = math.prod(data.shape)
        self._texts -= n
        if self._texts < 0 or data.dtype.itemsize * max(n, math.prod(data.chunks or (0,))) > _MAX_TEXT:
            raise _RefusedError(f"{name!r:.60} holds too many texts")
        found = np.empty(data.shape, dtype=object)
        for place in np.ndindex(*data.shape):
            text = data[place]
            text = text.decode() if isinstance(text, bytes) else str(text)
            self._characters -= len(text)
            if self._characters < 0:
                raise _RefusedError(f"it holds more than {_MAX_TEXT:,} characters")
            found[place] = text
        return found.tolist()


def _prepare(data: dict[str, Any], where: str) -> None:
    """Check the kinds of nodes, and tell the `nir` package not to change the graph where it infers shapes."""
    import nir

    kind = data.get("type")
    if not isinstance(kind, str):
        raise _RefusedError(f"{where!r:.60} has no type")
    known = getattr(nir, kind, None)
    if not (isinstance(known, type) and issubclass(known, nir.NIRNode) and known is not nir.NIRNode):
        raise UnsupportedError(
            f"the node {where!r:.60} is of the type {kind!r:.60}, which nir {nir.version} does not know."
        )
    if kind != "NIRGraph":
        return
    nodes, edges = data.get("nodes"), data.get("edges")
    if not isinstance(nodes, dict) or "type_check" in data:
        raise _RefusedError(f"{where!r:.60} has no nodes")
    if not isinstance(edges, list | np.ndarray):
        raise _RefusedError(f"{where!r:.60} has no edges")
    data["edges"] = [_edge(edge) for edge in edges if np.size(edge)]
    data["type_check"] = False
    for name, node in nodes.items():
        if not isinstance(node, dict):
            raise _RefusedError(f"the node {name!r:.60} is no group")
        _prepare(node, name)


def _edge(edge: Any) -> tuple[str, str]:
    match list(edge) if isinstance(edge, list | np.ndarray) else None:
        case [str() as source, str() as target]:
            return source, target
    raise _RefusedError("its edges are not pairs of names")
