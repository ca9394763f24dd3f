"""Bursts in descriptions: what is added to models, what is refused, what is read back from files."""

import math

import pytest

import snncompare as sc
from snncompare.backends.realisation import realise
from snncompare.errors import DescriptionError, InputError
from snncompare.network.equations import defined_names
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons import (
    burst_poisson_neuron,
    leak_units,
    leaky_integrate_and_fire,
    leaky_readout,
    parvalbumin_interneuron,
    two_compartment_pyramidal,
    with_bursts,
    with_input_current,
    with_poisson_background,
)
from snncompare.network.synapses import burst_dependent, exponential, of_bursts, of_events, pair_stdp
from snncompare.units import quantity

BACKGROUND = {"rate": "500 Hz", "weight": "8 nS", "tau": "5 ms", "reversal": "0 mV"}


def network(neuron, synapse=None, delay="0 ms", source=None):
    projections = {}
    if synapse is not None:
        projections["feed"] = {
            "source": "source" if source is not None else "cells",
            "target": "cells",
            "synapse": synapse,
            "into": "I" if synapse.current else None,
            "weight": Constant(value=quantity("1 mV")),
            "delay": delay,
        }
    populations = {"cells": {"size": 2, "neuron": neuron}} | ({} if source is None else {"source": source})
    return Network(populations=populations, projections=projections)


@pytest.mark.parametrize("backend", ["brian2", "torch"])
@pytest.mark.parametrize(("dt", "allowed"), [("2 ms", True), ("2.1 ms", False), ("4 ms", False)])
def test_bursts_are_refused_at_steps_above_two_milliseconds(backend, dt, allowed):
    described = network(with_bursts(leaky_integrate_and_fire()))
    if allowed:
        assert sc.compile(described, backend, dt=dt).dt == pytest.approx(2e-3)
    else:
        with pytest.raises(InputError, match=r"population 'cells': .* not defined at a time step of .*at most 2 ms"):
            sc.compile(described, backend, dt=dt)
        assert sc.compile(network(leaky_integrate_and_fire()), backend, dt=dt).dt > 2e-3


def test_a_network_in_pytorch_refuses_the_step_too():
    pytest.importorskip("torch")
    from snncompare.backends.torch.module import TorchNetwork

    described = network(with_bursts(leaky_integrate_and_fire()))
    with pytest.raises(InputError, match="choose dt of at most 2 ms"):
        TorchNetwork(described, 4e-3, realise(described, 0))


def test_the_shortest_of_several_longest_steps_counts():
    fine = with_bursts(leaky_integrate_and_fire(), interval="4 ms")
    assert fine.longest_step.value == pytest.approx(0.5e-3)
    noisy = with_poisson_background(two_compartment_pyramidal(), **BACKGROUND | {"rate": "2 kHz"})
    assert noisy.longest_step.value == pytest.approx(0.5e-3)  # at 0.5 ms every step holds a spike
    assert with_bursts(noisy).longest_step == noisy.longest_step
    assert with_poisson_background(noisy, **BACKGROUND, name="b").longest_step == noisy.longest_step


def test_the_longest_step_is_in_the_schema_and_survives_a_file(tmp_path):
    described = network(burst_poisson_neuron(tau_average="2 s", tau_rate="30 s"))
    assert Network.load(described.save(tmp_path / "network.yaml")) == described
    assert "longest_step" in Network.json_schema()["$defs"]["NeuronModel"]["properties"]


def test_files_without_the_field_are_read_as_before():
    plain = network(leaky_integrate_and_fire()).plain()
    assert "longest_step" not in plain["populations"]["cells"]["neuron"]
    assert Network.parse(plain, "old").populations["cells"].model.longest_step is None


@pytest.mark.parametrize("given", ["0 ms", "-1 ms", "3 mV"])
def test_a_longest_step_must_be_a_time(given):
    with pytest.raises(DescriptionError, match=f"longest_step must be a time longer than zero .*got '{given}'"):
        NeuronModel(equations="v : 1", longest_step=given)


def test_what_with_bursts_adds_is_what_it_says():
    assert {"event", "burst", "t_last_spike", "marked"} <= set(with_bursts(leaky_integrate_and_fire()).names())
    averaged = with_bursts(leaky_integrate_and_fire(), tau_average="2 s", tau_rate="30 s")
    added = set(averaged.names()) - set(with_bursts(leaky_integrate_and_fire()).names())
    assert {"events_average", "bursts_average", "event_rate", "burst_rate", "burst_probability", "spike_rate"} <= added


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: with_bursts(leaky_readout()), "without a threshold has no bursts"),
        (lambda: with_bursts(leaky_integrate_and_fire(), interval="0 ms"), "interval must be a time longer than zero"),
        (lambda: with_bursts(leaky_integrate_and_fire(), interval="3 mV"), "interval must be a time"),
        (lambda: with_bursts(leaky_integrate_and_fire(), tau_average="-1 s"), "tau_average must be a time"),
        (lambda: with_bursts(with_bursts(leaky_integrate_and_fire())), "'event' is defined twice"),
        (
            lambda: burst_poisson_neuron(delay_min="9 ms", delay_max="8 ms"),
            "the second spike must come after the first",
        ),
        (lambda: burst_poisson_neuron(delay_max="17 ms"), "within the pause and the burst interval"),
        (lambda: burst_poisson_neuron(dendritic_drive="axon"), "no choice 'axon'"),
        (lambda: with_poisson_background(two_compartment_pyramidal(), **BACKGROUND, into="J"), "no input 'J'"),
        (lambda: with_poisson_background(two_compartment_pyramidal(), **BACKGROUND, voltage="u"), "no variable 'u'"),
        (
            lambda: with_poisson_background(two_compartment_pyramidal(), **BACKGROUND | {"rate": "-5 Hz"}),
            "rate of the background 'background' must not be negative",
        ),
        (
            lambda: with_poisson_background(two_compartment_pyramidal(), **BACKGROUND | {"weight": "3 mV"}),
            "weight_background",
        ),
        (lambda: with_input_current(two_compartment_pyramidal(), "K"), "no input 'K'"),
        (lambda: with_input_current(two_compartment_pyramidal(), "I", "v"), "'v' is defined twice"),
        (lambda: leak_units(two_compartment_pyramidal(), "axon", 1.0), "no compartment 'axon'"),
        (lambda: leak_units(parvalbumin_interneuron(), "dendrite", 1.0), "dendrite: .* 'C_d'"),
    ],
)
def test_wrong_models_are_refused_in_one_sentence(make, match):
    with pytest.raises(InputError, match=match) as error:
        make()
    assert "\n" not in str(error.value)


RULE = {"rate": "0.1 mV", "tau_pre": "50 ms", "w_max": "1 mV"}


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: of_events(pair_stdp(exponential(), w_max="1 mV")), "changes 'w' itself; first choose"),
        (lambda: burst_dependent(pair_stdp(exponential(), w_max="1 mV"), **RULE), "one rule at a time"),
        (lambda: burst_dependent(exponential(), **RULE | {"rate": "0.1"}), "must have the unit 'volt' of the weight"),
        (lambda: burst_dependent(exponential(), **RULE | {"rate": "-1 mV"}), "rate must not be negative"),
        (lambda: burst_dependent(exponential(), **RULE, w_min="2 mV"), "w_min must lie below w_max"),
        (lambda: burst_dependent(exponential(), **RULE | {"tau_pre": "0 s"}), "tau_pre must be longer"),
        (lambda: burst_dependent(exponential(), **RULE, plasticity=0.5), "plasticity is 0 or 1, got 0.5"),
        (lambda: burst_dependent(exponential(), **RULE, min_rate="-2 Hz"), "min_rate must be"),
        (lambda: burst_dependent(exponential(), **RULE, max_rate="2 ms"), "max_rate must be"),
        (lambda: of_bursts(exponential(), interval="-16 ms"), "interval must be"),
    ],
)
def test_wrong_synapses_are_refused_in_one_sentence(make, match):
    with pytest.raises(DescriptionError, match=match):
        make()


def test_a_source_that_detects_no_bursts_is_refused():
    with pytest.raises(DescriptionError, match=r"projection 'feed': .*'event_pre'"):
        network(leaky_integrate_and_fire(), of_events(exponential()))
    with pytest.raises(DescriptionError, match=r"projection 'feed': .*'burst_probability_post'"):
        network(with_bursts(leaky_integrate_and_fire()), burst_dependent(exponential(), **RULE))


@pytest.mark.parametrize("transmits", [of_events, of_bursts])
def test_a_delay_needs_a_synapse_that_detects_for_itself(transmits):
    source = with_bursts(leaky_integrate_and_fire())
    with pytest.raises(DescriptionError, match="no longer what it was when it fired; use no delay"):
        network(source, transmits(exponential()), delay="1 ms")
    network(source, transmits(exponential()))
    network(source, transmits(exponential(), interval="16 ms"), delay="1 ms")


def test_weights_in_leak_units_are_conductances():
    model = two_compartment_pyramidal()
    assert leak_units(model, "soma", 1.0).value == pytest.approx(370e-12 / 16e-3)  # 23.125 nS
    assert leak_units(model, "dendrite", 0.05).value == pytest.approx(0.05 * 170e-12 / 7e-3)  # 24.286 nS
    assert leak_units(parvalbumin_interneuron(), "soma", 0.75).value == pytest.approx(7.5e-9)
    assert leak_units(two_compartment_pyramidal(tau_d="8 ms"), "dendrite", 1.0).value == pytest.approx(21.25e-9)


def test_a_settable_current_is_a_state_added_to_its_input():
    model = with_input_current(two_compartment_pyramidal(), "I_d", "I_teacher")
    assert "(I_d + I_teacher)" in model.equations
    assert defined_names(model.equations)["I_teacher"] == "parameter"
    assert "I_teacher" in model.states()
    assert math.isclose(model.parameters["C_d"].value, 170e-12)
