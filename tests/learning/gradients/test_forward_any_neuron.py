"""Gradients along with a run are exact for any neuron model and for any synapse that only adds to its target."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.dynamics.step_program import network_program
from snncompare.errors import UnsupportedError
from snncompare.learning.gradients.backward import Backward
from snncompare.learning.gradients.forward.engine import Forward
from snncompare.learning.losses import Form, Loss, Reads, Wants
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import FullInfluence, PerSynapse
from snncompare.network.network import Network
from snncompare.network.trainable import Trainable
from snncompare.testing.models import NEURONS, NOISY_NEURONS, conformance_network
from snncompare.units import Quantity, base_unit

TOLERANCE = 1e-11
"""In float64; one digit less than elsewhere: derivatives grow by tens of orders of magnitude in models of action
potentials, and with them what is lost where large terms cancel."""

LOCAL = Paths(recurrent=False, cross_layer=CrossLayer.INSTANT)
STEPS, BATCH, INPUTS, CELLS = 250, 2, 8, 4
FEW = ("AdEx", "ALIF, SRNN", "two-compartment", "Traub-Miles", "white noise", "escape noise")


@dataclass(frozen=True)
class SpikeDifference(Loss):
    """Half the squared difference of spikes in every step."""

    form = Form.EACH_STEP
    wants = Wants.ANSWERS

    @property
    def reads(self):
        return Reads("cells", None)

    def __call__(self, values, target):
        return 0.5 * (values - target).square().sum() / values.shape[1]

    def at_step(self, values, target, step, n_steps):  # noqa: ARG002
        return 0.5 * (values - target).square().sum() / values.shape[0]


def described(neuron, synapse, *, recurrent):
    """Return the network of the conformance suite, smaller, and a surrogate that fits its threshold."""
    full = conformance_network(neuron, synapse)
    feed = full.projections["feed"].model_copy(update={"trainable": {"weight": Trainable()}})
    sizes = {"source": INPUTS, "cells": CELLS}
    network = Network(
        populations={n: p.model_copy(update={"size": sizes[n]}) for n, p in full.populations.items()},
        projections={"feed": feed} | ({"recur": feed.model_copy(update={"source": "cells"})} if recurrent else {}),
    )
    drive = {**NEURONS, **NOISY_NEURONS}[neuron]()[1]
    dimension = network_program(network, 1e-4).populations["cells"].threshold.dimensions[0]
    unit = base_unit(dimension)
    width = Quantity(drive.force.value * 0.2, dimension).value
    text = repr(width) if unit == "1" else f"{width!r} {unit}"
    return network, SuperSpike(text, text)


def both(neuron, synapse, paths, storage):
    """Return the gradients of both engines, and the number of spikes."""
    network, surrogate = described(neuron, synapse, recurrent=paths.recurrent)
    rule = LearningRule(surrogate=surrogate, paths=paths, storage=storage)
    rng = np.random.default_rng(0)
    source = torch.from_numpy(rng.random((STEPS, BATCH, INPUTS)) < 0.02).double()
    target = torch.from_numpy(rng.random((STEPS, BATCH, CELLS)) < 0.02).double()
    found = []
    for engine in (Forward, Backward):
        module = TorchNetwork(network, 1e-4, {}, surrogate=surrogate, paths=paths, seed=1)
        (learnt,) = engine(module, rule, SpikeDifference()).trials({"source": source}, target)
        found.append({name: weight.grad for name, weight in module.weights.items()})
    return *found, float(learnt.counts["cells"].sum())


def distance(one, other):
    return max(float((one[name] - other[name]).abs().max() / other[name].abs().max()) for name in other)


def check(neuron, synapse, paths, storage):
    forward, backward, count = both(neuron, synapse, paths, storage)
    assert 8 < count < 0.3 * STEPS * BATCH * CELLS
    assert all(float(gradient.norm()) > 0 for gradient in backward.values())
    assert distance(forward, backward) < TOLERANCE


@pytest.mark.parametrize("neuron", FEW)
def test_everything_followed_forwards_is_back_propagation(neuron):
    check(neuron, "exponential", Paths(), FullInfluence())


@pytest.mark.parametrize("neuron", FEW)
def test_traces_per_synapse_behind_conductances(neuron):
    check(neuron, "conductance", LOCAL, PerSynapse())


@pytest.mark.slow
@pytest.mark.parametrize("neuron", [name for name in (*NEURONS, *NOISY_NEURONS) if name not in FEW])
def test_every_other_neuron_model(neuron):
    check(neuron, "conductance", LOCAL, PerSynapse())


@pytest.mark.parametrize("synapse", ["delta", "alpha", "double exponential", "NMDA"])
def test_synapses(synapse):
    check("LIF", synapse, LOCAL, PerSynapse())


def test_a_path_left_out_shows():
    forward, backward, _ = both("AdEx", "exponential", Paths(adaptation=False), FullInfluence())
    assert distance(forward, backward) < TOLERANCE
    _, exact, _ = both("AdEx", "exponential", Paths(), FullInfluence())
    assert distance(forward, exact) > 1e-3


@pytest.mark.parametrize("synapse", ["depressing", "saturating NMDA", "STDP"])
def test_synapses_with_state_are_refused(synapse):
    network, surrogate = described("LIF", synapse, recurrent=False)
    module = TorchNetwork(network, 1e-4, {}, surrogate=surrogate, seed=1)
    engine = Forward(module, LearningRule(surrogate=surrogate, paths=LOCAL), SpikeDifference())
    with pytest.raises(UnsupportedError, match=r"'feed'.*state of their own; take.*BACKWARD"):
        engine.begin(1)
