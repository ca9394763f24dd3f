"""How well a trained network does on many chips, devices side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from snncompare.backends.activity import spiking
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.threads import threads_for
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.batches import Batches
from snncompare.learning.fitting import check_fit
from snncompare.learning.losses import Loss
from snncompare.learning.on_chip.chips import Chips
from snncompare.learning.on_chip.settings import OnChip
from snncompare.learning.trained import Trained
from snncompare.units import QuantityLike, seconds
from snncompare.values import check_arguments

__all__ = ["evaluate_on_chip"]

_MEMORY = 400_000_000
"""Bytes that the devices of one run may take, unless something else is said."""

_PER_SYNAPSE = 4
"""Numbers that a device has of each synapse: its factor, and weights on their way to a matrix."""


def evaluate_on_chip(
    trained: Trained,
    dataset: SpikeDataset,
    loss: Loss,
    *,
    profile: ChipProfile | str,
    device_seeds: Sequence[int] = tuple(range(10)),
    dt: QuantityLike,
    seed: int = 0,
    noise: bool = True,
    duration: QuantityLike | None = None,
    batch_size: int = 256,
    memory: int = _MEMORY,
    roles: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """Return how well a trained network does on each of many emulated chips.

    As many devices run side by side as the memory allows; the numbers depend neither on that nor on `batch_size`.

    Parameters
    ----------
    trained : Trained
        With the weights that are asked for.
    dataset : SpikeDataset
    loss : Loss
    profile : ChipProfile or str
    device_seeds : sequence of int
    dt : quantity
        Time step.
    seed : int
        Of what changes from run to run; from 0 to 2**63 - 1.
    noise : bool
        See `OnChip`.
    duration : quantity, optional
        What a trial lasts; default: the longest window of the dataset.
    batch_size : int
        Trials that each device runs side by side.
    memory : int
        Bytes that the weights, rasters and traces of the devices that run side by side may take, about.
    roles : mapping, optional
        See `OnChip`.

    Returns
    -------
    pandas.DataFrame
        One row per device: ``device_seed``; ``accuracy``, if the loss asks for a class; ``loss``, mean over trials;
        ``rate`` and one ``rate_<population>`` each, in hertz.

    Raises
    ------
    InputError
        If network, loss, dataset, devices and seed cannot be, or a chip cannot hold the network.
    """
    check_arguments(evaluate_on_chip, locals())
    if batch_size < 1 or memory < 1:
        raise InputError(f"batch_size and memory must be at least 1, got {batch_size} and {memory}.")
    if not 0 <= seed < 2**63:
        raise InputError(f"seed must be a number from 0 to 2**63 - 1, got {seed}.")
    step = seconds(dt, "dt")
    loss = loss.for_step(step)
    check_fit(trained.network, loss, (), {"dataset": dataset}, step)
    on_chip = OnChip(profile, tuple(device_seeds), noise=noise, roles=roles)
    module = TorchNetwork(trained.network, step, trained.realisation)
    chips = Chips(module, replace(on_chip, device_seeds=on_chip.device_seeds[:1]))
    batches = Batches(dataset, module.network.sources()[0], dt, duration, loss.wants, loss.reads.variable is None)
    first, _ = batches(np.arange(1))
    n_steps = next(iter(first.values())).shape[0]
    sizes = [population.size for population in module.network.populations.values()]
    batch_size = max(1, min(batch_size, len(dataset), memory // (8 * n_steps * sum(sizes))))
    synapses = sum(connections.n_synapses for connections in trained.realisation.connections.values())
    together = max(1, memory // (8 * (n_steps * sum(sizes) * batch_size + _PER_SYNAPSE * synapses)))
    parts = []
    with torch.no_grad(), threads_for(batch_size * together * max(sizes)):
        for k in range(0, len(on_chip.device_seeds), together):
            seeds = on_chip.device_seeds[k : k + together]
            parts.append(_measured(chips, seeds, batches, loss, seed, batch_size))
    return pd.concat(parts, ignore_index=True)


def _measured(
    chips: Chips, seeds: tuple[int, ...], batches: Batches, loss: Loss, seed: int, batch_size: int
) -> pd.DataFrame:
    """Return a row for each of some devices, which run side by side."""
    network, n_trials, n_steps = chips.module.network, len(batches.data), 0
    firing = spiking(network)
    record = list(dict.fromkeys([*firing, *loss.reads.spikes]))
    lost, counts = np.zeros(len(seeds)), {name: np.zeros(len(seeds)) for name in firing}
    right: list[Tensor] = []
    for first in range(0, n_trials, batch_size):
        indices = np.arange(first, min(first + batch_size, n_trials))
        inputs, target = batches(indices)
        run = chips.begin(seeds, indices.size, seed, first_trial=first)
        activity = chips.run(run, inputs, record=record, traces=loss.reads.traces)
        values = loss.reads.of(activity)
        n_steps = values.shape[0]
        each = [loss.accuracy(part, target) for part in values.chunk(len(seeds), dim=1)]
        right += [torch.stack([one for one in each if one is not None])] if each[0] is not None else []
        lost += [float(loss(part, target)) * indices.size for part in values.chunk(len(seeds), dim=1)]
        for name in firing:
            counts[name] += activity.spikes[name].sum(dim=(0, 2)).reshape(len(seeds), -1).sum(dim=1).double().numpy()
    sizes = {name: network.populations[name].size for name in firing}
    time = n_trials * n_steps * chips.module.dt
    found: dict[str, Any] = {"device_seed": np.array(seeds)}
    if right:
        found["accuracy"] = torch.cat(right, dim=1).nanmean(dim=1).numpy()
    found["loss"] = lost / n_trials
    found["rate"] = sum(counts.values()) / (time * sum(sizes.values())) if firing else np.zeros(len(seeds))
    found |= {f"rate_{name}": counts[name] / (time * sizes[name]) for name in firing}
    return pd.DataFrame(found)
