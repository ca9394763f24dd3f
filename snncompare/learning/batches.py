"""A dataset as a network hears it: rasters of its one spike source, and labels."""

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
    """Trials of a dataset on the grid of time steps `dt`, for the spike source `source`."""

    data: SpikeDataset
    source: str
    dt: QuantityLike

    def __call__(self, indices: NDArray[np.int64]) -> tuple[dict[str, Tensor], Tensor]:
        """Return the inputs, a raster of shape (step, batch, neuron), and the labels, shape (batch,)."""
        raster = torch.from_numpy(self.data.raster(indices, self.dt)).to(torch.float64)
        return {self.source: raster.transpose(0, 1)}, torch.from_numpy(self.data.labels[indices])
