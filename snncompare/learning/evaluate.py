"""How well a network does on a dataset, without changing it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from snncompare.backends.activity import spiking
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.network_state import Activity
from snncompare.backends.torch.threads import threads_for
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.batches import Batches, of_copies
from snncompare.learning.losses import Loss, Wants
from snncompare.units import QuantityLike
from snncompare.values import check_arguments

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """How a network does on a dataset.

    Attributes
    ----------
    accuracy : float or None
        Fraction of trials whose class has the largest evidence, or of the answers over time that are right; None for a
        loss that asks for no class.
    rate : float
        Mean firing rate of the spiking populations, in hertz; 0 where nothing fires by itself.
    correct : array of bool or of float, shape (n_trials,), or None
        Whether each trial is right; with answers over time, in which part of the steps that are asked about, not a
        number where none is; with several chips, on which part of them.
    loss : float
        Mean over trials, without penalties.
    rates : mapping
        Firing rate of each spiking population, in hertz.
    """

    accuracy: float | None
    rate: float
    correct: NDArray[np.bool_] | NDArray[np.float64] | None
    loss: float
    rates: Mapping[str, float] = field(default_factory=dict)


def evaluate(
    module: TorchNetwork,
    dataset: SpikeDataset,
    loss: Loss,
    *,
    dt: QuantityLike,
    duration: QuantityLike | None = None,
    batch_size: int = 256,
    run: Callable[..., Activity] | None = None,
) -> Evaluation:
    """Return accuracy, loss and firing rates of a network on a dataset, without gradients.

    Parameters
    ----------
    module : TorchNetwork
    dataset : SpikeDataset
    loss : Loss
    dt : quantity
        Time step.
    duration : quantity, optional
        What a trial lasts, with silence after shorter ones; default: the longest window of the dataset.
    batch_size : int
    run : function, optional
        What carries out the trials instead of the module, called with the rasters, ``record``, ``traces`` and, as
        ``seed``, the number of the first trial; perhaps several chips side by side, over which everything is averaged.
    """
    check_arguments(evaluate, locals())
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1, got {batch_size}.")
    loss = loss.for_step(module.dt)
    exact = loss.reads.variable is None
    batches = Batches(dataset, module.network.sources()[0], dt, duration, loss.wants, exact)
    firing = spiking(module.network)
    record = list(dict.fromkeys([*firing, *loss.reads.spikes]))
    right, lost, lasted = [], 0.0, 0.0
    counts = dict.fromkeys(firing, 0.0)
    largest = batch_size * max(population.size for population in module.network.populations.values())
    copies = 1
    with torch.no_grad(), threads_for(largest):
        for first in range(0, len(dataset), batch_size):
            indices = np.arange(first, min(first + batch_size, len(dataset)))
            rasters, target = batches(indices)
            activity = (run or module)(rasters, record=record, traces=loss.reads.traces, seed=first)
            values = loss.reads.of(activity)
            copies = values.shape[1] // indices.size
            asked = of_copies(target, loss.wants, copies)
            lost += float(loss(values, asked)) * indices.size
            found = loss.accuracy(values, asked)
            right.append(None if found is None else found.reshape(copies, -1).mean(dim=0))
            for name in firing:
                counts[name] += float(activity.spikes[name].sum()) / copies
            lasted = values.shape[0] * module.dt
    sizes = {name: module.network.populations[name].size for name in firing}
    per_neuron = len(dataset) * lasted
    said = [one.numpy() for one in right if one is not None]
    part = np.concatenate(said) if said else None
    return Evaluation(
        None if part is None or np.isnan(part).all() else float(np.nanmean(part)),
        sum(counts.values()) / (per_neuron * sum(sizes.values())) if firing else 0.0,
        part.astype(bool) if part is not None and loss.wants is Wants.LABELS and copies == 1 else part,
        lost / len(dataset),
        {name: counts[name] / (per_neuron * sizes[name]) for name in firing},
    )
