"""Random spikes have the rate, the intervals and the refractoriness they are asked for."""

import numpy as np
import pytest
from scipy import stats

from snncompare.encoding.point_process import fire_at_rates


def trains(spikes):
    return np.split(spikes.times, np.cumsum(spikes.counts)[:-1])


def test_a_constant_rate_gives_exponential_intervals():
    spikes = fire_at_rates(np.full((1, 100_000), 50.0), 1e-3, np.random.default_rng(0))
    # 5000 spikes expected: a standard error of 71.
    assert spikes.counts[0] == pytest.approx(5000, abs=4 * 71)
    intervals = np.diff(spikes.times)
    assert stats.kstest(intervals, "expon", args=(0, 1 / 50)).pvalue > 0.01
    assert stats.kstest(intervals, "expon", args=(0, 1 / 40)).pvalue < 1e-6


def test_spike_times_are_not_bound_to_samples():
    spikes = fire_at_rates(np.full((4, 1000), 200.0), 1e-2, np.random.default_rng(1))
    phase = (spikes.times / 1e-2) % 1.0
    assert stats.kstest(phase, "uniform").pvalue > 0.01


def test_a_changing_rate_is_followed():
    rate = np.concatenate([np.full(1000, 20.0), np.full(1000, 200.0), np.zeros(1000)])
    spikes = fire_at_rates(np.tile(rate, (100, 1)), 1e-3, np.random.default_rng(2))
    found = np.histogram(spikes.times, bins=[0, 1, 2, 3])[0] / 100
    # Standard errors of 0.45 and 1.4 spikes per second.
    assert found == pytest.approx([20.0, 200.0, 0.0], abs=6.0)
    assert found[2] == 0


@pytest.mark.parametrize("dt", [1e-3, 1e-4])
def test_dead_time_shortens_the_rate_by_the_known_factor(dt):
    rates = np.full((50, round(2.0 / dt)), 300.0)
    spikes = fire_at_rates(rates, dt, np.random.default_rng(3), refractory=2e-3)
    # r / (1 + r t_a) = 187.5; variance is reduced by the same factor squared: standard error below 1.
    assert spikes.counts.mean() / 2.0 == pytest.approx(300 / (1 + 300 * 2e-3), abs=3.0)
    assert min(np.diff(train).min() for train in trains(spikes)) >= 2e-3


def test_relative_refractoriness_thins_short_intervals():
    rates = np.full((50, 20_000), 300.0)
    without, with_recovery = (
        np.concatenate(
            [np.diff(t) for t in trains(fire_at_rates(rates, 1e-4, np.random.default_rng(4), recovery=recovery))]
        )
        for recovery in (0.0, 3e-3)
    )
    assert (without < 1e-3).mean() > 4 * (with_recovery < 1e-3).mean()


def test_recovery_begins_where_the_dead_time_ends():
    rate, dead, tau = 500.0, 2e-3, 3e-3
    rates = np.full((20, 20_000), rate)
    spikes = fire_at_rates(rates, 1e-4, np.random.default_rng(6), refractory=dead, recovery=tau)
    intervals = np.concatenate([np.diff(train) for train in trains(spikes)])

    def reached(s, start):
        """Return the share of intervals below s if recovery begins at `start`."""
        integral = [(x - start) + tau * np.exp(-(x - start) / tau) for x in (s, dead)]
        return np.where(s < dead, 0.0, 1.0 - np.exp(-rate * (integral[0] - integral[1])))

    # The recovery is held within steps of 0.1 ms: 0.005 besides the statistical 1.36 / sqrt(7000) = 0.016.
    assert stats.kstest(intervals, lambda s: reached(s, dead)).statistic < 0.02
    assert stats.kstest(intervals, lambda s: reached(s, 0.0)).statistic > 0.1


def test_many_more_spikes_than_expected_are_all_kept():
    rates = np.zeros((3, 100))
    rates[1, 50] = 1e6
    spikes = fire_at_rates(rates, 1e-3, np.random.default_rng(5))
    assert spikes.counts.tolist()[0::2] == [0, 0]
    assert spikes.counts[1] == spikes.times.size
    assert spikes.counts[1] == pytest.approx(1000, abs=130)
    assert ((spikes.times >= 0.05) & (spikes.times <= 0.051)).all()


def test_the_same_generator_state_gives_the_same_spikes():
    rates = np.random.default_rng(0).uniform(0, 100, (5, 400))
    first, again, other = (fire_at_rates(rates, 1e-3, np.random.default_rng(s)) for s in (0, 0, 1))
    assert np.array_equal(first.times, again.times)
    assert not np.array_equal(first.times, other.times)
