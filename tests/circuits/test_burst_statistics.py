"""The burst circuits fire as the authors' comment and an independent C++ program made from the same sources say.

Numbers: notes on the authors' code 4.3, 4.4, 6.1; measured there with N >= 500 and tolerances of 5 % (rates) and 0.015
(burst probability), of which the authors' own comment gives the first digits (ER 4-5 Hz, BP about 12 %, 4 mV, 2.5 mV).
"""

import itertools

import numpy as np
import pytest

import snncompare as sc
from snncompare.circuits.bursts.currents import with_rectangular_current
from snncompare.circuits.bursts.decoding import burst_decoding_network
from snncompare.circuits.bursts.hierarchy import burst_hierarchy
from snncompare.circuits.bursts.population import burst_population
from snncompare.circuits.bursts.xor import SYMMETRIC_FEEDBACK, XOR_POPULATIONS, burst_xor_network
from snncompare.network.neurons.two_compartment import two_compartment_pyramidal
from snncompare.recording.ensemble_rates import ensemble_rates

# Pattern to ER of in1, in2, hid1, hid2, out (Hz) and BP of hid1, hid2, out: notes on the authors' code 4.4, before learning.
BEFORE_LEARNING = {
    (0, 0): ((1.96, 1.95, 2.73, 2.80, 3.78), (0.250, 0.300, 0.406)),
    (1, 0): ((8.44, 1.95, 4.34, 4.32, 4.81), (0.291, 0.257, 0.411)),
    (0, 1): ((2.04, 8.38, 4.28, 4.34, 4.91), (0.308, 0.249, 0.419)),
    (1, 1): ((8.47, 8.54, 4.97, 5.03, 5.18), (0.324, 0.241, 0.420)),
}
ONE, ZERO, TEACHER = 150e-12, -350e-12, 1e-9  # A; 2.4 and 4.4


def _rates(recording):
    """Return event rate (Hz) and burst probability of every population over the whole recording."""
    mean = ensemble_rates(recording, bin="100 ms").mean("time")
    return {
        name: (float(rates.event_rate), float(rates.burst_rate / rates.event_rate))
        for name in mean.population.values
        for rates in [mean.sel(population=name)]
    }


def _shown(simulation, pattern, teacher, duration):
    for name, bit in zip(("in1", "in2"), pattern, strict=True):
        simulation.set(name, "I_in", ONE if bit else ZERO)
    simulation.set("out", "I_teacher", teacher)
    simulation.advance("0.5 s")
    return _rates(simulation.run(duration))


def _simulation(**options):
    network = burst_xor_network(plastic=False, homeostasis=False, **options)
    return sc.compile(network, "fused", seed=2).simulation(seed=1)


@pytest.mark.slow
def test_the_xor_network_before_learning_fires_as_measured():
    simulation = _simulation()
    for pattern, (event_rates, probabilities) in BEFORE_LEARNING.items():
        found = _shown(simulation, pattern, 0.0, "6 s")
        assert [found[name][0] for name in XOR_POPULATIONS] == pytest.approx(event_rates, rel=0.05), pattern
        assert [found[name][1] for name in XOR_POPULATIONS[2:]] == pytest.approx(probabilities, rel=0.05), pattern


@pytest.mark.slow
def test_the_teacher_reaches_the_hidden_populations_with_opposite_signs():
    opposite, same = (
        [_shown(simulation, (1, 0), teacher, "2 s") for teacher in (0.0, TEACHER)]
        for simulation in (_simulation(size=400), _simulation(size=400, feedback=SYMMETRIC_FEEDBACK))
    )
    change = {name: opposite[1][name][1] - opposite[0][name][1] for name in ("hid1", "hid2", "out")}
    # BP of 400 neurons x 4 Hz x 2 s = 3200 events: s.e. 0.01
    assert change["out"] > 0.3
    assert change["hid1"] > 0.1
    assert change["hid2"] < -0.1
    assert all(opposite[1][n][0] == pytest.approx(opposite[0][n][0], rel=0.1) for n in ("hid1", "hid2", "out"))
    assert same[1]["hid2"][1] > same[0]["hid2"][1] + 0.1  # the sign is that of the feedback


@pytest.mark.slow
@pytest.mark.parametrize(
    ("drive", "event_rate", "probability", "taught", "soma", "dendrite"),
    [("soma", 4.09, 0.123, 0.532, 4.21, 2.30), ("local", 4.32, 0.059, 0.292, 3.98, 1.94)],
)
def test_one_population_fluctuates_and_bursts_as_the_authors_say(
    drive, event_rate, probability, taught, soma, dendrite
):
    network = burst_population(1000, noise="plasticity", dendritic_drive=drive)
    simulation = sc.compile(network, "fused").simulation(seed=3)
    simulation.advance("0.5 s")
    run = simulation.run("0.5 s", record=["pyr.v", "pyr.v_d"])
    v, v_d = (1e3 * run.traces[f"pyr.{name}"].values[0] for name in ("v", "v_d"))
    assert v.std() == pytest.approx(soma, rel=0.03)  # published to two or three digits; drives differ by 6 %
    assert v_d[v_d < -60].std() == pytest.approx(dendrite, rel=0.03)
    found = _rates(simulation.run("4 s"))["pyr"]
    assert found[0] == pytest.approx(event_rate, rel=0.05)
    assert found[1] == pytest.approx(probability, abs=0.015)
    more = burst_population(1000, noise="plasticity", dendritic_drive=drive, I_d="100 pA")
    simulation = sc.compile(more, "fused").simulation(seed=3)
    simulation.advance("0.5 s")
    assert _rates(simulation.run("2 s"))["pyr"][1] == pytest.approx(taught, abs=0.025)  # 7000 events: s.e. 0.006


def _between(first, second, length, period, lag, time):
    return np.where((time - lag) % period < length, first, second)


@pytest.mark.slow
def test_events_and_bursts_of_one_population_carry_two_signals():
    model = with_rectangular_current(
        two_compartment_pyramidal(), first="220 pA", second="280 pA", first_duration="100 ms", second_duration="100 ms"
    )
    model = with_rectangular_current(
        model, first="-210 pA", second="140 pA", first_duration="85 ms", second_duration="115 ms", lag="65 ms",
        into="I_d",
    )  # fmt: skip
    network = burst_population(4000, noise="fluctuating", model=model)
    rates = ensemble_rates(sc.compile(network, "fused").run({}, duration="1 s", seed=1), bin="10 ms")
    rates = rates.isel(population=0, time=slice(20, None))  # 800 ms after 200 ms
    arrived = rates.time.values + 5e-3 - 10e-3  # middle of the bin, 10 ms earlier
    soma, dendrite = _between(220, 280, 0.1, 0.2, 0.0, arrived), _between(-210, 140, 0.085, 0.2, 0.065, arrived)

    def r(values, current):
        return np.corrcoef(values.values, current)[0, 1]

    assert float(rates.event_rate.mean()) == pytest.approx(5.7, rel=0.05)
    # Measured there: 0.88 and 0.85-0.87; the notes on the authors' code's own limits for the test: direct at least 0.8, cross at most 0.2
    assert r(rates.event_rate, soma) > 0.8
    assert r(rates.burst_probability, dendrite) > 0.8
    assert abs(r(rates.event_rate, dendrite)) < 0.2
    assert abs(r(rates.burst_probability, soma)) < 0.2
    assert min(r(rates.firing_rate, soma), r(rates.firing_rate, dendrite)) > 0.2  # plain rate: a mixture


@pytest.mark.slow
def test_two_populations_send_events_up_and_bursts_down():
    connected, cut = (_direct(weights) for weights in (None, {"downwards": 0.0, "onto_som": 0.0}))
    assert min(connected.values()) > 0.8
    assert min(cut[name] for name in ("ER1 signal", "BP2 signal", "ER2 ER1")) > 0.8
    assert abs(cut["BP1 BR2"]) < 0.6, cut  # without feedback what is left follows from ER1 alone


def _direct(weights):
    network = burst_decoding_network(size=2000, weights=weights, onset="0.5 s")
    run = sc.compile(network, "fused", seed=1).run({}, duration="2.5 s", seed=1, record=["pyr1", "pyr2"])
    rates = ensemble_rates(run, bin="50 ms").isel(time=slice(10, None))
    time = rates.time.values + 0.025 - 0.5
    low, high = (rates.sel(population=name) for name in ("pyr1", "pyr2"))
    pairs = {
        "ER1 signal": (low.event_rate, np.sin(2 * np.pi * time / 0.5)),
        "BP2 signal": (high.burst_probability, np.sin(2 * np.pi * time / (0.5 * 5**0.5))),
        "ER2 ER1": (high.event_rate, low.event_rate),
        "BP1 BR2": (low.burst_probability, high.burst_rate),
    }
    return {name: np.corrcoef(a, b)[0, 1] for name, (a, b) in pairs.items()}


@pytest.mark.slow
def test_three_levels_pass_events_up_without_synchrony():
    stack, unstable = (_levels(weights) for weights in (None, {"downwards": 0.3}))
    assert float(stack.event_rate.max()) < 15 < float(unstable.event_rate.max())  # Hz; the weights of two levels
    time = stack.time.values + 0.025 - 0.5
    event_rates = [np.sin(2 * np.pi * time / 0.5)]
    event_rates += [stack.event_rate.sel(population=f"pyr{level}").values for level in (1, 2, 3)]
    for below, above in itertools.pairwise(event_rates):
        assert np.corrcoef(below, above)[0, 1] > 0.8


def _levels(weights):
    network = burst_hierarchy(3, size=1000, weights=weights, onset="0.5 s", relays=False)
    recorded = ["pyr1", "pyr2", "pyr3"]
    run = sc.compile(network, "fused", seed=1).run({}, duration="2 s", seed=1, record=recorded)
    return ensemble_rates(run, bin="50 ms").isel(time=slice(10, None))
