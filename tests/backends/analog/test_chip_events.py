"""Events on their way: what is lost, dropped and late, in numbers, whatever runs beside it."""

import numpy as np
import pytest

from snncompare.backends.analog import ChipProfile
from snncompare.backends.analog.chip import deploy_many
from snncompare.backends.analog.running.events import Link, LinkRules
from snncompare.backends.analog.running.run_sizes import RunSizes
from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError
from snncompare.network.synapses import exponential
from snncompare.testing.networks import poisson_input, recurrent_network

COPIES, SIZE = 4, 50


def _link(rules, *, devices=(1, 1, 2, 2), trials=(0, 1, 0, 1), seed=0):
    return Link(rules, (seed, "cells"), np.array(devices), np.array(trials), SIZE)


def _fired(n_steps, rate=0.2, seed=0):
    return np.random.default_rng(seed).random((n_steps, COPIES, SIZE)) < rate


def _arrivals(link, fired):
    """Return (copy, neuron, step fired, step of departure) of every event that sets out."""
    rows = []
    for step, now in enumerate(fired):
        for delay, who in link.send(step, now):
            copy, neuron = np.nonzero(who)
            rows.append(np.stack([copy, neuron, np.full(copy.size, step), np.full(copy.size, step + delay)]))
    return np.concatenate([np.zeros((4, 0), dtype=np.int64), *rows], axis=1)


def test_lost_events_are_counted_and_as_many_as_stated():
    fired = _fired(400)
    link = _link(LinkRules(loss=0.3))
    arrived, counts = _arrivals(link, fired), link.counts()
    assert counts.fired.tolist() == fired.sum(axis=(0, 2)).tolist()
    assert (counts.fired - counts.lost).tolist() == np.bincount(arrived[0], minlength=COPIES).tolist()
    n = counts.fired.sum()
    # Four standard deviations of the binomial share.
    assert abs(counts.lost.sum() / n - 0.3) < 4 * np.sqrt(0.3 * 0.7 / n)
    assert counts.dropped.sum() == 0
    assert _arrivals(_link(LinkRules(loss=1.0)), fired).size == 0
    assert _arrivals(_link(LinkRules()), fired).shape[1] == fired.sum()


def test_the_surplus_of_a_window_is_dropped_in_order_of_neurons():
    fired = np.zeros((7, COPIES, SIZE), dtype=bool)
    fired[0, 0, [3, 5]] = fired[1, 0, [1, 9, 20]] = True  # window 0 holds three
    fired[2, 0, [7]] = fired[5, 0, [2]] = True  # windows of 2.5 steps begin in steps 0, 3 and 5
    link = _link(LinkRules(most=3, window=2.5))
    arrived = _arrivals(link, fired)
    assert arrived[1].tolist() == [3, 5, 1, 2]
    assert link.counts().dropped.tolist() == [3, 0, 0, 0]
    assert _arrivals(_link(LinkRules(most=6, window=2.5)), fired)[1].size == 7


@pytest.mark.parametrize(("most", "window"), [(1, 1.0), (12, 4.0), (30, 2.5)])
def test_no_window_has_more_events_than_fit_and_no_room_is_wasted(most, window):
    fired = _fired(100)
    link = _link(LinkRules(most=most, window=window))
    copy, _, _, step = _arrivals(link, fired)
    number = np.floor(np.arange(100) / window + 1e-9).astype(int)
    for k in range(COPIES):
        passed = np.bincount(number[step[copy == k]], minlength=number[-1] + 1)
        tried = np.bincount(number, weights=fired[:, k].sum(axis=1)).astype(int)
        assert passed.tolist() == np.minimum(tried, most).tolist()
    counts = link.counts()
    assert counts.dropped.sum() == fired.sum() - copy.size > 0


def test_what_is_lost_takes_no_room_of_the_cap():
    fired = _fired(200)
    both = _link(LinkRules(loss=0.5, most=4))
    arrived = _arrivals(both, fired)
    counts = both.counts()
    assert (counts.fired - counts.lost - counts.dropped).tolist() == np.bincount(arrived[0]).tolist()
    per_step = np.bincount(arrived[2] * COPIES + arrived[0])
    assert per_step.max() == 4
    # About five of ten survive the loss: most steps fill the cap, which they could not if the lost ones counted.
    assert np.median(per_step) == 4


@pytest.mark.parametrize("sd", [0.6, 2.0, 5.0])
def test_jitter_has_its_spread_and_never_acts_before_the_spike(sd):
    rules = LinkRules(jitter=sd)
    fired = _fired(4000, rate=0.002)  # far apart, so that none waits for another
    copy, _, before, after = _arrivals(_link(rules), fired)
    late = after - before
    assert copy.size == fired.sum()
    assert late.min() >= 0
    assert late.max() <= 2 * rules.latency
    # Rounding to steps adds the variance 1/12; the cut at three standard deviations takes 1.4 % off the spread.
    expected = np.sqrt(sd**2 + 1 / 12)
    assert late.std() == pytest.approx(expected, rel=0.014 + 4 / np.sqrt(2 * late.size))
    assert abs(late.mean() - rules.latency) < 4 * expected / np.sqrt(late.size)


def test_jitter_below_the_time_grid_costs_nothing():
    assert (LinkRules(jitter=0.1).latency, LinkRules(jitter=0.2).latency) == (0, 1)
    fired = _fired(20)
    _, _, before, after = _arrivals(_link(LinkRules(jitter=0.1)), fired)
    assert (before == after).all()


def test_events_of_a_neuron_keep_their_order_one_in_a_step():
    fired = np.ones((60, COPIES, SIZE), dtype=bool)
    rules = LinkRules(jitter=3.0)
    copy, neuron, before, after = _arrivals(_link(rules), fired)
    for k in range(COPIES):
        for i in (0, SIZE - 1):
            mine = after[(copy == k) & (neuron == i)]
            assert (np.diff(mine) > 0).all()
    assert (after - before).max() <= 2 * rules.latency
    alone = _arrivals(_link(rules), _fired(60, rate=0.02))
    assert (np.diff(alone[3][np.lexsort((alone[2], alone[1], alone[0]))]) < 0).any()  # others may overtake


def test_an_event_does_not_depend_on_copies_beside_it():
    rules, fired = LinkRules(loss=0.3, most=6, jitter=1.5), _fired(80)
    together = _arrivals(_link(rules), fired)
    turned = _arrivals(_link(rules, devices=(2, 2, 1, 1), trials=(1, 0, 1, 0)), fired[:, ::-1])
    for k in range(COPIES):
        mine, same = together[:, together[0] == k], turned[:, turned[0] == COPIES - 1 - k]
        assert np.array_equal(mine[1:], same[1:])
    for other in ({"devices": (1, 1, 2, 3)}, {"trials": (0, 1, 0, 2)}, {"seed": 1}):
        assert not np.array_equal(_arrivals(_link(rules, **other), fired), together)


def _profile(**noise):
    plain = ChipProfile.load("plain").plain()
    stated = {"evidence": "user", "source": "test"}
    plain["speedup"] = {"value": 1000, **stated}
    plain["noise"] = {
        "rate_cap": {
            "events": {"value": 2, **stated},
            "window": {"value": noise.pop("window", 5), "unit": "us", **stated},
        }
    } | {name: {**value, **stated} for name, value in noise.items()}
    return ChipProfile.parse(plain, "test")


def test_times_of_the_chip_become_steps_of_the_network():
    fleet = deploy_many(recurrent_network(), _profile(jitter={"value": 0.5, "unit": "tau_syn"}), device_seeds=[0])
    with pytest.raises(InputError, match="no synapse from 'plain' has one; give it as a time"):
        fleet.begin(n_trials=1, dt=5e-4, seed=0)  # delta synapses have no time constant
    fleet = deploy_many(recurrent_network(), _profile(jitter={"value": 2, "unit": "us"}), device_seeds=[0])
    run = fleet.begin(n_trials=1, dt=5e-4, seed=0)
    assert run.transmits == {"adaptive", "plain"}
    assert run.longest_delay == 2 * int(np.ceil(3 * 2 / 0.5 - 0.5))
    fired = np.zeros((1, 25), dtype=bool)
    fired[0, :5] = True
    for step in (0, 9, 10):  # 5 us of the chip are 5 ms of the network, 10 steps
        run.events("plain", step, fired)
    assert run.counts()["plain"].dropped.tolist() == [3 + 5 + 3]
    with pytest.raises(InputError, match=r"windows of 0\.1 ms, shorter than the time step of 0\.5 ms"):
        deploy_many(recurrent_network(), _profile(window=0.1), device_seeds=[0]).begin(n_trials=1, dt=5e-4, seed=0)


def test_a_program_says_what_was_lost_in_each_trial():
    network, inputs = (
        recurrent_network(inputs=6, hidden=8),
        {"source": poisson_input(units=6, rate=150.0, duration=0.05)},
    )
    program = compile_network(
        network, "analog", dt="0.5 ms", profile=ChipProfile.load("plain").changed(**{"noise.event_loss": 0.25})
    )
    recording = program.run(inputs, duration="50 ms")
    events = program.events()
    fired = recording.counts().groupby("trial").sum().sum("unit")
    assert events.groupby("trial")["fired"].sum().tolist() == fired.to_numpy().tolist()
    assert 0 < events["lost"].sum() < events["fired"].sum()
    program.run(inputs, duration="50 ms", record=["plain"])
    assert len(program.events()) == len(events)
    assert recording.provenance["events"][0].keys() == {"device_seed", "population", "fired", "lost", "dropped"}


def _two_inputs(first, second):
    """Return the recurrent network with synapses of 20 ms and 2 ms, under these names, and no others."""
    network = recurrent_network()
    recur = network.projections["recur"]
    onto_plain = recur.model_copy(update={"target": "plain", "synapse": exponential(tau="20 ms")})
    slow = {first: onto_plain}
    quick = {second: onto_plain.model_copy(update={"source": "plain", "synapse": exponential(tau="2 ms")})}
    return network.model_copy(update={"projections": {"drive": network.projections["drive"], **slow, **quick}})


def _jitter(network, population, dt=5e-4, **changes):
    chip = ChipProfile.load("plain").changed(**{"noise.jitter": "0.5 tau_syn"}, **changes)
    return RunSizes(deploy_many(network, chip, device_seeds=[0]), dt).links[population].jitter * dt


@pytest.mark.parametrize("names", [("a", "b_a"), ("a", "b"), ("b_a", "a")], ids="-".join)
def test_jitter_goes_by_the_time_constant_of_its_own_projections(names):
    network = _two_inputs(*names)
    assert _jitter(network, "adaptive") == pytest.approx(10e-3)
    assert _jitter(network, "plain") == pytest.approx(1e-3)


def _said(change, *, dt="0.5 ms", network=None):
    chip = ChipProfile.load("plain").changed(**change)
    return compile_network(network or recurrent_network(), "analog", dt=dt, profile=chip)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"noise.event_loss": 1.0}, "loss act"),
        ({"noise.event_loss": 0.1, "noise.jitter": "0.5 ms"}, "loss, jitter act"),
    ],
    ids=["loss", "loss and jitter"],
)
def test_a_program_says_that_spikes_of_inputs_arrive_as_given(change, words):
    sentence = f"population 'source': its spikes are inputs and arrive as given; {words} on spikes of neurons only."
    program = _said(change)
    assert sentence in program.left_out
    assert "source" not in program.fleet.begin(n_trials=1, dt=5e-4, seed=0).transmits  # as the sentence says
    assert not _said({}).left_out
    network = recurrent_network()
    unheard = {name: p for name, p in network.projections.items() if p.source != "source"}
    alone = network.model_copy(update={"projections": unheard})
    assert sentence not in _said(change, network=alone).left_out  # inputs that nothing hears


@pytest.mark.parametrize(
    ("jitter", "dt", "words"),
    [
        ("0.5 ms", "0.5 ms", "its spikes act 1.5 ms late, as no spike with jitter can act before it was fired."),
        ("0.1 ms", "0.5 ms", "its spikes act 0.5 ms late, as no spike with jitter can act before it was fired."),
        ("0.1 ms", "0.75 ms", "jitter of 0.1 ms is lost in time steps of 0.75 ms; it is not emulated."),
    ],
    ids=["large", "small", "lost"],
)
def test_a_program_says_how_late_events_are_or_that_jitter_is_lost(jitter, dt, words):
    program = _said({"noise.jitter": jitter}, dt=dt)
    expected = [f"population '{name}': {words}" for name in ("adaptive", "plain")]
    assert [sentence for sentence in program.left_out if "inputs" not in sentence] == expected
    emulated = "adaptive" in program.fleet.begin(n_trials=1, dt=program.dt, seed=0).transmits
    assert emulated == (" late" in words)
    inputs = {"source": poisson_input(duration=0.015, trials=1, dt=1.5e-3)}
    recording = program.run(inputs, duration="15 ms")
    assert recording.provenance["left_out"] == list(program.left_out)
