"""Our resampled similarities and variances are rsatoolbox's on the same draws."""

import numpy as np
import pytest
from rsatoolbox.inference import (
    boot_noise_ceiling,
    bootstrap_sample,
    eval_bootstrap_pattern,
    eval_bootstrap_rdm,
    eval_dual_bootstrap,
)
from rsatoolbox.model import ModelFixed
from rsatoolbox.rdm import RDMs

from snncompare.comparison.ceiling import across_subjects
from snncompare.comparison.measures import Cosine, KendallTauA, Pearson, Spearman, SpearmanRhoA
from snncompare.comparison.resampling.draws import over_both, over_conditions, over_subjects
from snncompare.comparison.resampling.spread import bootstrap_spread

ALL = [Spearman(), SpearmanRhoA(), Pearson(), Cosine(), KendallTauA()]
N_RESAMPLES = 25
ROUNDING = 1e-10


def world(n_conditions, n_subjects, n_models=3):
    generator = np.random.default_rng(n_conditions)
    n_pairs = n_conditions * (n_conditions - 1) // 2
    data = generator.gamma(2.0, size=(n_subjects, n_pairs))
    models = np.round(generator.gamma(2.0, size=(n_models, n_pairs)) + data[0], 1)
    return data, models


def fixed(models):
    return [ModelFixed(str(k), RDMs(row[None].copy())) for k, row in enumerate(models)]


def check_variances(spread, result):
    np.testing.assert_allclose(spread.variance[0], result.model_var, atol=ROUNDING)
    np.testing.assert_allclose(spread.difference_variance[0], result.diff_var, atol=ROUNDING)
    assert spread.degrees_of_freedom == result.dof


@pytest.mark.filterwarnings("ignore:Noise ceiling for tau")
@pytest.mark.parametrize("measure", ALL, ids=lambda m: m.method)
def test_conditions_as_in_eval_bootstrap_pattern(measure, make_aligned, seeded_rsatoolbox):
    data, models = world(12, 1)
    with seeded_rsatoolbox(5):
        result = eval_bootstrap_pattern(
            fixed(models), RDMs(data.copy()), method=measure.method, N=N_RESAMPLES, boot_noise_ceil=False
        )
    drawn = np.random.RandomState(5).randint(0, 12, size=(N_RESAMPLES, 12))
    ours = over_conditions(make_aligned(data, models), measure, drawn)[:, 0]
    np.testing.assert_allclose(ours[0].T, result.evaluations, atol=ROUNDING)
    check_variances(bootstrap_spread([ours], n_pattern=12, degrees_of_freedom=11), result)


def test_other_draws_give_other_similarities(make_aligned, seeded_rsatoolbox):
    data, models = world(12, 1)
    with seeded_rsatoolbox(5):
        result = eval_bootstrap_pattern(
            fixed(models), RDMs(data.copy()), method="corr", N=N_RESAMPLES, boot_noise_ceil=False
        )
    drawn = np.random.RandomState(6).randint(0, 12, size=(N_RESAMPLES, 12))
    ours = over_conditions(make_aligned(data, models), Pearson(), drawn)[0, 0]
    assert not np.allclose(ours.T, result.evaluations, atol=0.01)


@pytest.mark.parametrize("measure", [Spearman(), Pearson()], ids=lambda m: m.method)
def test_subjects_as_in_eval_bootstrap_rdm(measure, make_aligned, seeded_rsatoolbox):
    data, models = world(6, 5)
    with seeded_rsatoolbox(5):
        result = eval_bootstrap_rdm(
            fixed(models), RDMs(data.copy()), method=measure.method, N=N_RESAMPLES, boot_noise_ceil=False
        )
    drawn = np.random.RandomState(5).randint(0, 5, size=(N_RESAMPLES, 5))
    ours = over_subjects(make_aligned(data, models), measure, drawn)
    np.testing.assert_allclose(ours[0].T, result.evaluations, atol=ROUNDING)
    check_variances(bootstrap_spread([ours], n_rdm=5, degrees_of_freedom=4), result)


@pytest.mark.parametrize("measure", [Spearman(), SpearmanRhoA()], ids=lambda m: m.method)
def test_both_as_in_eval_dual_bootstrap(measure, make_aligned, seeded_rsatoolbox, monkeypatch):
    data, models = world(10, 4)
    subjects, conditions = [], []

    def noted(*args, **kwargs):
        sample, rdm_index, pattern_index = bootstrap_sample(*args, **kwargs)
        subjects.append(rdm_index)
        conditions.append(pattern_index)
        return sample, rdm_index, pattern_index

    monkeypatch.setattr("rsatoolbox.inference.evaluate.bootstrap_sample", noted)
    with seeded_rsatoolbox(5):
        result = eval_dual_bootstrap(
            fixed(models), RDMs(data.copy()), method=measure.method, N=N_RESAMPLES, use_correction=False
        )
    aligned = make_aligned(data, models)
    three = over_both(aligned, measure, over_conditions(aligned, measure, np.array(conditions)), np.array(subjects))
    for k, ours in enumerate(three):
        np.testing.assert_allclose(ours[0].T, result.evaluations[:, :, 0, 0, k], atol=ROUNDING)
    check_variances(bootstrap_spread(list(three), n_rdm=4, n_pattern=10, degrees_of_freedom=3), result)


def test_samples_with_fewer_than_3_different_conditions_are_left_out(make_aligned):
    data, models = world(8, 1)
    drawn = np.array([np.arange(8), [0, 1] * 4, [0, 1, 2, 2, 2, 2, 2, 2], [7] * 8, [1, 2, 3, 4] * 2])
    ours = over_conditions(make_aligned(data, models), Spearman(), drawn)[:, 0]
    assert np.isfinite(ours[0]).all(axis=0).tolist() == [True, False, True, False, True]
    assert bootstrap_spread([ours], n_pattern=8, degrees_of_freedom=7).samples.shape == (1, 3, 3)


def test_the_ceiling_across_subjects_is_rsatoolboxs(shared_data, make_aligned):
    stored = np.load(shared_data / "reference_values" / "rsa_values.npz")
    given = make_aligned(stored["noise_ceiling_rdms"], stored["noise_ceiling_rdms"][:1])
    for measure, name in ((Spearman(), "spearman"), (Pearson(), "corr")):
        found = across_subjects(given, measure)
        np.testing.assert_allclose([found.low[0], found.high[0]], stored[f"noise_ceiling_{name}"], atol=ROUNDING)


def test_the_ceiling_of_tau_a_says_that_it_is_approximate(make_aligned):
    data, models = world(6, 4)
    found = across_subjects(make_aligned(data, models), KendallTauA())
    with pytest.warns(UserWarning, match="averaged ranks"):
        expected = boot_noise_ceiling(RDMs(data.copy()), "tau-a")
    assert (found.low[0], found.high[0]) == pytest.approx(expected)
    assert "averaged ranks" in found.remarks[0]
