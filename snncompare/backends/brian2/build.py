"""A network description and its arrays as Brian2 objects, for several trials side by side.

The trials of a run are copies of the network that do not touch each other: neuron i of trial k is neuron
``k * size + i`` of one Brian2 group. Brian2 then starts once, not once a trial.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import brian2
import numpy as np
from numpy.typing import NDArray

from snncompare.backends.brian2.targets import CodeTarget
from snncompare.backends.connections import Connections
from snncompare.backends.realisation import Realisation, delay_steps
from snncompare.dynamics.brian_objects import neuron_group, spike_source, synapses
from snncompare.network.amount import is_drawn
from snncompare.network.composition import compose, compose_synapse, weight_name
from snncompare.network.equations import definitions, names_in_equations, names_in_expression, names_in_statements
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel, SpikeSource

__all__ = ["MAX_ELEMENTS", "Built", "build", "copies_allowed", "monitors"]

MAX_ELEMENTS = 4_000_000
"""Neurons and synapses that the copies of a network may have together."""

_INDICES = {"i", "j", "N", "N_pre", "N_post"}


@dataclass(frozen=True)
class Built:
    """The Brian2 objects of a network for a number of trials."""

    groups: dict[str, Any]
    synapses: dict[str, brian2.Synapses]
    spike_monitors: dict[str, brian2.SpikeMonitor]
    state_monitors: dict[tuple[str, str], brian2.StateMonitor]
    copies: int

    def objects(self) -> list[Any]:
        """Return everything that a Brian2 network of them holds."""
        parts = (self.groups, self.synapses, self.spike_monitors, self.state_monitors)
        return [made for part in parts for made in part.values()]


def copies_allowed(network: Network, realisation: Realisation) -> int:
    """Return how many trials may run side by side: one where a trial could see that it is not alone."""
    for name, population in network.populations.items():
        if not isinstance(population.neuron, NeuronModel):
            continue
        composed = compose(network, name)
        reads = names_in_equations(composed.equations) | names_in_statements(composed.model.reset)
        conditions = [text for text in (composed.model.threshold, composed.model.refractory) if isinstance(text, str)]
        reads = reads.union(*map(names_in_expression, conditions))
        shared = any("shared" in line.flags for line in definitions(composed.equations).values())
        if shared or reads & _INDICES:
            return 1
    for name in network.projections:
        statements = compose_synapse(network, name)
        reads = names_in_equations(statements.equations).union(
            *map(names_in_statements, (statements.on_pre, statements.on_post))
        )
        if reads & _INDICES:
            return 1
    neurons = sum(population.size for population in network.populations.values())
    links = sum(connections.n_synapses for connections in realisation.connections.values())
    return max(1, MAX_ELEMENTS // (neurons + links))


def build(
    network: Network,
    realisation: Realisation,
    dt: float,
    *,
    copies: int,
    target: CodeTarget | None,
    spikes: Sequence[str],
    traces: Sequence[tuple[str, str]],
) -> Built:
    """Return the Brian2 objects of `copies` trials, with weights, delays, parameters and initial states set.

    Parameters
    ----------
    network : Network
    realisation : Realisation
    dt : float
        Seconds.
    copies : int
    target : Brian2 code object class, or None for the current device's
    spikes : sequence of str
        Populations whose spikes are kept.
    traces : sequence of (population, variable)
        Variables that are kept after the state update of every step.
    """
    groups = {name: _group(network, realisation, name, dt, copies, target) for name in network.populations}
    joined = {
        name: _synapses(network, name, realisation.connections[name], groups, dt, copies, target)
        for name in sorted(network.projections)
        if realisation.connections[name].n_synapses
    }
    spike_monitors, state_monitors = monitors(groups, dt, target, spikes, traces)
    return Built(groups, joined, spike_monitors, state_monitors, copies)


def monitors(
    groups: Mapping[str, Any],
    dt: float,
    target: CodeTarget | None,
    spikes: Sequence[str],
    traces: Sequence[tuple[str, str]],
) -> tuple[dict[str, brian2.SpikeMonitor], dict[tuple[str, str], brian2.StateMonitor]]:
    """Return what keeps the spikes of populations and the traces of their variables, see `build`."""
    spike_monitors = {
        name: brian2.SpikeMonitor(groups[name], name=f"spikes_of_{name}", codeobj_class=target) for name in spikes
    }
    state_monitors = {
        (name, variable): brian2.StateMonitor(
            groups[name],
            variable,
            record=True,
            when="after_groups",
            dt=dt * brian2.second,
            name=f"trace_of_{name}_{variable}",
            codeobj_class=target,
        )
        for name, variable in traces
    }
    return spike_monitors, state_monitors


def _group(
    network: Network, realisation: Realisation, name: str, dt: float, copies: int, target: CodeTarget | None
) -> Any:
    population = network.populations[name]
    if isinstance(population.neuron, SpikeSource):
        return spike_source(network, name, dt, copies * population.size, target)
    group = neuron_group(network, name, dt, copies * population.size, target)
    for variable, values in realisation.values.get(name, {}).items():
        _set(group, variable, np.tile(values, copies))
    return group


def _synapses(
    network: Network,
    name: str,
    connections: Connections,
    groups: dict[str, Any],
    dt: float,
    copies: int,
    target: CodeTarget | None,
) -> brian2.Synapses:
    projection = network.projections[name]
    source, end = groups[projection.source], groups[projection.target]
    made = synapses(network, name, source, end, dt, target, own_delays=connections.delay is not None)
    n_source, n_target = connections.shape
    trial = np.repeat(np.arange(copies), connections.n_synapses)
    made.connect(
        i=np.tile(connections.source, copies) + trial * n_source,
        j=np.tile(connections.target, copies) + trial * n_target,
    )
    composed = compose_synapse(network, name)
    for variable, amount in composed.initial.items():
        if not is_drawn(amount):
            _set(made, variable, np.full(trial.size, amount.value))
    for variable, values in connections.values.items():
        _set(made, f"{variable}_{name}", np.tile(values, copies))
    _set(made, weight_name(name), np.tile(connections.weight, copies))
    if connections.delay is not None and composed.on_pre:
        steps = delay_steps(connections, projection, dt)  # Brian2's Python queue would round half a step to even
        made.pre.delay = np.tile(steps * dt, copies) * brian2.second
    return made


def _set(owner: Any, variable: str, values: NDArray[np.float64]) -> None:
    """Set a variable to SI values, in whatever unit and type it has."""
    dimension = owner.variables[variable].dim
    kind = owner.variables[variable].dtype
    setattr(owner, variable, brian2.Quantity(values, dim=dimension) if kind == np.float64 else values.astype(kind))
