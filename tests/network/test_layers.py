"""Layers are the populations that reach each other, in the order in which signals flow."""

import pytest

from snncompare.network.initialisers import Constant
from snncompare.network.layers import layers, readouts
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import delta
from snncompare.units import quantity


def network(*pairs):
    names = dict.fromkeys(name for pair in pairs for name in pair)
    neurons = {"in": SpikeSource(), "out": leaky_readout()}
    weight = Constant(value=quantity("1 mV"))
    return Network(
        populations={name: Population(size=2, neuron=neurons.get(name, leaky_integrate_and_fire())) for name in names},
        projections={
            f"p{k}": Projection(source=a, target=b, synapse=delta(), weight=weight) for k, (a, b) in enumerate(pairs)
        },
    )


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        (["in a", "a out"], [["in"], ["a"], ["out"]]),
        (["in a", "a a", "a out"], [["in"], ["a"], ["out"]]),
        (["in a", "a b", "b a", "b out"], [["in"], ["a", "b"], ["out"]]),
        (["a out", "b a", "in b"], [["in"], ["b"], ["a"], ["out"]]),
        (["in a", "a b", "b c", "c a", "c d", "d out"], [["in"], ["a", "b", "c"], ["d"], ["out"]]),
    ],
    ids=["feed-forward", "recurrent", "loop of two", "described backwards", "loop of three"],
)
def test_layers_in_order(pairs, expected):
    made = network(*(pair.split() for pair in pairs))
    assert [set(layer) for layer in layers(made)] == [set(layer) for layer in expected]


def test_each_layer_comes_after_those_that_project_to_it():
    pairs = ["in a", "in b", "a c", "b c", "c d", "d c", "a e", "e out", "d out", "b e"]
    made = network(*(pair.split() for pair in pairs))
    place = {name: k for k, layer in enumerate(layers(made)) for name in layer}
    assert len(place) == len(made.populations)
    assert all(place[p.source] <= place[p.target] for p in made.projections.values())
    assert place["c"] == place["d"] != place["e"]


def test_readouts_never_fire():
    assert readouts(network(("in", "a"), ("a", "out"))) == ("out",)
    assert readouts(network(("in", "a"))) == ()
