"""Measures equal rsatoolbox's and their own definition on repeated and renamed entries."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rsatoolbox.rdm import RDMs
from rsatoolbox.rdm import compare as reference
from rsatoolbox.util.inference_util import pool_rdm
from scipy import stats

from snncompare.comparison.measures import (
    Bures,
    BuresMetric,
    Cosine,
    KendallTauA,
    KendallTauB,
    NegativeRiemannianDistance,
    Pearson,
    Spearman,
    SpearmanRhoA,
    WhitenedCosine,
    WhitenedPearson,
    check_measure,
    measure_named,
)
from snncompare.comparison.measures.names import FINAL
from snncompare.errors import InputError

OF_PAIRS = [Spearman(), SpearmanRhoA(), Pearson(), Cosine(), KendallTauA(), KendallTauB()]
WHITENED = [WhitenedCosine(), WhitenedPearson()]
ALL = [*OF_PAIRS, *WHITENED]
ROUNDING = 1e-12


def vectors(seed, n, ties):
    generator = np.random.default_rng(seed)
    values = generator.gamma(2.0, size=(n, 45))
    return np.round(values, 0 if ties else 12)


@pytest.mark.parametrize("measure", ALL, ids=lambda m: m.method)
@given(seed=st.integers(0, 10**6), ties=st.booleans())
@settings(max_examples=15)
def test_every_measure_equals_rsatoolbox(measure, seed, ties):
    x, y = vectors(seed, 3, ties), vectors(seed + 1, 2, not ties)
    np.testing.assert_allclose(measure.between(x, y), reference(x, y, measure.method), atol=ROUNDING)


@pytest.mark.parametrize("measure", [*OF_PAIRS[:5], *WHITENED], ids=lambda m: m.method)
def test_every_measure_equals_the_stored_values_of_rsatoolbox(measure, shared_data):
    stored = np.load(shared_data / "reference_values" / "rsa_values.npz")
    ours = measure.between(stored["compare_A"], stored["compare_B"])
    np.testing.assert_allclose(ours, stored[f"compare_{measure.method}"], atol=ROUNDING)


@pytest.mark.parametrize("measure", OF_PAIRS, ids=lambda m: m.method)
@pytest.mark.parametrize("ties", [False, True])
def test_a_weight_is_a_number_of_repetitions(measure, ties):
    x, y = vectors(1, 2, ties), vectors(2, 3, ties)
    times = np.random.default_rng(3).integers(0, 4, (6, 45))
    weighted = measure.resampled(x, y, times.astype(float))
    for row, count in zip(weighted, times, strict=True):
        repeated = measure.between(np.repeat(x, count, axis=1), np.repeat(y, count, axis=1))
        np.testing.assert_allclose(row, repeated, atol=ROUNDING)


@pytest.mark.parametrize("measure", OF_PAIRS, ids=lambda m: m.method)
def test_relabelling_is_the_measure_of_the_reordered_vector(measure):
    x, y = vectors(1, 2, ties=True), vectors(2, 3, ties=False)
    pairs = np.stack([np.random.default_rng(k).permutation(45) for k in range(5)])
    ours = measure.relabelled(x, y, pairs)
    for row, order in zip(ours, pairs, strict=True):
        np.testing.assert_allclose(row, measure.between(x[:, order], y).mean(axis=0), atol=ROUNDING)


@pytest.mark.parametrize(
    "measure", [m for m in ALL if not isinstance(m, Cosine | WhitenedCosine)], ids=lambda m: m.method
)
def test_a_constant_vector_is_similar_to_nothing(measure):
    assert measure.between(np.full((1, 45), 0.1), vectors(0, 1, ties=False)) == 0


@pytest.mark.parametrize("measure", ALL, ids=lambda m: m.method)
def test_a_vector_is_as_similar_to_itself_as_can_be_where_it_has_no_ties(measure):
    x = vectors(11, 1, ties=False)
    assert measure.between(x, x)[0, 0] == pytest.approx(measure.of_equals, abs=ROUNDING)
    assert measure.between(x, vectors(12, 1, ties=False))[0, 0] < 0.98


@pytest.mark.parametrize("measure", [cls() for cls in FINAL], ids=lambda m: m.method)
def test_the_pooled_rdm_is_the_one_of_rsatoolbox_up_to_scale_and_offset(measure):
    x = vectors(8, 4, ties=False)
    if isinstance(measure, Bures | BuresMetric):
        with pytest.raises(ValueError, match="Unknown RDM comparison method"):  # a defect: they are measures there
            pool_rdm(RDMs(x), measure.method)
        theirs = np.mean(x if measure.distance else x / x.mean(axis=1, keepdims=True), axis=0)
    else:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Noise ceiling for tau based on averaged ranks!")
            theirs = pool_rdm(RDMs(x), measure.method).get_vectors()[0]
    offset_free = isinstance(measure, Pearson | WhitenedPearson)
    ours = measure.pooled(x)
    np.testing.assert_allclose(ours - ours.min() * offset_free, theirs, atol=ROUNDING * theirs.max())


def test_tau_a_counts_concordant_pairs_of_entries():
    x, y = vectors(4, 1, ties=True)[0], vectors(5, 1, ties=False)[0]
    sign = np.sign(np.subtract.outer(x, x)) * np.sign(np.subtract.outer(y, y))
    expected = sign[np.triu_indices(45, 1)].mean()
    assert KendallTauA().between(x[None], y[None])[0, 0] == pytest.approx(expected, abs=ROUNDING)


def test_tau_b_is_the_one_of_scipy_and_leaves_ties_out():
    x, y = vectors(4, 1, ties=True)[0], vectors(5, 1, ties=True)[0]
    ours = KendallTauB().between(x[None], y[None])[0, 0]
    assert ours == pytest.approx(stats.kendalltau(x, y).statistic, abs=ROUNDING)
    assert abs(ours) > abs(KendallTauA().between(x[None], y[None])[0, 0])


def test_spearman_is_the_one_of_scipy():
    x, y = vectors(6, 1, ties=True)[0], vectors(7, 1, ties=False)[0]
    assert Spearman().between(x[None], y[None])[0, 0] == pytest.approx(stats.spearmanr(x, y).statistic, abs=ROUNDING)


def test_greiners_relation_turns_tau_into_the_correlation_of_normal_variables():
    pair = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 20_000).T
    tau = KendallTauA().between(pair[:1], pair[1:])
    assert KendallTauA().as_correlation(tau)[0, 0] == pytest.approx(0.6, abs=0.02)  # three standard errors
    assert KendallTauA().from_correlation(KendallTauA().as_correlation(tau)) == pytest.approx(tau)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("spearman", r"by=Spearman\(\)"),
        ("rho-a", r"by=SpearmanRhoA\(\)"),
        ("tau-a", r"by=KendallTauA\(\)"),
        ("corr", r"by=Pearson\(\)"),
        ("tau-b", r"by=KendallTauB\(\)"),
        ("cosine_cov", r"by=WhitenedCosine\(\)"),
        ("neg_riem_dist", r"by=NegativeRiemannianDistance\(\)"),
        (BuresMetric, r"by=BuresMetric\(\)"),
        (Cosine, r"by=Cosine\(\)"),
        (3, r"by=Spearman\(\)"),
    ],
)
def test_a_text_or_a_class_is_refused_with_the_line_to_write(given, line):
    with pytest.raises(InputError, match=line):
        check_measure(given)


def test_measures_are_found_by_the_name_of_their_class():
    everything = [cls() for cls in FINAL]
    assert [measure_named(type(measure).__name__) for measure in everything] == everything
    assert len({measure.method for measure in everything}) == len({m.label for m in everything}) == 11
    assert {m.method for m in everything if m.distance} == {"bures_metric"}
    assert {m.method for m in everything if m.of_equals == 0} == {"bures_metric", "neg_riem_dist"}
    assert NegativeRiemannianDistance() in everything
    with pytest.raises(InputError, match="did you mean 'Spearman'"):
        measure_named("Spearmann")
