"""Everything in an HDF5 file as plain values, read in a process of its own: run as a program, with no other module.

On a damaged file the HDF5 library can crash, or never return; no exception tells of it. So the file of a stranger is
opened here, and only what comes out is looked at. Links to other places or files are not followed, nothing is allocated
because a file announces it, and no plugin is loaded.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np

__all__ = ["REFUSED", "Reader", "RefusedError", "main"]

REFUSED = 3
"""Exit code where the reason is printed."""
_FILTERS = {1, 2, 3, 4, 32000}  # gzip, shuffle, Fletcher checksum, szip, lzf
_MEMORY = 2_000_000_000


class RefusedError(Exception):
    """What is wrong with a file, to be said with its name."""


class Reader:
    """Reads groups as dictionaries and datasets as arrays or text, counting what it reads.

    Parameters
    ----------
    max_bytes : int
        Bytes that the arrays may have, at 8 bytes a number.
    limits : mapping
        Largest numbers of ``"objects"``, levels of groups (``"depth"``), ``"texts"`` and their ``"characters"``.
    """

    def __init__(self, max_bytes: int, limits: dict[str, int]) -> None:
        self._left, self._limits = {**limits, "bytes": max_bytes}, limits

    def group(self, group: Any, depth: int = 0) -> dict[str, Any]:
        """Return what a group holds, by name.

        Raises
        ------
        RefusedError
        """
        if depth > self._limits["depth"]:
            raise RefusedError(f"its groups are nested deeper than {self._limits['depth']} levels")
        found: dict[str, Any] = {}
        for name in group:
            self._take("objects", 1, f"it has more than {self._limits['objects']:,} objects")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise RefusedError(f"{name!r:.60} is a link to another place or file")
            member = group[name]
            if isinstance(member, h5py.Group):
                found[name] = self.group(member, depth + 1)
            elif isinstance(member, h5py.Dataset):
                found[name] = self._dataset(name, member)
            else:
                raise RefusedError(f"{name!r:.60} is neither a group nor an array")
        return found

    def _take(self, what: str, amount: int, otherwise: str) -> None:
        self._left[what] -= amount
        if self._left[what] < 0:
            raise RefusedError(otherwise)

    def _dataset(self, name: str, data: Any) -> Any:
        if data.shape is None:
            raise RefusedError(f"{name!r:.60} is empty")
        if data.is_virtual or data.external:
            raise RefusedError(f"{name!r:.60} lies in another file")
        creation = data.id.get_create_plist()
        if not {creation.get_filter(k)[0] for k in range(creation.get_nfilters())} <= _FILTERS:
            raise RefusedError(f"{name!r:.60} is packed in an uncommon way")
        if h5py.check_string_dtype(data.dtype) is not None:
            return self._text(name, data)
        if data.dtype.kind not in "fiub":
            raise RefusedError(f"{name!r:.60} holds {data.dtype!s:.60}, not real numbers or text")
        size = 8 * max(math.prod(data.shape), math.prod(data.chunks or (0,)))
        self._take("bytes", size, "it unpacks to too many bytes; if you trust it, raise max_bytes")
        return np.asarray(data[()])

    def _text(self, name: str, data: Any) -> Any:
        """Return text, or nested lists of it, read one by one."""
        n, characters = math.prod(data.shape), f"it holds more than {self._limits['characters']:,} characters"
        self._take("texts", n, f"{name!r:.60} holds too many texts")
        if data.dtype.itemsize * max(n, math.prod(data.chunks or (0,))) > self._limits["characters"]:
            raise RefusedError(characters)
        found = np.empty(data.shape, dtype=object)
        for place in np.ndindex(*data.shape):
            text = data[place]
            found[place] = text.decode() if isinstance(text, bytes) else str(text)
            self._take("characters", len(found[place]), characters)
        return found.tolist()


def _packed(value: Any, arrays: dict[str, Any]) -> Any:
    """Return values with arrays replaced by their numbers in `arrays`."""
    if isinstance(value, dict):
        return {"group": {name: _packed(part, arrays) for name, part in value.items()}}
    if isinstance(value, np.ndarray):
        arrays[str(len(arrays))] = value
        return {"array": str(len(arrays) - 1)}
    return {"text": value}


def main(path: str, written: str, max_bytes: str, limits: str) -> int:
    """Write what is in the file `path` to `written`, an npz file; return 0, or print one line and return `REFUSED`."""
    try:
        import resource

        memory = 4 * int(max_bytes) + _MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    except (ImportError, OSError, ValueError):  # not on every system
        pass
    arrays: dict[str, Any] = {}
    try:
        with h5py.File(path, "r") as file:
            found = Reader(int(max_bytes), json.loads(limits)).group(file)
        structure = json.dumps(_packed(found, arrays)).encode()
        np.savez(Path(written), allow_pickle=False, structure=np.frombuffer(structure, dtype=np.uint8), **arrays)
    except Exception as error:  # noqa: BLE001 - whatever the library throws becomes one line
        print(" ".join(str(error).split())[:200] or type(error).__name__, file=sys.stderr)  # noqa: T201
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
