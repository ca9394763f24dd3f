"""Every construct of synapses gives in PyTorch what it gives in Brian2: plasticity, sums, delays, variables of both ends."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.backends.torch.linear import LinearProjection
from snncompare.backends.torch.module import TorchNetwork
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapse import SynapseModel
from snncompare.testing.networks import poisson_input

TRACES_AGREE = 1e-9
"""Relative; both compute in float64, so that differences are some units in the last place (1e-16) that may add up."""

NEURON = NeuronModel(
    equations="""
        dv/dt = (-v + I + drive)/tau : volt (unless refractory)
        dc/dt = -c/tau_c : 1
    """,
    threshold="v > 10*mV",
    reset="v = 0*mV; c += 1",
    refractory="2 ms",
    parameters={"tau": "10 ms", "tau_c": "30 ms", "drive": "11 mV"},
    inputs={"I": "volt"},
)
STRONG = {"type": "Uniform", "low": "0.5 mV", "high": "4 mV"}
NUMBERS = {"type": "Uniform", "low": "0.1", "high": "1"}
DELAYS = {"type": "Uniform", "low": "0 ms", "high": "5 ms"}
CHANCE = {"type": "FixedProbability", "p": 0.4}

STDP = {
    "synapse_equations": """
        dapre/dt = -apre/tau_before : 1 (event-driven)
        dapost/dt = -apost/tau_after : 1 (event-driven)
    """,
    "on_pre": "v_post += w; apre += 0.2; w = clip(w + apost*mV, 0*mV, 4*mV)",
    "on_post": "apost -= 0.21; w = clip(w + apre*mV, 0*mV, 4*mV)",
    "weight_unit": "volt",
    "parameters": {"tau_before": "20 ms", "tau_after": "30 ms"},
}
SHORT_TERM = {
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
}
SATURATING = {
    "equations": "g : 1",
    "current": "g*mV",
    "synapse_equations": """
        ds/dt = -s/tau_s + a*x*(1 - s) : 1 (clock-driven)
        dx/dt = -x/tau_x : 1 (clock-driven)
        g_post = w*s : 1 (summed)
    """,
    "on_pre": "x += 1",
    "parameters": {"tau_s": "50 ms", "tau_x": "2 ms", "a": "500 Hz"},
}
GAP = {
    "equations": "gap : volt",
    "current": "gap",
    "synapse_equations": "gap_post = w*(v_pre - v_post) : volt (summed)",
}
CASES = {
    "pair rule": (STDP, {"weight": STRONG}, {"on_pre": STDP["on_pre"].replace("0.2;", "0.3;")}),
    "pair rule with delays": (STDP, {"weight": STRONG, "delay": DELAYS}, {"on_post": STDP["on_post"].replace("0.21", "0.2")}),
    "short-term plasticity": (SHORT_TERM, {"weight": STRONG, "into": "I"}, {"on_pre": "u += U*(1 - u); x -= u*x; g_post += w*u*x"}),
    "short-term plasticity with a delay": (
        SHORT_TERM,
        {"weight": STRONG, "into": "I", "delay": "1.5 ms"},
        {"initial": {"x": "0.5"}},
    ),
    "short-term plasticity with many delays": (
        SHORT_TERM,
        {"weight": STRONG, "into": "I", "delay": DELAYS},
        {"initial": {"x": "0.5"}},
    ),
    "short-term plasticity that starts anywhere": (
        {**SHORT_TERM, "initial": {"x": {"type": "Uniform", "low": "0.2", "high": "1"}}},
        {"weight": STRONG, "into": "I"},
        {"initial": {"x": {"type": "Uniform", "low": "0.2", "high": "0.9"}}},
    ),
    "saturating gate": (SATURATING, {"weight": NUMBERS, "into": "I"}, {"method": "euler"}),
    "gap junction": (GAP, {"weight": {"type": "Constant", "value": "0.02"}, "into": "I"}, {"current": "1.01*gap"}),
    "variable of the source": (
        {"on_pre": "v_post += w*c_pre", "weight_unit": "volt"},
        {"weight": STRONG},
        {"on_pre": "v_post += w*(c_pre + 0.01)"},
    ),
    "variable of the source with many delays": (
        {"on_pre": "v_post += w*c_pre", "weight_unit": "volt"},
        {"weight": STRONG, "delay": DELAYS},
        {"on_pre": "v_post += w*(c_pre + 0.01)"},
    ),
    "variable of the target": (
        {"on_pre": "c_post += 0.02*v_post/mV", "weight_unit": "volt"},
        {"weight": STRONG},
        {"on_pre": "c_post += 0.021*v_post/mV"},
    ),
    "products": (
        {"on_pre": "c_post *= 0.9; v_post += 0.2*mV", "weight_unit": "volt"},
        {"weight": STRONG},
        {"on_pre": "c_post *= 0.91; v_post += 0.2*mV"},
    ),
    "a value that is set": (
        {"on_pre": "v_post = 0.95*v_post; c_post = 0.1*t/second", "weight_unit": "volt"},
        {"weight": STRONG},
        {"on_pre": "v_post = 0.94*v_post; c_post = 0.1*t/second"},
    ),
    "what the source gets back": (
        {"on_post": "c_pre += 0.01", "on_pre": "v_post += w*c_pre/10", "weight_unit": "volt"},
        {"weight": STRONG},
        {"on_post": "c_pre += 0.011"},
    ),
    "counts of neurons and their numbers": (
        {"on_pre": "v_post += w*(i + 2*j)/N_pre", "weight_unit": "volt"},
        {"weight": STRONG},
        {"on_pre": "v_post += w*(i + 2*j)/(N_pre + N_post)"},
    ),
    "the time and a parameter": (
        {"on_pre": "v_post += w*exp(-t/second)*gain", "weight_unit": "volt", "parameters": {"gain": "0.7"}},
        {"weight": STRONG},
        {"parameters": {"gain": "0.71"}},
    ),
}  # fmt: skip


def network(version):
    """Return one target population for each case, all driven by the same neurons, which nothing acts back on but one case."""
    populations = {
        "inputs": Population(size=10, neuron=SpikeSource()),
        "sources": Population(size=6, neuron=NEURON),
        "other": Population(size=6, neuron=NEURON),
    }
    jump = SynapseModel(on_pre="v_post += w", weight_unit="volt")
    projections = {
        f"feed_{name}": Projection(
            source="inputs", target=name, synapse=jump, weight=STRONG, wiring={"type": "FixedProbability", "p": 0.6}
        )
        for name in ("sources", "other")
    }
    for k, case in enumerate(CASES):
        synapse, projection, other = CASES[case]
        model = SynapseModel(**{**synapse, **(other if version else {})})
        populations[f"case_{k}"] = Population(size=5, neuron=NEURON)
        source = "other" if "back" in case else "sources"
        described = {"wiring": CHANCE, **projection}
        projections[f"p_{k}"] = Projection(source=source, target=f"case_{k}", synapse=model, **described)
    return Network(populations=populations, projections=projections)


def run(backend, version):
    described = network(version)
    record = [f"{name}{v}" for name in described.populations if name.startswith("case") for v in ("", ".v", ".c")] + [
        "other",
        "other.c",
        "other.v",
    ]
    inputs = {"inputs": poisson_input(units=10, trials=1, rate=60.0)}
    return sc.compile(described, backend, dt="0.5 ms", seed=3).run(inputs, duration="1 s", record=record)


@pytest.fixture(scope="module")
def runs():
    return {"brian2": run("brian2", 0), "torch": run("torch", 0), "changed": run("torch", 1)}


def difference(one, two, case):
    """Return whether spikes differ, and by how much traces do, relative to their largest value."""
    population = "other" if "back" in case else f"case_{list(CASES).index(case)}"
    here = [r.select(units=r.units["population"].to_numpy() == population) for r in (one, two)]
    spikes = [(r.times.tolist(), r.spike_index()[1].tolist()) for r in here]
    traces = [(one.traces[f"{population}.{v}"].values, two.traces[f"{population}.{v}"].values) for v in ("v", "c")]
    other = max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in traces)
    return spikes[0] != spikes[1], other, len(spikes[1][0])


@pytest.mark.parametrize("case", CASES)
def test_synapses_give_the_spikes_and_traces_of_brian2(runs, case):
    other_spikes, traces_differ, spikes = difference(runs["torch"], runs["brian2"], case)
    assert spikes > 30, "too quiet for the comparison to mean anything"
    assert not other_spikes
    assert traces_differ < TRACES_AGREE


@pytest.mark.parametrize("case", CASES)
def test_the_comparison_sees_synapses_that_are_a_little_different(runs, case):
    other_spikes, traces_differ, _ = difference(runs["changed"], runs["brian2"], case)
    assert other_spikes or traces_differ > TRACES_AGREE


def test_state_is_kept_for_each_source_neuron_where_that_is_possible():
    module = TorchNetwork(network(0), 5e-4, {}, seed=3)
    kinds = {case: isinstance(module.synapses[f"p_{k}"], LinearProjection) for k, case in enumerate(CASES)}
    assert kinds["short-term plasticity"]
    assert kinds["short-term plasticity with a delay"]
    assert kinds["variable of the source"]
    assert not kinds["short-term plasticity with many delays"]
    assert not kinds["short-term plasticity that starts anywhere"]
    assert not kinds["pair rule"]
