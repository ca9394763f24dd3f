"""How well a network does on a dataset, without changing it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from snncompare.backends.activity import spiking
from snncompare.backends.torch.module import TorchNetwork
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.learning.batches import Batches
from snncompare.learning.losses import Classification
from snncompare.units import QuantityLike

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """How a network does on a dataset.

    Attributes
    ----------
    accuracy : float
        Fraction of trials whose class has the largest evidence.
    rate : float
        Mean firing rate of the spiking populations, in hertz.
    correct : array of bool, shape (n_trials,)
    """

    accuracy: float
    rate: float
    correct: NDArray[np.bool_]


def evaluate(
    module: TorchNetwork,
    dataset: SpikeDataset,
    loss: Classification,
    *,
    dt: QuantityLike,
    duration: QuantityLike | None = None,
    batch_size: int = 256,
) -> Evaluation:
    """Return accuracy and firing rate of a network on a dataset, without gradients.

    `duration` is what a trial lasts, with silence after shorter ones; default: the longest window of the dataset.
    """
    batches = Batches(dataset, module.network.sources()[0], dt, duration)
    firing = spiking(module.network)
    correct, counts = [], 0.0
    size = sum(module.network.populations[name].size for name in firing)
    with torch.no_grad():
        for first in range(0, len(dataset), batch_size):
            rasters, labels = batches(np.arange(first, min(first + batch_size, len(dataset))))
            activity = module(rasters, record=firing, traces=loss.reads.traces)
            correct.append((loss.evidence(loss.reads.of(activity)).argmax(dim=1) == labels).numpy())
            counts += sum(float(spikes.sum()) for spikes in activity.spikes.values())
            lasted = next(iter(rasters.values())).shape[0] * module.dt
    hit = np.concatenate(correct)
    return Evaluation(float(hit.mean()), counts / (len(dataset) * size * lasted), hit)
