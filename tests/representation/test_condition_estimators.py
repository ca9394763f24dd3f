import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.representation.conditions import Conditions
from snncompare.representation.estimators import BetweenMinusWithin, MeanDistance, default_estimator

EUCLIDEAN, OTHER = np.array([True]), np.array([False])


def euclidean(points):
    return np.sqrt(((points[:, None] - points[None, :]) ** 2).sum(axis=2))


def plain_estimate(matrix, conditions, trials, within):
    """Loop over pairs of a list of trials with repetitions; pairs of copies do not exist."""
    members = [[i for i in trials if conditions.index[i] == c] for c in range(conditions.n_conditions)]

    def mean(a, b):
        values = [matrix[i, j] for i in a for j in b if i != j]
        return sum(values) / len(values)

    first, second = np.triu_indices(conditions.n_conditions, k=1)
    return [
        mean(members[a], members[b])
        - (0.5 * mean(members[a], members[a]) + 0.5 * mean(members[b], members[b]) if within else 0.0)
        for a, b in zip(first, second, strict=True)
    ]


@pytest.fixture
def conditions():
    return Conditions.from_labels(["b", "a", "b", "c", "a", "c", "b", "a", "c", "a"])


@pytest.mark.parametrize("geometry", [EUCLIDEAN, OTHER])
def test_weighted_matrix_form_equals_loops_over_pairs(conditions, geometry):
    rng = np.random.default_rng(0)
    d = euclidean(rng.normal(size=(10, 4)))
    weights = np.array([np.ones(10), [2, 1, 1, 0, 1, 2, 0, 0, 1, 2], [0, 0, 1, 1, 1, 2, 1, 3, 0, 1]], dtype=float)
    s = d**2 if geometry[0] else d
    for sample, weight in enumerate(weights):
        trials = np.repeat(np.arange(10), weight.astype(int)).tolist()
        mean = MeanDistance().estimate(d[None], geometry, conditions, weights)[0, sample]
        unbiased = BetweenMinusWithin().estimate(d[None], geometry, conditions, weights)[0, sample]
        assert mean == pytest.approx(plain_estimate(d, conditions, trials, within=False))
        assert unbiased == pytest.approx(plain_estimate(s, conditions, trials, within=True))


def test_between_minus_within_is_unbiased_and_the_mean_is_not():
    """Conditions with the same distribution: the naive mean of squared distances is the noise, 2 sigma^2 per axis."""
    rng = np.random.default_rng(1)
    of = Conditions.from_labels(np.repeat([0, 1], 5))
    d = np.stack([euclidean(rng.normal(size=(10, 3))) for _ in range(2000)])
    unbiased = BetweenMinusWithin().estimate(d, np.full(2000, True), of, np.ones((1, 10)))[:, 0, 0]
    naive = MeanDistance().estimate(d**2, np.full(2000, True), of, np.ones((1, 10)))[:, 0, 0]
    standard_error = unbiased.std() / np.sqrt(2000)
    assert abs(unbiased.mean()) < 3 * standard_error
    assert naive.mean() == pytest.approx(6.0, abs=0.2)
    assert (unbiased < 0).any()


def test_between_minus_within_finds_the_squared_distance_of_the_means():
    rng = np.random.default_rng(2)
    of = Conditions.from_labels(np.repeat([0, 1], 4))
    shift = np.repeat([[0.0, 0.0], [3.0, 4.0]], 4, axis=0)
    d = np.stack([euclidean(rng.normal(size=(8, 2)) + shift) for _ in range(2000)])
    estimates = BetweenMinusWithin().estimate(d, np.full(2000, True), of, np.ones((1, 8)))[:, 0, 0]
    assert abs(estimates.mean() - 25.0) < 3 * estimates.std() / np.sqrt(2000)


def test_on_points_it_is_the_product_of_independent_folds():
    """The crossnobis form: differences of trial pairs that share no trial, multiplied and averaged."""
    x, y = np.random.default_rng(3).normal(size=(2, 4, 3))
    folds = [
        (x[i] - y[j]) @ (x[k] - y[m])
        for i in range(4)
        for j in range(4)
        for k in range(4)
        for m in range(4)
        if i != k and j != m
    ]
    of = Conditions.from_labels(np.repeat([0, 1], 4))
    ours = BetweenMinusWithin().estimate(euclidean(np.concatenate([x, y]))[None], EUCLIDEAN, of, np.ones((1, 8)))
    assert ours[0, 0, 0] == pytest.approx(np.mean(folds))


def test_the_energy_form_is_zero_on_average_for_equal_conditions():
    rng = np.random.default_rng(4)
    of = Conditions.from_labels(np.repeat([0, 1], 5))
    d = np.stack([euclidean(rng.normal(size=(10, 3))) for _ in range(2000)])
    estimates = BetweenMinusWithin().estimate(d, np.full(2000, False), of, np.ones((1, 10)))[:, 0, 0]
    assert abs(estimates.mean()) < 3 * estimates.std() / np.sqrt(2000)


def test_the_default_is_unbiased_where_every_condition_is_repeated():
    assert default_estimator(Conditions.from_labels([1, 1, 2, 2])) == BetweenMinusWithin()
    assert default_estimator(Conditions.from_labels([1, 1, 2])) == MeanDistance()


def test_single_trials_are_refused_where_two_are_needed():
    of = Conditions.from_labels(["a", "a", "b"])
    with pytest.raises(InputError, match="at least 2 trials of every condition; condition 'b' has 1"):
        BetweenMinusWithin().estimate(np.zeros((1, 3, 3)), EUCLIDEAN, of, np.ones((1, 3)))


def test_a_condition_without_trials_is_refused():
    with pytest.raises(InputError, match="every one of 3 conditions needs a trial"):
        Conditions(("a", "b", "c"), np.array([0, 2, 0]))
