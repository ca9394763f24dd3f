"""Weights as arrays: drawn from the description, checked, and kept in a sidecar file."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import FileError, InputError, unknown
from snncompare.network.initialisers import Constant, Normal, Uniform
from snncompare.network.network import Network
from snncompare.network.wiring import AllToAll, FixedProbability, OneToOne

__all__ = ["checked_weights", "connected", "draw_weights", "load_weights", "save_weights"]


def _generator(seed: int, projection: str) -> np.random.Generator:
    """Return a generator that depends on the name, so that adding a projection leaves the others as they were."""
    return np.random.default_rng([seed, zlib.crc32(projection.encode())])


def connected(network: Network, projection: str, seed: int) -> NDArray[np.bool_]:
    """Return who is connected, shape (n_source, n_target)."""
    described = network.projections[projection]
    shape = (network.populations[described.source].size, network.populations[described.target].size)
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
    """Return initial weights of every projection, shape (n_source, n_target), SI units, zero where not connected."""
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
    """Return weights as float64 arrays if each belongs to a projection, has its shape and is finite."""
    checked = {}
    for name, given in weights.items():
        if name not in network.projections:
            raise InputError("weights: " + unknown("projection", name, network.projections))
        projection = network.projections[name]
        shape = (network.populations[projection.source].size, network.populations[projection.target].size)
        array = np.asarray(given, dtype=np.float64)
        if array.shape != shape:
            raise InputError(f"weights of '{name}' must have the shape {shape} (source, target), got {array.shape}.")
        if not np.isfinite(array).all():
            raise InputError(f"weights of '{name}' hold {int((~np.isfinite(array)).sum())} values that are not finite.")
        checked[name] = array
    return checked


def save_weights(path: str | Path, weights: Mapping[str, NDArray[np.float64]]) -> Path:
    """Write weights as an ``.npz`` file, one array per projection, and return its path."""
    path = Path(path)
    np.savez_compressed(path, allow_pickle=False, **dict(weights))
    return path if path.suffix == ".npz" else path.with_name(path.name + ".npz")


def load_weights(path: str | Path) -> dict[str, NDArray[np.float64]]:
    """Read weights that `save_weights` wrote; a file with pickled objects is refused.

    Raises
    ------
    FileError
        If the file is missing or is not an ``.npz`` of plain arrays.
    """
    path = Path(path)
    if not path.is_file():
        raise FileError(f"no weights file '{path}'.")
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: np.asarray(stored[name], dtype=np.float64) for name in stored.files}
    except (ValueError, OSError, BadZipFile, TypeError) as error:
        raise FileError(f"'{path}' is not an .npz file of plain arrays: {error}") from error
