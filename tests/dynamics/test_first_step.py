"""Equal time constants, for which an exact solution is no number, are refused by name instead of silencing neurons."""

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.backends.realisation import realise
from snncompare.errors import InputError
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapses import exponential
from snncompare.network.trainable import Trainable
from snncompare.units import quantity

BACKENDS = ("brian2", "torch", "fused")
WEIGHT = Constant(value=quantity("60 mV"))


def network(*, tau="5 ms", tau_syn=("5 ms",), method="exact", trainable=()):
    """Return ten leaky neurons with exponential synapses."""
    neuron = NeuronModel(
        equations="dv/dt = (-v + I)/tau : volt (unless refractory)",
        threshold="v > 10*mV",
        reset="v = 0*mV",
        refractory=quantity("2 ms"),
        parameters={"tau": quantity(tau)},
        inputs={"I": "volt"},
        method=method,
    )
    cells = Population(size=10, neuron=neuron, trainable={name: Trainable() for name in trainable})
    source = Population(size=1, neuron=SpikeSource())
    projections = {
        f"drive{number}": Projection(
            source="source", target="cells", synapse=exponential(tau=tau), into="I", weight=WEIGHT
        )
        for number, tau in enumerate(tau_syn)
    }
    return Network(populations={"source": source, "cells": cells}, projections=projections)


def n_spikes(described, backend, **options):
    """Return how many spikes a regular input causes."""
    times = np.arange(0.01, 0.1, 0.01)
    trials = pd.DataFrame({"start": [0.0], "stop": [0.1]}, index=["tone"])
    units = pd.DataFrame(index=["s"])
    given = sc.Recording.from_arrays(
        times=times, unit=["s"] * len(times), trial=["tone"] * len(times), units=units, trials=trials
    )
    program = sc.compile(described, backend, dt="0.1 ms", seed=0, **options)
    return len(program.run({"source": given}, duration="100 ms").times)


@pytest.mark.parametrize("backend", BACKENDS)
def test_equal_time_constants_are_refused_with_their_names(backend):
    with pytest.raises(InputError, match=r"'cells': the method 'exact' .* \(tau = tau_syn of 'drive0'\); choose"):
        sc.compile(network(), backend, dt="0.1 ms")


@pytest.mark.parametrize("changed", [{"tau": "5.005 ms"}, {"method": "exponential_euler"}], ids=["differ", "method"])
def test_the_ways_out_that_the_message_names_give_spikes(changed):
    spikes = [n_spikes(network(**changed), backend) for backend in BACKENDS]
    assert spikes[0] > 0
    assert spikes == [spikes[0]] * 3


def test_equal_time_constants_that_do_not_drive_each_other_are_no_trouble():
    assert n_spikes(network(tau="10 ms", tau_syn=("5 ms", "5 ms")), "torch") > 0


def test_single_neurons_are_counted():
    given = np.linspace(4e-3, 6e-3, 10)
    given[3] = 5e-3
    described = network(tau="4 ms", trainable=["tau"])
    assert n_spikes(described, "torch") > 0
    with pytest.raises(InputError, match=r"which is zero in 1 of 10 neurons \(tau = tau_syn of 'drive0'\)"):
        sc.compile(described, "torch", dt="0.1 ms", weights={"cells": {"tau": given}})


def test_training_begins_where_there_are_numbers():
    with pytest.raises(InputError, match=r"which is zero \(tau = tau_syn of 'drive0'\)"):
        realise(network(trainable=["tau"]), 0, dt=1e-4)
    realise(network(trainable=["tau"], tau="6 ms"), 0, dt=1e-4)


def test_the_check_is_what_keeps_neurons_from_falling_silent(monkeypatch):
    monkeypatch.setattr("snncompare.dynamics.first_step.check_first_step", lambda *_: None)
    assert n_spikes(network(), "torch") == 0
