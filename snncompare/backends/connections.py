"""The synapses of one projection as arrays: who is joined to whom, how strongly, how late."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError

__all__ = ["MAX_KERNEL", "MAX_PAIRS", "Connections", "finite_numbers"]

MAX_PAIRS = 200_000_000
"""Pairs of neurons that a dense array of weights may have: 1.6 GB of float64 at this size."""
MAX_KERNEL = 10_000_000
"""Values that a shared kernel may have."""
_MAX_NEURONS = 10_000_000


@dataclass(frozen=True, eq=False)
class Connections:
    """The synapses of one projection, sorted by source neuron, then target neuron.

    Synapse k joins neuron ``source[k]`` to neuron ``target[k]``. Two neurons may be joined several times.

    Attributes
    ----------
    shape : tuple of int
        Numbers of source and of target neurons.
    source, target : int64 array, shape (n_synapses,)
    weight : float64 array, shape (n_synapses,)
        In SI units.
    delay : float64 array, shape (n_synapses,), optional
        Seconds; None where all have the one delay that the projection describes.
    shared : int64 array, shape (n_synapses,), optional
        Which of the kernel's values the weight of each synapse is, where several synapses have one weight in common
        (a convolution): ``weight = kernel[shared]``.
    values : mapping
        Initial values of variables of each synapse, by the name they have in the synapse model; float64 arrays of shape
        (n_synapses,), SI units.
    """

    shape: tuple[int, int]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    delay: NDArray[np.float64] | None = None
    shared: NDArray[np.int64] | None = None
    values: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def from_dense(cls, weight: NDArray[np.float64]) -> Self:
        """Return a synapse for each entry that is not exactly zero, of weights of shape (n_source, n_target).

        Raises
        ------
        InputError
            If the weights are not a finite real matrix.
        """
        array = finite_numbers(weight, "weights")
        if array.ndim != 2:
            raise InputError(f"weights must have the shape (source, target), got {array.shape}.")
        source, target = np.nonzero(array)
        return cls((array.shape[0], array.shape[1]), source, target, array[source, target])

    def dense(self) -> NDArray[np.float64]:
        """Return the weights as an array (n_source, n_target); several synapses between two neurons are summed.

        Raises
        ------
        InputError
            If there are more than `MAX_PAIRS` pairs of neurons; nothing is allocated then.
        """
        n_source, n_target = self.shape
        if n_source * n_target > MAX_PAIRS:
            raise InputError(
                f"a dense array of the weights from {n_source:,} to {n_target:,} neurons needs "
                f"{8e-9 * n_source * n_target:,.3g} GB, and {8e-9 * MAX_PAIRS:g} GB are allowed; use the sparse "
                "connections of the realisation."
            )
        flat = self.source * n_target + self.target
        return np.bincount(flat, self.weight, n_source * n_target).astype(np.float64, copy=False).reshape(self.shape)

    @property
    def n_synapses(self) -> int:
        """Number of synapses."""
        return self.source.size

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each source begins, shape (n_source + 1,): its synapses are ``offsets[i]`` to ``offsets[i + 1]``."""
        return np.searchsorted(self.source, np.arange(self.shape[0] + 1)).astype(np.int64)

    @property
    def kernel(self) -> NDArray[np.float64]:
        """The values that `shared` points at, zero where no synapse does; without `shared`, the weights."""
        if self.shared is None:
            return self.weight
        kernel = np.zeros(self.shared.max(initial=-1) + 1)
        kernel[self.shared] = self.weight
        return kernel

    def with_kernel(self, kernel: NDArray[np.float64]) -> Self:
        """Return the same synapses with other weights, given in the form of `kernel`.

        Raises
        ------
        InputError
            If there are more or fewer of them.
        """
        if kernel.shape != self.kernel.shape:
            raise InputError(f"the kernel must have the shape {self.kernel.shape}, got {kernel.shape}.")
        return replace(self, weight=kernel if self.shared is None else kernel[self.shared])

    def checked(self) -> Self:
        """Return the same synapses as sorted int64 and float64 arrays, after a full check.

        Raises
        ------
        InputError
            For arrays of different lengths, numbers that are not real and finite, neurons that do not exist, delays
            below zero, or synapses that share a weight and yet have different ones.
        """
        shape = _checked_shape(self.shape)
        found = replace(
            self,
            shape=shape,
            source=_indices(self.source, "source", shape[0]),
            target=_indices(self.target, "target", shape[1]),
            weight=finite_numbers(self.weight, "weight"),
            delay=None if self.delay is None else _not_negative(finite_numbers(self.delay, "delay")),
            shared=None if self.shared is None else _indices(self.shared, "shared", MAX_KERNEL),
            values={name: finite_numbers(array, name) for name, array in self.values.items()},
        )
        for name, array in found._arrays().items():
            if array.shape != (found.n_synapses,):
                raise InputError(f"{name} has the shape {array.shape}, source {found.source.shape}; both need one row.")
        if found.shared is not None and not np.array_equal(found.kernel[found.shared], found.weight):
            raise InputError("synapses with the same 'shared' have different weights; give them one weight.")
        return found._sorted()

    def _arrays(self) -> dict[str, NDArray[Any]]:
        optional = {"delay": self.delay, "shared": self.shared}
        there = {name: array for name, array in optional.items() if array is not None}
        return {"source": self.source, "target": self.target, "weight": self.weight, **there, **self.values}

    def _sorted(self) -> Self:
        key = self.source * self.shape[1] + self.target
        if (key[1:] >= key[:-1]).all():
            return self
        order = np.argsort(key, kind="stable")
        return replace(
            self,
            source=self.source[order],
            target=self.target[order],
            weight=self.weight[order],
            delay=None if self.delay is None else self.delay[order],
            shared=None if self.shared is None else self.shared[order],
            values={name: array[order] for name, array in self.values.items()},
        )


def finite_numbers(given: Any, what: str) -> NDArray[np.float64]:
    """Return a copy as a float64 array if it is an array of finite real numbers.

    Raises
    ------
    InputError
        Beginning with `what`.
    """
    array = _array(given, what)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{what} must be real numbers, got the type {array.dtype}.")
    finite = np.isfinite(array)
    if not finite.all():
        raise InputError(f"{what}: {int((~finite).sum())} of {array.size} are not finite; replace or remove them.")
    return array.astype(np.float64)


def _indices(given: Any, what: str, n: int) -> NDArray[np.int64]:
    array = _array(given, what)
    if array.dtype.kind not in "iu" and array.size:
        raise InputError(f"{what} must be whole numbers, got the type {array.dtype}.")
    wrong = (array < 0) | (array >= n) if array.size else np.zeros(0, dtype=bool)
    if wrong.any():
        raise InputError(f"{what} must lie from 0 to {n - 1:,}; {int(wrong.sum())} do not, first {array[wrong][0]}.")
    return array.astype(np.int64)


def _array(given: Any, what: str) -> NDArray[Any]:
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{what} must be an array of real numbers: {error}") from error


def _not_negative(delay: NDArray[np.float64]) -> NDArray[np.float64]:
    if delay.min(initial=0.0) < 0:
        raise InputError(f"delay: {int((delay < 0).sum())} are negative, the lowest {delay.min():g} s.")
    return delay


def _checked_shape(given: Any) -> tuple[int, int]:
    shape = _array(given, "shape")
    if shape.shape != (2,) or shape.dtype.kind not in "iu" or shape.min() < 1 or shape.max() > _MAX_NEURONS:
        raise InputError(
            f"shape must be two whole numbers from 1 to {_MAX_NEURONS:,} (source, target), got {given!s:.60}."
        )
    return int(shape[0]), int(shape[1])
