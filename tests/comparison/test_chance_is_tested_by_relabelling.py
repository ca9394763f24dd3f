"""The test against no relation is exact where it can be, and its correction is Holm's."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from snncompare.comparison.compare import compare
from snncompare.comparison.measures import KendallTauA, Pearson, Spearman
from snncompare.comparison.permutation import holm, relabellings


def matrix(vector, n):
    full = np.zeros((n, n))
    full[np.triu_indices(n, 1)] = vector
    return full + full.T


def brute_force(x, y, n, measure):
    """Rename the conditions of x in all orders and count, with nothing but matrices."""
    observed = measure.between(x[None], y[None])[0, 0]
    orders = list(itertools.permutations(range(n)))
    upper = np.triu_indices(n, 1)
    renamed = np.array([matrix(x, n)[np.ix_(order, order)][upper] for order in orders])
    return (measure.between(renamed, y[None])[:, 0] >= observed - 1e-9).mean()


@pytest.mark.parametrize("measure", [Spearman(), Pearson(), KendallTauA()], ids=lambda m: m.method)
@pytest.mark.parametrize("n", [4, 5])
def test_with_few_conditions_p_is_the_exact_proportion_of_all_orders(measure, n, make_rdms):
    generator = np.random.default_rng(n)
    x, y = generator.gamma(2.0, size=(2, n * (n - 1) // 2))
    p = compare(make_rdms(x), {"m": make_rdms(y)}, by=measure).table["p"][0]
    assert p == pytest.approx(brute_force(x, y, n, measure), abs=1e-12)


def test_orders_that_leave_a_symmetric_model_as_it_is_count(make_rdms):
    two_groups = np.array([0.0, 1, 1, 1, 1, 0])  # 8 of the 24 orders of 4 conditions keep the groups
    p = compare(make_rdms(two_groups + 0.1 * np.arange(6)), {"m": make_rdms(two_groups)}).table["p"][0]
    assert p == pytest.approx(8 / 24)


def test_random_orders_approach_the_exact_p():
    exact, random = relabellings(7, 0), relabellings(8, 0)
    assert exact.exact
    assert not random.exact
    assert len(exact.orders) == math.factorial(7) == len(np.unique(exact.orders, axis=0))
    assert exact.smallest_p == 1 / 5040
    assert random.smallest_p == 1 / 10_000
    first = np.bincount(random.orders[:, 0], minlength=8)
    assert stats.chisquare(first).pvalue > 0.001


def test_monte_carlo_agrees_with_all_orders(make_aligned, monkeypatch):
    generator = np.random.default_rng(1)
    given = make_aligned(generator.gamma(2.0, size=(2, 21)), generator.gamma(2.0, size=(4, 21)))
    exact = relabellings(7, 0).p_values(given, Spearman())
    monkeypatch.setattr("snncompare.comparison.permutation.MOST_EXACT", 0)
    random = relabellings(7, 0).p_values(given, Spearman())
    deviation = np.sqrt(exact * (1 - exact) / 9999)
    assert (np.abs(random - exact) < 4 * deviation + 1e-3).all()
    assert not np.array_equal(random, exact)


def test_the_smallest_possible_p_is_stated_with_few_conditions(make_rdms):
    rows = np.random.default_rng(0).gamma(2.0, size=(3, 6))
    one = compare(make_rdms(rows[0]), {"m": make_rdms(rows[0])})
    assert one.table["p"][0] == 1 / 24
    assert not any("smallest possible p" in text for text in one.statements)
    two = compare(make_rdms(rows[0]), {"m": make_rdms(rows[0]), "n": make_rdms(rows[1])})
    assert any("24 orders of them the smallest possible p is 0.042; corrected" in text for text in two.statements)
    three = compare(make_rdms(rows[0, :3]), {"m": make_rdms(rows[0, :3])})
    assert any("no model can be shown to be above chance" in text for text in three.statements)


def circle(n):
    steps = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return np.minimum(steps, n - steps)[np.triu_indices(n, 1)].astype(float)


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_a_circle_of_n_conditions_has_2_n_orders_that_leave_it_as_it_is(n):
    models = np.array([[circle(n), np.random.default_rng(0).gamma(2.0, size=n * (n - 1) // 2)]])
    np.testing.assert_allclose(relabellings(n, 0).attainable_p(models), [[2 * n, 1]] / np.prod(np.arange(1.0, n + 1)))


def test_the_attainable_p_is_what_a_perfect_fit_gets(make_rdms):
    """A circle in the data as in the model: 8 of 24 orders give the same similarity."""
    found = compare(make_rdms(circle(4)), {"circle": make_rdms(circle(4))})
    assert found.table["similarity"][0] == pytest.approx(1)
    assert found.table["p"][0] == pytest.approx(8 / 24)


def test_a_model_that_differs_from_one_other_condition_only_cannot_be_shown_among_many(monkeypatch):
    odd = np.array([[np.arange(8 * 7 // 2) < 7]]).astype(float)  # condition 0 against the other seven
    random = relabellings(8, 0).attainable_p(odd)[0, 0]
    monkeypatch.setattr("snncompare.comparison.permutation.MOST_EXACT", 40320)
    assert relabellings(8, 0).attainable_p(odd)[0, 0] == pytest.approx(1 / 8)
    assert random == pytest.approx(1 / 8, abs=4 * np.sqrt(1 / 8 * 7 / 8 / 9999))


def test_a_model_too_symmetric_for_the_number_of_conditions_is_named(make_rdms):
    rows = np.random.default_rng(0).gamma(2.0, size=(2, 6))
    found = compare(make_rdms(rows[0]), {"circle": make_rdms(circle(4)), "network": make_rdms(rows[1])})
    said = [text for text in found.statements if "however well they fit" in text]
    assert len(said) == 1
    assert "'circle' not below p = 0.33" in said[0]
    assert "network" not in said[0]
    more = np.random.default_rng(0).gamma(2.0, size=21)
    enough = compare(make_rdms(more), {"circle": make_rdms(circle(7))})
    assert not any("however well they fit" in text for text in enough.statements)


def test_holm_on_a_worked_example():
    p = np.array([[0.01, 0.04], [np.nan, 0.03]])  # 3 * 0.01, then 2 * 0.03, then max(0.06, 0.04)
    np.testing.assert_allclose(holm(p), [[0.03, 0.06], [np.nan, 0.06]])
    np.testing.assert_array_equal(holm(np.array([0.9, 0.8])), [1, 1])
    assert np.isnan(holm(np.full(3, np.nan))).all()
