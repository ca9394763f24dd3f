"""The differential equations of a graph, integrated by numpy alone, fire the spikes of the network read from it.

The reference knows nothing of the package: it evaluates the nodes as NIR defines them, as one linear system, and steps
it exactly by a matrix exponential. The stated convention, that of Brian2: each step, the first included, integrates,
then compares with the thresholds, then adds the spikes as impulses of the area of a time step (or 1), then resets.
"""

import numpy as np
import pytest
from scipy.linalg import expm

import snncompare as sc
from snncompare.backends.nir import from_nir, to_nir
from snncompare.backends.realisation import realise
from snncompare.network.initialisers import Gamma, Normal, Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import delta, exponential
from snncompare.testing.networks import poisson_input
from snncompare.units import quantity

nir = pytest.importorskip("nir")
DT = 5e-4


class Reference:
    """A graph without subgraphs as one linear system with spikes."""

    def __init__(self, graph, area):
        self.nodes, self.edges, self.area = graph.nodes, graph.edges, area
        self.places, n = {}, 0
        for name, node in self.nodes.items():
            if isinstance(node, (nir.LIF, nir.LI, nir.IF, nir.CubaLIF)):
                size = node.r.size
                current = slice(n, n + size) if isinstance(node, nir.CubaLIF) else None
                n += size if current else 0
                self.places[name] = (current, slice(n, n + size))
                n += size
        self.state = np.zeros(n)
        for name, (current, voltage) in self.places.items():
            metadata = self.nodes[name].metadata
            self.state[voltage] = metadata.get("initial", getattr(self.nodes[name], "v_leak", 0.0))
            if current:
                self.state[current] = metadata.get("initial_current", 0.0)
        self.late = {name: [] for name, node in self.nodes.items() if isinstance(node, nir.Delay)}
        nothing = self.slope(np.zeros(n), {}, {})
        system = np.zeros((n + 1, n + 1))
        system[:n, :n] = np.stack([self.slope(unit, {}, {}) - nothing for unit in np.eye(n)], axis=1)
        system[:n, n] = nothing
        self.step = expm(DT * system)
        self.nothing = nothing

    def slope(self, state, spikes, delayed):
        """The derivative of the state, with spikes as the numbers that they are in their step."""
        found = np.zeros(state.size)
        for name, (current, voltage) in self.places.items():
            node, arriving = self.nodes[name], self.arriving(name, state, spikes, delayed)
            v = state[voltage]
            match node:
                case nir.CubaLIF():
                    found[current] = (-state[current] + node.w_in * arriving) / node.tau_syn
                    found[voltage] = (node.v_leak - v + node.r * state[current]) / node.tau_mem
                case nir.LIF() | nir.LI():
                    found[voltage] = (node.v_leak - v + node.r * arriving) / node.tau
                case nir.IF():
                    found[voltage] = node.r * arriving
        return found

    def arriving(self, name, state, spikes, delayed):
        return sum((self.sent(a, state, spikes, delayed) for a, b in self.edges if b == name), np.float64(0))

    def sent(self, name, state, spikes, delayed):
        node = self.nodes[name]
        match node:
            case nir.Delay():
                return delayed.get(name, np.zeros(node.delay.size))
            case nir.Linear():
                return node.weight @ self.arriving(name, state, spikes, delayed)
            case nir.Affine():
                return node.weight @ self.arriving(name, state, spikes, delayed) + node.bias
            case nir.Scale():
                return node.scale * self.arriving(name, state, spikes, delayed)
            case nir.LI():
                return state[self.places[name][1]]
            case nir.Input():
                return spikes.get(name, np.zeros(int(np.prod(node.input_type["input"]))))
            case _:
                return spikes.get(name, np.zeros(node.r.size))

    def run(self, inputs, steps):
        """The spikes of every population: name to boolean array (step, neuron)."""
        fired = {name: [] for name, node in self.nodes.items() if isinstance(node, (nir.LIF, nir.IF, nir.CubaLIF))}
        for k in range(steps):
            self.state = (self.step @ np.append(self.state, 1.0))[:-1]
            spikes = {name: raster[k].astype(float) for name, raster in inputs.items()}
            for name, found in fired.items():
                found.append(self.state[self.places[name][1]] > self.nodes[name].v_threshold)
                spikes[name] = found[-1].astype(float)
            delayed = {}
            for name, past in self.late.items():
                past.append(self.arriving(name, np.zeros_like(self.state), spikes, {}))
                back = np.round(self.nodes[name].delay / DT).astype(int)
                delayed[name] = np.array([past[k - b][i] if k >= b else 0.0 for i, b in enumerate(back)])
            zero = np.zeros_like(self.state)
            self.state = self.state + self.area * (self.slope(zero, spikes, delayed) - self.nothing)
            for name, found in fired.items():
                voltage = self.places[name][1]
                self.state[voltage] = np.where(found[-1], self.nodes[name].v_reset, self.state[voltage])
        return {name: np.array(found) for name, found in fired.items()}


def network():
    """Delays, heterogeneous time constants, current-based and delta synapses, a layer behind a recurrent layer."""

    def normal(mean, sd):
        return Normal(mean=quantity(mean), sd=quantity(sd))

    lif = leaky_integrate_and_fire(refractory="0 ms", v_reset="1 mV").model_copy(update={"method": "exact"})
    taus = {"tau": Gamma(mean=quantity("20 ms"), sd=quantity("5 ms"))}
    currents = {"synapse": exponential(tau="3 ms"), "into": "I"}
    return Network(
        populations={
            "source": Population(size=20, neuron=SpikeSource()),
            "cells": Population(size=30, neuron=lif, parameters=taus, initial={"v": Uniform(low="0 mV", high="9 mV")}),
            "last": Population(size=10, neuron=lif),
        },
        projections={
            "forth": Projection(source="source", target="cells", weight=normal("6 mV", "6 mV"), **currents),
            "back": Projection(
                source="cells", target="cells", weight=normal("-1 mV", "3 mV"), delay="1.5 ms", **currents
            ),
            "on": Projection(source="cells", target="last", synapse=delta(), weight=normal("1 mV", "1 mV")),
            "past": Projection(source="source", target="last", weight=normal("1 mV", "2 mV"), **currents),
        },
    )


def raster(recording):
    found = np.zeros((round(float(recording.trials["stop"].iloc[0]) / DT), recording.n_units), dtype=bool)
    found[np.round(recording.times / DT).astype(int), recording.spike_index()[1]] = True
    return found


def fired_by(described, weights, given, populations, duration="1 s"):
    program = sc.compile(described, "brian2", dt="0.5 ms", weights=weights)
    run = program.run(given, duration=duration, record=populations)
    whole = raster(run)
    return {name: whole[:, (run.units["population"] == name).to_numpy()] for name in populations}


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def written():
    """A graph, its input, and the spikes of the network that is read from it."""
    description = network()
    graph = to_nir(description, realise(description, 1), dt="0.5 ms")
    source = poisson_input(units=20, trials=1, rate=60)
    fired = fired_by(*from_nir(graph), {"source": source}, ["cells", "last"])
    assert sum(found.sum() for found in fired.values()) >= 1000
    return graph, {"source": raster(source)}, fired


def test_the_network_read_from_a_graph_obeys_the_equations_of_the_graph(written):
    graph, inputs, fired = written
    assert same(Reference(graph, DT).run(inputs, 2000), fired)


@pytest.mark.parametrize(
    ("field", "changed"),
    [("tau_mem", lambda a: a * DT), ("v_threshold", lambda a: a * 1.01), ("v_reset", lambda a: a + 1e-3)],
    ids=["tau times dt", "threshold", "reset"],
)
def test_another_graph_gives_other_spikes(written, field, changed):
    """Negative control: the faults known from other converters."""
    graph, inputs, fired = written
    other = nir.dict2NIRNode(graph.to_dict())
    setattr(other.nodes["cells"], field, changed(getattr(other.nodes["cells"], field)))
    assert not same(Reference(other, DT).run(inputs, 400), {name: found[:400] for name, found in fired.items()})


def test_another_area_of_a_spike_or_delay_gives_other_spikes(written):
    """Negative control: the convention matters."""
    graph, inputs, fired = written
    short = {name: found[:400] for name, found in fired.items()}
    assert not same(Reference(graph, 1.01 * DT).run(inputs, 400), short)
    other = nir.dict2NIRNode(graph.to_dict())
    other.nodes["back.delay"].delay = other.nodes["back.delay"].delay + DT
    assert not same(Reference(other, DT).run(inputs, 400), short)


def test_a_dirac_impulse_does_not_depend_on_the_time_step():
    description = network()
    realisation = realise(description, 1)
    graph = to_nir(description, realisation, dt="0.5 ms", spike="impulse")
    source = poisson_input(units=20, trials=1, rate=60, duration=0.2)
    fired = fired_by(*from_nir(graph), {"source": source}, ["cells", "last"], duration="0.2 s")
    assert same(Reference(graph, 1.0).run({"source": raster(source)}, 400), fired)
    for dt in ("0.1 ms", "1 ms"):
        other = to_nir(description, realisation, dt=dt, spike="impulse")
        assert np.array_equal(other.nodes["cells"].w_in, graph.nodes["cells"].w_in)
    stepped = to_nir(description, realisation, dt="1 ms")
    assert np.allclose(stepped.nodes["last"].r * 1e-3, graph.nodes["last"].r, rtol=1e-15, atol=0)  # one product


def test_biases_resistances_leaks_and_graded_chains_mean_what_nir_says():
    """A graph as nobody's exporter writes it; rk4 is exact to 1e-9 of a volt here, and no spike is that close."""
    rng = np.random.default_rng(0)

    def around(mean, n=12):
        return mean * rng.uniform(0.8, 1.2, n)

    nodes = {
        "source": nir.Input({"input": np.array([20])}),
        "w": nir.Affine(rng.normal(2.0, 4.0, (12, 20)), rng.normal(0.0, 0.02, 12)),
        "filter": nir.LI(tau=around(0.004), r=around(0.7), v_leak=around(0.01)),
        "gain": nir.Scale(around(1.3)),
        "lif": nir.LIF(tau=around(0.02), r=around(1.4), v_leak=around(-0.01), v_threshold=around(0.02),
                       v_reset=around(-0.005)),
        "across": nir.Linear(rng.normal(2.0, 4.0, (12, 12))),
        "late": nir.Delay(rng.integers(0, 5, 12) * DT),
        "integrator": nir.IF(r=around(20.0), v_threshold=around(0.2), v_reset=around(0.01)),
        "out": nir.Output({"output": np.array([12])}),
    }  # fmt: skip
    edges = [
        ("source", "w"), ("w", "filter"), ("filter", "gain"), ("gain", "lif"), ("lif", "across"), ("across", "late"),
        ("late", "integrator"), ("integrator", "out"),
    ]  # fmt: skip
    graph = nir.NIRGraph(nodes, edges)
    source = poisson_input(units=20, trials=1, rate=60)
    described, weights = from_nir(graph, dt="0.5 ms")
    assert described.populations["lif"].model.method == "exact"
    described, weights = from_nir(graph, dt="0.5 ms", method="rk4")
    fired = fired_by(described, weights, {"source": source}, ["lif", "integrator"])
    assert min(found.sum() for found in fired.values()) >= 100
    assert same(Reference(graph, DT).run({"source": raster(source)}, 2000), fired)
