"""Short-term and spike-timing dependent plasticity change transmission and weights as their equations say."""

import numpy as np
import pytest

from snncompare.errors import DescriptionError
from snncompare.network.neuron import NeuronModel
from snncompare.network.synapses import (
    ampa,
    delta,
    depressing,
    exponential,
    facilitating,
    pair_stdp,
    saturating_nmda,
    short_term_plastic,
    triplet_stdp,
)

COUNTER = NeuronModel(equations="dv/dt = 0*volt/second : volt", inputs={"I": "volt"}, method="euler")


@pytest.fixture
def transmitted(simulate, connected):
    """Return what each of regular spikes transmits through a delta synapse of 1 V."""

    def of(synapse, gap, count, dt=1e-3):
        spikes = [(0, (k + 1) * gap) for k in range(count)]
        run = simulate(
            connected(COUNTER, synapse, "1 V"), (count + 1) * gap + 2 * dt, dt=dt, spikes=spikes, record=["v"]
        )
        v = run.traces["v"][0]
        after = np.rint((np.arange(count) + 1) * gap / dt).astype(int) + 1
        return v[after] - v[after - 1]

    return of


@pytest.mark.parametrize(
    ("synapse", "expected"),
    [
        (depressing(delta()), [0.9000, 0.4132, 0.3843, 0.3837]),
        (facilitating(delta()), [0.0200, 0.1067, 0.1605, 0.1804]),
    ],
)
def test_spikes_ten_milliseconds_apart_transmit_the_exact_values(transmitted, synapse, expected):
    assert transmitted(synapse, 10e-3, 4) == pytest.approx(expected, abs=5e-5)  # four decimals
    assert transmitted(synapse, 12e-3, 4)[1:] != pytest.approx(expected[1:], abs=5e-5)


@pytest.mark.parametrize(
    ("synapse", "expected"),
    [
        (depressing(delta()), [0.9055, 0.9311, 0.9427, 0.8893, 0.6254, 0.3920]),
        (facilitating(delta()), [0.0200, 0.0349, 0.0709, 0.1224, 0.1317, 0.0868]),
    ],
)
def test_regular_spikes_transmit_the_steady_state(transmitted, synapse, expected):
    for rate, value in zip((1, 5, 10, 20, 50, 100), expected, strict=True):
        # Event-driven state is exact at any time step; after 12 s and 30 spikes nothing is left of the start.
        found = transmitted(synapse, 1 / rate, max(30, 12 * rate), dt=10e-3)[-1]
        assert found == pytest.approx(value, abs=5e-5), rate


def test_a_doublet_tells_a_burst_from_an_event(transmitted):
    ratio = [
        transmitted(synapse, 10e-3, 2).sum() / transmitted(synapse, 10e-3, 1)[0]
        for synapse in (depressing(delta()), facilitating(delta()))
    ]
    assert ratio == pytest.approx([1.46, 6.3], abs=0.05)


def test_release_comes_before_the_increment_of_the_utilisation(transmitted):
    options = {"U": 0.3, "f": 0.3, "tau_depression": "1 ms", "tau_facilitation": "1 s"}
    first, second = transmitted(short_term_plastic(delta(), **options), 50e-3, 2)
    assert first == pytest.approx(0.3, abs=1e-12)
    assert second == pytest.approx(0.3 + 0.7 * 0.3 * np.exp(-0.05), abs=1e-12)


def test_depression_scales_conductances_and_gates_alike(simulate, connected):
    for synapse in (ampa(), exponential(unit="volt")):
        unit = "1 nS" if synapse.weight_unit == "siemens" else "1 mV"
        model = NeuronModel(equations="dv/dt = 0*volt/second : volt", inputs={"I": "amp" if "S" in unit else "volt"})
        spikes = [(0, 1e-3), (0, 11e-3)]
        plain, plastic = (
            simulate(connected(model, made, unit), 0.02, spikes=spikes, record=["x_feed"]).traces["x_feed"][0]
            for made in (synapse, depressing(synapse))
        )
        assert plastic[11] / plain[11] == pytest.approx(0.9, abs=1e-9)
        second = (plastic[111] - plastic[110] * np.exp(-1 / 50)) / (plain[111] - plain[110] * np.exp(-1 / 50))
        assert second == pytest.approx(0.4132, abs=5e-5)


def test_a_synapse_that_changes_its_weight_cannot_be_made_plastic_again():
    plastic = pair_stdp(exponential(), w_max="1 mV")
    with pytest.raises(DescriptionError, match="changes 'w' itself"):
        depressing(plastic)
    with pytest.raises(DescriptionError, match="one rule at a time"):
        triplet_stdp(plastic, w_max="1 mV")


def metronome():
    """Return a neuron that fires at ``begin`` and every ``gap`` after it until ``last``, whatever it receives."""
    return NeuronModel(
        equations=(
            "dv/dt = 0*volt/second : volt\nbegin : second\ngap : second\nlast : second\n"
            "since = timestep(t, dt) - timestep(begin, dt) : integer"
        ),
        threshold="since >= 0 and since % timestep(gap, dt) == 0 and timestep(t, dt) <= timestep(last, dt)",
        inputs={"I": "volt"},
        method="euler",
    )


@pytest.fixture
def weights_after(simulate, connected):
    """Return the weights after `pairs` pairs, for several lags of the target's spike behind the source's (seconds)."""

    def of(synapse, lags, *, pairs=1, gap=10.0, start="0.5 mV", dt=1e-3):
        lags = np.asarray(lags)
        first = 0.2 + lags
        values = {"begin": first, "gap": np.full(lags.size, gap), "last": first + (pairs - 1) * gap}
        spikes = [(0, 0.2 + k * gap) for k in range(pairs)]
        network = connected(metronome(), synapse, start, size=lags.size)
        run = simulate(network, 0.4 + (pairs - 1) * gap, dt=dt, spikes=spikes, values=values)
        assert np.array_equal(run.count(lags.size), np.full(lags.size, pairs))
        return run.synaptic["feed"]

    return of


LAGS = np.array([-80e-3, -40e-3, -10e-3, -1e-3, 1e-3, 5e-3, 20e-3, 60e-3])


def test_one_pair_changes_the_weight_by_the_window_of_song_and_colleagues(weights_after):
    found = (weights_after(pair_stdp(exponential(), w_max="1 mV"), LAGS) - 0.5e-3) / 1e-3
    window = np.where(LAGS > 0, 0.005 * np.exp(-LAGS / 20e-3), -0.00525 * np.exp(LAGS / 20e-3))
    assert found == pytest.approx(window, rel=1e-9)
    assert found != pytest.approx(-window, rel=0.5)


def test_all_pairs_count(weights_after):
    gap, pairs, lag = 25e-3, 4, 5e-3
    found = (weights_after(pair_stdp(exponential(), w_max="1 mV"), [lag], pairs=pairs, gap=gap) - 0.5e-3) / 1e-3
    between = np.array([(k - j) * gap + lag for j in range(pairs) for k in range(pairs)])
    exact = np.where(between > 0, 0.005 * np.exp(-between / 20e-3), -0.00525 * np.exp(between / 20e-3)).sum()
    assert found == pytest.approx(exact, rel=1e-9)
    assert abs(exact) < 0.9 * pairs * 0.005 * np.exp(-lag / 20e-3)


def test_weights_stay_between_their_bounds(weights_after):
    strong = {"A_plus": 0.8, "A_minus": 0.8}
    lags = [-2e-3, 2e-3]
    assert np.array_equal(weights_after(pair_stdp(exponential(), w_max="1 mV", **strong), lags), [0, 1e-3])
    signed = pair_stdp(exponential(), w_max="1 mV", w_min="-1 mV", **strong)
    assert weights_after(signed, lags)[0] == pytest.approx(0.5e-3 - 0.8e-3 * np.exp(-0.1), rel=1e-9)


@pytest.mark.parametrize(("w_max", "w_min"), [("1 mV", "2 mV"), ("1 nS", None), ("1 mV", "0 nS")])
def test_bounds_that_make_no_sense_are_refused(w_max, w_min):
    with pytest.raises(DescriptionError, match="w_min"):
        pair_stdp(exponential(), w_max=w_max, w_min=w_min)


def triplet_by_hand(lag, pairs, gap):
    """Return the change of weight by the rule of Pfister and Gerstner, from event to event."""
    events = sorted([(k * gap, "pre") for k in range(pairs)] + [(k * gap + lag, "post") for k in range(pairs)])
    tau = np.array([16.8e-3, 101e-3, 33.7e-3, 125e-3])
    traces, before, change = np.zeros(4), events[0][0], 0.0
    for time, end in events:
        traces, before = traces * np.exp(-(time - before) / tau), time
        r1, r2, o1, o2 = traces
        if end == "pre":
            change -= o1 * (7e-3 + 2.3e-4 * r2)
            traces = traces + np.array([1, 1, 0, 0])
        else:
            change += r1 * (5e-10 + 6.2e-3 * o2)
            traces = traces + np.array([0, 0, 1, 1])
    return change


@pytest.mark.parametrize("lag", [10e-3, -10e-3])
@pytest.mark.parametrize("rate", [5, 40])
def test_triplet_rule_is_its_recursion_and_depends_on_the_rate(weights_after, lag, rate):
    synapse = triplet_stdp(exponential(), w_max="1 mV")
    found = (weights_after(synapse, [lag], pairs=8, gap=1 / rate) - 0.5e-3) / 1e-3
    assert found == pytest.approx(triplet_by_hand(lag, 8, 1 / rate), rel=1e-9)


def test_triplet_rule_potentiates_with_the_rate_where_the_pair_rule_does_not(weights_after):
    def change(synapse, rate):
        return (weights_after(synapse, [10e-3], pairs=8, gap=1 / rate)[0] - 0.5e-3) / 1e-3

    triplet, pair = triplet_stdp(exponential(), w_max="1 mV"), pair_stdp(exponential(), w_max="1 mV")
    assert change(triplet, 40) > 2 * change(triplet, 5) > 0
    assert change(pair, 40) < change(pair, 5)


def test_a_plastic_synapse_transmits_with_the_weight_it_has(simulate, connected):
    synapse = pair_stdp(delta(), w_max="1 mV", A_plus=0.4)
    spikes = [(0, 0.1), (0, 0.2)]
    network, fires = connected(metronome(), synapse, "0.5 mV"), {"begin": [0.105], "gap": [1.0], "last": [0.105]}
    v = simulate(network, 0.3, dt=1e-3, spikes=spikes, values=fires, record=["v"])
    jumps = np.diff(v.traces["v"][0])[[100, 200]]
    assert jumps == pytest.approx([0.5e-3, 0.5e-3 + 0.4e-3 * np.exp(-5 / 20)], rel=1e-9)


def test_gates_of_each_synapse_can_be_plastic_too():
    synapse = pair_stdp(saturating_nmda(), w_max="1 nS")
    assert "summed" in synapse.synapse_equations
    assert "event-driven" in synapse.synapse_equations
