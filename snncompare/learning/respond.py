"""What a network fires when it is given a dataset as in training."""

from collections.abc import Sequence

import numpy as np
import torch

from snncompare.backends.activity import check_record, output_recording
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.threads import threads_for
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.batches import Batches
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike

__all__ = ["responses"]


def responses(
    module: TorchNetwork,
    dataset: SpikeDataset,
    *,
    dt: QuantityLike,
    record: Sequence[str] | None = None,
    duration: QuantityLike | None = None,
    batch_size: int = 256,
) -> Recording:
    """Return the spikes of a network for every trial of a dataset, with the labels of the trials.

    The dataset is heard as in training: several spikes of a unit in a time step count as several, and silence follows
    trials that are shorter than `duration`.

    Parameters
    ----------
    module : TorchNetwork
    dataset : SpikeDataset
    dt : quantity
        Time step.
    record : sequence of str, optional
        Populations; by default all that fire by themselves.
    duration : quantity, optional
        What is run of every trial; default: the longest of the dataset.
    batch_size : int

    Raises
    ------
    InputError
        For a population that does not fire, or a dataset that the network has no one source for.
    """
    network = module.network
    if len(network.sources()) != 1:
        raise InputError(f"a dataset needs a network with one spike source, '{network.name}' has {network.sources()}.")
    recorded = check_record(network, record)
    if recorded.traces:
        raise InputError(f"record: only spikes of populations are recorded here, got {list(record or ())}.")
    batches = Batches(dataset, network.sources()[0], dt, duration)
    spikes: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {name: [] for name in recorded.spikes}
    steps, largest = 0, max(population.size for population in network.populations.values())
    with torch.no_grad(), threads_for(batch_size * largest):
        for first in range(0, len(dataset), batch_size):
            rasters, _ = batches(np.arange(first, min(first + batch_size, len(dataset))))
            steps = next(iter(rasters.values())).shape[0]
            for name, raster in module(rasters, record=list(spikes)).spikes.items():
                trial, step, neuron = (index.numpy() for index in raster.transpose(0, 1).nonzero(as_tuple=True))
                spikes[name].append((trial + first, step, neuron))
    joined = {
        name: tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True)) for name, parts in spikes.items()
    }
    given = {"backend": "torch", "dt_seconds": module.dt, "network": network.fingerprint(), "dataset": dataset.name}
    return output_recording(network, joined, module.dt, steps, dataset.trials, given)  # type: ignore[arg-type]
