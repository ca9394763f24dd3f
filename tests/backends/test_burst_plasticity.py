"""Burst-dependent plasticity is the published rule, spike by spike, with the same weights on every backend."""

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import with_bursts
from snncompare.network.synapses import burst_dependent, delta

BACKENDS = ["brian2", "torch"]
STEP = 1e-4
DURATION = 0.7
RELAY = NeuronModel(equations="x : 1", threshold="x > 0.5", reset="x = 0")
RULE = {"rate": 0.1, "tau_pre": "50 ms", "w_max": 1.0}
HISTORY = {"events_average": 2.0, "bursts_average": 0.6}


def rule(
    pre, post, *, w=0.5, eta=0.1, history=(2.0, 0.6), order="pre first", first="probability", above=None, below=None
):
    """Return the weight at every presynaptic spike and at the end: section 3.2 of the specification, in plain Python.

    Times are in steps; the relays fire one step later, and averages decay from the first step on, before its spikes. `order` and `first` are what Payeur et al. (2021) do; other values are for controls. `above` and
    `below` are the limits in hertz of the two homeostatic terms.
    """
    trace, (events, bursts), spikes, last = 0.0, history, 0.0, -2
    before = {"pre": -(10**8), "post": -(10**8)}
    marked = False
    weights = []
    both = [(k, "pre") for k in pre] + [(k, "post") for k in post]
    for k, end in sorted(both, key=lambda spike: (spike[0], (spike[1] == "post") == (order == "pre first"))):
        passed = (k - last) * STEP
        trace, events, bursts = (
            trace * np.exp(-passed / 0.05),
            events * np.exp(-passed / 2),
            bursts * np.exp(-passed / 2),
        )
        spikes, last = spikes * np.exp(-passed / 1.0), k
        event = k - before[end] > 160
        before[end] = k
        if end == "pre":
            weights.append(w)
            trace += event
            if below is not None and event and spikes < below:
                w = min(1.0, w + eta * (below - spikes))
            continue
        if event:
            events += first == "events"
            probability = 1.0 if events == 0 else min(1.0, bursts / events)
            if above is not None and events / 2 > above:
                probability += (events / 2 - above) / (events / 2)
            w -= eta * probability * trace
            events += first == "probability"
        elif not marked:
            bursts += 1
            w += eta * trace
        marked, w, spikes = not event, min(max(w, 0.0), 1.0), spikes + 1.0
    return np.array([*weights, w])


def learned(backend, trials, *, synapse=None, history=HISTORY, weight=0.5, **options):
    """Return the weight at every presynaptic spike of every trial and at its end."""
    listen = delta(variable="heard", unit="1")
    cell = with_bursts(RELAY, tau_average="2 s", tau_rate="1 s")
    ear = cell.model_copy(update={"equations": f"{cell.equations}\nheard : 1"})
    synapse = burst_dependent(listen, **RULE) if synapse is None else synapse
    feed = {"synapse": delta(variable="x", unit="1"), "weight": Constant(value=1.0)}
    network = Network(
        populations={
            "before": {"size": 1, "neuron": SpikeSource()},
            "after": {"size": 1, "neuron": SpikeSource()},
            "source": {"size": 1, "neuron": cell},
            "target": {"size": 1, "neuron": ear, "initial": history},
        },
        projections={
            "to_source": {"source": "before", "target": "source", **feed},
            "to_target": {"source": "after", "target": "target", **feed},
            "plastic": {"source": "source", "target": "target", "synapse": synapse, "weight": Constant(value=weight)},
        },
    )
    last = int(DURATION / STEP) - 50
    probed = [(np.append(pre, last), post) for pre, post in trials]
    inputs = {name: recording([trial[k] for trial in probed]) for k, name in enumerate(("before", "after"))}
    run = sc.compile(network, backend, **options).run(inputs, duration=f"{DURATION} s", record=["target.heard"])
    heard = run.traces["target.heard"].values[:, 0]
    return [np.diff(of_trial, prepend=0.0)[pre + 2] for of_trial, (pre, _) in zip(heard, probed, strict=True)]


def recording(trials):
    trial = np.repeat(np.arange(len(trials)), [len(train) for train in trials])
    return sc.Recording.from_arrays(
        times=np.concatenate(trials) * STEP,
        unit=np.zeros(trial.size, dtype=int),
        trial=trial,
        units=pd.DataFrame(index=[0]),
        trials=pd.DataFrame({"start": 0.0, "stop": DURATION}, index=range(len(trials))),
    )


def train(seed, n=35):
    """Return steps of n spikes, intervals of 2 to 30 ms: events, bursts and later spikes."""
    return np.cumsum(np.random.default_rng(seed).integers(20, 300, n))


TRIALS = [(train(1), train(2)), (train(3), train(3)), (train(4), train(5))]  # the second: coincident spikes


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_are_those_of_the_rule_in_plain_python(backend):
    for found, (pre, post) in zip(learned(backend, TRIALS), TRIALS, strict=True):
        expected = rule(pre, post)
        assert found == pytest.approx(expected, rel=1e-9)  # sums of doubles read back from a running total
        assert np.ptp(expected) > 0.1


def test_both_backends_have_the_same_weights_trial_by_trial():
    for one, other in zip(*(learned(backend, TRIALS) for backend in BACKENDS), strict=True):
        assert one == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize(
    "changed", [{"order": "post first"}, {"first": "events"}, {"eta": 0.11}, {"history": (2.0, 0.7)}]
)
def test_another_rule_would_have_been_noticed(changed):
    pre, post = TRIALS[1]
    assert np.abs(rule(pre, post, **changed) - rule(pre, post)).max() > 1e-3


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_event_ever_counts_as_expected_to_burst(backend):
    pre, post = np.array([100]), np.array([150])
    found = learned(backend, [(pre, post)], history={})[0]
    assert found[-1] - found[0] == pytest.approx(-0.1 * np.exp(-5e-3 / 0.05), rel=1e-9)
    known = learned(backend, [(pre, post)])[0]
    assert known[-1] - known[0] == pytest.approx(-0.1 * 0.3 * np.exp(-5e-3 / 0.05), rel=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_closed_gate_changes_nothing(backend):
    closed = burst_dependent(delta(variable="heard", unit="1"), **RULE, plasticity=0)
    assert learned(backend, TRIALS[:1], synapse=closed)[0] == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_stay_between_their_bounds(backend):
    strong = burst_dependent(delta(variable="heard", unit="1"), **RULE | {"rate": 2.0})
    pre, post = TRIALS[0]
    expected = rule(pre, post, eta=2.0)
    assert {0.0, 1.0} <= set(expected)
    assert learned(backend, [(pre, post)], synapse=strong)[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_synapse_that_detects_events_itself_learns_the_same(backend):
    own = burst_dependent(delta(variable="heard", unit="1"), **RULE, interval="16 ms")
    assert learned(backend, TRIALS[:1], synapse=own)[0] == pytest.approx(rule(*TRIALS[0]), rel=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_homeostasis_weakens_above_the_highest_rate_and_strengthens_below_the_lowest(backend):
    held = burst_dependent(delta(variable="heard", unit="1"), **RULE, min_rate="4 Hz", max_rate="3 Hz")
    pre, post = TRIALS[0]
    expected = rule(pre, post, above=3.0, below=4.0)
    assert learned(backend, [(pre, post)], synapse=held)[0] == pytest.approx(expected, rel=1e-9)
    for one_only in ({"above": 3.0}, {"below": 4.0}):
        assert np.abs(rule(pre, post, **one_only) - expected).max() > 1e-3


def test_only_events_of_the_source_are_learned_from():
    burst = np.array([100, 150, 200])
    alone = learned("torch", [(burst[:1], np.array([250]))])[0]
    assert learned("torch", [(burst, np.array([250]))])[0][-1] == pytest.approx(alone[-1], rel=1e-12)
