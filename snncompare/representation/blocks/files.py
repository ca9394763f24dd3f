"""Blocks of pairwise work in files, so that a run that was stopped goes on where it was."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import FileError, UnsupportedError
from snncompare.representation.compiled.trains import Trains
from snncompare.units import Quantity

__all__ = ["BlockFiles", "fingerprint"]

FORMAT = "snncompare blocks 1"
DIGEST = hashlib.sha256().digest_size


class BlockFiles:
    """The finished blocks of one piece of work in a folder: one ``.npy`` file per block.

    The name of a file is a hash of the spike trains, of the metrics with all their parameters, of the version of this
    package and of the block. Behind the array stands a hash of that name and of the values: a file that was torn,
    changed or renamed is not used, and its block is computed again. Files are written under another name and then
    moved, so that a reader never meets half a file.

    Parameters
    ----------
    folder : path
        Made if it does not exist; several studies may share it.
    work : str
        From `fingerprint`.
    n_values : int
        First axis of every block.
    """

    def __init__(self, folder: str | Path, work: str, n_values: int) -> None:
        self.folder, self.work, self.n_values = Path(folder), work, n_values
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise FileError(f"cannot write to the folder '{folder}': {problem.strerror or problem}.") from problem

    def load(self, block: tuple[range, range]) -> NDArray[np.float64] | None:
        """Return the values of a block, or None where there is no sound file of it."""
        shape = (self.n_values, len(block[0]), len(block[1]))
        name = self._name(block)
        try:
            with (self.folder / f"{name}.npy").open("rb") as file:
                np.lib.format.read_magic(file)
                if np.lib.format.read_array_header_1_0(file) != (shape, False, np.dtype("<f8")):
                    return None
                size = 8 * int(np.prod(shape))
                content = file.read(size + DIGEST + 1)
        except (OSError, ValueError):
            return None
        if len(content) != size + DIGEST or content[size:] != _digest(name, content[:size]):
            return None
        return np.frombuffer(content, dtype="<f8", count=size // 8).reshape(shape)

    def save(self, block: tuple[range, range], values: NDArray[np.float64]) -> None:
        """Write the values of a block.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        name = self._name(block)
        plain = np.ascontiguousarray(values, dtype="<f8")
        beside = self.folder / f".{name}.{os.getpid()}.part"
        try:
            with beside.open("wb") as file:
                np.lib.format.write_array(file, plain, version=(1, 0), allow_pickle=False)
                file.write(_digest(name, plain.tobytes()))
            beside.replace(self.folder / f"{name}.npy")
        except OSError as problem:
            beside.unlink(missing_ok=True)
            raise FileError(f"cannot write a block to '{self.folder}': {problem.strerror or problem}.") from problem

    def _name(self, block: tuple[range, range]) -> str:
        rows, columns = block
        return _hash(self.work.encode(), f"{rows.start}:{rows.stop} {columns.start}:{columns.stop}".encode())[:40]


def fingerprint(values: Sequence[Any], method: str, trains: Trains) -> str:
    """Return a hash of what is to be computed, on which spike trains and by which version of this package.

    Parameters
    ----------
    values : sequence of metrics or kernels
        Dataclasses; every field counts, to the last bit.
    method : str
        Name of the class method that computes a block.
    trains : Trains

    Raises
    ------
    UnsupportedError
        If a metric is no dataclass, so that its parameters cannot be told.
    """
    from snncompare import __version__

    what = [FORMAT, __version__, method, [_plain(value) for value in values], trains.n_units]
    window = [float(trains.start).hex(), float(trains.stop).hex()]
    arrays = (np.ascontiguousarray(array).tobytes() for array in (trains.offsets, trains.times))
    return _hash(json.dumps([what, window]).encode(), *arrays)


def _plain(value: Any) -> Any:
    """Return a value in the terms of JSON, floats to the last bit."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return ["float", float(value).hex()]
        case Quantity():
            return ["quantity", float(value.value).hex(), list(value.dimension)]
        case np.ndarray():
            return ["array", list(value.shape), value.dtype.str, _hash(np.ascontiguousarray(value).tobytes())]
        case np.generic():
            return _plain(value.item())
        case Mapping():
            return ["mapping", [[_plain(key), _plain(entry)] for key, entry in value.items()]]
        case tuple() | list():
            return [_plain(entry) for entry in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            kind = type(value)
            parts = [[field.name, _plain(getattr(value, field.name))] for field in fields(value)]
            return [f"{kind.__module__}.{kind.__qualname__}", parts]
        case _:
            raise UnsupportedError(
                f"blocks of {value!r} cannot be kept in a folder: its parameters are not those of a dataclass. "
                "Compute without a folder."
            )


def _hash(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _digest(name: str, values: bytes) -> bytes:
    return hashlib.sha256(name.encode() + values).digest()
