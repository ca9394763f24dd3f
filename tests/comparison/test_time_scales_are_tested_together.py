"""All time scales in one test: the largest statistic over relabellings keeps any false alarm at the stated level."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist

from snncompare.comparison.compare import compare
from snncompare.comparison.measures import KendallTauA, Pearson, Spearman
from snncompare.comparison.permutation import holm
from snncompare.comparison.precision.time_scale import largest_statistic_p, time_scale_test
from snncompare.errors import InputError

SCALES = np.geomspace(0.001, 1, 6)


def drifting(rng, n, related_to=None):
    """Points over time scales of which neighbours are alike; one time scale shares half with ``related_to``."""
    points = [rng.normal(size=(n, 5))]
    for _ in SCALES[1:]:
        points.append(np.sqrt(0.5) * (points[-1] + rng.normal(size=(n, 5))))
    if related_to is not None:
        points[3] = np.hstack([points[3], related_to[3]])
    return points


def sweep(make_rdms, points):
    return make_rdms([pdist(each) for each in points], time_scale=SCALES)


def test_any_false_alarm_among_models_and_time_scales_is_at_the_level(make_rdms):
    rng = np.random.default_rng(0)
    n_experiments, any_at_all, any_of_one, uncorrected, by_holm = 300, 0, 0, 0, 0
    for seed in range(n_experiments):
        models = {name: sweep(make_rdms, drifting(rng, 10)) for name in "ab"}
        table = time_scale_test(sweep(make_rdms, drifting(rng, 10)), models, Pearson(), seed, n=199).table
        any_at_all += table["p_max"].min() <= 0.05
        any_of_one += table.loc[table["model"] == "a", "p_model"].min() <= 0.05
        uncorrected += table["p"].min() <= 0.05
        by_holm += holm(table["p"].to_numpy()).min() <= 0.05
    most = stats.binom.ppf(0.999, n_experiments, 0.05)
    assert any_at_all <= most
    assert any_of_one <= most
    assert uncorrected > 2 * most  # the control: without correction it is far above
    assert by_holm <= any_at_all  # Holm does not know that neighbouring time scales are alike
    assert any_at_all > stats.binom.ppf(0.001, n_experiments, 0.05)  # and the test is not empty


def test_a_related_model_is_found_and_raises_no_false_alarm_of_others(make_rdms):
    rng = np.random.default_rng(1)
    found, others, n_experiments = 0, 0, 60
    for seed in range(n_experiments):
        points = drifting(rng, 14)
        models = {"some": sweep(make_rdms, drifting(rng, 14, points)), "none": sweep(make_rdms, drifting(rng, 14))}
        result = time_scale_test(sweep(make_rdms, points), models, Pearson(), seed, n=199)
        found += result.best("some")["p_max"] <= 0.05
        others += result.best("none")["p_max"] <= 0.05
        assert result.best("some")["time_scale"] in SCALES
    assert found > 0.9 * n_experiments
    assert others <= stats.binom.ppf(0.999, n_experiments, 0.05)


@pytest.mark.parametrize("measure", [Spearman(), KendallTauA()], ids=["rho", "tau"])
def test_p_of_a_row_alone_is_that_of_the_comparison(make_rdms, measure):
    rows = np.random.default_rng(2).gamma(2.0, size=(4, 10))
    data, models = make_rdms(rows[:2], time_scale=[0.01, 0.1]), {"m": make_rdms(rows[2:], time_scale=[0.01, 0.1])}
    ours, theirs = time_scale_test(data, models, measure), compare(data, models, measure).table
    np.testing.assert_allclose(ours.table["p"], theirs["p"])
    np.testing.assert_allclose(ours.table["similarity"], theirs["similarity"])
    assert ours.exact
    assert ours.n == 120


def test_the_largest_statistic_by_brute_force(make_rdms):
    """Five conditions, all 120 orders, two models at two time scales, with nothing but matrices."""
    rows = np.random.default_rng(3).gamma(2.0, size=(6, 10))
    data = make_rdms(rows[:2], time_scale=[0.01, 0.1])
    models = {"a": make_rdms(rows[2:4], time_scale=[0.01, 0.1]), "b": make_rdms(rows[4:], time_scale=[0.01, 0.1])}
    upper = np.triu_indices(5, 1)

    def renamed(vector, order):
        matrix = np.zeros((5, 5))
        matrix[upper] = vector
        return (matrix + matrix.T)[np.ix_(order, order)][upper]

    orders = list(itertools.permutations(range(5)))
    pairs = [(0, 2), (0, 4), (1, 3), (1, 5)]
    each = np.array([[np.corrcoef(renamed(rows[d], o), rows[m])[0, 1] for o in orders] for d, m in pairs])
    z = (each - each.mean(axis=1, keepdims=True)) / each.std(axis=1, keepdims=True)
    table = time_scale_test(data, models, Pearson()).table
    np.testing.assert_allclose(table["p_max"], [(z.max(axis=0) >= row[0] - 1e-9).mean() for row in z])
    of_a, of_b = z[[0, 2]].max(axis=0), z[[1, 3]].max(axis=0)
    expected = [(part >= row[0] - 1e-9).mean() for part, row in zip([of_a, of_b, of_a, of_b], z, strict=True)]
    np.testing.assert_allclose(table["p_model"], expected)


def test_corrected_p_values_are_ordered_and_a_single_row_needs_no_correction():
    statistics = np.random.default_rng(4).normal(size=(5, 500))
    alone = largest_statistic_p(statistics, np.arange(5))
    together = largest_statistic_p(statistics, np.zeros(5, dtype=int))
    assert (together >= alone).all()
    assert (together > alone).any()
    expected = (statistics >= statistics[:, :1]).mean(axis=1)
    np.testing.assert_allclose(alone, expected)


def test_rows_that_are_copies_of_each_other_cost_nothing(make_rdms):
    rows = np.random.default_rng(5).gamma(2.0, size=(2, 36))
    data, models = make_rdms(rows[[0] * 6], time_scale=SCALES), {"m": make_rdms(rows[[1] * 6], time_scale=SCALES)}
    table = time_scale_test(data, models, seed=1, n=199).table
    np.testing.assert_allclose(table["p_max"], table["p"])
    assert holm(table["p"].to_numpy())[0] == pytest.approx(min(1, 6 * table["p"][0]))


def test_a_model_without_structure_is_never_above_chance(make_rdms):
    rows = np.random.default_rng(6).gamma(2.0, size=(2, 36))
    models = {"flat": make_rdms(np.ones(36)), "m": make_rdms(rows[0])}
    table = time_scale_test(make_rdms(rows[0]), models, n=99).table.set_index("model")
    assert table.loc["flat", "p"] == table.loc["flat", "p_max"] == 1
    assert table.loc["m", "p_max"] == pytest.approx(1 / 100)


def test_seed_and_number_of_relabellings_matter_and_are_checked(make_rdms):
    rows = np.random.default_rng(7).gamma(2.0, size=(2, 36))
    data, models = make_rdms(rows[0]), {"m": make_rdms(rows[1])}
    one, again, other = (time_scale_test(data, models, seed=seed, n=99) for seed in (1, 1, 2))
    assert one.table.equals(again.table)
    assert not one.table.equals(other.table)
    assert one.n == 99
    assert not one.exact
    assert time_scale_test(data, models, n=499).n == 499
    for wrong in ({"n": 10}, {"seed": -1}, {"n": 99.5}):
        with pytest.raises(InputError, match="must be a whole number of at least"):
            time_scale_test(data, models, **wrong)


def test_the_outcome_is_said_in_words(make_rdms):
    rng = np.random.default_rng(8)
    points = drifting(rng, 14)
    models = {"some": sweep(make_rdms, points), "none": sweep(make_rdms, drifting(rng, 14))}
    result = time_scale_test(sweep(make_rdms, points), models, n=199)
    some, none = result.summary().splitlines()
    assert some.startswith("'some' is related to the data: best at van Rossum at")
    assert "199 random relabellings" in some
    assert none.startswith("'none' is not above chance at any time scale")
    with pytest.raises(InputError, match="no model 'sone'; did you mean 'some'"):
        result.best("sone")
