"""Poisson trains of identical conditions, 400 data sets: what the estimators say on average."""

import numpy as np
import pytest

from snncompare.representation.blocks.execution import assembled
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.conditions import Conditions
from snncompare.representation.estimators import BetweenMinusWithin, MeanDistance
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura

METRICS = [*VanRossum.sweep(["5 ms", "50 ms"]), VictorPurpura(cost="20 Hz"), SpikeCount()]
EUCLIDEAN = np.array([metric.euclidean for metric in METRICS])
DATA_SETS, STANDARD_ERRORS = 400, 3.5  # 3.5 standard errors: a false alarm in 1 of 2000 tests
LABELS = np.array([0, 1, 2, 1, 0, 2, 0, 1, 2, 2, 0, 1, 0, 0])
SESSION = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2])


def poisson_trains(rng, rates):
    """Return trials of 1 s with two units; ``rates`` in spikes per trial, one for each trial."""
    counts = rng.poisson(np.repeat(rates, 2))
    times = np.concatenate([np.sort(rng.random(n)) for n in counts])
    return Trains(times, np.concatenate([[0], np.cumsum(counts)]), 2, 0.0, 1.0)


def mean_and_error(estimator, trial_rates):
    """Return the mean over data sets and pairs of conditions, and its standard error, for every metric."""
    rng = np.random.default_rng(11)
    of = Conditions.from_labels(LABELS, across="session", groups=SESSION)
    every = range(LABELS.size)
    found = []
    for _ in range(DATA_SETS):
        values = assembled(METRICS, "between_trials", poisson_trains(rng, trial_rates(rng)), None)
        found.append(estimator.from_blocks([(every, every, values)], EUCLIDEAN, of).mean(axis=1))
    return np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(DATA_SETS)


def constant(_):
    return np.full(LABELS.size, 6.0)


def drifting(rng):
    """Rates that differ between sessions, as excitability does."""
    return rng.choice([2.0, 6.0, 14.0], size=3)[SESSION]


@pytest.mark.parametrize("estimator", [BetweenMinusWithin(), BetweenMinusWithin(across="session")], ids=repr)
def test_identical_conditions_are_zero_apart_on_average(estimator):
    mean, error = mean_and_error(estimator, constant)
    assert (np.abs(mean) < STANDARD_ERRORS * error).all()


def test_the_naive_mean_is_the_noise():
    """Two trains of 6 Poisson spikes in 2 units: the squared count distance is 24 on average, its root above 4."""
    mean, error = mean_and_error(MeanDistance(), constant)
    assert (mean > 100 * error).all()
    assert 4 < mean[3] < np.sqrt(24)


def test_rates_that_drift_between_sessions_are_no_difference_of_conditions_if_pairs_cross_them():
    mean, error = mean_and_error(BetweenMinusWithin(across="session"), drifting)
    assert (np.abs(mean) < STANDARD_ERRORS * error).all()
    plain, plain_error = mean_and_error(BetweenMinusWithin(), drifting)
    assert (np.abs(plain) > STANDARD_ERRORS * plain_error).any()


def test_conditions_that_differ_are_as_far_apart_as_their_mean_responses():
    """Rates r and r + 3 in 2 units: ``2 * 9`` in counts, the filtered rates in van Rossum; 2 of 3 pairs differ so."""
    mean, error = mean_and_error(BetweenMinusWithin(across="session"), lambda _: np.where(LABELS == 1, 9.0, 6.0))
    tau = np.array([0.005, 0.05])
    expected = 2 / 3 * 2 * 9 * np.array([*2 * (tau - tau**2 * (1 - np.exp(-1 / tau))), 1.0])
    assert (np.abs(mean[[0, 1, 3]] - expected) < STANDARD_ERRORS * error[[0, 1, 3]]).all()
    assert (mean[1:] > 5 * error[1:]).all()
