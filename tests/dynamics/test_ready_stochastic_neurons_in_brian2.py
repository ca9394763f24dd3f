"""Neurons that fire at random do so with the rates of the analysis; bounds are four standard deviations."""

import numpy as np
import pytest

from snncompare.errors import DescriptionError
from snncompare.network.neurons import (
    escape_noise_leaky_integrate_and_fire,
    noisy_leaky_integrate_and_fire,
    poisson_neuron,
)

DT, SIZE = 1e-4, 400


def counts(driven, model, amount, duration, **options):
    return driven(model, np.full(SIZE, amount), duration, **options).count(SIZE)


def within_four_standard_deviations(found, mean, variance):
    """Return whether the mean of the counts agrees with an expected mean and variance of each."""
    return abs(found.mean() - mean) < 4 * np.sqrt(variance / found.size)


@pytest.mark.parametrize("hazard", ["exponential", "sigmoid"])
@pytest.mark.parametrize("distance", [-2.0, 0.0, 1.0])
def test_escape_rate_is_the_hazard_at_a_constant_potential(driven, hazard, distance):
    potential = (10 + distance) * 1e-3
    model = escape_noise_leaky_integrate_and_fire(
        hazard=hazard, v_reset=f"{potential!r} V", refractory="0 ms", width="0.8 mV"
    )
    found = counts(driven, model, potential, 0.3, values={"v": np.full(SIZE, potential)})
    x = distance / 0.8
    rate = 100 * (np.exp(x) if hazard == "exponential" else 1 / (1 + np.exp(-x)))
    expected = 0.3 / DT * (1 - np.exp(-rate * DT))
    assert within_four_standard_deviations(found, expected, expected)  # binomial, less than Poisson
    assert not within_four_standard_deviations(found, 1.2 * expected, expected)


def test_refractory_period_is_added_to_the_mean_interval(driven):
    model = escape_noise_leaky_integrate_and_fire(v_reset="10 mV", refractory="5 ms")
    run = driven(model, np.full(SIZE, 10e-3), 0.6, values={"v": np.full(SIZE, 10e-3)})
    gaps = [np.diff(run.times(k)) for k in range(SIZE)]
    assert np.concatenate(gaps).min() >= 5e-3 - 1e-9
    # Intervals that begin in the first half: the other half is 30 mean waiting times long, so that none is cut off.
    early = np.concatenate([gap[run.times(k)[:-1] < 0.3] for k, gap in enumerate(gaps)])
    # A renewal process: 5 ms, of which the spike's own step is one, then on average 1/(100 Hz) = 10 ms.
    mean = 5e-3 - DT + DT / (1 - np.exp(-100 * DT))
    assert abs(early.mean() - mean) < 4 * 10e-3 / np.sqrt(early.size)
    assert abs(early.mean() - 10e-3) > 4 * 10e-3 / np.sqrt(early.size)


def test_an_unknown_hazard_is_refused():
    with pytest.raises(DescriptionError, match="no choice 'linear'"):
        escape_noise_leaky_integrate_and_fire(hazard="linear")


def test_poisson_neuron_fires_with_its_rate_and_the_variance_of_a_poisson_process(driven):
    found = counts(driven, poisson_neuron(rate="20 Hz"), 30.0, 0.5)
    assert within_four_standard_deviations(found, 25, 25)
    assert not within_four_standard_deviations(found, 20, 20)
    # The variance of a sample variance of a Poisson variable of mean m is close to 2 m^2/n.
    assert abs(found.var() / found.mean() - 1) < 4 * np.sqrt(2 / SIZE)


def test_poisson_neuron_with_a_negative_rate_is_silent(driven):
    assert counts(driven, poisson_neuron(rate="20 Hz"), -30.0, 0.2).sum() == 0


def test_white_noise_gives_the_membrane_its_standard_deviation(driven):
    model = noisy_leaky_integrate_and_fire(sigma="2 mV", v_threshold="1 V")
    v = driven(model, np.full(SIZE, 3e-3), 0.2, record=["v"]).traces["v"][:, -1]
    # After ten time constants; Euler's steps of tau/200 add a quarter per cent.
    assert abs(v.mean() - 3e-3) < 4 * 2e-3 / np.sqrt(SIZE)
    assert abs(v.std() / 2e-3 - 1) < 4 / np.sqrt(2 * SIZE) + 0.0025


def test_noise_makes_a_neuron_fire_below_threshold(driven):
    quiet, noisy = (
        counts(driven, noisy_leaky_integrate_and_fire(sigma=sigma), 8e-3, 0.2).sum() for sigma in ("0 mV", "2 mV")
    )
    assert quiet == 0
    assert noisy > 100


def test_another_seed_gives_other_spikes_and_the_same_seed_the_same(driven):
    first, again, other = (counts(driven, poisson_neuron(), 50.0, 0.1, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
