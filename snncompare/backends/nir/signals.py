"""What arrives where in a graph: sums of delayed, weighted spikes or graded values of other nodes, and a constant."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from snncompare.backends.nir.cells import MAX_NUMBERS, Numbers
from snncompare.errors import InputError
from snncompare.network.wiring import Convolution

__all__ = ["Kernel", "Signal", "Term", "summed"]

MAX_TERMS = 10_000
_MAX_PRODUCTS = 5_000_000_000


@dataclass(frozen=True, eq=False)
class Kernel:
    """The convolution that a matrix is, and which entry of its kernel each stored entry of the matrix is."""

    wiring: Convolution
    entry: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Term:
    """``matrix`` (n_here, n_source) times what the source sent `delay` seconds ago.

    `label` is the name of the first node with weights on the way; `kernel` is given if a convolution is all there is on
    the way.
    """

    source: str
    matrix: sparse.csr_array
    delay: float = 0.0
    label: str | None = None
    kernel: Kernel | None = None


@dataclass(frozen=True, eq=False)
class Signal:
    """A signal of a shape: the sum of its terms and a constant (n_here,)."""

    shape: tuple[int, ...]
    constant: Numbers
    terms: tuple[Term, ...] = ()

    @classmethod
    def of(cls, source: str, shape: tuple[int, ...]) -> "Signal":
        """Return what a node sends."""
        n = math.prod(shape)
        return cls(shape, np.zeros(n), (Term(source, sparse.csr_array(sparse.eye_array(n))),))

    def reshaped(self, shape: tuple[int, ...]) -> "Signal":
        """Return the same signal, its neurons numbered as before."""
        return replace(self, shape=shape)

    def plus(self, constant: Numbers) -> "Signal":
        """Return the signal and a constant."""
        return replace(self, constant=self.constant + constant)

    def weighted(
        self, matrix: sparse.csr_array, shape: tuple[int, ...], label: str | None = None, kernel: Kernel | None = None
    ) -> "Signal":
        """Return the signal behind a weight matrix (n_there, n_here).

        Raises
        ------
        InputError
            If that are too many numbers.
        """
        return Signal(
            shape,
            np.asarray(matrix @ self.constant),
            tuple(_weighted(term, matrix, label, kernel) for term in self.terms),
        )

    def delayed(self, delay: Numbers) -> "Signal":
        """Return the signal with a delay (n_here,) for each neuron, in seconds; a constant stays what it is.

        Raises
        ------
        InputError
            If there are too many different delays.
        """
        delays = np.unique(delay)
        if delays.size == 1:
            return replace(self, terms=tuple(replace(t, delay=t.delay + float(delays[0])) for t in self.terms))
        if delays.size * len(self.terms) > MAX_TERMS:
            raise InputError(f"there are {delays.size * len(self.terms):,} different delays; {MAX_TERMS:,} are read")
        terms = []
        for each in delays:
            rows = sparse.csr_array(sparse.diags_array((delay == each).astype(np.float64)))
            rows.eliminate_zeros()
            late = [_weighted(term, rows, None, None) for term in self.terms]
            terms += [replace(term, delay=term.delay + float(each)) for term in late]
        return replace(self, terms=tuple(terms))


def _weighted(term: Term, matrix: sparse.csr_array, label: str | None, kernel: Kernel | None) -> Term:
    first = term.label is None and _is_identity(term.matrix)
    if first:
        return replace(term, matrix=matrix, label=label, kernel=kernel)
    products = int(np.bincount(matrix.indices, minlength=matrix.shape[1]) @ np.diff(term.matrix.indptr))
    if products > _MAX_PRODUCTS or min(products, matrix.shape[0] * term.matrix.shape[1]) > MAX_NUMBERS:
        raise InputError(f"makes more than {MAX_NUMBERS:,} weights from '{term.source}'; so many are not read")
    return replace(term, matrix=sparse.csr_array(matrix @ term.matrix), label=term.label or label, kernel=None)


def _is_identity(matrix: sparse.csr_array) -> bool:
    n, m = matrix.shape
    if n != m or matrix.nnz != n:
        return False
    return bool(
        (matrix.indices == np.arange(n)).all() and (matrix.data == 1).all() and (np.diff(matrix.indptr) == 1).all()
    )


def summed(signals: list[Signal], shape: tuple[int, ...]) -> Signal:
    """Return the sum of the signals on the edges that end on a node.

    Raises
    ------
    InputError
        If one has another shape.
    """
    terms: list[Term] = []
    constant = np.zeros(math.prod(shape))
    for signal in signals:
        if signal.shape != shape:
            raise InputError(f"takes signals of the shape {shape}, and one arrives of the shape {signal.shape}")
        constant = constant + signal.constant
        terms += signal.terms
    if len(terms) > MAX_TERMS:
        raise InputError(f"sums {len(terms):,} ways that signals take; {MAX_TERMS:,} are read")
    return Signal(shape, constant, tuple(terms))
