"""Train a network on a dataset by a rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from snncompare import provenance
from snncompare.backends.activity import spiking
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.threads import threads_for
from snncompare.backends.weights import draw_weights
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError, unknown
from snncompare.learning.losses import MeanMembraneClassification, RateLimit
from snncompare.learning.rule import LearningRule
from snncompare.learning.trained import Trained
from snncompare.network.network import Network
from snncompare.units import QuantityLike, seconds

__all__ = ["Evaluation", "evaluate", "fit"]


@dataclass(frozen=True)
class _Task:
    """The dataset as the network sees it: one spike source, rasters on the grid of time steps."""

    data: SpikeDataset
    source: str
    dt: QuantityLike

    def batch(self, indices: NDArray[np.int64], dtype: torch.dtype) -> tuple[dict[str, Tensor], Tensor]:
        raster = torch.from_numpy(self.data.raster(indices, self.dt)).to(dtype)
        return {self.source: raster.transpose(0, 1)}, torch.from_numpy(self.data.labels[indices])


def fit(
    network: Network,
    rule: LearningRule,
    dataset: SpikeDataset,
    *,
    loss: MeanMembraneClassification,
    test: SpikeDataset,
    dt: QuantityLike,
    epochs: int = 10,
    batch_size: int = 64,
    rates: RateLimit | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Trained:
    """Return the network trained on a dataset.

    Parameters
    ----------
    network : Network
        With one spike source, which receives the dataset's spikes, and the readout that the loss names.
    rule : LearningRule
    dataset, test : SpikeDataset
        Training trials, and trials that are only used to measure accuracy.
    loss : MeanMembraneClassification
    dt : quantity
        Time step.
    epochs, batch_size : int
    rates : RateLimit, optional
        Penalty that keeps the spiking populations in a band of firing rates.
    seed : int
        Of the initial weights and the order of trials.
    progress : callable, optional
        Receives one line per epoch; without it a progress bar is shown.

    Raises
    ------
    InputError
        If network, loss and dataset do not fit together, or when the loss stops being a number.
    """
    _check(network, loss, dataset)
    weights = draw_weights(network, seed)
    module = TorchNetwork(
        network,
        seconds(dt, "dt"),
        weights,
        surrogate=rule.surrogate,
        detach_reset=rule.detach_reset,
        dtype=torch.float64,
    )
    optimiser = _Optimiser(module, rule, weights)
    rng = np.random.default_rng([seed, 1])
    task = _Task(dataset, network.sources()[0], dt)
    rows = []
    largest = batch_size * max(population.size for population in network.populations.values())
    with threads_for(largest), tqdm(total=epochs, desc="training", unit="epoch", disable=progress is not None) as bar:
        for epoch in range(1, epochs + 1):
            optimiser.set_rate(rule.optimiser.rate_at((epoch - 1) / epochs))
            losses = [
                _step(module, optimiser, task, indices, loss, rates)
                for indices in dataset.batches(batch_size, seed=int(rng.integers(2**31)))
            ]
            if not np.isfinite(losses).all():
                raise InputError(
                    f"the loss is not a number in epoch {epoch}; use a smaller learning rate than "
                    f"{rule.optimiser.learning_rate:g}."
                )
            held_out = evaluate(module, test, loss, dt=dt)
            row = {
                "epoch": epoch,
                "loss": float(np.mean([value for value, _ in losses])),
                "train_accuracy": float(np.mean([correct for _, correct in losses])),
                "test_accuracy": held_out.accuracy,
                "rate": held_out.rate,
            }
            rows.append(row)
            measured = f"loss {row['loss']:.3f}, held-out accuracy {row['test_accuracy']:.1%}, {row['rate']:.0f} Hz"
            bar.update()
            bar.set_postfix_str(measured)
            if progress is not None:
                progress(f"epoch {epoch}/{epochs}: {measured}")
    record = provenance.collect(
        seed=seed, rule=repr(rule), loss=repr(loss), network=network.fingerprint(), epochs=epochs
    )
    return Trained(network, module.weights_array(), pd.DataFrame(rows), record)


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
    loss: MeanMembraneClassification,
    *,
    dt: QuantityLike,
    batch_size: int = 256,
) -> Evaluation:
    """Return accuracy and firing rate of a network on a dataset, without gradients."""
    task = _Task(dataset, module.network.sources()[0], dt)
    firing = spiking(module.network)
    correct, counts = [], 0.0
    size = sum(module.network.populations[name].size for name in firing)
    with torch.no_grad():
        for first in range(0, len(dataset), batch_size):
            rasters, labels = task.batch(np.arange(first, min(first + batch_size, len(dataset))), torch.float64)
            activity = module(rasters, record=firing, traces=[loss.trace])
            correct.append((loss.logits(activity).argmax(dim=1) == labels).numpy())
            counts += sum(float(spikes.sum()) for spikes in activity.spikes.values())
            duration = next(iter(rasters.values())).shape[0] * module.dt
    hit = np.concatenate(correct)
    return Evaluation(float(hit.mean()), counts / (len(dataset) * size * duration), hit)


class _Optimiser:
    """Adam whose step is counted in units of each projection's initial spread."""

    def __init__(self, module: TorchNetwork, rule: LearningRule, weights: Mapping[str, NDArray[np.float64]]) -> None:
        names = list(module.weights) if rule.trainable is None else list(rule.trainable)
        for name in names:
            if name not in module.weights:
                raise InputError("trainable: " + unknown("projection", name, module.weights))
        for name, parameter in module.weights.items():
            parameter.requires_grad_(name in names)
        self._units = {name: _spread(weights[name]) for name in names}
        self._parameters = {name: module.weights[name] for name in names}
        self._adam = torch.optim.Adam(
            [{"params": [self._parameters[name]], "unit": self._units[name]} for name in names]
        )
        self._clip = rule.optimiser.clip

    def set_rate(self, rate: float) -> None:
        for group in self._adam.param_groups:
            group["lr"] = rate * group["unit"]

    def step(self, loss: Tensor) -> None:
        self._adam.zero_grad()
        loss.backward()
        gradients = {name: p.grad for name, p in self._parameters.items() if p.grad is not None}
        norm = sum(float((g * self._units[name]).square().sum()) for name, g in gradients.items()) ** 0.5
        if norm > self._clip:
            for gradient in gradients.values():
                gradient.mul_(self._clip / norm)
        self._adam.step()


def _spread(weights: NDArray[np.float64]) -> float:
    """Return the typical size of existing weights, the unit in which they are changed."""
    existing = weights[weights != 0]
    return float(np.sqrt(np.mean(existing**2))) if existing.size else 1.0


def _step(
    module: TorchNetwork,
    optimiser: _Optimiser,
    task: _Task,
    indices: NDArray[np.int64],
    loss: MeanMembraneClassification,
    rates: RateLimit | None,
) -> tuple[float, float]:
    """Change the weights by one batch; return the loss and the accuracy before the change."""
    rasters, labels = task.batch(indices, torch.float64)
    firing = spiking(module.network) if rates is not None else []
    activity = module(rasters, record=firing, traces=[loss.trace])
    logits = loss.logits(activity)
    value = loss(logits, labels)
    penalty = sum((rates(spikes, module.dt) for spikes in activity.spikes.values()), torch.zeros(())) if rates else 0.0
    optimiser.step(value + penalty)
    return float(value.detach()), float((logits.argmax(dim=1) == labels).double().mean())


def _check(network: Network, loss: MeanMembraneClassification, dataset: SpikeDataset) -> None:
    if len(network.sources()) != 1:
        raise InputError(
            f"training needs a network with one spike source, '{network.name}' has {len(network.sources())}."
        )
    if loss.readout not in network.populations:
        raise InputError("loss: " + unknown("population", loss.readout, network.populations))
    if network.populations[loss.readout].size != len(dataset.classes):
        raise InputError(
            f"the readout '{loss.readout}' has {network.populations[loss.readout].size} neurons for "
            f"{len(dataset.classes)} classes."
        )
    source = network.populations[network.sources()[0]]
    if source.size != dataset.spikes.n_units:
        raise InputError(f"the spike source has {source.size} neurons, the dataset {dataset.spikes.n_units} units.")
