"""Shards of encoded spikes: files that are believed only if a checksum over their numbers and their recipe fits."""

import errno
import hashlib
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.encoder import Spikes
from snncompare.errors import FileError, InputError
from snncompare.number_archive import read_arrays, write_arrays

__all__ = ["SHARD", "read_checked", "shard_arrays", "shard_bytes", "write_checked"]

SHARD = 64
"""Trials in a shard."""

_MOST_BYTES = 1 << 36
"""A file that unpacks to more is damaged."""


def shard_arrays(spikes: Spikes) -> dict[str, NDArray[Any]]:
    """Return spikes as the arrays of a shard."""
    return {"times": spikes.times, "counts": spikes.counts.astype(np.uint32)}


def shard_bytes(spikes: Spikes) -> int:
    """Return how many bytes these spikes take on disk."""
    stream = BytesIO()
    write_arrays(stream, shard_arrays(spikes))
    return stream.tell()


def write_checked(path: Path, arrays: Mapping[str, NDArray[Any]], recipe: str) -> int:
    """Write arrays with a checksum over them and the recipe, whole or not at all; return the bytes of the file.

    Raises
    ------
    FileError
        If the disk is full or the folder cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as stream:
            write_arrays(stream, {**arrays, "checksum": _checksum(path.stem, arrays, recipe)})
        size = unfinished.stat().st_size
        unfinished.replace(path)
    except OSError as problem:
        why = "the disk is full" if problem.errno == errno.ENOSPC else problem.strerror or str(problem)
        raise FileError(
            f"'{path}' could not be written: {why}; what was stored before stays, run the same again to go on."
        ) from problem
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return size


def read_checked(
    path: Path, expected: Mapping[str, tuple[Any, Sequence[int] | None]], recipe: str
) -> dict[str, NDArray[Any]] | None:
    """Return the arrays of a file; None if it is absent, damaged, of another recipe, or holds other arrays.

    Parameters
    ----------
    path : Path
    expected : mapping of str to (dtype, shape)
        The arrays it must hold; a shape of None is any.
    recipe : str
        Fingerprint.
    """
    try:
        arrays = read_arrays(path, _MOST_BYTES, len(expected) + 1)
    except (OSError, InputError, BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, MemoryError):
        return None
    checksum = arrays.pop("checksum", None)
    if checksum is None or arrays.keys() != expected.keys():
        return None
    for name, (dtype, shape) in expected.items():
        if arrays[name].dtype != dtype or (shape is not None and arrays[name].shape != tuple(shape)):
            return None
    return arrays if np.array_equal(checksum, _checksum(path.stem, arrays, recipe)) else None


def _checksum(name: str, arrays: Mapping[str, NDArray[Any]], recipe: str) -> NDArray[np.uint8]:
    digest = hashlib.sha256(f"{name} {recipe}".encode())
    for key in sorted(arrays):
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(arrays[key]).tobytes())
    return np.frombuffer(digest.digest(), dtype=np.uint8)
