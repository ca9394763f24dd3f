"""Weights as arrays: drawn from the description, checked, and kept in a sidecar file."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.lib.format import write_array
from numpy.typing import NDArray

from snncompare.errors import FileError, InputError, unknown
from snncompare.network.initialisers import Constant, Normal, Uniform
from snncompare.network.network import Network
from snncompare.network.wiring import AllToAll, FixedProbability, OneToOne

__all__ = ["MAX_PAIRS", "checked_weights", "connected", "draw_weights", "load_weights", "save_weights"]


MAX_PAIRS = 200_000_000
"""Pairs of neurons a projection may have: its weights are a dense array, 1.6 GB of float64 at this size."""


def _generator(seed: int, projection: str) -> np.random.Generator:
    """Return a generator that depends on the name, so that adding a projection leaves the others as they were."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed must be a whole number from 0 on, got {seed!r}.")
    return np.random.default_rng([seed, zlib.crc32(projection.encode())])


def _shape(network: Network, projection: str) -> tuple[int, int]:
    described = network.projections[projection]
    n_source, n_target = network.populations[described.source].size, network.populations[described.target].size
    if n_source * n_target > MAX_PAIRS:
        raise InputError(
            f"projection '{projection}' joins {n_source:,} to {n_target:,} neurons; a dense array of its weights needs "
            f"{8e-9 * n_source * n_target:,.3g} GB, and {8e-9 * MAX_PAIRS:g} GB are allowed; use smaller populations."
        )
    return n_source, n_target


def connected(network: Network, projection: str, seed: int) -> NDArray[np.bool_]:
    """Return who is connected, shape (n_source, n_target).

    Raises
    ------
    InputError
        If the projection has more than `MAX_PAIRS` pairs of neurons; nothing is allocated then.
    """
    described = network.projections[projection]
    shape = _shape(network, projection)
    to_itself = described.source == described.target
    match described.wiring:
        case AllToAll(autapses=autapses):
            mask = np.ones(shape, dtype=bool)
        case OneToOne():
            mask, autapses = np.eye(shape[0], dtype=bool), True
        case FixedProbability(p=p, autapses=autapses):
            mask = _generator(seed, f"{projection} wiring").random(shape) < p
    if to_itself and not autapses:
        np.fill_diagonal(mask, val=False)
    return mask


def draw_weights(network: Network, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return initial weights of every projection, shape (n_source, n_target), SI units, zero where not connected.

    They depend on the seed and the name of the projection only, not on what else is in the network.

    Raises
    ------
    InputError
        If a projection has more than `MAX_PAIRS` pairs of neurons; nothing is allocated then.
    """
    for name in network.projections:
        _shape(network, name)
    drawn = {}
    for name, projection in network.projections.items():
        mask = connected(network, name, seed)
        rng = _generator(seed, name)
        match projection.weight:
            case Constant(value=value):
                values = np.full(mask.shape, value.value)
            case Normal(mean=mean, sd=sd, scale_by_sources=scaled):
                values = rng.normal(mean.value, sd.value / (np.sqrt(mask.shape[0]) if scaled else 1.0), mask.shape)
            case Uniform(low=low, high=high):
                values = rng.uniform(low.value, high.value, mask.shape)
        drawn[name] = np.where(mask, values, 0.0)
    return drawn


def checked_weights(network: Network, weights: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return copies of weights as float64 arrays if each belongs to a projection, has its shape and is finite.

    Raises
    ------
    InputError
    """
    checked = {}
    for name, given in weights.items():
        if name not in network.projections:
            raise InputError("weights: " + unknown("projection", name, network.projections))
        shape = _shape(network, name)
        array = _real(name, given)
        if array.shape != shape:
            raise InputError(f"weights of '{name}' must have the shape {shape} (source, target), got {array.shape}.")
        if not np.isfinite(array).all():
            wrong = int((~np.isfinite(array)).sum())
            raise InputError(f"weights of '{name}': {wrong} of {array.size} are not finite; replace or remove them.")
        checked[name] = array
    return checked


def _real(name: str, given: object) -> NDArray[np.float64]:
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"weights of '{name}' must be an array of real numbers: {error}") from error
    if array.dtype.kind not in "fiub":
        raise InputError(f"weights of '{name}' must be real numbers, got the type {array.dtype}.")
    return array.astype(np.float64)


def save_weights(path: str | Path, weights: Mapping[str, NDArray[np.float64]]) -> Path:
    """Write weights as an ``.npz`` file, one array per projection, and return its path.

    Raises
    ------
    InputError
        If something among them is not an array of real numbers.
    FileError
        If the file cannot be written.
    """
    path = Path(path)
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    arrays = {name: _real(name, given) for name, given in weights.items()}
    try:
        with ZipFile(path, "w", ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    write_array(member, array, allow_pickle=False)
    except OSError as error:
        raise FileError(f"cannot write '{path}': {error.strerror}.") from error
    return path


def load_weights(path: str | Path) -> dict[str, NDArray[np.float64]]:
    """Read weights that `save_weights` wrote; a file with pickled objects is refused.

    Raises
    ------
    FileError
        If the file is missing, is not an ``.npz`` of plain arrays, or unpacks to more than `MAX_PAIRS` weights.
    """
    path = Path(path)
    if not path.is_file():
        raise FileError(f"no weights file '{path}'.")
    try:
        with ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > 9 * MAX_PAIRS:
                raise FileError(f"'{path}' unpacks to more than {9 * MAX_PAIRS:,} bytes; no weights are that large.")
        with np.load(path, allow_pickle=False) as stored:
            return {name: _real(name, stored[name]) for name in stored.files}
    except FileError:
        raise
    except Exception as error:  # damaged headers make numpy raise anything, down to tokenize.TokenError
        raise FileError(f"'{path}' is not an .npz file of plain arrays: {' '.join(str(error).split())}") from error
