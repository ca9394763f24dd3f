"""Spikes times the matrix of their synapses, dense or one to one; sparse and convolution have modules of their own.

Which is fastest was measured for forward and backward passes on a CPU with one and two threads, float32, batches of
1 to 64. Compressed rows beat the dense product below a density of about 0.2 (256 x 256 pairs, batch 64, one thread: 68
against 82 microseconds at a density of 0.2, 45 at 0.1, 27 at 0.02; two threads: 49 against 45, 36, 26), but not in
small matrices (256 x 20: 11 microseconds dense, 14 and more sparse). Gathering the synapses of the neurons that fired
takes longer than both (54 to 760 microseconds at 2 % of neurons firing) and is done only where the order of additions
matters.
"""

from typing import Protocol

import torch
from torch import Tensor

__all__ = ["MAX_DENSE", "DenseProduct", "OneToOneProduct", "Product", "prefers_dense"]

MAX_DENSE = 100_000_000
"""Entries a dense matrix may have."""
_SMALL = 16_384
_DENSITY = 0.2


def prefers_dense(n_entries: int, shape: tuple[int, int]) -> bool:
    """Return whether a dense product is faster than a sparse one, for a matrix with so many entries."""
    n_pairs = shape[0] * shape[1]
    return n_pairs <= _SMALL or (n_entries > _DENSITY * n_pairs and n_pairs <= MAX_DENSE)


class Product(Protocol):
    """A matrix (n_rows, n_target) that spikes are multiplied with."""

    def add(self, before: Tensor, spikes: Tensor) -> Tensor:
        """Return `before` (batch, n_target) plus `spikes` (batch, n_rows) times the matrix."""
        ...

    def constant(self) -> "Product":
        """Return the same product without a derivative by the matrix."""
        ...


class DenseProduct:
    """Adds spikes times a dense matrix (n_rows, n_target)."""

    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix

    def add(self, before: Tensor, spikes: Tensor) -> Tensor:
        """Return `before` plus `spikes` times the matrix."""
        return torch.addmm(before, spikes, self.matrix)

    def constant(self) -> "DenseProduct":
        """Return the same product without a derivative by the matrix."""
        return DenseProduct(self.matrix.detach())


class OneToOneProduct:
    """Adds spikes times a diagonal matrix, given as its diagonal (n,)."""

    def __init__(self, diagonal: Tensor) -> None:
        self.diagonal = diagonal

    def add(self, before: Tensor, spikes: Tensor) -> Tensor:
        """Return `before` plus `spikes` times the diagonal."""
        return torch.addcmul(before, spikes, self.diagonal)

    def constant(self) -> "OneToOneProduct":
        """Return the same product without a derivative by the matrix."""
        return OneToOneProduct(self.diagonal.detach())
