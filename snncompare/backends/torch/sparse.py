"""Sparse matrices of synapses: a vector of values that stays sparse while it is trained."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["SparsePattern", "SparseProduct", "SynapseRows", "compressed_rows", "sparse_pattern", "synapse_rows"]


@dataclass(frozen=True)
class SparsePattern:
    """Where the entries of a sparse matrix (n_rows, n_columns) are, several in one place allowed.

    Attributes
    ----------
    shape : tuple of int
    order : int64 Tensor (n_entries,) or None
        Entries sorted by row, then column; None where they are so already.
    offsets, columns : int Tensor
        Compressed rows of the sorted entries.
    by_column, column_offsets, rows : int Tensor
        The same for the transposed matrix; `by_column` are positions among the sorted entries.
    """

    shape: tuple[int, int]
    order: Tensor | None
    offsets: Tensor
    columns: Tensor
    by_column: Tensor
    column_offsets: Tensor
    rows: Tensor


def sparse_pattern(
    rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int], device: torch.device
) -> SparsePattern:
    """Return the pattern of entries given by their rows and columns."""
    key = rows * shape[1] + columns
    order = None if (key[1:] >= key[:-1]).all() else np.argsort(key, kind="stable")
    if order is not None:
        rows, columns = rows[order], columns[order]
    by_column = np.lexsort((rows, columns))
    small = max(rows.size, *shape) < 2**31

    def index(array: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device, torch.int32 if small else torch.int64)

    return SparsePattern(
        shape,
        None if order is None else torch.from_numpy(order).to(device),
        index(_offsets(rows, shape[0])),
        index(columns),
        torch.from_numpy(by_column).to(device),
        index(_offsets(columns[by_column], shape[1])),
        index(rows[by_column]),
    )


class SparseProduct:
    """Adds spikes times a sparse matrix; the gradient exists for the entries of the matrix only.

    Parameters
    ----------
    pattern : SparsePattern
    values : Tensor, shape (n_entries,)
        In the order in which the entries were given.
    """

    def __init__(self, pattern: SparsePattern, values: Tensor) -> None:
        self.shape, self._pattern, self._given = pattern.shape, pattern, values
        self._values = values if pattern.order is None else values[pattern.order]
        plain = self._values.detach()
        n_rows, n_columns = pattern.shape
        self._matrix = compressed_rows(pattern.offsets, pattern.columns, plain, (n_rows, n_columns))
        self._transposed = compressed_rows(
            pattern.column_offsets, pattern.rows, plain[pattern.by_column], (n_columns, n_rows)
        )

    def add(self, before: Tensor, spikes: Tensor) -> Tensor:
        """Return `before` (batch, n_columns) plus `spikes` (batch, n_rows) times the matrix."""
        added: Tensor = _AddSparse.apply(before, spikes, self._values, self._matrix, self._transposed)
        return added

    def constant(self) -> "SparseProduct":
        """Return the same product without a derivative by the matrix."""
        return SparseProduct(self._pattern, self._given.detach())

    def dense(self) -> Tensor:
        """Return the matrix (n_rows, n_columns) with every place filled."""
        pattern = self._pattern
        row = torch.repeat_interleave(pattern.offsets.diff(), output_size=self._values.numel())
        place = row * pattern.shape[1] + pattern.columns
        return self._values.new_zeros(pattern.shape).view(-1).index_add(0, place, self._values).view(pattern.shape)


class _AddSparse(torch.autograd.Function):
    """Y = Z + X A with A sparse: dL/dZ = G, dL/dX = G A^T, dL/dA_k = sum over the batch of X[:, row_k] G[:, col_k]."""

    @staticmethod
    def forward(
        ctx: Any,
        before: Tensor,
        spikes: Tensor,
        _values: Tensor,
        matrix: Tensor,
        transposed: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(spikes)
        ctx.matrix = matrix
        return before + (transposed @ spikes.t()).t()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (spikes,) = ctx.saved_tensors
        _, of_spikes, of_values, *_ = ctx.needs_input_grad
        for_spikes = (ctx.matrix @ gradient.t()).t().contiguous() if of_spikes else None
        for_values = None
        if of_values:
            for_values = torch.sparse.sampled_addmm(ctx.matrix, spikes.t(), gradient, beta=0.0).values()
        return gradient, for_spikes, for_values, None, None


def compressed_rows(offsets: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return a matrix in compressed rows (CSR)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta", category=UserWarning)
        return torch.sparse_csr_tensor(offsets, columns, values, shape, check_invariants=False)


def _offsets(sorted_rows: NDArray[np.int64], n_rows: int) -> NDArray[np.int64]:
    return np.searchsorted(sorted_rows, np.arange(n_rows + 1)).astype(np.int64)


@dataclass(frozen=True)
class SynapseRows:
    """The synapses of each source neuron, to be looked up when it fires.

    Attributes
    ----------
    synapse : int64 Tensor (n_synapses,) or None
        Synapses sorted by row; None where they are so already.
    first, count : int64 Tensor (n_rows,)
        Where in that order a row begins, and how many synapses it has.
    """

    synapse: Tensor | None
    first: Tensor
    count: Tensor

    def of_events(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the synapses of rows that fired, in the order of the rows, and for each which event it belongs to."""
        count = self.count[rows]
        after = count.cumsum(0)
        total = int(after[-1]) if rows.numel() else 0
        event = torch.repeat_interleave(count, output_size=total)
        start = self.first[rows] - (after - count)
        place = start[event] + torch.arange(total, device=rows.device)
        return (place if self.synapse is None else self.synapse[place]), event


def synapse_rows(rows: NDArray[np.int64], n_rows: int, device: torch.device) -> SynapseRows:
    """Return the look-up of the synapses of each row; within a row they keep their order."""
    order = None if (rows[1:] >= rows[:-1]).all() else np.argsort(rows, kind="stable")
    offsets = _offsets(rows if order is None else rows[order], n_rows)
    return SynapseRows(
        None if order is None else torch.from_numpy(order).to(device),
        torch.from_numpy(offsets[:-1].copy()).to(device),
        torch.from_numpy(np.diff(offsets)).to(device),
    )
