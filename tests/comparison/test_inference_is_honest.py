"""False alarms, coverage and verdicts of simulated experiments with known truth.

Points of conditions are normal; the RDM of a model is the distance of points that share some dimensions with the
data. Bounds are binomial: a rate of ``p`` in ``n`` experiments is exceeded by chance once in a thousand.
"""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist

from snncompare.comparison.compare import compare
from snncompare.comparison.inference import Estimates, difference_table, model_table, verdict
from snncompare.comparison.measures import Pearson, Spearman
from snncompare.comparison.permutation import relabellings
from snncompare.comparison.resampling.choice import choose_resampling


def most_by_chance(p, n):
    return stats.binom.ppf(0.999, n, p)


def least_by_chance(p, n):
    return stats.binom.ppf(0.001, n, p)


def world(generator, n, own, n_subjects=1):
    """Return data with noise per subject, and one model per entry of ``own``: the share of unrelated dimensions."""
    truth = generator.normal(size=(n, 6))
    data = [pdist(truth + 0.5 * generator.normal(size=truth.shape)) for _ in range(n_subjects)]
    parts = [(np.sqrt(1 - a) * truth, np.sqrt(a) * generator.normal(size=truth.shape)) for a in own]
    return np.array(data), np.array([pdist(np.hstack(part)) for part in parts])


@pytest.mark.parametrize(("n_conditions", "n_experiments"), [(5, 1000), (9, 500)])
def test_an_unrelated_model_is_above_chance_in_at_most_5_percent(
    make_aligned, n_conditions, n_experiments, monkeypatch
):
    monkeypatch.setattr("snncompare.comparison.permutation.MONTE_CARLO", 199)
    generator = np.random.default_rng(1)
    p = []
    for seed in range(n_experiments):
        given = make_aligned(*world(generator, n_conditions, [1.0]))
        p.append(relabellings(n_conditions, seed).p_values(given, Spearman())[0, 0])
    assert np.sum(np.array(p) <= 0.05) <= most_by_chance(0.05, n_experiments)
    assert np.sum(np.array(p) <= 0.5) >= least_by_chance(0.45, n_experiments)  # and the test is not empty


def test_among_many_unrelated_models_holm_keeps_any_false_alarm_at_5_percent(make_aligned):
    generator = np.random.default_rng(2)
    alarms, n_experiments = 0, 300
    for seed in range(n_experiments):
        given = make_aligned(*world(generator, 7, [1.0] * 6))
        table = model_table(
            Estimates.of(given, Spearman(), relabellings(7, seed).p_values(given, Spearman()), None), None
        )
        alarms += (table["verdict"] != "no match").any()
    assert alarms <= most_by_chance(0.05, n_experiments)


@pytest.mark.parametrize(("n_conditions", "n_subjects"), [(8, 1), (20, 1), (12, 5)])
def test_intervals_cover_and_equally_good_models_are_not_told_apart(make_aligned, n_conditions, n_subjects):
    generator = np.random.default_rng(3)
    own, n_experiments = [0.0, 0.5, 0.5, 1.0], 300
    many = [world(generator, 200, own, n_subjects) for _ in range(12)]
    truth = np.mean([Pearson().between(data, models).mean(axis=0) for data, models in many], axis=0)
    covered, told_apart, found = np.zeros(4), 0, 0
    for seed in range(n_experiments):
        given = make_aligned(*world(generator, n_conditions, own, n_subjects))
        spread = choose_resampling(given, None, 150, seed).spread(given, Pearson())
        estimates = Estimates.of(given, Pearson(), np.ones((1, 4)), spread)
        table, pairs = model_table(estimates, None), difference_table(estimates).set_index(["model_a", "model_b"])
        covered += (table["ci_low"] <= truth) & (truth <= table["ci_high"])
        told_apart += pairs.loc[("1", "2"), "p"] <= 0.05
        found += pairs.loc[("0", "3"), "p"] <= 0.05
    assert (covered >= least_by_chance(0.95, n_experiments)).all()
    assert told_apart <= most_by_chance(0.05, n_experiments)
    if n_conditions == 20:
        assert found > 0.9 * n_experiments  # the truth and nothing are told apart


def test_the_true_model_matches_and_an_unrelated_one_does_not(make_rdms, record, monkeypatch):
    monkeypatch.setattr("snncompare.comparison.permutation.MONTE_CARLO", 499)
    verdicts = {"truth": [], "again": [], "nothing": []}
    n_experiments = 40
    for seed in range(n_experiments):
        generator = np.random.default_rng(seed)
        truth = generator.normal(size=(16, 8))
        data, repeats = record(generator, truth, 8, 1.0, n_resamples=1)
        again, _ = record(generator, truth, 8, 1.0, n_resamples=1, n_splits=1)
        models = {
            "truth": make_rdms(pdist(truth)),
            "again": make_rdms(again.get_vectors()),
            "nothing": make_rdms(pdist(generator.normal(size=(16, 8)))),
        }
        table = compare(data, models, replicates=repeats, seed=seed, n_resamples=100).table
        for name, text in zip(table["model"], table["verdict"], strict=True):
            verdicts[name].append(text)
    assert verdicts["truth"].count("match") == n_experiments
    assert verdicts["again"].count("match") >= 0.9 * n_experiments  # another recording of the same animal
    assert verdicts["nothing"].count("no match") >= least_by_chance(0.95, n_experiments)


@pytest.mark.parametrize(
    ("ci_low", "ci_high", "p", "ceiling", "expected"),
    [
        (0.5, 0.8, 0.01, 0.7, "match"),
        (0.3, 0.6, 0.01, 0.7, "partial"),
        (0.1, 0.8, 0.01, 0.7, "related"),  # too wide to tell
        (0.5, 0.8, 0.06, 0.7, "no match"),
        (0.5, 0.8, np.nan, 0.7, "no match"),
        (0.5, 0.8, 0.01, np.nan, "related"),
        (0.5, 0.8, 0.01, 0.0, "related"),
        (np.nan, np.nan, 0.01, 0.7, "related"),
    ],
)
def test_the_verdict_follows_from_chance_and_ceiling(ci_low, ci_high, p, ceiling, expected):
    assert verdict(ci_low, ci_high, p, ceiling) == expected
