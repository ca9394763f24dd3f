"""Whitened counts and the precision of the noise against rsatoolbox."""

import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.representation.distances import distances
from snncompare.representation.metrics import BinnedCount, Precision, WhitenedCount
from snncompare.representation.noise import noise_precision

N_CONDITIONS, N_SESSIONS, N_UNITS = 4, 6, 5


@pytest.fixture(scope="module")
def correlated(recording_of):
    """Return a recording whose units share noise, each condition once in each session, and rsatoolbox's data set."""
    from rsatoolbox.data import Dataset

    rng = np.random.default_rng(3)
    condition, session = np.tile(np.arange(N_CONDITIONS), N_SESSIONS), np.repeat(np.arange(N_SESSIONS), N_CONDITIONS)
    rates = rng.uniform(3, 12, (N_CONDITIONS, N_UNITS))
    gain = rng.gamma(5, 0.2, condition.size)
    trains = [
        [np.sort(rng.uniform(0, 1, rng.poisson(rate * g))) for rate in rates[c]]
        for c, g in zip(condition, gain, strict=True)
    ]
    counts = np.array([[train.size for train in trial] for trial in trains], dtype=float)
    recording = recording_of(trains, (0.0, 1.0), condition=condition, session=session)
    named = {"condition": condition.astype(str), "session": session.astype(str)}  # numbers make it warn
    return recording, Dataset(counts, obs_descriptors=named)


@pytest.mark.parametrize(
    ("shrinkage", "method"),
    [("diagonal", "shrinkage_diag"), ("identity", "shrinkage_eye"), ("complete", "diag"), ("none", "full")],
)
def test_the_precision_is_that_of_rsatoolbox(correlated, shrinkage, method):
    """`prec_from_unbalanced`, which has the degrees of freedom right: trials minus conditions."""
    from rsatoolbox.data.noise import prec_from_unbalanced

    recording, data = correlated
    theirs = prec_from_unbalanced(data, "condition", method=method)
    np.testing.assert_allclose(noise_precision(recording, "condition", shrinkage=shrinkage).matrix, theirs, rtol=1e-9)


def test_the_kinds_of_shrinkage_differ(correlated):
    kinds = {
        noise_precision(correlated[0], "condition", shrinkage=s) for s in ("diagonal", "identity", "complete", "none")
    }
    assert len(kinds) == 4


def test_across_sessions_it_is_rsatoolbox_crossnobis(correlated):
    from rsatoolbox.rdm import calc_rdm

    recording, data = correlated
    precision = noise_precision(recording, "condition")
    squared = distances(recording, WhitenedCount(None, precision)).to_numpy() ** 2
    condition, session = (recording.trials[name].to_numpy() for name in ("condition", "session"))
    across = session[:, None] != session[None, :]

    def mean(a, b):
        return squared[across & (condition[:, None] == a) & (condition[None, :] == b)].mean()

    pairs = zip(*np.triu_indices(N_CONDITIONS, k=1), strict=True)
    ours = np.array([mean(a, b) - (mean(a, a) + mean(b, b)) / 2 for a, b in pairs]) / N_UNITS
    options = {"method": "crossnobis", "descriptor": "condition", "cv_descriptor": "session"}
    theirs = calc_rdm(data, noise=precision.matrix, **options).get_vectors()[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    assert np.abs(ours - calc_rdm(data, **options).get_vectors()[0]).max() > 0.01  # the precision matters


def test_an_identity_precision_leaves_the_binned_count(correlated):
    recording, _ = correlated
    whitened = distances(recording, WhitenedCount("500 ms", Precision(np.eye(2 * N_UNITS)))).to_numpy()
    np.testing.assert_allclose(whitened, distances(recording, BinnedCount("500 ms")).to_numpy(), rtol=1e-14)


def test_whitening_is_the_mahalanobis_distance(correlated):
    recording, data = correlated
    precision = noise_precision(recording, "condition")
    difference = data.measurements[0] - data.measurements[7]
    distance = distances(recording, WhitenedCount(None, precision)).to_numpy()[0, 7]
    assert distance == pytest.approx(np.sqrt(difference @ precision.matrix @ difference), rel=1e-12)


def test_a_precision_is_a_value(correlated):
    one, same = noise_precision(correlated[0], "condition"), noise_precision(correlated[0], "condition")
    other = noise_precision(correlated[0], "condition", shrinkage="none")
    assert one == same != other
    assert hash(one) == hash(same)
    assert repr(one) == repr(same) != repr(other)
    assert WhitenedCount(None, one) == WhitenedCount(None, same) != WhitenedCount(None, other)
    with pytest.raises(ValueError, match="read-only"):
        one.matrix[0, 0] = 1


def test_a_precision_of_other_units_or_bins_is_refused(correlated):
    recording, _ = correlated
    precision = noise_precision(recording, "condition")
    with pytest.raises(InputError, match="for 5 counts, but the trials have 5 units times 2 bins"):
        distances(recording, WhitenedCount("500 ms", precision))


def test_noise_that_cannot_be_known_is_refused(recording_of):
    rng = np.random.default_rng(0)
    silent = [[np.sort(rng.uniform(0, 1, rng.poisson(9))), [], [0.5]] for _ in range(8)]
    recording = recording_of(silent, (0.0, 1.0), condition=[0, 1] * 4, single=range(8))
    with pytest.raises(InputError, match=r"2 of 3 counts never vary.*units 1, 2"):
        noise_precision(recording, "condition")
    with pytest.raises(InputError, match="no condition in 'single' has two trials"):
        noise_precision(recording, "single")
    many = [[np.sort(rng.uniform(0, 1, rng.poisson(9))) for _ in range(12)] for _ in range(8)]
    recording = recording_of(many, (0.0, 1.0), condition=[0, 1] * 4)
    with pytest.raises(InputError, match=r"12 counts from 8 trials.*cannot be inverted with shrinkage='none'"):
        noise_precision(recording, "condition", shrinkage="none")
    assert noise_precision(recording, "condition").matrix.shape == (12, 12)


MEANINGLESS = {
    "not square": (lambda: Precision(np.ones((2, 3))), "square"),
    "not finite": (lambda: Precision(np.array([[np.nan]])), "finite"),
    "not symmetric": (lambda: Precision(np.array([[1.0, 0.5], [0.0, 1.0]])), "symmetric"),
    "not positive definite": (lambda: Precision(np.array([[1.0, 2.0], [2.0, 1.0]])), "positive definite"),
    "a bare array": (lambda: WhitenedCount(None, np.eye(2)), "must be a Precision"),
}


@pytest.mark.parametrize("case", MEANINGLESS)
def test_a_precision_that_means_nothing_is_refused(case):
    make, says = MEANINGLESS[case]
    with pytest.raises(InputError, match=says):
        make()


def test_an_unknown_shrinkage_is_refused(correlated):
    with pytest.raises(InputError, match="did you mean 'diagonal'"):
        noise_precision(correlated[0], "condition", shrinkage="diagonals")
