"""Every construct of neuron equations gives in PyTorch what it gives in Brian2, and what it means is what makes it so."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel

TRACES_AGREE = 1e-9
"""Relative; both compute in float64, so that differences are some units in the last place (1e-16) that may add up."""

DRIVEN = """
    dv/dt = (EL - v + drive*(1 + 0.2*i))/tau : volt (unless refractory)
    dw/dt = -w/tau_w : volt
"""
PARAMETERS = {
    "EL": "-70 mV", "drive": "25 mV", "tau": "10 ms", "tau_w": "40 ms", "theta": "-50 mV", "b": "2 mV", "pause": "3 ms",
}  # fmt: skip


def cells(equations=DRIVEN, *, population=None, **model):
    described = {"threshold": "v > theta", "reset": "v = EL; w += b", "initial": {"v": "EL"}, **model}
    return Population(
        size=4, neuron=NeuronModel(equations=equations, parameters=PARAMETERS, **described), **(population or {})
    )


CASES = {
    "and of two comparisons": (
        {"threshold": "v > theta and w < 7*mV"},
        {"threshold": "v > theta"},
    ),
    "or of two comparisons": (
        {"threshold": "v > theta + 15*mV or w < 1*mV"},
        {"threshold": "v > theta + 15*mV"},
    ),
    "not and below": ({"threshold": "not (v < theta + w)"}, {"threshold": "not (v < theta)"}),
    "comparison of the time": (
        {"threshold": "v > theta and t > 200*ms"},
        {"threshold": "v > theta and t > 100*ms"},
    ),
    "step number": (
        {"threshold": "v > theta and int(t/dt) % 3 == 0"},
        {"threshold": "v > theta and int(t/dt) % 2 == 0"},
    ),
    "boolean variable": (
        {
            "equations": DRIVEN + "armed : boolean",
            "threshold": "v > theta + 2*mV or v > theta and armed",
            "reset": "v = EL; w += b; armed = w < 4*mV",
        },
        {
            "equations": DRIVEN + "armed : boolean",
            "threshold": "v > theta + 2*mV or v > theta and armed",
            "reset": "v = EL; w += b; armed = w < 6*mV",
        },
    ),
    "integer variable": (
        {
            "equations": DRIVEN + "count : integer",
            "threshold": "v > theta + count*0.5*mV",
            "reset": "v = EL; count += 1; w += b*(count % 2)",
        },
        {
            "equations": DRIVEN + "count : integer",
            "threshold": "v > theta + count*0.5*mV",
            "reset": "v = EL; count += 2; w += b*(count % 2)",
        },
    ),
    "constant pause": ({"refractory": "3 ms"}, {"refractory": "3.5 ms"}),
    "pause of a time step": ({"refractory": "0.5 ms"}, {"refractory": "1 ms"}),
    "pause that depends on the state": ({"refractory": "pause + w/mV*ms"}, {"refractory": "pause"}),
    "pause while a condition holds": ({"refractory": "w > 1.5*mV"}, {"refractory": "w > 1.6*mV"}),
    "pause by the last spike": (
        {"refractory": "(t - lastspike) <= pause"},
        {"refractory": "(t - lastspike) < pause + 1*ms"},
    ),
    "time since the last spike": (
        {"threshold": "v > theta + 9*mV*exp(-(t - lastspike)/tau_w)", "refractory": "0 ms"},
        {"threshold": "v > theta + 8*mV*exp(-(t - lastspike)/tau_w)", "refractory": "0 ms"},
    ),
    "subexpression": (
        {"equations": DRIVEN.replace("drive*", "rise*drive*") + "rise = 1 + 0.3*sin(2*pi*5*Hz*t) : 1"},
        {"equations": DRIVEN.replace("drive*", "rise*drive*") + "rise = 1 + 0.3*cos(2*pi*5*Hz*t) : 1"},
    ),
    "subexpression that is constant over a step": (
        {"equations": DRIVEN.replace("drive*", "rise*drive*") + "rise = 1 - 20*w/volt : 1 (constant over dt)", "method": "rk4"},
        {"equations": DRIVEN.replace("drive*", "rise*drive*") + "rise = 1 - 20*w/volt : 1", "method": "rk4"},
    ),
    "shared variable": (
        {"equations": DRIVEN.replace("drive*", "gain*drive*") + "gain : 1 (shared)", "initial": {"gain": "0.9"}},
        {"equations": DRIVEN.replace("drive*", "gain*drive*") + "gain : 1 (shared)", "initial": {"gain": "0.91"}},
    ),
    "functions": (
        {
            "equations": DRIVEN.replace(
                "drive*", "drive*clip(exprel(w/(10*mV)), 0.5, 1.2)*(1 + 0.1*tanh(w/(5*mV)) + int(w > 2*mV)*0.1)*"
            )
        },
        {
            "equations": DRIVEN.replace(
                "drive*", "drive*clip(exprel(w/(10*mV)), 0.5, 1.1)*(1 + 0.1*tanh(w/(5*mV)) + int(w > 2*mV)*0.1)*"
            )
        },
    ),
    "powers and remainders": (
        {"equations": DRIVEN.replace("drive*", "drive*(1 + (w/(20*mV))**3 - (w/(30*mV))**1.5 + (v/(70*mV) % 1)//0.4)*")},
        {"equations": DRIVEN.replace("drive*", "drive*(1 + (w/(20*mV))**2 - (w/(30*mV))**1.5 + (v/(70*mV) % 1)//0.4)*")},
    ),
    "two resets in order": ({"reset": "w += b; v = EL - w"}, {"reset": "v = EL - w; w += b"}),
    "user function": (
        {
            "functions": {"soft(x)": "log(1 + exp(x))"},
            "equations": DRIVEN.replace("drive*", "drive*soft(w/(4*mV))*"),
            "threshold": "v > theta",
        },
        {
            "functions": {"soft(x)": "log(1.01 + exp(x))"},
            "equations": DRIVEN.replace("drive*", "drive*soft(w/(4*mV))*"),
            "threshold": "v > theta",
        },
    ),
    "number of neurons": (
        {"equations": DRIVEN.replace("0.2*i", "i/N")},
        {"equations": DRIVEN.replace("0.2*i", "(i + 0.1)/N")},
    ),
    "parameter of each neuron": (
        {"population": {"parameters": {"tau": {"type": "Uniform", "low": "6 ms", "high": "14 ms"}}}},
        {"population": {"parameters": {"tau": {"type": "Uniform", "low": "6 ms", "high": "14.01 ms"}}}},
    ),
    "threshold and pause of each neuron": (
        {
            "refractory": "pause",
            "population": {
                "parameters": {
                    "pause": {"type": "Uniform", "low": "1 ms", "high": "5 ms"},
                    "theta": {"type": "Uniform", "low": "-55 mV", "high": "-50 mV"},
                }
            },
        },
        {
            "refractory": "pause",
            "population": {
                "parameters": {
                    "pause": {"type": "Uniform", "low": "1 ms", "high": "6 ms"},
                    "theta": {"type": "Uniform", "low": "-55 mV", "high": "-50 mV"},
                }
            },
        },
    ),
    "initial states that are drawn": (
        {"population": {"initial": {"v": {"type": "Uniform", "low": "-70 mV", "high": "-55 mV"}}}},
        {"population": {"initial": {"v": {"type": "Uniform", "low": "-70 mV", "high": "-54 mV"}}}},
    ),
}  # fmt: skip


def run(backend, version):
    network = Network(
        populations={f"case_{k}": cells(**versions[version]) for k, versions in enumerate(CASES.values())}
    )
    record = [f"{name}{variable}" for name in network.populations for variable in ("", ".v", ".w")]
    return sc.compile(network, backend, dt="0.5 ms", seed=3).run({}, duration="1 s", record=record)


@pytest.fixture(scope="module")
def runs():
    return {"brian2": run("brian2", 0), "torch": run("torch", 0), "changed": run("torch", 1)}


def difference(one, two, population):
    """Return whether spikes differ, and by how much traces do, relative to their largest value."""
    here = [r.select(units=r.units["population"].to_numpy() == population) for r in (one, two)]
    spikes = [(r.times.tolist(), r.spike_index()[1].tolist()) for r in here]
    traces = [(one.traces[f"{population}.{v}"].values, two.traces[f"{population}.{v}"].values) for v in ("v", "w")]
    return spikes[0] != spikes[1], max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in traces)


@pytest.mark.parametrize("case", CASES)
def test_a_construct_gives_the_spikes_and_traces_of_brian2(runs, case):
    name = f"case_{list(CASES).index(case)}"
    other_spikes, traces_differ = difference(runs["torch"], runs["brian2"], name)
    assert not other_spikes
    assert traces_differ < TRACES_AGREE
    spikes = (runs["brian2"].units["population"].to_numpy()[runs["brian2"].spike_index()[1]] == name).sum()
    assert spikes > 60, "too quiet for the comparison to mean anything"


@pytest.mark.parametrize("case", CASES)
def test_the_comparison_sees_a_construct_that_is_a_little_different(runs, case):
    name = f"case_{list(CASES).index(case)}"
    other_spikes, traces_differ = difference(runs["changed"], runs["brian2"], name)
    assert other_spikes or traces_differ > TRACES_AGREE
