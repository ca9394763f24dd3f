"""Whitened, Bures and Riemannian measures equal rsatoolbox's and direct formulas, for resampled conditions too."""

import numpy as np
import pytest
from rsatoolbox.rdm import compare as reference
from scipy.linalg import eigvalsh
from scipy.optimize import minimize
from scipy.spatial.distance import pdist, squareform

from snncompare.comparison.alignment import pair_numbers
from snncompare.comparison.measures import (
    Bures,
    BuresMetric,
    NegativeRiemannianDistance,
    WhitenedCosine,
    WhitenedPearson,
)
from snncompare.comparison.measures.conditions import condition_counts
from snncompare.errors import InputError, UnsupportedError

N = 10
FIRST, SECOND = np.triu_indices(N, 1)
WHITENED = [WhitenedCosine(), WhitenedPearson()]
BURES = [Bures(), BuresMetric()]
ROUNDING = 1e-11
ROOT_OF_ROUNDING = 1e-5  # rsatoolbox takes roots of eigenvalues that are 0 up to 1e-14 of a trace of about 100


def points(seed, n=N, features=14):
    return np.random.default_rng(seed).normal(size=(n, features))


def rdms(seed, n_rdms, n=N, features=14):
    return np.stack([pdist(points(seed + 100 * k, n, features)) ** 2 for k in range(n_rdms)])


def repeated(vectors, drawn, *, copies):
    """Return the RDMs of drawn conditions, with the given distance between copies of one condition."""
    first, second = np.triu_indices(len(drawn), 1)
    same = drawn[first] == drawn[second]
    return np.where(same, copies, np.stack([squareform(row)[drawn[first], drawn[second]] for row in vectors]))


def weights_of(drawn, n):
    first, second = np.triu_indices(n, 1)
    counts = np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(float)
    return counts[:, first] * counts[:, second]


def noise(seed):
    return np.cov(np.random.default_rng(seed).normal(size=(N, 40)))


@pytest.mark.parametrize("measure", WHITENED, ids=lambda m: m.method)
def test_whitened_measures_of_resampled_conditions_equal_rsatoolbox(measure):
    x, y = rdms(1, 2), rdms(2, 3)
    drawn = np.random.default_rng(3).integers(0, N, (20, N))
    ours = measure.resampled(x, y, weights_of(drawn, N))
    for row, sample in zip(ours, drawn, strict=True):
        theirs = reference(repeated(x, sample, copies=np.nan), repeated(y, sample, copies=np.nan), measure.method)
        np.testing.assert_allclose(row, theirs, atol=ROUNDING)


@pytest.mark.parametrize("measure", WHITENED, ids=lambda m: m.method)
def test_rsatoolbox_still_breaks_down_on_whitened_bootstraps_from_100_conditions_on(measure):
    """Facts 5.8. When this fails, rsatoolbox was repaired, and the sentence in WhitenedCosine has to go."""
    x, y = rdms(1, 1, 100, 120), rdms(2, 1, 100, 120)
    drawn = np.random.default_rng(3).integers(0, 100, (2, 100))
    with pytest.raises(TypeError, match="int8"):
        reference(repeated(x, drawn[0], copies=np.nan), repeated(y, drawn[0], copies=np.nan), measure.method)
    ours = measure.resampled(x, y, weights_of(drawn, 100))
    assert np.isfinite(ours).all()
    assert ours[0] != ours[1]


@pytest.mark.parametrize("measure", WHITENED, ids=lambda m: m.method)
def test_with_all_conditions_drawn_once_a_resample_is_the_data(measure):
    x, y = rdms(1, 2, 101, 20), rdms(2, 1, 101, 20)
    np.testing.assert_allclose(measure.between(x, y), reference(x, y, measure.method), atol=ROUNDING)


@pytest.mark.parametrize("kind", [WhitenedCosine, WhitenedPearson], ids=lambda k: k.method)
def test_a_noise_covariance_whitens_as_the_formula_says_and_rsatoolbox_approximates(kind):
    x, y, sigma = rdms(1, 2), rdms(2, 2), noise(5)
    contrasts = np.eye(N)[FIRST] - np.eye(N)[SECOND]
    inverse = np.linalg.inv((contrasts @ sigma @ contrasts.T) ** 2)
    centre = kind is WhitenedPearson
    a, b = (v - v.mean(axis=1, keepdims=True) * centre for v in (x, y))
    lengths = [np.sqrt(np.einsum("ip,pq,iq->i", v, inverse, v)) for v in (a, b)]
    expected = a @ inverse @ b.T / np.outer(*lengths)
    ours = kind(sigma).between(x, y)
    np.testing.assert_allclose(ours, expected, atol=1e-9)  # V has a condition number of about 1e5
    np.testing.assert_allclose(
        ours, reference(x, y, kind.method, sigma_k=sigma), atol=1e-4
    )  # their solver stops at 1e-5
    assert np.abs(ours - kind().between(x, y)).max() > 1e-3


@pytest.mark.parametrize("kind", [WhitenedCosine, WhitenedPearson], ids=lambda k: k.method)
def test_variances_are_a_diagonal_covariance_here_but_not_in_rsatoolbox(kind):
    x, y, variances = rdms(1, 2), rdms(2, 2), np.linspace(0.5, 3, N)
    ours = kind(variances).between(x, y)
    np.testing.assert_allclose(ours, kind(np.diag(variances)).between(x, y), atol=ROUNDING)
    theirs = reference(x, y, kind.method, sigma_k=variances)
    assert np.abs(theirs - reference(x, y, kind.method, sigma_k=np.diag(variances))).max() > 1e-3


def test_a_resample_with_variances_is_the_resample_of_the_conditions_with_theirs():
    x, y, variances = rdms(1, 1), rdms(2, 1), np.linspace(0.5, 3, N)
    some = np.array([0, 2, 3, 5, 8, 9])
    first, second = np.triu_indices(len(some), 1)
    taken = pair_numbers(N)[some[first], some[second]]
    weights = np.zeros((1, x.shape[1]))
    weights[0, taken] = 1
    ours = WhitenedCosine(variances).resampled(x, y, weights)[0]
    np.testing.assert_allclose(ours, WhitenedCosine(variances[some]).between(x[:, taken], y[:, taken]), atol=ROUNDING)


@pytest.mark.parametrize("measure", BURES, ids=lambda m: m.method)
@pytest.mark.parametrize("euclidean", [True, False])
def test_bures_measures_equal_rsatoolbox(measure, euclidean):
    x, y = rdms(1, 3), rdms(2, 2)
    if not euclidean:  # as unbiased RDMs are
        x, y = (v + np.random.default_rng(4).normal(0, 5, v.shape) for v in (x, y))
    np.testing.assert_allclose(measure.between(x, y), reference(x, y, measure.method), atol=ROOT_OF_ROUNDING)


def test_bures_measures_are_the_rotation_of_points_onto_points():
    a, b = (points(k) - points(k).mean(axis=0) for k in (1, 2))
    nuclear = np.linalg.svd(a.T @ b, compute_uv=False).sum()
    x, y = (pdist(p)[None] ** 2 for p in (a, b))
    squared = np.sum(a**2) + np.sum(b**2) - 2 * nuclear
    assert BuresMetric().between(x, y)[0, 0] == pytest.approx(squared, abs=1e-9)
    assert Bures().between(x, y)[0, 0] == pytest.approx(nuclear / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-11)
    assert BuresMetric().between(x, x)[0, 0] == pytest.approx(BuresMetric.of_equals, abs=1e-9)
    assert Bures().between(x, 3 * x)[0, 0] == pytest.approx(Bures.of_equals, abs=1e-11)


@pytest.mark.parametrize("measure", BURES, ids=lambda m: m.method)
def test_bures_measures_of_resampled_conditions_are_those_of_the_repeated_points(measure):
    x, y = rdms(1, 2), rdms(2, 3)
    drawn = np.random.default_rng(3).integers(0, N, (10, N))
    ours = measure.resampled(x, y, weights_of(drawn, N))
    for row, sample in zip(ours, drawn, strict=True):
        expected = measure.between(repeated(x, sample, copies=0.0), repeated(y, sample, copies=0.0))
        np.testing.assert_allclose(row, expected, atol=1e-9)
    assert np.ptp(ours, axis=0).min() > 0.01


@pytest.mark.parametrize("measure", BURES, ids=lambda m: m.method)
def test_bures_measures_of_a_part_of_the_conditions_are_those_of_their_rdm(measure):
    some = np.array([0, 2, 3, 5, 8, 9])
    taken = pair_numbers(N)[some[:, None], some][np.triu_indices(len(some), 1)]
    weights = np.zeros((1, len(FIRST)))
    weights[0, taken] = 1
    x, y = rdms(1, 2), rdms(2, 3)
    expected = measure.between(x[:, taken], y[:, taken])
    np.testing.assert_allclose(measure.resampled(x, y, weights)[0], expected, atol=1e-9)


def test_the_negative_riemannian_distance_is_the_best_of_rsatoolbox_or_better():
    for features in (14, 4):  # a data RDM of full rank, and one that needs the noise
        x, y = rdms(1, 3, features=features), rdms(2, 2)
        ours, theirs = NegativeRiemannianDistance().between(x, y), reference(x, y, "neg_riem_dist")
        assert (ours >= theirs - 1e-8).all()  # the golden section's own error
        np.testing.assert_allclose(ours, theirs, atol=1e-3)  # Nelder and Mead stop at steps of 1e-4


@pytest.mark.parametrize("sigma", [None, noise(6), np.linspace(0.5, 3, N)], ids=["equal", "matrix", "variances"])
def test_the_negative_riemannian_distance_is_the_minimum_of_its_definition(sigma):
    x, y = rdms(1, 1), rdms(2, 1)
    a, b = (p[1:] - p[0] for p in (points(1), points(2)))
    matrix = np.eye(N) if sigma is None else np.diag(sigma) if sigma.ndim == 1 else sigma
    to_first = np.hstack([-np.ones((N - 1, 1)), np.eye(N - 1)])
    total = to_first @ matrix @ to_first.T

    def distance(theta):
        scaled = np.exp(theta[0]) * a @ a.T + np.exp(theta[1]) * total
        return np.sqrt((np.log(eigvalsh(scaled, b @ b.T)) ** 2).sum())

    best = minimize(distance, (0, 0), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}).fun
    assert NegativeRiemannianDistance(sigma).between(x, y)[0, 0] == pytest.approx(-best, abs=1e-8)


def test_the_negative_riemannian_distance_of_equals_is_0_at_any_scale():
    x = rdms(1, 1)
    assert NegativeRiemannianDistance().between(x, 7 * x)[0, 0] == pytest.approx(0, abs=1e-9)
    assert NegativeRiemannianDistance().between(x, rdms(2, 1))[0, 0] < -1


@pytest.mark.parametrize(
    "measure",
    [*WHITENED, *BURES, NegativeRiemannianDistance(), WhitenedCosine(noise(5)), WhitenedPearson(np.arange(1.0, N + 1))],
    ids=lambda m: f"{m.method} {'' if getattr(m, 'sigma_k', None) is None else np.ndim(m.sigma_k)}",
)
def test_relabelling_is_the_measure_of_the_reordered_conditions(measure):
    x, y = rdms(1, 2), rdms(2, 3)
    order = np.stack([np.random.default_rng(k).permutation(N) for k in range(4)])
    pairs = pair_numbers(N)[order[:, FIRST], order[:, SECOND]]
    ours = measure.relabelled(x, y, pairs)
    for row, renamed in zip(ours, order, strict=True):
        matrices = [squareform(v)[np.ix_(renamed, renamed)] for v in x]
        reordered = np.stack([matrix[FIRST, SECOND] for matrix in matrices])
        np.testing.assert_allclose(row, measure.between(reordered, y).mean(axis=0), atol=1e-8)


def test_where_repeated_conditions_have_no_measure_it_says_so():
    twice = weights_of(np.array([[0, 0, *range(2, N)]]), N)
    for measure in (NegativeRiemannianDistance(), WhitenedCosine(noise(5))):
        assert "resample subjects or trials" in measure.no_bootstrap
        with pytest.raises(UnsupportedError, match="resample subjects or trials"):
            measure.resampled(rdms(1, 1), rdms(2, 1), twice)
        once = measure.resampled(rdms(1, 1), rdms(2, 1), np.ones_like(twice))[0]
        np.testing.assert_array_equal(once, measure.between(rdms(1, 1), rdms(2, 1)))
    for measure in (*WHITENED, *BURES, WhitenedCosine(np.ones(N))):
        assert measure.no_bootstrap == ""


def test_a_model_without_full_rank_is_refused_by_the_riemannian_distance_only():
    x, line = rdms(1, 1), pdist(np.arange(N)[:, None])[None] ** 2
    with pytest.raises(InputError, match="general position"):
        NegativeRiemannianDistance().between(x, line)
    assert 0 < Bures().between(x, line)[0, 0] < 1


@pytest.mark.parametrize("measure", [*BURES, NegativeRiemannianDistance()], ids=lambda m: m.method)
def test_what_is_no_correlation_has_no_spearman_brown_formula(measure):
    assert not measure.correlation_like
    with pytest.raises(UnsupportedError, match="not a correlation"):
        measure.as_correlation(np.array([0.5]))
    with pytest.raises(UnsupportedError, match="not a correlation"):
        measure.from_correlation(np.array([0.5]))


@pytest.mark.parametrize(
    "sigma", [np.zeros(N), np.ones((N, N)), np.ones((2, 3)), [1.0], np.array([1, np.nan]), np.triu(np.ones((3, 3)))]
)
def test_a_noise_covariance_that_is_none_is_refused(sigma):
    with pytest.raises(InputError, match=r"WhitenedCosine\.sigma_k"):
        WhitenedCosine(sigma)


def test_a_noise_covariance_of_other_conditions_is_refused():
    with pytest.raises(InputError, match="is for 3 conditions, the RDMs have 10"):
        WhitenedCosine([1.0, 2.0, 3.0]).between(rdms(1, 1), rdms(2, 1))


def test_measures_with_a_covariance_are_values():
    assert WhitenedCosine(np.ones(3)) == WhitenedCosine([1, 1, 1])
    assert hash(WhitenedCosine(np.eye(3))) == hash(WhitenedCosine(np.eye(3)))
    assert WhitenedCosine(np.eye(3)) != WhitenedCosine()


def test_counts_of_conditions_follow_from_those_of_pairs():
    counts = np.array([[1, 1, 1, 0, 0], [5, 1, 2, 0, 1], [0, 0, 7, 3, 1]], dtype=float)
    first, second = np.triu_indices(5, 1)
    np.testing.assert_allclose(condition_counts(counts[:, first] * counts[:, second]), counts, atol=1e-12)
    with pytest.raises(InputError, match="fewer than three"):
        condition_counts((counts[:, first] * counts[:, second]) * [1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    with pytest.raises(InputError, match="products of their counts"):
        condition_counts(np.arange(1.0, 11)[None])
    with pytest.raises(InputError, match="not the pairs of any number"):
        Bures().between(np.ones((1, 4)), np.ones((1, 4)))
