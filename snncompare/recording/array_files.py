"""Named arrays from files of strangers: sizes and types are read from the headers before anything is unpacked."""

import math
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import FileError, InputError, unknown

__all__ = ["Header", "array_headers", "npz_headers", "read_arrays"]

MOST_BYTES = 4 * 2**30
"""Arrays that a file may hold when unpacked: more than any recording of spikes, less than fills a workstation."""

_DEFLATE_LIMIT = 1100
"""Deflate packs 1032 bytes into one at most; more than that is a directory that does not tell the truth."""

_TABLES = {".csv": ",", ".tsv": "\t"}
_HDF5 = frozenset({".h5", ".hdf5"})


class Header(NamedTuple):
    """Shape and type of an array that has not been read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def npz_headers(path: Path) -> dict[str, Header]:
    """Return the headers of the arrays in a ``.npz`` file by name; nothing of the arrays is unpacked.

    Raises
    ------
    FileError
        If the file is damaged or cut short, holds pickled objects or something else than arrays, if a header
        contradicts the size of its array, or if the arrays would fill more than 4 GiB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            headers = {member.filename.removesuffix(".npy"): _header(path, archive, member) for member in members}
    except FileError:
        raise
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, RuntimeError) as problem:
        raise FileError(f"'{path.name}' is damaged or no .npz file ({_line(problem)}).") from problem
    total = sum(member.file_size for member in members)
    if total > MOST_BYTES:
        raise FileError(f"'{path.name}' would unpack to {total / 2**30:.3g} GiB; at most {MOST_BYTES >> 30} are read.")
    return headers


def _header(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Header:
    where = f"'{member.filename}' in '{path.name}'"
    if not member.filename.endswith(".npy") or member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise FileError(f"{where} is no array as numpy.savez writes it; damaged or another kind of file.")
    if member.file_size > _DEFLATE_LIMIT * max(member.compress_size, 1):
        raise FileError(f"{where} claims {member.file_size} bytes packed into {member.compress_size}: damaged.")
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in readers:
            raise FileError(f"{where} has version {version} of numpy's format; damaged, or not for numbers and text.")
        shape, _, dtype = readers[version](stream)
        held = member.file_size - stream.tell()
    if dtype.hasobject:
        raise FileError(f"{where} holds pickled objects, which can run code, and is refused (or the file is damaged).")
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != held:
        raise FileError(f"{where} is damaged: its header says {dtype} of shape {shape}, but it holds {held} bytes.")
    return Header(tuple(shape), dtype)


def array_headers(path: Path) -> dict[str, Header]:
    """Return shape and type of all that `read_arrays` could read from a ``.npz``, ``.csv``, ``.tsv`` or HDF5 file.

    Raises
    ------
    FileError
        As in `npz_headers`, and for other kinds of files.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return npz_headers(path)
    if suffix in _TABLES:
        table = _table(path)
        return {str(name): Header(table[name].shape, np.asarray(table[name]).dtype) for name in table}
    if suffix in _HDF5:
        return _hdf5(path, None)[0]
    raise FileError(f"'{path.name}' holds no named arrays that can be read; give .npz, .csv, .tsv, .h5 or .hdf5.")


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return arrays of a file by name.

    Raises
    ------
    FileError
        As in `array_headers`.
    InputError
        For a name that is not in the file; the nearest that is.
    """
    wanted, suffix = list(dict.fromkeys(names)), path.suffix.lower()
    if suffix in _HDF5:
        return _hdf5(path, wanted)[1]
    headers = array_headers(path)
    _refuse_unknown(path, wanted, headers)
    if suffix in _TABLES:
        table = _table(path)
        return {name: _plain_text(np.asarray(table[name])) for name in wanted}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in wanted}
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError) as problem:
        raise FileError(f"'{path.name}' is damaged ({_line(problem)}).") from problem


def _refuse_unknown(path: Path, wanted: Iterable[str], there: Iterable[str]) -> None:
    for name in wanted:
        if name not in there:
            raise InputError(f"'{path.name}': {unknown('array', name, there)}")


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, sep=_TABLES[path.suffix.lower()], skipinitialspace=True, comment="#")
    except (OSError, ValueError) as problem:
        raise FileError(f"cannot read '{path.name}' as a table: {_line(problem)}.") from problem


def _plain_text(column: NDArray[Any]) -> NDArray[Any]:
    if column.dtype.kind != "O":
        return column
    missing = pd.isna(column)
    if missing.any():
        raise InputError(f"{int(missing.sum())} values of a text column are missing, first in row {missing.argmax()}.")
    return column.astype(str)


def _hdf5(path: Path, wanted: list[str] | None) -> tuple[dict[str, Header], dict[str, NDArray[Any]]]:
    """Return the headers of all data sets of numbers or text, and the arrays that are wanted."""
    import h5py

    headers: dict[str, Header] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype is not None:
            text = h5py.check_string_dtype(item.dtype) is not None
            headers[name] = Header(item.shape, np.dtype("S") if text else item.dtype)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(note)
            _refuse_unknown(path, wanted or [], headers)
            return headers, {name: _dataset(path, file[name]) for name in wanted or []}
    except (InputError, FileError):
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as problem:
        raise FileError(f"'{path.name}' cannot be read as HDF5: {_line(problem)}.") from problem


def _dataset(path: Path, data: Any) -> NDArray[Any]:
    import h5py

    if data.nbytes > MOST_BYTES:
        raise FileError(f"'{data.name}' in '{path.name}' would fill {data.nbytes / 2**30:.3g} GiB; that is refused.")
    if h5py.check_string_dtype(data.dtype) is not None:
        return np.asarray(data.asstr()[()], dtype=str)
    if data.dtype.hasobject or data.dtype.kind not in "biuf":
        raise FileError(f"'{data.name}' in '{path.name}' holds {data.dtype}, neither numbers nor text.")
    return np.asarray(data[()])


def _line(problem: Exception) -> str:
    return " ".join(str(problem).split())[:120] or type(problem).__name__
