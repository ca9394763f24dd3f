"""On a network made smooth, gradients of everything that can be trained equal finite differences."""

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SmoothSpike, SuperSpike
from snncompare.dynamics.paths import Paths
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import exponential
from snncompare.network.trainable import Trainable

DT, STEPS, BATCH = 5e-4, 40, 2
AGREES = 1e-6
"""Relative; five-point differences with a step of 1e-4 of the value are off by 1e-8 to 1e-7 here."""

EACH, ONE = Trainable(), Trainable(shared=True)
NEURON = NeuronModel(
    equations="""
        dv/dt = (EL - v + I + 2*mV*exprel((v - EL)/(9*mV)))/tau : volt
        da/dt = -a/tau_a : volt
        dc/dt = -c/tau : 1
    """,
    threshold="v > theta + a and not (c > 8)",
    reset="v = v_reset; a += b; c += 1",
    parameters={
        "EL": "0 mV", "tau": "10 ms", "tau_a": "50 ms", "theta": "10 mV", "b": "1 mV", "v_reset": "-1 mV",
    },
    inputs={"I": "volt"},
    initial={"v": "EL"},
)  # fmt: skip
STRONG = {"type": "Uniform", "low": "5 mV", "high": "20 mV"}
LIGHT = {"type": "Uniform", "low": "1 mV", "high": "5 mV"}
WEAK = {"type": "Normal", "mean": "1 mV", "sd": "3 mV"}
WITHIN = {"type": "Uniform", "low": "0.1 ms", "high": "2.4 ms"}

SYNAPSES = {
    "pair rule": (
        {
            "synapse_equations": """
                dbefore/dt = -before/tau_before : 1 (event-driven)
                dafter/dt = -after/tau_after : 1 (event-driven)
            """,
            "on_pre": "v_post += w; before += jump; w = w + after*mV",
            "on_post": "after -= 0.2; w = w + before*mV",
            "weight_unit": "volt",
            "parameters": {"tau_before": "20 ms", "tau_after": "30 ms", "jump": "0.3"},
        },
        {"delay": WITHIN},
    ),
    "short-term plasticity": (
        {
            "equations": "dg/dt = -g/tau_g : volt",
            "current": "g",
            "synapse_equations": """
                dx/dt = (1 - x)/tau_d : 1 (event-driven)
                du/dt = -u/tau_f : 1 (event-driven)
            """,
            "on_pre": "u += U*(1 - u); g_post += w*u*x; x -= u*x",
            "weight_unit": "volt",
            "parameters": {"tau_d": "100 ms", "tau_f": "50 ms", "U": "0.4", "tau_g": "5 ms"},
            "initial": {"x": "1"},
        },
        {"into": "I", "delay": "1 ms"},
    ),
    "saturating gate": (
        {
            "equations": "g : volt",
            "current": "g",
            "synapse_equations": """
                ds/dt = -s/tau_s + a*x*(1 - s) : 1 (clock-driven)
                dx/dt = -x/tau_x : 1 (clock-driven)
                g_post = w*s : volt (summed)
            """,
            "on_pre": "x += 1",
            "weight_unit": "volt",
            "parameters": {"tau_s": "50 ms", "tau_x": "2 ms", "a": "500 Hz"},
        },
        {"into": "I"},
    ),
    "gap junction": (
        {
            "equations": "gap : volt",
            "current": "gain*gap",
            "synapse_equations": "gap_post = (w/mV)*(v_pre - v_post) : volt (summed)",
            "weight_unit": "volt",
            "parameters": {"gain": "0.02"},
        },
        {"into": "I"},
    ),
    "both ends": (
        {
            "on_pre": "v_post += w*gain*a_pre/(5*mV); c_post += 0.01*v_post/mV",
            "on_post": "c_pre += 0.1",
            "weight_unit": "volt",
            "parameters": {"gain": "0.5"},
        },
        {},
    ),
    "both ends, a gain of each neuron": (
        {
            "on_pre": "v_post += w*gain*a_pre/(5*mV); c_post += 0.01*v_post/mV",
            "weight_unit": "volt",
            "parameters": {"gain": "0.5"},
        },
        {"each": True},
    ),
    "linear, a gain of each neuron": (
        {"on_pre": "v_post += w*gain", "weight_unit": "volt", "parameters": {"gain": "0.5"}},
        {"each": True},
    ),
    "linear, one gain and a variable of the source": (
        {"on_pre": "v_post += w*gain*a_pre/(5*mV)", "weight_unit": "volt", "parameters": {"gain": "0.5"}},
        {},
    ),
}


def network(kind):
    synapse, described = SYNAPSES[kind]
    fast, model = exponential(tau="4 ms"), SynapseModel(**synapse)
    described = dict(described)
    marks = {"weight": EACH, **dict.fromkeys(model.parameters, EACH if described.pop("each", False) else ONE)}
    hidden = {"tau": EACH, "theta": ONE, "b": EACH, "v": EACH, "v_reset": ONE}
    return Network(
        populations={
            "inputs": Population(size=4, neuron=SpikeSource()),
            "hidden": Population(size=5, neuron=NEURON, trainable=hidden),
            "others": Population(size=5, neuron=NEURON, trainable={"tau_a": EACH, "EL": ONE}),
        },
        projections={
            "feed": Projection(
                source="inputs", target="hidden", synapse=fast, into="I", weight=STRONG, delay=WITHIN,
                trainable={"weight": EACH, "tau_syn": EACH, "delay": EACH},
            ),
            "recur": Projection(
                source="hidden", target="hidden", synapse=fast, into="I", weight=WEAK, delay=WITHIN,
                trainable={"weight": EACH, "delay": EACH, "tau_syn": ONE},
            ),
            "across": Projection(
                source="hidden", target="others", synapse=fast, into="I", weight=WEAK, delay="1.5 ms",
                trainable={"weight": EACH, "delay": ONE},
            ),
            "own": Projection(
                source="hidden", target="others", synapse=model, weight=LIGHT, trainable=marks,
                wiring={"type": "FixedProbability", "p": 0.6}, **described,
            ),
        },
    )  # fmt: skip


def differences(kind, surrogate, *, reset=True):
    """Return name to (gradient, finite difference) in a random direction, relative to the sum of their parts' sizes."""
    module = TorchNetwork(network(kind), DT, {}, surrogate=surrogate, paths=Paths(reset=reset), seed=1)
    module.synapses["across"].delay.data.fill_(
        1.3e-3
    )  # at a whole number of steps the two one-sided derivatives differ
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.random((STEPS, BATCH, 4)) < 0.2).double()
    traces = [(population, variable) for population in ("hidden", "others") for variable in ("v", "c")]
    probes = {key: torch.from_numpy(rng.normal(size=(STEPS, BATCH, 5))) for key in traces}
    scale = {"v": 1e3, "c": 1.0}

    def value():
        activity = module({"inputs": x}, traces=traces, record=["others"])
        return sum((activity.traces[key] * probe).sum() * scale[key[1]] for key, probe in probes.items()), activity

    loss, activity = value()
    assert float(activity.spikes["others"].detach().sum()) > 3, "too quiet for the comparison to mean anything"
    loss.backward()
    found = {}
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        start = parameter.detach().clone()
        size = float(start.abs().mean()) or 1e-2
        direction = torch.from_numpy(np.asarray(rng.normal(size=tuple(start.shape)))) * size
        values = []
        for steps in (-2, -1, 1, 2):
            parameter.data = start + steps * 1e-4 * direction
            values.append(float(value()[0].detach()))  # with gradients on, or delays would be rounded to time steps
        parameter.data = start
        numeric = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / 12e-4
        parts = parameter.grad * direction
        assert float(parts.abs().sum()) > 0, f"nothing depends on {name}"
        found[name] = abs(float(parts.sum()) - numeric) / float(parts.abs().sum())
    return found


@pytest.mark.parametrize("kind", SYNAPSES)
def test_gradients_equal_finite_differences(kind):
    found = differences(kind, SmoothSpike("3 mV"))
    assert {"neurons.hidden.tau", "neurons.hidden.theta", "neurons.hidden.v", "synapses.recur.delay"} <= set(found)
    assert {"synapses.own.weight", "neurons.hidden.tau_syn_feed", "neurons.hidden.tau_syn_recur"} <= set(found)
    assert max(found.values()) < AGREES, found


def test_a_detached_reset_is_no_derivative():
    """Negative control: with the reset left out, gradients differ from finite differences."""
    found = differences("saturating gate", SmoothSpike("3 mV"), reset=False)
    assert found["neurons.hidden.theta"] > 1e-3


def test_a_surrogate_is_no_derivative():
    """Negative control: with real spikes there is nothing for finite differences to see of a small step."""
    found = differences("saturating gate", SuperSpike("3 mV", "10 mV"))
    assert found["neurons.hidden.theta"] > 1e-2
