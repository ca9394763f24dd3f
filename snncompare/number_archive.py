"""A ``.npz`` of numbers: the same arrays give the same bytes; nothing a file announces is believed unchecked."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from snncompare.errors import InputError

__all__ = ["check_extent", "read_arrays", "write_arrays"]

_COMPRESSION_LEVEL = 1


def write_arrays(path: Path | IO[bytes], arrays: Mapping[str, NDArray[Any]], compression: int = ZIP_DEFLATED) -> None:
    """Write named arrays of numbers as a ``.npz`` file, or into one that is open for binary writing.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with ZipFile(path, "w", compression, compresslevel=_COMPRESSION_LEVEL) as archive:
        for name, array in arrays.items():
            member = ZipInfo(f"{name}.npy")  # dated 1980, so that the same arrays give the same bytes
            member.compress_type, member.external_attr = compression, 0o644 << 16
            with archive.open(member, "w", force_zip64=True) as stream:
                npy.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)


def read_arrays(path: Path, max_bytes: int, max_arrays: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of a ``.npz`` file by name.

    Raises
    ------
    InputError
        If it holds anything but arrays of numbers, one array twice, or more than `max_arrays` or `max_bytes` unpacked.
    Exception
        Whatever damaged archives make `zipfile` and `numpy` raise.
    """
    arrays: dict[str, NDArray[Any]] = {}
    with ZipFile(path) as archive:
        members = archive.infolist()
        check_extent(len(members), sum(member.file_size for member in members), max_arrays, max_bytes)
        for member in members:
            name = member.filename.removesuffix(".npy")
            if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or name == member.filename or name in arrays:
                raise InputError(f"{member.filename!r:.60} is no array, or one that is there twice")
            with archive.open(member) as stream:
                arrays[name] = _read_array(stream, member)
    return arrays


def check_extent(n_arrays: int, n_bytes: int, max_arrays: int, max_bytes: int) -> None:
    """Refuse a file that unpacks to more than is allowed.

    Raises
    ------
    InputError
    """
    if n_arrays > max_arrays or n_bytes > max_bytes:
        raise InputError(
            f"it unpacks to more than {max_bytes:,} bytes or {max_arrays:,} arrays; if you trust it, raise max_bytes"
        )


def _read_array(stream: IO[bytes], member: ZipInfo) -> NDArray[Any]:
    """Return an array whose header tells the size of what follows it; nothing is allocated on its word alone."""
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise InputError(f"{member.filename!r:.60} is no array of numbers")
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran_order, dtype = read_header(stream)
    if dtype.kind not in "fiub":
        raise InputError(f"{member.filename!r:.60} holds {dtype}, not real numbers")
    if math.prod(shape) * dtype.itemsize != member.file_size - stream.tell():
        raise InputError(f"{member.filename!r:.60} does not hold the {shape!s:.60} numbers that it announces")
    return np.frombuffer(stream.read(), dtype).reshape(shape, order="F" if fortran_order else "C")
