"""A dataset as a network hears it: counts of spikes in time steps for its one spike source, and what is asked of it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.learning.answers import answers_in_steps
from snncompare.learning.losses import Wants
from snncompare.units import QuantityLike, seconds

__all__ = ["Batches", "of_copies"]


@dataclass(frozen=True)
class Batches:
    """Trials of a dataset on the grid of time steps `dt`, for the spike source `source`.

    Parameters
    ----------
    data : SpikeDataset
    source : str
    dt : quantity
    duration : quantity, optional
        What the steps cover, the longest window of the dataset by default; see `SpikeDataset.counts`.
    wants : Wants
        What comes as the target.
    exact : bool
        Whether answers over time must be given in steps of `dt`.
    """

    data: SpikeDataset
    source: str
    dt: QuantityLike
    duration: QuantityLike | None = None
    wants: Wants = Wants.LABELS
    exact: bool = False

    def __call__(self, indices: NDArray[np.int64]) -> tuple[dict[str, Tensor], Tensor]:
        """Return the inputs, spikes per step of shape (step, batch, neuron), and the target, see `Wants`."""
        counts = torch.from_numpy(self.data.counts(indices, self.dt, self.duration)).to(torch.float64)
        raster = counts.transpose(0, 1)
        return {self.source: raster}, self._target(indices, raster)

    def _target(self, indices: NDArray[np.int64], raster: Tensor) -> Tensor:
        match self.wants:
            case Wants.INPUT:
                return raster
            case Wants.ANSWERS:
                step = seconds(self.dt, "dt")
                answers = answers_in_steps(self.data, indices, step, raster.shape[0], exact=self.exact)
                return torch.from_numpy(answers)
        return torch.from_numpy(self.data.labels[indices])


def of_copies(target: Tensor, wants: Wants, copies: int) -> Tensor:
    """Return the target of trials that several chips carry out side by side, chips slowest; the batch is its axis.

    Parameters
    ----------
    target : Tensor
        Of the trials, see `Wants`.
    wants : Wants
    copies : int
        Number of chips.
    """
    if copies == 1:
        return target
    return target.repeat(copies) if wants is Wants.LABELS else target.repeat(1, copies, 1)
