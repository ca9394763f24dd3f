import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.representation.conditions import Conditions
from snncompare.representation.distances import distances
from snncompare.representation.estimators import BetweenMinusWithin, Estimator, MeanDistance
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.rdm import rdm_from_distances
from snncompare.representation.repeats.replicates import replicates


class Weights(Estimator):
    """Hand back the weights of the trials instead of dissimilarities."""

    trials_needed = 2

    def estimate(self, distances, euclidean, conditions, weights):
        del euclidean, conditions
        return np.repeat(weights[None], len(distances), axis=0)


@pytest.fixture(scope="module")
def labels(noisy_recording):
    return noisy_recording.trials["song"].tolist()


@pytest.fixture(scope="module")
def computed(noisy_recording):
    return distances(noisy_recording, [*VanRossum.sweep(["10 ms", "1 s"]), SpikeCount(), VictorPurpura(cost="1 Hz")])


def test_samples_keep_the_number_of_trials_of_each_condition(computed, labels):
    made = replicates(computed, labels, Weights(), n_resamples=200, n_splits=50)
    of = np.eye(4)[Conditions.from_labels(labels).index]
    assert (made.bootstrap[0] @ of == 6).all()
    assert ((made.bootstrap[0] > 0) @ of >= 2).all()
    assert (made.bootstrap[0] != 1).any()
    assert (made.bootstrap[0] == made.bootstrap[1]).all()


def test_halves_are_disjoint_and_complete(computed, labels):
    made = replicates(computed, labels, Weights(), n_resamples=1, n_splits=50)
    of = np.eye(4)[Conditions.from_labels(labels).index]
    assert set(np.unique(made.half_a)) == {0, 1}
    assert (made.half_a + made.half_b == 1).all()
    assert (made.half_a[0] @ of == 3).all()
    assert len(np.unique(made.half_a[0], axis=0)) > 40


def test_the_odd_trial_goes_to_either_half(computed, labels):
    odd = computed[:, 4:, 4:]
    made = replicates(odd, labels[4:], Weights(), n_resamples=1, n_splits=50)
    sizes = made.half_a[0] @ np.eye(4)[Conditions.from_labels(labels[4:]).index]
    assert set(np.unique(sizes)) == {2, 3}


def test_a_sample_is_the_rdm_of_the_trials_in_it(computed, labels):
    drawn = replicates(computed, labels, Weights(), n_resamples=5, n_splits=2, seed=3).half_a[0]
    made = replicates(computed, labels, n_resamples=5, n_splits=2, seed=3)
    chosen = np.flatnonzero(drawn[1])
    part = rdm_from_distances(computed[:, chosen, chosen], [labels[k] for k in chosen])
    order = [part.pattern_descriptors["condition"].index(label) for label in made.conditions]
    upper = np.triu_indices(4, k=1)
    expected = part.get_matrices()[:, order][:, :, order][:, *upper]
    np.testing.assert_allclose(made.half_a[:, 1], expected)


def test_the_bootstrap_surrounds_the_estimate(computed, labels):
    made = replicates(computed, labels, n_resamples=400)
    estimate = rdm_from_distances(computed, labels).dissimilarities
    assert made.bootstrap.shape == (4, 400, 6)
    low, high = np.percentile(made.bootstrap, [1, 99], axis=1)
    assert ((low < estimate) & (estimate < high)).all()
    assert made.metric == ("van Rossum", "van Rossum", "spike count", "Victor-Purpura")
    assert made.time_scale[:2] == (0.01, 1.0)


def test_the_bootstrap_of_the_unbiased_estimate_stays_unbiased():
    """Copies of a trial are 0 apart; counted as pairs they would pull the within-condition mean down."""
    rng = np.random.default_rng(6)
    labels = np.repeat(["a", "b"], 5)
    of = Conditions.from_labels(labels)
    means, wrong = [], []
    for seed in range(150):
        points = rng.normal(size=(10, 3))
        d = np.sqrt(((points[:, None] - points[None, :]) ** 2).sum(axis=2))
        values = as_distances(d)
        means.append(replicates(values, labels, n_resamples=20, n_splits=1, seed=seed).bootstrap.mean())
        picked = np.concatenate([rng.integers(0, 5, 5), rng.integers(5, 10, 5)])
        copied = d[np.ix_(picked, picked)]
        wrong.append(BetweenMinusWithin().estimate(copied[None], np.array([True]), of, np.ones((1, 10)))[0, 0, 0])
    assert abs(np.mean(means)) < 3 * np.std(means) / np.sqrt(len(means))
    assert np.mean(wrong) > 3 * np.std(wrong) / np.sqrt(len(wrong))


def as_distances(matrix):
    import xarray as xr

    coords = {"label": "points", "time_scale": np.nan, "euclidean": True}
    return xr.DataArray(matrix, dims=("trial", "trial_"), coords=coords)


def test_the_same_seed_gives_the_same_samples(computed, labels):
    one, same, other = (replicates(computed, labels, n_resamples=10, n_splits=4, seed=seed) for seed in (1, 1, 2))
    assert (one.bootstrap == same.bootstrap).all()
    assert (one.half_b == same.half_b).all()
    assert (one.bootstrap != other.bootstrap).any()


def test_samples_cannot_be_changed(computed, labels):
    made = replicates(computed, labels, n_resamples=2, n_splits=2)
    with pytest.raises(ValueError, match="read-only"):
        made.bootstrap[0] = 0
    assert made.no_bootstrap == made.no_halves == ""


@pytest.mark.parametrize(
    ("repeats", "estimator", "bootstrap", "halves"),
    [
        (1, MeanDistance(), False, False),
        (2, MeanDistance(), True, True),
        (2, BetweenMinusWithin(), False, False),
        (3, BetweenMinusWithin(), True, False),
        (4, BetweenMinusWithin(), True, True),
    ],
)
def test_too_few_repeats_are_said_in_words(computed, labels, repeats, estimator, bootstrap, halves):
    n = 4 * repeats
    made = replicates(computed[:, :n, :n], labels[:n], estimator, n_resamples=3, n_splits=3)
    assert (made.bootstrap is not None) == bootstrap == (not made.no_bootstrap)
    assert (made.half_a is not None) == (made.half_b is not None) == halves == (not made.no_halves)
    if not halves:
        assert f"condition 'song 40' has {repeats} (4 of 4 conditions" in made.no_halves


def test_impossible_requests_are_refused(computed, labels):
    with pytest.raises(InputError, match="n_resamples must be a whole number of at least 1"):
        replicates(computed, labels, n_resamples=0)
    with pytest.raises(InputError, match="one label per trial"):
        replicates(computed, labels[:5])
    with pytest.raises(InputError, match="at least 2 trials"):
        replicates(computed[:, :5, :5], labels[:5], BetweenMinusWithin())
