"""Operations of a spiking network, from what its neurons did."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from snncompare.backends.activity import spiking
from snncompare.backends.realisation import Realisation
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.threads import threads_for
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.dynamics.program import NetworkProgram
from snncompare.dynamics.step_program import network_program
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.learning.cost.neurons import per_neuron
from snncompare.learning.cost.operations import Cost, Operations
from snncompare.learning.trained import Trained
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.recording.arguments import whole_number
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = ["cost_of_recording", "cost_on_dataset", "spiking_cost"]

Counts = Mapping[str, NDArray[Any]]
"""Population to spikes of each neuron in each trial, shape (n_trials, n_neurons)."""


def spiking_cost(
    network: Network,
    realisation: Realisation,
    counts: Counts,
    *,
    n_steps: int,
    dt: QuantityLike,
    multiply_accumulates: Mapping[str, int] | None = None,
) -> Cost:
    r"""Return what one inference of a spiking network costs.

    A spike costs an accumulate at each of its synapses, and those of its own neuron's reset; a step costs every neuron
    multiply-accumulates (`neurons.per_neuron`). With m inputs that fire with the probability :math:`f_{in}` per step,
    and n recurrent neurons that fire with :math:`f`, all connected, these are in every step, for leaky
    integrate-and-fire and for adaptive neurons,

    .. math::
        (m n f_{in} + n^2 f)\,E_{AC} + n\,E_{MAC}, \qquad (m n f_{in} + n^2 f + 2 n f)\,E_{AC} + 3 n\,E_{MAC}

    but for synapses that do not exist, which cost nothing, and for what the spikes of single neurons reach.

    Parameters
    ----------
    network : Network
    realisation : Realisation
        With the synapses that exist.
    counts : mapping
        Every population that spikes, sources included, to spikes of each neuron in each trial, (n_trials, n_neurons).
    n_steps : int
        Length of a trial.
    dt : time
        Time step.
    multiply_accumulates : mapping, optional
        Population to multiply-accumulates of a neuron per step, for those whose step is not linear in their state.

    Raises
    ------
    InputError
        For counts that do not fit the network.
    UnsupportedError
        For neurons that are not linear, see `multiply_accumulates`, and for synapses with state of their own that goes
        on in every step.
    """
    steps = whole_number("n_steps", n_steps, 1)
    program, given = network_program(network, seconds(dt, "dt")), dict(multiply_accumulates or {})
    for name in given:
        if name not in program.populations:
            raise InputError("multiply_accumulates: " + unknown("population with equations", name, program.populations))
    spikes = _checked(network, counts)
    layers = {name: _own(network, name, program, spikes, steps, given.get(name)) for name in program.populations}
    synaptic = 0.0
    for name, projection in network.projections.items():
        if program.projections[name].update is not None:
            raise UnsupportedError(
                f"projection '{name}': its synapses go on by themselves in every step, which is not counted."
            )
        connections = realisation.connections[name]
        fan_out = np.bincount(connections.source[connections.weight != 0], minlength=connections.shape[0])
        events = float((spikes[projection.source] @ fan_out).mean())
        layers[projection.target] += Operations(events, 0)
        synaptic += events
    firing = {name: float(count.mean()) / steps for name, count in spikes.items()}
    return Cost(layers, synaptic, firing, _parameters(network, realisation), steps)


def cost_of_recording(
    network: Network,
    realisation: Realisation,
    recordings: Mapping[str, Recording],
    activity: Recording,
    *,
    dt: QuantityLike,
    multiply_accumulates: Mapping[str, int] | None = None,
) -> Cost:
    """Return what one inference costs, from what `Program.run` was given and what it returned.

    Parameters
    ----------
    network, realisation
        Those of the program.
    recordings : mapping
        Spike source to its `Recording`.
    activity : Recording
        With the spikes of all populations that fire.
    dt, multiply_accumulates
        As in `spiking_cost`.
    """
    population = activity.units["population"].to_numpy()
    every = activity.counts().to_numpy()
    counts = {name: every[:, population == name] for name in dict.fromkeys(population)}
    counts |= {name: recording.counts().to_numpy() for name, recording in recordings.items()}
    lasted = float((activity.trials["stop"] - activity.trials["start"]).iloc[0])
    return spiking_cost(
        network,
        realisation,
        counts,
        n_steps=round(lasted / seconds(dt, "dt")),
        dt=dt,
        multiply_accumulates=multiply_accumulates,
    )


def cost_on_dataset(
    trained: Trained,
    dataset: SpikeDataset,
    *,
    dt: QuantityLike,
    duration: QuantityLike | None = None,
    batch_size: int = 256,
    multiply_accumulates: Mapping[str, int] | None = None,
) -> Cost:
    """Return what one inference of a trained network costs, mean over a dataset.

    Parameters
    ----------
    trained : Trained
    dataset : SpikeDataset
    dt : time
    duration : time, optional
        Length of a trial; default: the longest window of the dataset.
    batch_size : int
    multiply_accumulates : mapping, optional
        As in `spiking_cost`.
    """
    step, firing = seconds(dt, "dt"), spiking(trained.network)
    source = trained.network.sources()[0]
    module = TorchNetwork(trained.network, step, trained.realisation, dtype=torch.float32)
    kept: dict[str, list[NDArray[Any]]] = {name: [] for name in (source, *firing)}
    with torch.no_grad(), threads_for(batch_size * max(p.size for p in trained.network.populations.values())):
        for first in range(0, len(dataset), batch_size):
            chosen = np.arange(first, min(first + batch_size, len(dataset)))
            raster = torch.from_numpy(dataset.counts(chosen, dt, duration)).transpose(0, 1)
            activity = module({source: raster}, record=firing)
            kept[source].append(raster.sum(dim=0).numpy())
            for name in firing:
                kept[name].append(activity.spikes[name].sum(dim=0).numpy())
    counts = {name: np.concatenate(parts) for name, parts in kept.items()}
    return spiking_cost(
        trained.network,
        trained.realisation,
        counts,
        n_steps=raster.shape[0],
        dt=dt,
        multiply_accumulates=multiply_accumulates,
    )


def _checked(network: Network, counts: Counts) -> dict[str, NDArray[np.float64]]:
    found = {}
    for name in [*network.sources(), *spiking(network)]:
        if name not in counts:
            raise InputError(f"counts: the spikes of '{name}' are missing.")
        array, size = np.asarray(counts[name], dtype=np.float64), network.populations[name].size
        if array.ndim != 2 or array.shape[1] != size or not array.size or not (array >= 0).all():
            raise InputError(
                f"counts: '{name}' needs spikes of shape (n_trials, {size}), none negative, got shape {array.shape}."
            )
        found[name] = array
    return found


def _own(
    network: Network, name: str, program: NetworkProgram, spikes: Counts, n_steps: int, given: int | None
) -> Operations:
    """Return the operations of a population's neurons in one trial."""
    population = network.populations[name]
    assert isinstance(population.neuron, NeuronModel)
    each = per_neuron(name, population.neuron, program.populations[name], given)
    fired = float(spikes[name].sum(axis=1).mean()) if name in spikes else 0.0
    return Operations(fired * each.spike, float(population.size * each.step * n_steps))


def _parameters(network: Network, realisation: Realisation) -> int:
    """Return how many numbers training may change."""
    total = 0
    for population in network.populations.values():
        total += sum(1 if mark.shared else population.size for mark in population.trainable.values())
    for name, projection in network.projections.items():
        connections = realisation.connections[name]
        kernel = connections.shared
        weights = connections.weight.size if kernel is None else np.unique(kernel).size
        size = network.populations[projection.target].size
        for key, mark in projection.trainable.items():
            each = {"weight": weights, "delay": connections.weight.size}.get(key, size)
            total += 1 if mark.shared else int(each)
    return total
