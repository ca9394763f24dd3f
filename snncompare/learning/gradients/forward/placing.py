"""Where the entries of a projection begin and end: all pairs of neurons, or a list of them."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Dense", "Each", "Edges", "Placing"]


class Placing(ABC):
    """Turns what neurons have into what entries have.

    Attributes
    ----------
    shape : tuple of int
        Of the entries.
    n_rows : int
    """

    shape: tuple[int, ...]
    n_rows: int

    @property
    def n_entries(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @abstractmethod
    def across(self, values: Tensor) -> Tensor:
        """Return values of target neurons, (n_target,) or (batch, ..., n_target), so that they fit entries."""

    @abstractmethod
    def along(self, values: Tensor) -> Tensor:
        """Return values of rows, (batch, row), so that they fit entries."""

    @abstractmethod
    def outer(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Return the products of values of rows and of targets, summed over the batch: (batch, n) each to entries."""

    @abstractmethod
    def back(self, factor: Tensor, signals: Tensor) -> Tensor:
        """Return the entries' matrix times signals: (..., n_target, k) to (..., row, k)."""

    @abstractmethod
    def forth(self, factor: Tensor, influences: Tensor, first: int) -> Tensor:
        """Return influences times the matrix of rows from `first` on: (batch, row, p) to (batch, n_target, p)."""

    @abstractmethod
    def ends(self) -> tuple[Tensor, Tensor]:
        """Return row and target of every entry, in the order of the flattened entries."""


@dataclass(frozen=True)
class Dense(Placing):
    """All pairs."""

    n_rows: int
    n_targets: int

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Rows and targets."""
        return (self.n_rows, self.n_targets)

    def across(self, values: Tensor) -> Tensor:
        """Return the same values for every row."""
        return values.unsqueeze(-2) if values.ndim > 1 else values

    def along(self, values: Tensor) -> Tensor:
        """Return the same values for every target."""
        return values.unsqueeze(-1)

    def outer(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Return the matrix product over the batch."""
        return rows.t() @ targets

    def back(self, factor: Tensor, signals: Tensor) -> Tensor:
        """Return the matrix times signals."""
        return factor @ signals

    def forth(self, factor: Tensor, influences: Tensor, first: int) -> Tensor:
        """Return the transposed matrix times influences."""
        return factor[first : first + influences.shape[1]].t() @ influences

    def ends(self) -> tuple[Tensor, Tensor]:
        """Return all pairs."""
        pairs = torch.cartesian_prod(torch.arange(self.n_rows), torch.arange(self.n_targets))
        return pairs[:, 0], pairs[:, 1]


@dataclass(frozen=True)
class Edges(Placing):
    """Pairs that are listed; several in one place allowed."""

    rows: Tensor
    targets: Tensor
    n_rows: int
    n_targets: int

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Number of pairs."""
        return (self.rows.numel(),)

    def across(self, values: Tensor) -> Tensor:
        """Return the values of the pairs' targets."""
        return values[..., self.targets]

    def along(self, values: Tensor) -> Tensor:
        """Return the values of the pairs' rows."""
        return values[..., self.rows]

    def outer(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Return the products pair by pair."""
        return (rows[:, self.rows] * targets[:, self.targets]).sum(dim=0)

    def back(self, factor: Tensor, signals: Tensor) -> Tensor:
        """Return what the targets of each row are worth."""
        worth = signals.new_zeros((*signals.shape[:-2], self.n_rows, signals.shape[-1]))
        return worth.index_add_(-2, self.rows, signals[..., self.targets, :] * factor[:, None])

    def forth(self, factor: Tensor, influences: Tensor, first: int) -> Tensor:
        """Return what arrives at each target."""
        here = (self.rows >= first) & (self.rows < first + influences.shape[1])
        sent = influences[:, self.rows[here] - first] * factor[here, None]
        arrived = influences.new_zeros((influences.shape[0], self.n_targets, influences.shape[2]))
        return arrived.index_add_(1, self.targets[here], sent)

    def ends(self) -> tuple[Tensor, Tensor]:
        """Return the pairs."""
        return self.rows, self.targets


@dataclass(frozen=True)
class Each(Placing):
    """The neurons themselves: for their own parameters."""

    n_rows: int

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Number of neurons."""
        return (self.n_rows,)

    def across(self, values: Tensor) -> Tensor:
        """Return the values."""
        return values

    def along(self, values: Tensor) -> Tensor:
        """Return the values."""
        return values

    def outer(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Return the products neuron by neuron."""
        return (rows * targets).sum(dim=0)

    def back(self, factor: Tensor, signals: Tensor) -> Tensor:
        """Return the signals times the factors."""
        return signals * factor[:, None]

    def forth(self, factor: Tensor, influences: Tensor, first: int) -> Tensor:
        """Return the influences times the factors."""
        return influences * factor[first : first + influences.shape[1], None]

    def ends(self) -> tuple[Tensor, Tensor]:
        """Return every neuron twice."""
        return torch.arange(self.n_rows), torch.arange(self.n_rows)
