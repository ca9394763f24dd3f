"""The ready models are plain descriptions whose units Brian2 agrees with."""

import inspect
import re

import pytest

from snncompare.errors import DescriptionError, UnitError
from snncompare.network import neurons, synapses
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import (
    adaptive_leaky_integrate_and_fire,
    firing_pattern,
    izhikevich,
    leaky_integrate_and_fire,
    leaky_readout,
    parvalbumin_interneuron,
    theta_neuron,
    with_bias,
)
from snncompare.network.neurons.exponential import FIRING_PATTERNS
from snncompare.network.neurons.quadratic import IZHIKEVICH_PATTERNS
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import (
    ampa,
    burst_dependent,
    delta,
    exponential,
    of_bursts,
    of_events,
    pair_stdp,
    short_term_plastic,
    triplet_stdp,
)
from snncompare.units import quantity

NEURONS = {
    name: getattr(neurons, name)
    for name in neurons.__all__
    if name not in ("firing_pattern", "leak_units") and not name.startswith("with_")
}
SYNAPSES = {
    **{name: getattr(synapses, name) for name in synapses.__all__},
    "as_conductance": lambda: synapses.as_conductance(exponential(unit="siemens"), reversal="0 mV"),
    "short_term_plastic": lambda: short_term_plastic(
        delta(), U=0.5, f=0.5, tau_depression="100 ms", tau_facilitation="50 ms"
    ),
    "pair_stdp": lambda: pair_stdp(exponential(), w_max="1 mV"),
    "triplet_stdp": lambda: triplet_stdp(exponential(), w_max="1 mV"),
    "of_events": lambda: of_events(exponential()),
    "of_bursts": lambda: of_bursts(exponential(), interval="16 ms"),
    "burst_dependent": lambda: burst_dependent(exponential(), rate="0.1 mV", tau_pre="50 ms", w_max="1 mV"),
}


@pytest.mark.parametrize("neuron", [leaky_integrate_and_fire, adaptive_leaky_integrate_and_fire, leaky_readout])
@pytest.mark.parametrize("synapse", [exponential, delta])
def test_every_pair_of_simple_models_is_a_network_that_brian2_finds_consistent(neuron, synapse):
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


@pytest.mark.parametrize("make", [*NEURONS.values(), *SYNAPSES.values()], ids=[*NEURONS, *SYNAPSES])
def test_ready_models_are_values_that_come_back_equal(make):
    model = make()
    assert type(model).parse(model.plain(), "again") == model
    assert isinstance(model, NeuronModel | SynapseModel)


@pytest.mark.parametrize("make", list(NEURONS.values()), ids=list(NEURONS))
def test_every_neuron_takes_an_input_and_none_of_its_parameters_is_idle(make):
    model = make()
    assert "I" in model.inputs
    text = " ".join([model.equations, model.threshold or "", model.reset, str(model.refractory)])
    text += " ".join(value for value in model.initial.values() if isinstance(value, str))
    assert {name for name in model.parameters if not re.search(rf"\b{name}\b", text)} == set()


@pytest.mark.parametrize("make", list(NEURONS.values()), ids=list(NEURONS))
def test_every_neuron_says_its_equation_and_where_it_comes_from(make):
    text = inspect.getdoc(make) + inspect.getdoc(inspect.getmodule(make))
    assert ".. math::" in text or ":math:`" in text
    if make not in (leaky_readout, neurons.poisson_neuron):
        assert re.search(r"\((19|20)\d\d\)|\b(19|20)\d\d\b", text)


def test_arguments_become_parameters_and_need_units():
    assert leaky_integrate_and_fire(tau="10 ms").parameters["tau"] == quantity("10 ms")
    assert exponential(tau="3 ms", unit="amp").weight_unit == "amp"
    assert delta(variable="a").on_pre == "a_post += w"
    assert ampa(voltage="v_d").current == "x*(E_syn - v_d)"
    with pytest.raises(UnitError, match="no unit 'mz'"):
        leaky_integrate_and_fire(tau="10 mz")


def test_the_first_models_are_still_what_networks_were_saved_with():
    lif, adaptive = leaky_integrate_and_fire(), adaptive_leaky_integrate_and_fire()
    assert (lif.equations, lif.reset) == ("dv/dt = (-v + I)/tau : volt (unless refractory)", "v = v_reset")
    assert adaptive.equations == f"{lif.equations}\nda/dt = -a/tau_adaptation : volt"
    assert (adaptive.threshold, adaptive.reset) == ("v > v_threshold + a", "v = v_reset; a += adaptation")
    assert (exponential().equations, exponential().current) == ("dx/dt = -x/tau_syn : volt", "x")


@pytest.mark.parametrize(
    ("make", "name", "names"), [(firing_pattern, "tonik", FIRING_PATTERNS), (izhikevich, "chater", IZHIKEVICH_PATTERNS)]
)
def test_unknown_patterns_are_refused_with_the_nearest(make, name, names):
    with pytest.raises(DescriptionError, match=f"no .*pattern '{name}'; did you mean"):
        make(name)
    for known in names:
        make(known)


def test_firing_patterns_have_the_published_parameters():
    columns = {  # table 1 of Naud et al. (2008), read down
        "C": [200, 200, 130, 200, 200, 100, 100, 100],
        "g_L": [10, 12, 18, 10, 12, 10, 10, 12],
        "E_L": [-70, -70, -58, -58, -70, -65, -65, -60],
        "a": [2, 2, 4, 2, -10, -10, 10, -11],
        "tau_w": [30, 300, 150, 120, 300, 90, 90, 130],
        "b": [0, 60, 120, 100, 0, 30, 100, 30],
        "v_reset": [-58, -58, -50, -46, -58, -47, -47, -48],
    }
    scale = {"C": 1e-12, "g_L": 1e-9, "E_L": 1e-3, "a": 1e-9, "tau_w": 1e-3, "b": 1e-12, "v_reset": 1e-3}
    made = [firing_pattern(name) for name in FIRING_PATTERNS]
    for name, column in columns.items():
        found = [model.parameters[name].value for model, _ in made]
        assert found == pytest.approx([value * scale[name] for value in column], rel=1e-12)
    currents = [current.value for _, current in made]
    assert currents == pytest.approx([value * 1e-12 for value in (500, 500, 400, 210, 300, 110, 180, 160)], rel=1e-12)


def test_a_bias_is_a_parameter_in_the_unit_of_its_input():
    model = with_bias(leaky_integrate_and_fire(), "3 mV")
    assert model.parameters["bias_I"] == quantity("3 mV")
    assert "(I + bias_I)" in model.equations
    assert with_bias(theta_neuron(), 2.0).parameters["bias_I"] == quantity(2.0)
    with pytest.raises(DescriptionError, match="must have the unit 'volt' of the input 'I', got '3 pA'"):
        with_bias(leaky_integrate_and_fire(), "3 pA")
    with pytest.raises(DescriptionError, match="no input 'J'"):
        with_bias(leaky_integrate_and_fire(), "3 mV", into="J")


def test_a_bias_that_is_there_is_replaced_and_not_added():
    model = parvalbumin_interneuron()
    changed = with_bias(model, "100 pA")
    assert changed.equations == model.equations
    assert changed.parameters["bias_I"] == quantity("100 pA")


def _time_constants(models):
    """Return every (model, argument) that is a time constant: it begins with ``tau``, and a millisecond more is taken."""
    for name, model in models.items():
        for argument, parameter in inspect.signature(model).parameters.items():
            if (argument == "tau" or argument.startswith("tau_")) and parameter.kind is parameter.KEYWORD_ONLY:
                yield pytest.param(model, argument, id=f"{name}-{argument}")


@pytest.mark.parametrize(("model", "argument"), [*_time_constants(NEURONS), *_time_constants(SYNAPSES)])
@pytest.mark.parametrize("given", ["0 ms", "-5 ms"])
def test_time_constants_are_above_zero(model, argument, given):
    with pytest.raises(DescriptionError, match=rf"^tau\w*:? .*(above|longer than) zero.*, got '{given}'"):
        model(**{argument: given})
