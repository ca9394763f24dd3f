"""The best a linear readout can do on a network that is left as it is."""

import numpy as np
import torch
from numpy.typing import NDArray

from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.threads import threads_for
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.learning.batches import Batches
from snncompare.units import QuantityLike

__all__ = ["linear_readout_accuracy", "spike_counts"]


def spike_counts(
    module: TorchNetwork, population: str, dataset: SpikeDataset, *, dt: QuantityLike, batch_size: int = 256
) -> NDArray[np.float64]:
    """Return how often each neuron of a population fires in each trial, shape (n_trials, n_neurons)."""
    batches = Batches(dataset, module.network.sources()[0], dt)
    counts = []
    with torch.no_grad(), threads_for(batch_size * module.network.populations[population].size):
        for first in range(0, len(dataset), batch_size):
            inputs, _ = batches(np.arange(first, min(first + batch_size, len(dataset))))
            counts.append(module(inputs, record=[population]).spikes[population].sum(dim=0).numpy())
    return np.concatenate(counts)


def linear_readout_accuracy(
    module: TorchNetwork, population: str, train: SpikeDataset, test: SpikeDataset, *, dt: QuantityLike
) -> float:
    """Return the held-out accuracy of a linear readout trained to convergence on a population that does not learn.

    Multinomial logistic regression on spike counts, standardised, its L2 penalty chosen by cross-validation on the
    training trials: the fair opponent of a network whose inner weights were trained.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    readout = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    search = GridSearchCV(readout, {"logisticregression__C": [0.001, 0.01, 0.1, 1.0]}, cv=5)
    search.fit(spike_counts(module, population, train, dt=dt), train.labels)
    return float(search.score(spike_counts(module, population, test, dt=dt), test.labels))
