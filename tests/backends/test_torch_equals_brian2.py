"""The same description gives the same spikes on both backends, and another weight gives others."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.backends.realisation import realise
from snncompare.network.neuron import NeuronModel
from snncompare.testing.conformance import same_spikes
from snncompare.testing.networks import poisson_input, recurrent_network
from snncompare.units import quantity


def both(network, recording, *, weights=None, dt="0.5 ms", seed=3):
    runs = [
        sc.compile(network, name, dt=dt, weights=weights, seed=seed).run({"source": recording}, duration="1 s")
        for name in ("torch", "brian2")
    ]
    assert runs[1].times.size > 300, "the network is too quiet for the comparison to mean anything"
    return runs


def test_one_changed_weight_changes_the_spikes():
    network, recording = recurrent_network(), poisson_input()
    weights = realise(network, 3).dense_weights()
    drive = weights["drive"].copy()
    drive[np.unravel_index(np.abs(drive).argmax(), drive.shape)] *= 1.2
    changed = sc.compile(network, "torch", dt="0.5 ms", weights=weights | {"drive": drive})
    reference = sc.compile(network, "brian2", dt="0.5 ms", weights=weights)
    spikes = [program.run({"source": recording}, duration="1 s") for program in (changed, reference)]
    assert not same_spikes(*spikes)


@pytest.mark.parametrize("method", ["exponential_euler", "euler", "rk2", "rk4", "exact"])
def test_every_integration_method_gives_the_same_spikes(method):
    network = recurrent_network()
    populations = {
        name: p.model_copy(update={"neuron": p.neuron.model_copy(update={"method": method})})
        if isinstance(p.neuron, NeuronModel)
        else p
        for name, p in network.populations.items()
    }
    if method == "exact":  # Brian2 solves linear equations exactly; held variables must be written another way there
        populations = {
            name: p.model_copy(
                update={
                    "neuron": p.neuron.model_copy(
                        update={"equations": p.neuron.equations.replace(" (unless refractory)", ""), "refractory": None}
                    )
                }
            )
            if isinstance(p.neuron, NeuronModel)
            else p
            for name, p in populations.items()
        }
    assert same_spikes(*both(network.model_copy(update={"populations": populations}), poisson_input()))


def test_a_neuron_nobody_shipped_gives_the_same_spikes():
    """An exponential integrate-and-fire neuron with a conductance synapse, written by a user."""
    neuron = NeuronModel(
        equations="""
            dv/dt = (EL - v + sharpness*exp((v - vT)/sharpness) + I/gL - w/gL)/tau : volt (unless refractory)
            dw/dt = (a*(v - EL) - w)/tau_w : amp
        """,
        threshold="v > v_peak",
        reset="v = EL; w += b",
        refractory=quantity("2 ms"),
        method="euler",
        parameters={
            "EL": quantity("-70 mV"),
            "vT": quantity("-50 mV"),
            "sharpness": quantity("2 mV"),
            "gL": quantity("10 nS"),
            "tau": quantity("20 ms"),
            "a": quantity("2 nS"),
            "tau_w": quantity("100 ms"),
            "b": quantity("20 pA"),
            "v_peak": quantity("-30 mV"),
        },
        inputs={"I": "amp"},
        initial={"v": "EL"},
    )
    synapse = {
        "equations": "dg/dt = -g/tau_g : siemens",
        "on_pre": "g_post += w",
        "current": "g*(E - v)",
        "weight_unit": "siemens",
        "parameters": {"tau_g": "5 ms", "E": "0 mV"},
    }
    network = sc.Network.parse(
        {
            "populations": {
                "source": {"size": 12, "neuron": {"type": "SpikeSource"}},
                "cells": {"size": 20, "neuron": neuron.plain()},
            },
            "projections": {
                "drive": {
                    "source": "source",
                    "target": "cells",
                    "synapse": synapse,
                    "into": "I",
                    "weight": {"type": "Uniform", "low": "0 nS", "high": "12 nS"},
                    "wiring": {"type": "FixedProbability", "p": 0.5},
                }
            },
        },
        "test",
    )
    assert same_spikes(*both(network, poisson_input(rate=80.0)))


def test_both_backends_accept_a_network_without_synapses_between_populations():
    network = recurrent_network()
    weights = {name: np.zeros_like(w) for name, w in realise(network, 0).dense_weights().items()}
    for backend in ("torch", "brian2"):
        program = sc.compile(network, backend, dt="0.5 ms", weights=weights)
        assert program.run({"source": poisson_input()}, duration="1 s").times.size == 0


def test_brian2_starts_every_run_from_the_same_state():
    program = sc.compile(recurrent_network(), "brian2", dt="0.5 ms")
    first, second = (program.run({"source": poisson_input()}, duration="1 s") for _ in range(2))
    assert same_spikes(first, second)


def test_brian2_leaves_the_global_generator_of_numpy_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    sc.compile(recurrent_network(), "brian2", dt="0.5 ms").run({"source": poisson_input()}, duration="1 s")
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_float32_is_close_in_spike_count_but_need_not_be_equal():
    program = sc.compile(recurrent_network(), "torch", dt="0.5 ms", dtype="float32", seed=3)
    exact = sc.compile(recurrent_network(), "torch", dt="0.5 ms", seed=3)
    single, double = (p.run({"source": poisson_input()}, duration="1 s").times.size for p in (program, exact))
    assert abs(single - double) < 0.1 * double  # the network is chaotic: rates agree, single spikes need not
