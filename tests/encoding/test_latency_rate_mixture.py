"""The knob from rate to latency: same spikes in number, information where the knob says, in closed form."""

import numpy as np
import pytest

from snncompare.encoding.codes.latency_rate_mixture import LatencyRateMixture
from snncompare.encoding.codes.rate import RateCode
from snncompare.encoding.stimuli import Features
from snncompare.errors import InputError

N = 20_000
KNOBS = (0.0, 0.25, 0.5, 0.75, 1.0)


def answer(mixture, seed=0, n=N, **parameters):
    """Return uniform features, counts and first spikes (n, 2), and all trains."""
    values = np.random.default_rng(99).random(n)
    code = LatencyRateMixture(mixture=mixture, **parameters)
    times, counts = code.fire(Features(values), np.random.SeedSequence(seed))
    first = times[np.cumsum(counts) - counts]
    return values, counts.reshape(-1, 2), first.reshape(-1, 2), np.split(times, np.cumsum(counts)[:-1])


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


@pytest.mark.parametrize("spikes", [4, 8])
def test_the_knob_never_changes_the_number_of_spikes_of_any_feature(spikes):
    for knob in KNOBS:
        _, counts, _, _ = answer(knob, spikes_per_feature=spikes, n=500, window="120 ms")
        assert (counts.sum(axis=1) == spikes).all()
        assert counts.min() >= 1
    rate = RateCode().fire(Features(np.random.default_rng(99).random(500)), np.random.SeedSequence(0))
    assert len(set(rate.counts.tolist())) > 5, "negative control: a rate code alone does not hold them fixed"


def test_at_the_rate_end_counts_tell_the_feature_and_first_spikes_nothing():
    values, counts, first, _ = answer(0.0)
    # A count of slope 2, rounded at random (variance 1/6): correlation sqrt((4/12) / (4/12 + 1/6)); se 0.003.
    assert correlation(values, counts[:, 0]) == pytest.approx(np.sqrt(2 / 3), abs=0.01)
    assert correlation(values, counts[:, 1]) == pytest.approx(-np.sqrt(2 / 3), abs=0.01)
    # Standard error 1 / sqrt(20000) = 0.007.
    assert abs(correlation(values, first[:, 0])) < 0.03
    assert abs(correlation(counts[:, 0], first[:, 0])) < 0.03


def test_at_the_rate_end_no_spike_time_tells_anything_once_the_count_is_known():
    values, counts, _, trains = answer(0.0)
    for number in (1, 2, 3):
        units = np.flatnonzero(counts[:, 0] == number)
        times = np.array([trains[2 * j] for j in units])
        limit = 4 / np.sqrt(units.size)  # four standard errors
        assert all(abs(correlation(values[units], times[:, k])) < limit for k in range(number))


def test_at_the_latency_end_first_spikes_are_the_feature_and_counts_nothing():
    values, counts, first, _ = answer(1.0)
    assert (counts == 2).all()
    assert np.allclose(first[:, 0], 0.06 * (1 - values), atol=1e-15)
    assert np.allclose(first[:, 1], 0.06 * values, atol=1e-15)


def test_between_the_ends_information_moves_as_the_closed_form_says():
    found = []
    for knob in KNOBS:
        values, counts, first, _ = answer(knob)
        slope = np.polyfit(values, counts[:, 0], 1)[0]
        # Slope of a line through 20000 points of unit noise 0.5 at most: standard error 0.012.
        assert slope == pytest.approx((1 - knob) * 2, abs=0.05)
        expected = knob / np.hypot(knob, 1 - knob)
        assert -correlation(values, first[:, 0]) == pytest.approx(expected, abs=0.03)
        found.append((slope, -correlation(values, first[:, 0])))
    slopes, latencies = np.array(found).T
    assert (np.diff(slopes) < -0.3).all()
    assert (np.diff(latencies) > 0.03).all()


def test_spikes_keep_their_distance_and_end_before_the_window_does():
    for knob in KNOBS:
        _, _, _, trains = answer(knob, n=3000, shortest_interval="3 ms")
        assert min(np.diff(train).min(initial=1.0) for train in trains) >= 0.003 - 1e-12
        assert max(train[-1] for train in trains) <= 0.097 + 1e-12
    _, _, _, closer = answer(0.0, n=3000, shortest_interval="1 ms")
    assert min(np.diff(train).min(initial=1.0) for train in closer) < 0.003


def test_later_spikes_are_uniform_in_what_is_left_of_the_window():
    _, counts, first, trains = answer(0.0, shortest_interval="0.001 ms")
    pairs = [j for j in range(2 * N) if counts.ravel()[j] == 2]
    late = np.array([(trains[j][1] - first.ravel()[j]) / (0.1 - first.ravel()[j]) for j in pairs])
    # 20000 draws: standard errors of 0.002.
    assert late.mean() == pytest.approx(0.5, abs=0.01)
    assert late.std() == pytest.approx(1 / np.sqrt(12), abs=0.01)


def test_the_random_numbers_are_the_same_for_every_knob():
    _, _, first, _ = answer(0.0)
    _, _, again, _ = answer(0.25)
    # The part of the first spike that is chance is the same number, scaled by 1 - m.
    values = np.random.default_rng(99).random(N)
    chance = first[:, 0] / 0.06
    assert np.allclose(again[:, 0] / 0.06, 0.25 * (1 - values) + 0.75 * chance, atol=1e-12)
    _, _, other, _ = answer(0.25, seed=1)
    assert not np.allclose(again, other)


def test_a_conflict_has_the_counts_of_one_stimulus_and_the_first_spikes_of_another():
    rng = np.random.default_rng(5)
    one, other = Features(rng.random(200)), Features(rng.random(200))
    code, seed = LatencyRateMixture(), np.random.SeedSequence(3)
    times, counts = code.conflict(one, other, seed)
    assert counts.tolist() == LatencyRateMixture(mixture=0.0).fire(one, seed).counts.tolist()
    late = LatencyRateMixture(mixture=1.0).fire(other, seed)
    assert np.array_equal(times[np.cumsum(counts) - counts], late.times[np.cumsum(late.counts) - late.counts])
    assert counts.tolist() != code.conflict(other, one, seed).counts.tolist()
    with pytest.raises(InputError, match="equally many"):
        code.conflict(one, Features([0.5]), seed)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"mixture": 1.1}, "mixture"),
        ({"mixture": "half"}, "mixture"),
        ({"spikes_per_feature": 5}, "even"),
        ({"spikes_per_feature": 2}, "at least 4"),
        ({"spikes_per_feature": 40}, "need a window"),
        ({"latest": "99 ms"}, "need a window"),
        ({"earliest": "70 ms"}, "follow one another"),
    ],
)
def test_a_knob_that_cannot_be_turned_so_far_is_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        LatencyRateMixture(**wrong)
