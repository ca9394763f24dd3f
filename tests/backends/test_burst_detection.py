"""Events and bursts are told apart by exact intervals, and transmitted alone, on every backend."""

import numpy as np
import pandas as pd
import pytest
import torch

import snncompare as sc
from snncompare.backends.torch.population import PopulationStep
from snncompare.backends.torch.times import times_in
from snncompare.dynamics.paths import Paths
from snncompare.dynamics.program import Assignment
from snncompare.dynamics.step_program import network_program
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import burst_poisson_neuron, with_bursts
from snncompare.network.synapses import delta, of_bursts, of_events

RUNS = [("brian2", "float64"), ("torch", "float64"), ("torch", "float32")]
RELAY = NeuronModel(equations="x : 1", threshold="x > 0.5", reset="x = 0")
LISTENER = NeuronModel(equations="n_spikes : 1\nn_events : 1\nn_bursts : 1")

# Intervals after the first spike (ms), and how many of the spikes are events and bursts: Payeur et al. (2021), an event
# follows after more than 16 ms, the second spike of an event marks a burst, later ones are neither.
TRAINS = {
    "15.9": ([15.9], 1, 1),
    "16.1": ([16.1], 2, 0),
    "16.0 is within the burst": ([16.0], 1, 1),
    "10 + 10": ([10.0, 10.0], 1, 1),
    "10 + 17": ([10.0, 17.0], 2, 1),
    "four spikes, then two": ([8.0, 8.0, 8.0, 50.0, 3.0], 2, 2),
}


def recording(trains, stop):
    """Return spikes at the times of each unit (seconds)."""
    unit = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    return sc.Recording.from_arrays(
        times=np.concatenate(trains),
        unit=unit,
        trial=np.zeros(unit.size, dtype=int),
        units=pd.DataFrame(index=range(len(trains))),
        trials=pd.DataFrame({"start": [0.0], "stop": [stop]}),
    )


def heard(backend, dtype, *, interval=None, delay="0 ms", first=5.0, dt="0.1 ms", spike_model=None):
    """Return what synapses that transmit spikes, events and bursts have passed on of each train."""
    n, eye = len(TRAINS), np.eye(len(TRAINS))
    trains = [(first + np.cumsum([0.0, *gaps])) * 1e-3 for gaps, _, _ in TRAINS.values()]
    stop = round(first + 120) * 1e-3
    choose = {
        "spikes": delta(variable="n_spikes", unit="1"),
        "events": of_events(delta(variable="n_events", unit="1"), interval=interval),
        "bursts": of_bursts(delta(variable="n_bursts", unit="1"), interval=interval),
    }
    projections = {
        f"of_{name}": {
            "source": "relay",
            "target": "ear",
            "synapse": synapse,
            "weight": Constant(value=1),
            "delay": delay,
        }
        for name, synapse in choose.items()
    }
    feed = {
        "source": "source",
        "target": "relay",
        "synapse": delta(variable="x", unit="1"),
        "weight": Constant(value=1),
    }
    network = Network(
        populations={
            "source": {"size": n, "neuron": SpikeSource()},
            "relay": {"size": n, "neuron": with_bursts(RELAY) if spike_model is None else spike_model},
            "ear": {"size": n, "neuron": LISTENER},
        },
        projections={**projections, "feed": feed},
    )
    weights = dict.fromkeys(network.projections, eye)
    program = sc.compile(network, backend, dt=dt, dtype=dtype, weights=weights)
    run = program.run({"source": recording(trains, stop)}, duration=f"{stop} s", record=[f"ear.n_{n}" for n in choose])
    return {name: run.traces[f"ear.n_{name}"].values[0, :, -1].tolist() for name in choose}


EXPECTED = {
    "spikes": [len(gaps) + 1 for gaps, _, _ in TRAINS.values()],
    "events": [events for _, events, _ in TRAINS.values()],
    "bursts": [bursts for _, _, bursts in TRAINS.values()],
}


@pytest.mark.parametrize(("backend", "dtype"), RUNS)
def test_a_neuron_tells_its_events_and_bursts(backend, dtype):
    assert heard(backend, dtype) == EXPECTED


@pytest.mark.parametrize(("backend", "dtype"), RUNS)
@pytest.mark.parametrize("delay", ["0 ms", "12 ms"])
def test_a_synapse_tells_them_itself_after_any_delay(backend, dtype, delay):
    assert heard(backend, dtype, interval="16 ms", delay=delay) == EXPECTED


def test_a_longer_interval_joins_what_a_shorter_one_parts():
    joined = heard("torch", "float64", spike_model=with_bursts(RELAY, interval="17 ms"))
    assert joined["events"] == [1, 1, 1, 1, 1, 2]
    assert joined["bursts"] == [1, 1, 1, 1, 1, 2]
    assert heard("torch", "float64", interval="15.9 ms")["events"] == [1, 2, 2, 1, 2, 2]


def test_times_are_kept_in_float64_also_where_the_state_is_float32():
    # After 16 s a number of seconds in float32 is known to 2 us, more than the thousandth of a step of 0.1 ms within
    # which `timestep` forgives rounding: 16.1 ms would become 16 ms for some spikes.
    network = Network(populations={"cells": {"size": 3, "neuron": burst_poisson_neuron(tau_average="2 s")}})
    program = network_program(network, 1e-4).populations["cells"]
    step = PopulationStep(program, 3, 1e-4, None, Paths(), (), ())
    state = step.initial(1, {}, torch.zeros(1, dtype=torch.float32))
    doubles = {name for name, value in state.items() if value.dtype is torch.float64}
    assert doubles == {"t_last_spike", "t_spike", "t_again"}
    assert state["events_average"].dtype is torch.float32


def test_what_holds_a_time_is_seen_through_intermediate_values():
    assert times_in([Assignment("_later", ":=", "t + delay"), Assignment("again", "=", "u*(_later + rand())")]) == {
        "_later",
        "again",
    }
    for no_time in ("int(t > 1)", "timestep(t - last, dt)", "exp(-(t - last)/tau)", "v + I"):
        assert times_in([Assignment("x", "=", no_time)]) == frozenset()


@pytest.mark.parametrize("backend", ["brian2", "torch"])
def test_intervals_count_whole_steps_of_any_length(backend):
    # With steps of 0.3 ms the relay fires 53 or 54 steps apart: 15.9 and 16.2 ms.
    found = heard(backend, "float64", first=5.9, dt="0.3 ms")
    assert found["events"][:2] == [1, 2]
    assert found["bursts"][:2] == [1, 0]


@pytest.mark.parametrize("backend", ["brian2", "torch"])
def test_averages_decay_and_their_ratio_is_the_burst_probability(backend):
    network = Network(
        populations={
            "source": {"size": 1, "neuron": SpikeSource()},
            "relay": {"size": 1, "neuron": with_bursts(RELAY, tau_average="100 ms", tau_rate="1 s")},
        },
        projections={
            "feed": {
                "source": "source", "target": "relay", "synapse": delta(variable="x", unit="1"),
                "weight": Constant(value=1),
            }
        },
    )  # fmt: skip
    names = ["events_average", "bursts_average", "spike_rate"]
    spikes = np.array([10.0, 20.0, 30.0, 80.0]) * 1e-3  # event, burst, neither, event; fired one step later
    run = sc.compile(network, backend).run(
        {"source": recording([spikes], 0.1)}, duration="100 ms", record=[f"relay.{n}" for n in names]
    )
    trace = {name: run.traces[f"relay.{name}"].values[0, 0] for name in names}
    # Traces are taken after the state update and before the reset: a spike at step k shows, decayed once, at k + 1.
    step = np.arange(1000)
    decayed = {at: np.where(step > at, np.exp(-(step - at) * 1e-4 / 0.1), 0.0) for at in (101, 201, 301, 801)}
    events, bursts = decayed[101] + decayed[801], decayed[201]
    assert trace["events_average"] == pytest.approx(events, rel=1e-9, abs=1e-12)
    assert trace["bursts_average"] == pytest.approx(bursts, rel=1e-9, abs=1e-12)
    slow = sum(np.where(step > at, np.exp(-(step - at) * 1e-4), 0.0) for at in decayed)
    assert trace["spike_rate"] == pytest.approx(slow, rel=1e-9, abs=1e-9)
