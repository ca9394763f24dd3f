"""A realisation as a file beside the description: ``.npz`` or ``.safetensors``, plain arrays and never pickles.

Names of the arrays: ``connections/<projection>/shape``, ``/source``, ``/target``, ``/weight``, and where they exist
``/delay``, ``/shared`` and ``/values/<variable>``; ``values/<population>/<variable>``; and simply ``<projection>`` for
a dense array of weights (n_source, n_target), in which an exact zero is no synapse. All in SI units.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.connections import Connections, finite_numbers
from snncompare.backends.realisation import Given, Realisation
from snncompare.errors import FileError, InputError, MissingDependencyError
from snncompare.number_archive import check_extent, read_arrays, write_arrays

__all__ = ["MAX_BYTES", "load_realisation", "save_realisation"]

MAX_BYTES = 1_000_000_000
"""Bytes that the arrays of a file may have, unpacked and at 8 bytes a number, unless the caller allows more."""
_MAX_ARRAYS = 100_000
_MAX_HEADER = 10_000_000
_SUFFIXES = (".npz", ".safetensors")
_REQUIRED = ("shape", "source", "target", "weight")
_OPTIONAL = ("delay", "shared")

Arrays = dict[str, NDArray[Any]]


def save_realisation(path: str | Path, realisation: Given) -> Path:
    """Write a realisation, or part of one, and return the path of the file.

    Parameters
    ----------
    path : path
        Ends in ``.npz`` or ``.safetensors``; otherwise ``.npz`` is appended.
    realisation : Realisation or mapping
        See `snncompare.backends.realisation.Given`.

    Raises
    ------
    InputError
        If something in it is not an array of finite real numbers.
    FileError
        If the file cannot be written.
    """
    path = Path(path)
    path = path if path.suffix in _SUFFIXES else path.with_name(path.name + ".npz")
    arrays = _arrays(realisation)
    try:
        if path.suffix == ".npz":
            write_arrays(path, arrays)
        else:
            path.write_bytes(_safetensors().save({name: np.ascontiguousarray(a) for name, a in arrays.items()}))
    except OSError as error:
        raise FileError(f"cannot write '{path}': {error.strerror}.") from error
    return path


def load_realisation(path: str | Path, *, max_bytes: int = MAX_BYTES) -> Realisation:
    """Read a realisation, or part of one; nothing in the file is executed.

    Parameters
    ----------
    path : path
    max_bytes : int
        What the file may unpack to; a small file from a stranger can unpack to more than the memory holds.

    Raises
    ------
    FileError
        If the file is missing, is of another format, holds anything but plain arrays of real numbers, unpacks to more
        than `max_bytes`, or if its arrays do not fit together.
    MissingDependencyError
        If the file is in the format of the package safetensors, which is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise FileError(f"no weights file '{path}'.")
    if path.suffix not in _SUFFIXES:
        raise FileError(f"'{path}' is not read: weights come from files that end in {' or '.join(_SUFFIXES)}.")
    try:
        packed = path.suffix == ".npz"
        arrays = read_arrays(path, max_bytes, _MAX_ARRAYS) if packed else _read_safetensors(path, max_bytes)
        check_extent(len(arrays), 8 * sum(array.size for array in arrays.values()), _MAX_ARRAYS, max_bytes)
        return _realisation(arrays)
    except MissingDependencyError:
        raise
    except Exception as error:  # damaged files make zipfile and numpy raise anything, down to tokenize.TokenError
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileError(f"'{path}' is not a {path.suffix} file of weights: {reason[:200].rstrip('.')}.") from error


def _arrays(given: Given) -> Arrays:
    """Return the named arrays of a file."""
    parts = {**given.connections, **given.values} if isinstance(given, Realisation) else given
    arrays: Arrays = {}
    for name, part in parts.items():
        match part:
            case Connections():
                arrays |= _parts(name, part)
            case Mapping():
                arrays |= {f"values/{name}/{key}": finite_numbers(a, f"values of '{name}'") for key, a in part.items()}
            case _:
                arrays[name] = finite_numbers(part, f"weights of '{name}'")
                if arrays[name].ndim != 2:
                    raise InputError(
                        f"weights of '{name}' must have the shape (source, target), got {arrays[name].shape}."
                    )
    return arrays


def _parts(name: str, connections: Connections) -> Arrays:
    if _is_dense(connections):
        return {name: connections.dense()}
    there = {key: getattr(connections, key) for key in _OPTIONAL if getattr(connections, key) is not None}
    parts = {
        "shape": np.array(connections.shape, dtype=np.int64),
        **{key: getattr(connections, key) for key in _REQUIRED[1:]},
        **there,
        **{f"values/{key}": array for key, array in connections.values.items()},
    }
    return {f"connections/{name}/{key}": array for key, array in parts.items()}


def _is_dense(connections: Connections) -> bool:
    """Return whether a dense array says the same in fewer numbers."""
    if connections.delay is not None or connections.shared is not None or connections.values:
        return False
    key = connections.source * connections.shape[1] + connections.target
    exact = (connections.weight != 0).all() and (key[1:] > key[:-1]).all()
    return bool(exact) and 3 * connections.n_synapses >= math.prod(connections.shape)


def _realisation(arrays: Arrays) -> Realisation:
    """Return what named arrays of a file mean."""
    connections: dict[str, Connections] = {}
    sparse: dict[str, Arrays] = {}
    values: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name, array in arrays.items():
        match name.split("/"):
            case [projection] if projection:
                connections[projection] = _within(projection, Connections.from_dense, array)
            case ["connections", projection, part] if part in (*_REQUIRED, *_OPTIONAL):
                sparse.setdefault(projection, {})[part] = array
            case ["connections", projection, "values", variable]:
                sparse.setdefault(projection, {})[f"values/{variable}"] = array
            case ["values", population, variable]:
                values.setdefault(population, {})[variable] = _vector(name, array)
            case _:
                raise InputError(f"nothing is known by the name {name!r:.60}")
    for projection, parts in sparse.items():
        if projection in connections:
            raise InputError(f"'{projection}' is there twice, dense and sparse")
        connections[projection] = _within(projection, _connections, parts)
    return Realisation(connections, values)


def _within(projection: str, make: Any, given: Any) -> Connections:
    try:
        found: Connections = make(given)
    except InputError as error:
        raise InputError(f"{projection!r:.60}: {error}") from error
    return found


def _vector(name: str, array: NDArray[Any]) -> NDArray[np.float64]:
    numbers = finite_numbers(array, f"{name!r:.60}")
    if numbers.ndim != 1:
        raise InputError(f"{name!r:.60} must have one value for each neuron, got the shape {numbers.shape}")
    return numbers


def _connections(parts: Arrays) -> Connections:
    lacking = [part for part in _REQUIRED if part not in parts]
    if lacking:
        raise InputError(f"'{lacking[0]}' is missing")
    values = {name.removeprefix("values/"): array for name, array in parts.items() if name.startswith("values/")}
    fields: dict[str, Any] = {name: array for name, array in parts.items() if not name.startswith("values/")}
    return Connections(**fields, values=values).checked()


def _read_safetensors(path: Path, max_bytes: int) -> Arrays:
    with path.open("rb") as stream:
        header = int.from_bytes(stream.read(8), "little")
    if header > _MAX_HEADER:
        raise InputError(f"its header has more than {_MAX_HEADER:,} bytes")
    check_extent(0, path.stat().st_size - header, _MAX_ARRAYS, max_bytes)
    arrays: Arrays = _safetensors().load_file(path)
    return arrays


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "files that end in .safetensors need 'safetensors'; install it with: pip install safetensors"
        ) from error
    return safetensors.numpy
