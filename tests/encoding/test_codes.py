"""Abstract codes put a feature where they say: latencies, rates, phases, bursts, ranks, populations in closed form."""

from dataclasses import replace

import numpy as np
import pytest

from snncompare.encoding.codes.burst import BurstCode
from snncompare.encoding.codes.first_spike import TimeToFirstSpike
from snncompare.encoding.codes.latency import LatencyCode
from snncompare.encoding.codes.latency_laws import ChargingLatency, LinearLatency, LogarithmicLatency, PowerLatency
from snncompare.encoding.codes.phase import PhaseCode
from snncompare.encoding.codes.population import PopulationCode
from snncompare.encoding.codes.rank_order import RankOrderCode
from snncompare.encoding.codes.rate import RateCode
from snncompare.encoding.stimuli import Features

VALUES = np.array([0.0, 0.3, 0.5, 0.9, 1.0])


def trains(code, values, seed=0):
    times, counts = code.fire(Features(values), np.random.SeedSequence(seed))
    return np.split(times, np.cumsum(counts)[:-1])


def firsts(code, values, seed=0):
    return np.array([train[0] if train.size else np.nan for train in trains(code, values, seed)])


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (LinearLatency(), 0.05 * (1 - VALUES)),
        (LinearLatency(rising=True), 0.05 * VALUES),
        (LogarithmicLatency(decades=1.0), np.where(VALUES >= 0.1, -0.05 * np.log10(np.maximum(VALUES, 1e-9)), np.nan)),
        # The membrane v = x (1 - exp(-t / tau)) is at the rheobase at that moment; 0.3 takes 21.97 ms.
        (ChargingLatency(), [np.nan, 0.0219722, 0.0102165, 0.0050263, 0.0044629]),
        (PowerLatency(scale="10 ms", exponent=0.5), [np.nan, 0.0182574, 0.0141421, 0.0105409, 0.01]),
    ],
    ids=["linear", "rising", "logarithmic", "charging", "power"],
)
def test_latencies_follow_the_closed_form_of_their_law(law, expected):
    found = firsts(LatencyCode(law=law, earliest="5 ms", latest="55 ms"), VALUES)
    # Expected values have seven decimals.
    assert np.allclose(found, np.asarray(expected) + 0.005, atol=5e-8, equal_nan=True)
    other = firsts(LatencyCode(law=LogarithmicLatency(decades=3.0), earliest="5 ms", latest="55 ms"), VALUES)
    assert not np.allclose(other, np.asarray(expected) + 0.005, atol=5e-8, equal_nan=True)


def test_the_charging_law_is_the_first_crossing_of_a_membrane_that_is_integrated():
    tau, rheobase, dt = 0.02, 0.2, 1e-6
    v, crossing = np.zeros(3), np.full(3, np.nan)
    drive = np.array([0.25, 0.5, 0.9])
    for step in range(1, 60_000):
        v += dt / tau * (drive - v)
        crossing[(v >= rheobase) & np.isnan(crossing)] = step * dt
    found = firsts(LatencyCode(law=ChargingLatency(), latest="80 ms"), drive)
    # Forward Euler: an error of the order of dt times t / tau.
    assert np.allclose(found, crossing, atol=5e-6)
    assert not np.allclose(firsts(LatencyCode(law=ChargingLatency(time_constant="21 ms")), drive), crossing, atol=5e-6)


def test_features_below_the_threshold_or_beyond_the_latest_spike_are_silent():
    assert np.isnan(firsts(LatencyCode(threshold=0.4), VALUES)).tolist() == [True, True, False, False, False]
    assert (
        np.isnan(firsts(LatencyCode(law=ChargingLatency(), latest="15 ms"), VALUES)).tolist()
        == [True, True] + [False] * 3
    )
    assert not np.isnan(firsts(LatencyCode(), VALUES)).any()


def test_jitter_has_its_standard_deviation_and_stays_in_the_window():
    n = 20_000
    late = firsts(LatencyCode(jitter="2 ms"), np.full(n, 0.5))
    # 20000 draws: standard errors of 0.014 and 0.010 ms.
    assert late.mean() == pytest.approx(0.025, abs=6e-5)
    assert late.std() == pytest.approx(0.002, abs=4e-5)
    edge = firsts(LatencyCode(jitter="2 ms"), np.ones(n))
    assert edge.min() >= 0.0
    # Half a normal distribution, since the earliest spike lies on the edge: its mean is sd sqrt(2 / pi).
    assert edge.mean() == pytest.approx(0.002 * np.sqrt(2 / np.pi), abs=4e-5)


def test_the_bias_unit_fires_at_its_time_in_every_presentation():
    code = LatencyCode(bias="9 ms")
    recording = code.encode([Features([0.1, 0.2]), Features([0.9, 0.8])], seed=0)
    assert recording.units.index.tolist() == ["feature 0", "feature 1", "bias"]
    assert recording.times.reshape(2, 3)[:, 2].tolist() == [0.009, 0.009]


@pytest.mark.parametrize("regular", [False, True])
@pytest.mark.parametrize("refractory", ["0 ms", "5 ms"])
def test_counts_grow_with_the_feature_as_the_rate_does(regular, refractory):
    code = RateCode(highest_rate="80 Hz", lowest_rate="10 Hz", window="2 s", refractory=refractory, regular=regular)
    n = 1500
    for value in (0.0, 0.5, 1.0):
        rate = 10 + value * 70
        expected = 2 * rate / (1 + rate * code.refractory.value)
        counts = np.array([train.size for train in trains(code, np.full(n, value))])
        # Standard error at most sqrt(160 / 1500) = 0.33; without refractoriness at the start up to 0.3 spikes more.
        assert counts.mean() == pytest.approx(expected, abs=1.3)
        if refractory == "0 ms" or regular:
            assert counts.var() / counts.mean() == pytest.approx(0.0 if regular else 1.0, abs=0.15)


def test_intervals_are_regular_or_exponential_and_never_shorter_than_the_refractory_period():
    for regular, cv in ((True, 0.0), (False, 1.0)):
        train = trains(RateCode(window="50 s", regular=regular), np.ones(1))[0]
        intervals = np.diff(train)
        # 5000 intervals: a standard error of 0.014.
        assert intervals.std() / intervals.mean() == pytest.approx(cv, abs=0.06)
        held = np.diff(trains(RateCode(window="50 s", regular=regular, refractory="3 ms"), np.ones(1))[0])
        assert held.min() >= 0.003 - 1e-12
        assert regular or intervals.min() < 0.003


def test_a_rate_of_zero_is_silent_and_the_first_spike_of_a_rate_code_is_the_first():
    for regular in (False, True):
        code = RateCode(regular=regular, window="300 ms")
        assert [train.size for train in trains(code, np.zeros(3))] == [0, 0, 0]
        values = np.linspace(0, 1, 50)
        assert np.array_equal(firsts(code, values), firsts(TimeToFirstSpike(rate=code), values), equal_nan=True)
        assert max(train.size for train in trains(TimeToFirstSpike(rate=code), values)) == 1
        assert max(train.size for train in trains(code, values)) > 1


def test_the_time_to_the_first_poisson_spike_is_exponential_with_the_rate():
    late = firsts(TimeToFirstSpike(rate=RateCode(window="5 s")), np.full(10_000, 0.4))
    # Mean and standard deviation are 1 / (40 Hz); standard errors of 1 % and 1.4 %.
    assert late.mean() == pytest.approx(0.025, rel=0.04)
    assert late.std() == pytest.approx(0.025, rel=0.06)


def test_every_cycle_holds_one_spike_at_the_phase_of_the_feature():
    code = PhaseCode(frequency="20 Hz", window="200 ms", earliest_phase=0.1, latest_phase=0.6)
    found = np.array(trains(code, VALUES))
    assert found.shape == (5, 4)
    phases = found * 20 - np.arange(4)
    assert np.allclose(phases, (0.1 + 0.5 * (1 - VALUES))[:, np.newaxis], atol=1e-12)
    assert [train.size for train in trains(replace(code, threshold=0.5), VALUES)] == [0, 0, 4, 4, 4]


def test_phase_jitter_keeps_one_spike_per_cycle_and_has_its_size():
    code = PhaseCode(jitter=0.05, earliest_phase=0.25, latest_phase=0.75)
    phases = np.array(trains(code, np.full(5000, 0.5))) * 20 - np.arange(4)
    assert phases.min() >= 0.0
    assert phases.max() < 1.0
    # 20000 draws: a standard error of 0.5 %.
    assert phases.std() == pytest.approx(0.05, rel=0.02)
    assert phases.mean() == pytest.approx(0.5, abs=0.002)


def test_bursts_have_the_counts_and_intervals_of_guo_et_al():
    code = BurstCode(most_spikes=5, shortest_interval="2 ms", longest_interval="20 ms", onset="3 ms")
    values = np.array([0.0, 0.01, 0.2, 0.21, 0.6, 1.0])
    found = trains(code, values)
    assert [train.size for train in found] == [0, 1, 1, 2, 3, 5]
    assert all(train[0] == 0.003 for train in found[1:])
    for value, train in zip(values, found, strict=True):
        assert np.allclose(np.diff(train), 0.020 - 0.018 * value, atol=1e-12)


def test_rank_order_keeps_the_order_and_nothing_else():
    code = RankOrderCode(earliest="10 ms", latest="50 ms")
    values = np.array([0.2, 0.9, 0.5, 0.1, 0.8])
    assert np.allclose(firsts(code, values), [0.04, 0.01, 0.03, 0.05, 0.02], atol=1e-15)
    assert np.array_equal(firsts(code, values), firsts(code, values**3))
    assert not np.array_equal(firsts(code, values), firsts(code, values[::-1].copy()))
    assert not np.array_equal(firsts(LatencyCode(), values), firsts(LatencyCode(), values**3))


def test_equal_features_follow_each_other_in_random_order():
    code, equal = RankOrderCode(), np.full(6, 0.5)
    orders = {tuple(np.argsort(firsts(code, equal, seed))) for seed in range(20)}
    assert len(orders) > 10
    assert np.allclose(np.sort(firsts(code, equal)), np.linspace(0, 0.05, 6))


def test_tuning_curves_have_the_centres_and_widths_of_bohte_et_al():
    code = PopulationCode(n_per_feature=6, sharpness=1.5)
    # c_i = (2 i - 3) / (2 (m - 2)) and sigma = 1 / (1.5 (m - 2)) for m = 6.
    assert np.allclose(code.centres, [-0.125, 0.125, 0.375, 0.625, 0.875, 1.125])
    assert code.width == pytest.approx(1 / 6)
    activation = code.activations(np.array([0.375]))[0]
    assert activation[2] == 1.0
    assert activation[3] == pytest.approx(np.exp(-0.5 * (0.25 * 6) ** 2))
    units = code.units(Features([0.1, 0.2]))
    assert len(units) == 12
    assert units["centre"].to_numpy()[:6].tolist() == code.centres.tolist()


def test_the_feature_is_the_mean_of_centres_weighted_by_the_counts_of_the_population():
    code = PopulationCode(n_per_feature=10, code=RateCode(highest_rate="200 Hz", window="20 s"))
    for value in (0.2, 0.5, 0.7):
        counts = np.array([train.size for train in trains(code, np.array([value]))])
        # Thousands of spikes; what is left is what the finite set of centres cannot balance.
        assert counts @ code.centres / counts.sum() == pytest.approx(value, abs=0.01)
    assert abs(counts @ code.centres[::-1] / counts.sum() - 0.7) > 0.3


def test_of_a_population_the_unit_nearest_to_the_feature_fires_first_and_far_ones_are_silent():
    code = PopulationCode(n_per_feature=8)
    late = firsts(code, np.array([0.42]))
    assert np.nanargmin(late) == np.abs(code.centres - 0.42).argmin()
    assert np.isnan(late).tolist() == (code.activations(np.array([0.42]))[0] < 0.1).tolist()
