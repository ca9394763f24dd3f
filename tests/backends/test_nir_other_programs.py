"""Other programs read what we write, and we read what they write: the same spikes, in the order of steps of each.

snnTorch and Norse update the current, then the membrane, then fire, all in one step; Brian2 lets a spike act in the
next step. Behind one layer of current-based neurons our spikes are therefore theirs, one step later.
"""

import numpy as np
import pytest

import snncompare as sc
from snncompare.backends.nir import from_nir, import_nir, to_nir
from snncompare.backends.realisation import realise
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import exponential
from snncompare.testing.networks import poisson_input
from snncompare.units import quantity

nir = pytest.importorskip("nir")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

DT = 1e-4  # the time step that snnTorch assumes in every file
INPUT = poisson_input(units=12, trials=1, rate=80, duration=0.2, dt=DT)


def raster(recording):
    found = np.zeros((2000, recording.n_units), dtype=np.float32)
    found[np.round(recording.times / DT).astype(int), recording.spike_index()[1]] = 1
    return found


def ours(network, weights):
    program = sc.compile(network, "brian2", dt="0.1 ms", weights=weights)
    return raster(program.run({network.sources()[0]: INPUT}, duration="0.2 s"))


def theirs(module):
    state, found = None, []
    with torch.no_grad():
        for spikes in torch.tensor(raster(INPUT)):
            sent, state = module(spikes[None], state)
            found.append(sent[0].numpy())
    return np.array(found)


@pytest.fixture(scope="module")
def written():
    neuron = leaky_integrate_and_fire(refractory="0 ms").model_copy(update={"method": "euler"})
    weight = Normal(mean=quantity("20 mV"), sd=quantity("10 mV"))
    feed = Projection(source="source", target="cells", synapse=exponential(tau="3 ms"), into="I", weight=weight)
    populations = {"source": Population(size=12, neuron=SpikeSource()), "cells": Population(size=10, neuron=neuron)}
    network = Network(populations=populations, projections={"feed": feed})
    realisation = realise(network, 1)
    fired = ours(network, realisation)
    assert fired.sum() >= 50
    return to_nir(network, realisation, dt="0.1 ms"), fired


def test_snntorch_fires_the_spikes_of_the_network_that_we_wrote(written):
    importing = pytest.importorskip("snntorch.import_nir")
    graph, fired = written
    assert np.array_equal(theirs(importing.import_from_nir(graph))[:-1], fired[1:])


def test_norse_fires_the_spikes_of_the_network_that_we_wrote(written):
    norse = pytest.importorskip("norse.torch")
    graph, fired = written
    assert np.array_equal(theirs(norse.from_nir(graph, dt=DT))[:-1], fired[1:])


def test_another_time_step_would_be_noticed(written):
    """Negative control: read with twice the time step, the same file fires other spikes."""
    norse = pytest.importorskip("norse.torch")
    graph, fired = written
    assert not np.array_equal(theirs(norse.from_nir(graph, dt=2 * DT))[:-1], fired[1:])


def test_we_fire_the_spikes_of_the_network_that_snntorch_wrote(tmp_path):
    snntorch = pytest.importorskip("snntorch")
    exporting = pytest.importorskip("snntorch.export_nir")
    torch.manual_seed(0)
    ones = torch.ones(10)
    cells = snntorch.Synaptic(
        0.9 * ones, 0.95 * ones, threshold=ones, init_hidden=True, reset_mechanism="zero", reset_delay=False
    )
    module = torch.nn.Sequential(torch.nn.Linear(12, 10), cells)
    with torch.no_grad():
        module[0].weight.uniform_(-0.2, 0.3)
        module[0].bias.uniform_(0.0, 0.004)
    nir.write(tmp_path / "snntorch.nir", exporting.export_to_nir(module, torch.zeros(12)))
    cells.reset_hidden()
    with torch.no_grad():
        found = np.array([module(spikes[None])[0].numpy() for spikes in torch.tensor(raster(INPUT))])
    assert found.sum() >= 50
    network, weights = import_nir(tmp_path / "snntorch.nir", dt="0.1 ms", method="euler")
    assert np.array_equal(ours(network, weights)[1:], found[:-1])


def test_a_recurrent_layer_that_snntorch_wrote_obeys_its_recursion():
    """Its own RSynaptic cannot run with an immediate reset to zero (1.0.0), so its stated recursion is written out."""
    snntorch = pytest.importorskip("snntorch")
    exporting = pytest.importorskip("snntorch.export_nir")
    torch.manual_seed(0)
    layer = exporting._extract_snntorch_module(
        snntorch.RSynaptic(0.9, 0.95, linear_features=10, reset_mechanism="zero")
    )
    assert isinstance(layer, nir.NIRGraph)
    recurrent = layer.nodes["w_rec"]
    recurrent.weight, recurrent.bias = 0.2 * recurrent.weight, 0.01 * recurrent.bias
    forth = np.random.default_rng(0).uniform(-0.2, 0.3, (10, 12))
    nodes = {"input": nir.Input({"input": np.array([12])}), "fc": nir.Linear(forth), "layer": layer}
    nodes["output"] = nir.Output({"output": np.array([10])})
    graph = nir.NIRGraph(nodes, [("input", "fc"), ("fc", "layer"), ("layer", "output")])
    current, membrane, fired, found = np.zeros(10), np.zeros(10), np.zeros(10), []
    for spikes in raster(INPUT):
        current = 0.9 * current + forth @ spikes + recurrent.weight @ fired + recurrent.bias
        membrane = 0.95 * membrane + current
        fired = (membrane > 1).astype(float)
        membrane = np.where(fired, 0.0, membrane)
        found.append(fired)
    assert np.sum(found) >= 50
    network, weights = from_nir(graph, dt="0.1 ms", method="euler")
    assert np.array_equal(ours(network, weights)[1:], found[:-1])


def test_the_braille_network_of_the_nir_paper_is_read():
    """Two current-based layers with biases, the first recurrent, in the file that Norse ships."""
    norse = pytest.importorskip("norse")
    import pathlib

    path = pathlib.Path(norse.__path__[0]) / "torch" / "utils" / "test" / "braille.nir"
    if not path.exists():
        pytest.skip("this version of Norse ships no file")
    network, weights = import_nir(path, dt="0.1 ms")
    assert {name: population.size for name, population in network.populations.items()} == {
        "input": 12,
        "lif1_lif": 38,
        "lif2": 7,
    }
    assert {name: found.shape for name, found in weights.connections.items()} == {
        "fc1": (12, 38), "lif1_w_rec": (38, 38), "fc2": (38, 7),
    }  # fmt: skip
    assert from_nir(nir.read(path), dt="0.1 ms")[0].populations == network.populations
