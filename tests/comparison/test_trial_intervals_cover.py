"""With few conditions, intervals over trials hold the mean similarity of repeated experiments."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist

from snncompare.comparison.alignment import align
from snncompare.comparison.compare import compare
from snncompare.comparison.measures import Spearman
from snncompare.comparison.resampling.choice import Subjects, Trials, choose_resampling
from snncompare.errors import InputError


@pytest.fixture
def world(make_rdms):
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(5, 8))
    noisy = [np.hstack([truth, generator.normal(size=truth.shape)]) for _ in range(2)]
    models = [pdist(truth), *map(pdist, noisy), pdist(generator.normal(size=truth.shape))]
    return generator, truth, {str(k): make_rdms(model) for k, model in enumerate(models)}


def test_intervals_over_trials_cover_the_mean_of_repeated_experiments(world, record):
    generator, truth, models = world
    repeats = [record(generator, truth, 6, 1.0, n_resamples=1, n_splits=1)[0].get_vectors()[0] for _ in range(150)]
    vectors = np.concatenate([model.get_vectors() for model in models.values()])
    expected = Spearman().between(np.array(repeats), vectors).mean(axis=0)
    n_experiments, covered = 100, np.zeros(4)
    for _ in range(n_experiments):
        data, replicates = record(generator, truth, 6, 1.0, n_resamples=80, n_splits=1)
        table = compare(data, models, replicates=replicates).table
        covered += (table["ci_low"] <= expected) & (expected <= table["ci_high"])
    assert (covered >= stats.binom.ppf(0.001, n_experiments, 0.95)).all()


def test_the_variance_over_trials_is_taken_about_the_similarity_of_the_data(world, record):
    generator, truth, models = world
    data, replicates = record(generator, truth, 6, 1.0)
    given = align(data, models)
    spread = Trials(replicates).spread(given, Spearman())
    deviation = spread.samples[0] - Spearman().between(given.data[0], given.models[0]).T
    np.testing.assert_allclose(spread.variance[0], 6 / 5 * (deviation**2).mean(axis=1))
    difference = deviation[0] - deviation[1]
    assert spread.difference_variance[0, 0] == pytest.approx(6 / 5 * (difference**2).mean())
    assert spread.degrees_of_freedom == 5


def test_what_is_resampled_follows_from_what_there_is(world, record, make_rdms):
    generator, truth, models = world
    data, replicates = record(generator, truth, 6, 1.0)
    assert isinstance(choose_resampling(align(data, models), replicates, 100, 0), Trials)
    assert choose_resampling(align(data, models), None, 100, 0) is None
    two = make_rdms(np.repeat(data.get_vectors(), 2, axis=0), subject=["a", "b"])
    assert isinstance(choose_resampling(align(two, models), None, 100, 0), Subjects)


def test_without_anything_to_resample_there_are_no_intervals_and_it_is_said(world, record, tmp_path):
    generator, truth, models = world
    result = compare(record(generator, truth, 6, 1.0)[0], models)
    assert result.resamples is None
    assert result.resampled == "nothing"
    assert result.table[["ci_low", "ci_high"]].isna().all(axis=None)
    assert result.differences[["ci_low", "ci_high", "p", "p_corrected"]].isna().all(axis=None)
    assert "5 conditions are too few to be resampled" in result.summary()
    assert "cannot be tested" in result.summary()
    assert type(result).load(result.save(tmp_path)).resamples is None


def test_replicates_are_matched_by_their_labels(world, record):
    generator, truth, models = world
    data, replicates = record(generator, truth, 6, 1.0)
    order = [3, 0, 4, 1, 2]
    shuffled = data.subset_pattern("index", list(range(5)))
    shuffled.reorder(np.array(order))
    first, second = (compare(rdms, models, replicates=replicates) for rdms in (data, shuffled))
    np.testing.assert_allclose(first.table["ci_low"], second.table["ci_low"])
    np.testing.assert_allclose(first.table["ceiling_low"], second.table["ceiling_low"])


def test_replicates_of_something_else_are_refused(world, record, make_rdms):
    generator, truth, models = world
    data, replicates = record(generator, truth, 6, 1.0)
    other = make_rdms(data.get_vectors(), metric="m", time_scale=[0.5])
    with pytest.raises(InputError, match="replicates lack m at 500 ms, which the data have; they hold m at 20 ms"):
        compare(other, models, replicates=replicates)
    renamed = {"m": make_rdms(data.get_vectors(), "abcde")}
    with pytest.raises(InputError, match="RDMs of the replicates lack the condition 'a'"):
        compare(make_rdms(data.get_vectors(), "abcde", metric="m", time_scale=[0.02]), renamed, replicates=replicates)
    two = make_rdms(np.repeat(data.get_vectors(), 2, axis=0), subject=["a", "b"])
    with pytest.raises(InputError, match="trials of one animal, the data hold 2"):
        compare(two, models, replicates=replicates)
