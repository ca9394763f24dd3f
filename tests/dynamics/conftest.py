"""Run a description in Brian2 with values of our choice, to look at what a model does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from snncompare.network.composition import weight_name
from snncompare.network.initialisers import Constant, Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import with_bias
from snncompare.network.synapse import SynapseModel
from snncompare.units import Quantity, parse_unit, quantity


class Run(NamedTuple):
    """Spikes as neuron and time (seconds), traces as (neuron, step), final values of synapses."""

    neuron: NDArray[Any]
    time: NDArray[Any]
    traces: dict[str, NDArray[Any]]
    synaptic: dict[str, NDArray[Any]]

    def times(self, neuron: int = 0) -> NDArray[Any]:
        return self.time[self.neuron == neuron]

    def count(self, size: int) -> NDArray[Any]:
        return np.bincount(self.neuron, minlength=size)


def _simulate(
    network: Network,
    duration: float,
    *,
    dt: float = 1e-4,
    spikes: Sequence[tuple[int, float]] = (),
    weights: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
    record: Sequence[str] = (),
    seed: int = 0,
) -> Run:
    """Run the network, whose population ``cells`` is looked at; ``source`` fires `spikes` (neuron, time).

    Projections join everybody to everybody, in the order of a dense array.
    """
    brian2 = pytest.importorskip("brian2")
    objects = pytest.importorskip("snncompare.dynamics.brian_objects")
    groups: dict[str, Any] = {}
    for name, population in network.populations.items():
        make = objects.spike_source if isinstance(population.neuron, SpikeSource) else objects.neuron_group
        groups[name] = make(network, name, dt, population.size)
    if "source" in groups:
        neuron, time = zip(*spikes, strict=True) if spikes else ([], [])
        groups["source"].set_spikes(neuron, np.array(time) * brian2.second)
    made = {}
    for name, projection in network.projections.items():
        made[name] = objects.synapses(network, name, groups[projection.source], groups[projection.target], dt)
        sizes = [network.populations[end].size for end in (projection.source, projection.target)]
        source, target = (index.ravel() for index in np.indices(sizes))
        made[name].connect(i=source, j=target)
        weight = (weights or {}).get(name, projection.weight.value.value)
        made[name].variables[weight_name(name)].set_value(weight)
        for variable, given in projection.synapse.initial.items():
            amount = projection.synapse.initial_state(variable) if isinstance(given, str) else given
            made[name].variables[f"{variable}_{name}"].set_value(amount.value)
    for name, value in (values or {}).items():
        groups["cells"].variables[name].set_value(np.asarray(value))
    cells, numpy_target = groups["cells"], {"codeobj_class": groups["cells"].codeobj_class}
    fires = network.populations["cells"].neuron.threshold is not None
    monitor = brian2.SpikeMonitor(cells, **numpy_target) if fires else None
    traces = (
        brian2.StateMonitor(cells, list(record), True, when="before_thresholds", **numpy_target) if record else None
    )
    monitors = [m for m in (monitor, traces) if m is not None]
    simulation = brian2.Network(*groups.values(), *made.values(), *monitors)
    state = np.random.get_state()  # noqa: NPY002 - Brian2 draws from numpy's global generator
    brian2.seed(seed)
    simulation.run(duration * brian2.second, namespace={})
    np.random.set_state(state)  # noqa: NPY002
    return Run(
        np.array(monitor.i if fires else [], dtype=int),
        np.array(monitor.t_ if fires else []),
        {name: np.array(getattr(traces, f"{name}_")) for name in record},
        {name: np.array(made[name].variables[weight_name(name)].get_value()) for name in made},
    )


@pytest.fixture
def simulate() -> Callable[..., Run]:
    return _simulate


@pytest.fixture
def driven() -> Callable[..., Run]:
    """Run one neuron for each constant current in `amounts` (SI); `each` gives parameters a value per neuron too."""

    def run(
        model: NeuronModel,
        amounts: Any,
        duration: float,
        *,
        into: str = "I",
        each: Mapping[str, Any] | None = None,
        values: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Run:
        unit = parse_unit(model.inputs[into])[1]
        neuron = with_bias(model, Quantity(0.0, unit), into=into)
        given = {f"bias_{into}": np.asarray(amounts)} | dict(each or {})
        population = Population(size=len(amounts), neuron=neuron, parameters={n: _drawn(neuron, n) for n in given})
        network = Network(populations={"cells": population})
        return _simulate(network, duration, values=given | dict(values or {}), **options)

    return run


def _drawn(neuron: NeuronModel, name: str) -> Uniform:
    """Return a distribution, which makes the parameter one value per neuron; the values themselves are set later."""
    unit = neuron.parameters[name].dimension
    return Uniform(low=Quantity(0.5, unit), high=Quantity(1.0, unit))


@pytest.fixture
def connected() -> Callable[..., Network]:
    """Describe a source that projects to cells."""

    def describe(
        model: NeuronModel,
        synapse: SynapseModel,
        weight: Any,
        *,
        sources: int = 1,
        size: int = 1,
        into: str = "I",
        delay: Any = "0 ms",
    ) -> Network:
        return Network(
            populations={
                "source": Population(size=sources, neuron=SpikeSource()),
                "cells": Population(size=size, neuron=model),
            },
            projections={
                "feed": Projection(
                    source="source",
                    target="cells",
                    synapse=synapse,
                    into=into if synapse.current else None,
                    weight=Constant(value=quantity(weight)),
                    delay=quantity(delay),
                )
            },
        )

    return describe
