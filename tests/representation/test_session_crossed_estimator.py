import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.representation.conditions import Conditions
from snncompare.representation.distances import distances
from snncompare.representation.estimators import BetweenMinusWithin, MeanDistance
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.rdm import rdm, rdm_from_distances
from snncompare.representation.repeats.replicates import replicates

ACROSS = BetweenMinusWithin(across="session")
EUCLIDEAN, OTHER = np.array([True]), np.array([False])


def euclidean(points):
    return np.sqrt(((points[:, None] - points[None, :]) ** 2).sum(axis=2))


def loops(matrix, labels, groups, trials):
    """Loop over pairs of trials of different groups, in a list of trials with repetitions."""

    def mean(a, b):
        values = [
            matrix[i, j] for i in trials for j in trials if labels[i] == a and labels[j] == b and groups[i] != groups[j]
        ]
        return sum(values) / len(values)

    names = list(dict.fromkeys(labels))
    return [mean(a, b) - mean(a, a) / 2 - mean(b, b) / 2 for k, a in enumerate(names) for b in names[k + 1 :]]


@pytest.fixture(scope="module")
def crossed(noisy_recording):
    """Return 4 conditions of 6 trials of 3 units, in 3 sessions of 2 trials per condition."""
    return noisy_recording.with_trials(session=np.repeat(["mon", "tue", "wed"], 8))


@pytest.mark.parametrize("geometry", [EUCLIDEAN, OTHER], ids=["euclidean", "other"])
def test_unequal_repeats_equal_loops_over_pairs_of_different_sessions(geometry):
    labels, groups = list("abacbcabac"), list("xxyyzxzxyz")
    of = Conditions.from_labels(labels, across="session", groups=groups)
    d = euclidean(np.random.default_rng(0).normal(size=(10, 4)))
    weights = np.array([np.ones(10), [2, 1, 1, 1, 1, 2, 0, 1, 1, 2]], dtype=float)
    s = d**2 if geometry[0] else d
    made = ACROSS.estimate(d[None], geometry, of, weights)[0]
    for sample, weight in zip(made, weights, strict=True):
        trials = np.repeat(np.arange(10), weight.astype(int)).tolist()
        assert sample == pytest.approx(loops(s, labels, groups, trials))
    block = [(range(10), range(10), d[None])]
    assert ACROSS.from_blocks(block, geometry, of)[0] == pytest.approx(made[0])
    assert made[0] != pytest.approx(BetweenMinusWithin().estimate(d[None], geometry, of, weights)[0, 0])


def crossnobis(recording, measurements):
    """rsatoolbox divides by the number of channels, so that populations of unlike size compare; that is undone."""
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm

    observations = {name: recording.trials[name].to_numpy() for name in ("song", "session")}
    found = calc_rdm(
        Dataset(measurements, obs_descriptors=observations),
        method="crossnobis",
        descriptor="song",
        cv_descriptor="session",
    )
    order = list(dict.fromkeys(observations["song"]))
    place = [list(found.pattern_descriptors["song"]).index(label) for label in order]  # rsatoolbox sorts the labels
    matrix = found.get_matrices()[0][np.ix_(place, place)] * measurements.shape[1]
    return matrix[np.triu_indices(len(order), k=1)]


def test_on_spike_counts_it_is_the_crossnobis_of_rsatoolbox(crossed):
    reference = crossnobis(crossed, crossed.counts().to_numpy().astype(float))
    ours = rdm(crossed, SpikeCount(), by="song", estimator=ACROSS).dissimilarities[0]
    np.testing.assert_allclose(ours, reference, rtol=1e-12, atol=1e-12 * np.abs(reference).max())  # rounding of sums
    plain = rdm(crossed, SpikeCount(), by="song").dissimilarities[0]
    assert np.abs(plain - reference).max() > 0.01


def test_on_binned_counts_it_is_the_crossnobis_of_rsatoolbox(crossed):
    binned = crossed.raster("0.5 s").to_numpy().reshape(crossed.n_trials, -1).astype(float)
    of = Conditions.of(crossed, "song", across="session")
    ours = ACROSS.estimate(euclidean(binned)[None], EUCLIDEAN, of, np.ones((1, 24)))[0, 0]
    reference = crossnobis(crossed, binned)
    np.testing.assert_allclose(ours, reference, rtol=1e-12, atol=1e-12 * np.abs(reference).max())


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")  # of rsatoolbox itself
def test_with_unequal_repeats_it_does_not_depend_on_the_origin_as_rsatoolbox_does():
    """rsatoolbox averages products, not distances: the norms of trials cancel only in balanced data."""
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm_unbalanced

    labels, groups = list("aaababbcbccacabbc"), list("xxxxyyyyzzzzxyzxx")
    points = np.random.default_rng(6).normal(size=(17, 4))
    of = Conditions.from_labels(labels, across="session", groups=groups)

    def both(x):
        data = Dataset(x, obs_descriptors={"c": labels, "s": groups})
        theirs = (
            calc_rdm_unbalanced(data, method="crossnobis", descriptor="c", cv_descriptor="s").dissimilarities[0] * 4
        )
        return ACROSS.estimate(euclidean(x)[None], EUCLIDEAN, of, np.ones((1, 17)))[0, 0], theirs

    (ours, theirs), (moved, theirs_moved) = both(points), both(points + 10.0)
    np.testing.assert_allclose(moved, ours, atol=1e-12)  # rounding of coordinates around 10
    assert np.abs(theirs_moved - theirs).max() > 1


def drawn(rng, n, session_noise):
    """Return ``n`` data sets of 3 conditions with the same mean: squared distances, with noise shared by a session."""
    session = np.repeat([0, 1, 2], 6)
    points = rng.normal(size=(n, 18, 4)) + session_noise * rng.normal(size=(n, 3, 4))[:, session]
    return np.sqrt(((points[:, :, None] - points[:, None, :]) ** 2).sum(axis=3)), session


def test_identical_conditions_are_zero_apart_where_sessions_add_noise():
    """2000 data sets, mean within 3.5 standard errors of 0 (a false alarm in 1 of 2000 seeds); the naive mean is 8."""
    distance, session = drawn(np.random.default_rng(1), 2000, session_noise=2.0)
    labels = np.tile([0, 1, 2], 6)
    of, flags = Conditions.from_labels(labels, across="session", groups=session), np.full(2000, True)
    estimates = ACROSS.estimate(distance, flags, of, np.ones((1, 18)))[:, 0].mean(axis=1)
    naive = MeanDistance().estimate(distance**2, flags, of, np.ones((1, 18)))[:, 0].mean(axis=1)
    assert abs(estimates.mean()) < 3.5 * estimates.std() / np.sqrt(2000)
    assert naive.mean() > 8


def test_with_unlike_sessions_only_crossing_them_is_unbiased():
    """Conditions that lie unevenly over sessions look different by the sessions' own noise, unless pairs cross them."""
    distance, session = drawn(np.random.default_rng(2), 2000, session_noise=2.0)
    labels = np.array([0, 0, 0, 0, 1, 2, 0, 1, 1, 1, 1, 2, 0, 1, 2, 2, 2, 2])
    of, flags = Conditions.from_labels(labels, across="session", groups=session), np.full(2000, True)
    crossed = ACROSS.estimate(distance, flags, of, np.ones((1, 18)))[:, 0].mean(axis=1)
    plain = BetweenMinusWithin().estimate(distance, flags, of, np.ones((1, 18)))[:, 0].mean(axis=1)
    error = np.sqrt(2000)
    assert abs(crossed.mean()) < 3.5 * crossed.std() / error
    assert plain.mean() > 10 * plain.std() / error


def test_a_known_difference_comes_back_through_session_noise():
    rng = np.random.default_rng(3)
    session, labels = np.repeat([0, 1, 2], 4), np.tile([0, 1], 6)
    shift = np.where(labels[:, None] == 1, [3.0, 4.0], 0.0)
    points = rng.normal(size=(2000, 12, 2)) + shift + 2 * rng.normal(size=(2000, 3, 2))[:, session]
    d = np.sqrt(((points[:, :, None] - points[:, None, :]) ** 2).sum(axis=3))
    of = Conditions.from_labels(labels, across="session", groups=session)
    estimates = ACROSS.estimate(d, np.full(2000, True), of, np.ones((1, 12)))[:, 0, 0]
    assert abs(estimates.mean() - 25.0) < 3.5 * estimates.std() / np.sqrt(2000)


def test_conditions_of_one_session_are_refused_by_name(crossed):
    alone = crossed.with_trials(session=np.where(crossed.trials["song"] == "song 10", "mon", crossed.trials["session"]))
    with pytest.raises(InputError, match="condition 'song 10' has 1 different values of 'session'"):
        rdm(alone, SpikeCount(), by="song", estimator=ACROSS)


def test_labels_without_sessions_are_refused_with_the_way_out(crossed):
    d = distances(crossed, SpikeCount())
    with pytest.raises(InputError, match=r"Conditions.of\(recording, by, across='session'\)"):
        rdm_from_distances(d, crossed.trials["song"], ACROSS)
    with pytest.raises(InputError, match="needs the 'session' of every trial"):
        rdm_from_distances(d, Conditions.of(crossed, "song", across="orientation"), ACROSS)
    with pytest.raises(InputError, match="did you mean 'session'"):
        rdm(crossed, SpikeCount(), by="song", estimator=BetweenMinusWithin(across="sesion"))
    with pytest.raises(InputError, match="must be a column"):
        BetweenMinusWithin(across=3)


def test_sessions_are_drawn_and_split_whole():
    """With noise shared by sessions, bootstrap intervals of single trials would be too narrow."""
    rng = np.random.default_rng(4)
    session, labels = np.repeat(np.arange(6), 4), np.tile([0, 1], 12)
    points = rng.normal(size=(24, 3)) + 3 * rng.normal(size=(6, 3))[session]
    d = as_distances(euclidean(points))
    of = Conditions.from_labels(labels, across="session", groups=session)
    made = replicates(d, of, ACROSS, n_resamples=50, n_splits=20)
    assert made.bootstrap.shape == (1, 50, 1)
    assert np.unique(made.bootstrap).size > 20
    assert made.half_a.shape == made.half_b.shape == (1, 20, 1)
    part = np.isin(session, [0, 2, 5])
    expected = ACROSS.estimate(
        euclidean(points[part])[None],
        EUCLIDEAN,
        Conditions.from_labels(labels[part], across="session", groups=session[part]),
        np.ones((1, part.sum())),
    )
    more = replicates(d, of, ACROSS, n_resamples=1, n_splits=400)
    assert len(np.unique(more.half_a)) == 20  # ways to choose 3 of 6 sessions; single trials would give hundreds
    assert np.isclose(np.concatenate([more.half_a, more.half_b]), expected[0, 0, 0]).any()


def as_distances(matrix):
    import xarray as xr

    coords = {"label": "points", "time_scale": np.nan, "euclidean": True}
    return xr.DataArray(matrix, dims=("trial", "trial_"), coords=coords)


@pytest.mark.parametrize(("n_sessions", "bootstrap", "halves"), [(2, False, False), (3, True, False), (4, True, True)])
def test_too_few_sessions_are_said_in_words(n_sessions, bootstrap, halves):
    session, labels = np.repeat(np.arange(n_sessions), 4), np.tile([0, 1], 2 * n_sessions)
    d = as_distances(euclidean(np.random.default_rng(5).normal(size=(session.size, 2))))
    made = replicates(d, Conditions.from_labels(labels, across="session", groups=session), ACROSS, n_resamples=5)
    assert (made.bootstrap is not None) == bootstrap == (not made.no_bootstrap)
    assert (made.half_a is not None) == halves == (not made.no_halves)
    if not halves:
        assert f"has {n_sessions} different values of 'session'" in made.no_halves


def test_conditions_too_thinly_spread_over_sessions_are_said_in_words():
    session, labels = np.arange(300), np.repeat(np.arange(100), 3)
    d = as_distances(np.zeros((300, 300)))
    made = replicates(d, Conditions.from_labels(labels, across="session", groups=session), ACROSS, n_resamples=3)
    assert "spread too thinly" in made.no_bootstrap
    assert made.bootstrap is None


def test_every_metric_can_cross_sessions(crossed):
    metrics = [VictorPurpura(cost="5 Hz"), VanRossum(tau="0.1 s"), SpikeCount()]
    made = rdm(crossed, metrics, by="song", estimator=ACROSS)
    assert made.rdm_descriptors["estimator"] == ["BetweenMinusWithin(across='session')"] * 3
    assert np.isfinite(made.dissimilarities).all()
    assert (made.dissimilarities != rdm(crossed, metrics, by="song").dissimilarities).all()
