"""Trials laid on top of each other give the same unbiased dissimilarities as all pairs of trials."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.errors import InputError
from snncompare.representation import pooled_conditions
from snncompare.representation.metrics import SpikeCount
from snncompare.representation.pooled_conditions import condition_dissimilarities
from snncompare.testing.ground_truth import Design, pattern_code, rate_code

METRICS = [
    sc.VanRossum("3 ms"),
    SpikeCount(),
    sc.VanRossum("30 ms", mixing=0.3),
    sc.VictorPurpura("100 Hz"),
    sc.VanRossum("3 ms", mixing=1.0),
]


def unequal(recording):
    """Return the recording without some trials, in shuffled order of conditions, with coincident spikes."""
    kept = recording.select(trials=np.arange(recording.n_trials) % 7 > 0)
    return sc.Recording(
        times=np.round(kept.times, 3), offsets=kept.offsets, units=kept.units, trials=kept.trials
    ).with_trials(condition=np.random.default_rng(0).permutation(kept.trials["condition"]))


@pytest.mark.parametrize("estimator", [sc.BetweenMinusWithin(), sc.MeanDistance()], ids=repr)
@pytest.mark.parametrize("code", [rate_code, pattern_code])
def test_every_route_equals_the_rdm(code, estimator):
    recording = unequal(code(Design(conditions=5, repeats=8, units=4)))
    found = condition_dissimilarities(recording, METRICS, "condition", estimator)
    expected = sc.rdm(recording, METRICS, "condition", estimator).get_vectors()
    # sums of some hundred squared kernels, rounded; distances are up to 30
    assert np.abs(found - expected).max() < 1e-10


def test_trials_are_laid_on_top_only_where_that_is_exact(monkeypatch):
    def fails(*_):
        raise AssertionError

    recording = rate_code(Design(conditions=4, repeats=3, units=2))
    monkeypatch.setattr(pooled_conditions, "_unbiased", fails)
    condition_dissimilarities(recording, METRICS, "condition", sc.MeanDistance())
    condition_dissimilarities(recording, [sc.VictorPurpura("10 Hz")], "condition", sc.BetweenMinusWithin())
    with pytest.raises(AssertionError):
        condition_dissimilarities(recording, METRICS, "condition", sc.BetweenMinusWithin())


def test_pairs_of_a_trial_with_itself_are_left_out():
    """Two conditions with the same responses are 0 apart on average, which needs the trials' own terms."""
    found = [
        condition_dissimilarities(
            rate_code(Design(conditions=6, repeats=4, units=10, noise=k), depth=0.0),
            [sc.VanRossum("10 ms"), SpikeCount()],
            "condition",
            sc.BetweenMinusWithin(),
        ).mean(axis=1)
        for k in range(60)
    ]
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(60)
    assert (np.abs(mean) < 4 * error).all()
    assert (error < 1.5).all()  # one trial's own term is 8 spikes in each of 10 units: 160 / 4 would be added


def test_a_single_trial_is_refused():
    recording = rate_code(Design(conditions=4, repeats=1, units=2))
    with pytest.raises(InputError, match="at least 2 trials"):
        condition_dissimilarities(recording, [SpikeCount()], "condition", sc.BetweenMinusWithin())
