"""The ready models are plain descriptions whose units Brian2 agrees with."""

import pytest

from snncompare.errors import UnitError
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import delta, exponential
from snncompare.units import quantity

NEURONS = [leaky_integrate_and_fire, adaptive_leaky_integrate_and_fire, leaky_readout]


@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("synapse", [exponential, delta])
def test_every_pair_of_ready_models_is_a_network_that_brian2_finds_consistent(neuron, synapse):
    network_program = pytest.importorskip("snncompare.dynamics.step_program").network_program
    network = Network(
        populations={
            "source": Population(size=2, neuron=SpikeSource()),
            "cells": Population(size=3, neuron=neuron()),
        },
        projections={
            "feed": Projection(
                source="source",
                target="cells",
                synapse=synapse(),
                into="I" if synapse().current else None,
                weight=Constant(value=quantity("1 mV")),
            )
        },
    )
    program = network_program(network, 1e-4).populations["cells"]
    assert (program.threshold is None) == (neuron is leaky_readout)


@pytest.mark.parametrize("model", [*(make() for make in NEURONS), exponential(), delta()], ids=range(5))
def test_ready_models_are_values_that_come_back_equal(model):
    assert type(model).parse(model.plain(), "again") == model
    assert isinstance(model, NeuronModel | SynapseModel)


def test_arguments_become_parameters_and_need_units():
    assert leaky_integrate_and_fire(tau="10 ms").parameters["tau"] == quantity("10 ms")
    assert exponential(tau="3 ms", unit="amp").weight_unit == "amp"
    assert delta(variable="a").on_pre == "a_post += w"
    with pytest.raises(UnitError, match="no unit 'mz'"):
        leaky_integrate_and_fire(tau="10 mz")
