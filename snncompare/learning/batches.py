"""A dataset as a network hears it: counts of spikes in time steps for its one spike source, and labels."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.units import QuantityLike

__all__ = ["Batches"]


@dataclass(frozen=True)
class Batches:
    """Trials of a dataset on the grid of time steps `dt`, for the spike source `source`.

    `duration` is what the steps cover, the longest window of the dataset by default; see `SpikeDataset.counts`.
    """

    data: SpikeDataset
    source: str
    dt: QuantityLike
    duration: QuantityLike | None = None

    def __call__(self, indices: NDArray[np.int64]) -> tuple[dict[str, Tensor], Tensor]:
        """Return the inputs, spikes per step of shape (step, batch, neuron), and the labels, shape (batch,)."""
        counts = torch.from_numpy(self.data.counts(indices, self.dt, self.duration)).to(torch.float64)
        return {self.source: counts.transpose(0, 1)}, torch.from_numpy(self.data.labels[indices])
