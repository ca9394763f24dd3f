"""Binned counts, their correlation and the Poisson divergence, against numpy and rsatoolbox."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncompare.errors import InputError
from snncompare.representation.distances import distances
from snncompare.representation.metrics import BinnedCount, CountCorrelation, PoissonKL, SpikeCount
from snncompare.representation.metrics.bins import binned_counts

TRAIN = st.lists(st.one_of(st.integers(0, 8).map(lambda k: k / 4), st.floats(0, 2)), max_size=6).map(sorted)
TRIALS = st.lists(st.lists(TRAIN, min_size=2, max_size=2), min_size=3, max_size=3)
WIDTH, EDGES = "250 ms", np.arange(9) / 4


def counted(trains):
    """Count with numpy, whose last bin is closed too."""
    return np.array([[np.histogram(train, EDGES)[0] for train in trial] for trial in trains]).reshape(len(trains), -1)


@pytest.fixture(scope="module")
def random_counts(recording_of):
    """Return a recording of 4 conditions in 3 sessions, once each, with its counts, and rsatoolbox's data set of them."""
    from rsatoolbox.data import Dataset

    rng = np.random.default_rng(8)
    condition, session = np.tile(np.arange(4), 3), np.repeat(np.arange(3), 4)
    rates = rng.uniform(0.5, 4, (4, 5))
    trains = [[np.sort(rng.uniform(0, 2, rng.poisson(2 * rate))) for rate in rates[c]] for c in condition]
    recording = recording_of(trains, (0.0, 2.0), condition=condition, session=session)
    counts = counted(trains).astype(float)
    named = {
        "condition": condition.astype(str),
        "session": session.astype(str),
        "trial": [f"{k:02d}" for k in range(12)],
    }
    data = Dataset(counts, obs_descriptors=named)  # descriptors that are numbers make it warn
    return recording, counts, data


def across_sessions(squared, condition, session):
    """Return the U-statistic over pairs of trials of different sessions, in the order of the upper triangle."""
    other = session[:, None] != session[None, :]

    def mean(a, b):
        pairs = other & (condition[:, None] == a) & (condition[None, :] == b)
        return squared[pairs].mean()

    first, second = np.triu_indices(condition.max() + 1, k=1)
    return np.array([mean(a, b) - (mean(a, a) + mean(b, b)) / 2 for a, b in zip(first, second, strict=True)])


@given(trains=TRIALS)
def test_binned_counts_are_compared_as_vectors(packed_trains, matrix_of, trains):
    counts = counted(trains)
    expected = np.sqrt(((counts[:, None] - counts[None]) ** 2).sum(axis=2))
    assert (matrix_of(BinnedCount(WIDTH), packed_trains(trains)) == expected).all()


@given(trains=TRIALS)
def test_one_bin_is_the_spike_count(packed_trains, matrix_of, trains):
    packed = packed_trains(trains)
    assert (matrix_of(BinnedCount("2 s"), packed) == matrix_of(SpikeCount(), packed)).all()


@given(trains=TRIALS)
def test_correlation_is_pearsons_and_flat_trials_are_uncorrelated(packed_trains, matrix_of, trains):
    counts, distance = counted(trains), matrix_of(CountCorrelation(WIDTH), packed_trains(trains))
    flat = (counts == counts[:, :1]).all(axis=1)
    for i in range(3):
        for j in range(3):
            if i == j or (flat[i] and flat[j]):
                assert distance[i, j] == 0
            elif flat[i] or flat[j]:
                assert distance[i, j] == 1
            else:
                assert distance[i, j] == pytest.approx(1 - np.corrcoef(counts[i], counts[j])[0, 1], abs=1e-12)


def test_a_silent_trial_has_a_distance_where_rsatoolbox_has_none(recording_of):
    """Documents upstream behaviour: a silent pattern makes its row not a number (rsatoolbox 0.3.2)."""
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm

    trains = [[[0.1, 0.2], [1.0]], [[], []], [[0.3], [0.2, 1.9]]]
    with np.errstate(invalid="ignore"):
        theirs = calc_rdm(Dataset(counted(trains).astype(float)), method="correlation").get_matrices()[0]
    assert np.isnan(theirs[1, [0, 2]]).all()
    ours = distances(recording_of(trains, (0.0, 2.0)), CountCorrelation(WIDTH)).to_numpy()
    assert ours[1].tolist() == [1, 0, 1]
    assert ours[0, 2] == pytest.approx(theirs[0, 2], abs=1e-12)


def test_correlation_needs_two_counts(recording_of):
    recording = recording_of([[[0.5]], [[]]], (0.0, 2.0))
    with pytest.raises(InputError, match="one unit with one bin"):
        distances(recording, CountCorrelation())
    assert distances(recording, CountCorrelation("1 s"))[0, 1] == 1


def test_squared_distances_are_those_of_rsatoolbox(random_counts):
    from rsatoolbox.rdm import calc_rdm

    recording, counts, data = random_counts
    pairs = np.triu_indices(12, k=1)
    for metric, options in (
        (BinnedCount(WIDTH), {"method": "euclidean"}),
        (PoissonKL(WIDTH, prior_rate="4 Hz"), {"method": "poisson"}),
        (
            PoissonKL(WIDTH, prior_rate="2 Hz", prior_weight=0.3),
            {"method": "poisson", "prior_lambda": 0.5, "prior_weight": 0.3},
        ),
    ):
        theirs = calc_rdm(data, descriptor="trial", **options).get_vectors()[0]
        ours = distances(recording, metric).to_numpy()[pairs] ** 2
        np.testing.assert_allclose(ours / counts.shape[1], theirs, rtol=1e-12, err_msg=repr(metric))


def test_across_sessions_the_poisson_divergence_is_rsatoolbox_poisson_cv(random_counts):
    """The version that averages over folds; `calc_rdm` returns the last fold only (rsatoolbox 0.3.2)."""
    from rsatoolbox.rdm import calc_rdm, calc_rdm_unbalanced

    recording, counts, data = random_counts
    squared = distances(recording, PoissonKL(WIDTH, prior_rate="4 Hz")).to_numpy() ** 2
    condition, session = (recording.trials[name].to_numpy() for name in ("condition", "session"))
    ours = across_sessions(squared, condition, session) / counts.shape[1]
    options = {"method": "poisson_cv", "descriptor": "condition", "cv_descriptor": "session"}
    np.testing.assert_allclose(ours, calc_rdm_unbalanced(data, **options).get_vectors()[0], rtol=1e-10)
    assert np.abs(ours - calc_rdm(data, **options).get_vectors()[0]).max() > 0.01


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PoissonKL(WIDTH, prior_rate="4 Hz"), PoissonKL("1 s", prior_rate="4 Hz")),
        (PoissonKL(WIDTH, prior_rate="4 Hz"), PoissonKL(WIDTH, prior_rate="40 Hz")),
        (PoissonKL(WIDTH, prior_rate="4 Hz"), PoissonKL(WIDTH, prior_rate="4 Hz", prior_weight=1.0)),
        (BinnedCount(WIDTH), BinnedCount("1 s")),
        (CountCorrelation(WIDTH), CountCorrelation()),
    ],
    ids=["Poisson width", "prior rate", "prior weight", "bin width", "correlation width"],
)
def test_every_parameter_matters(random_counts, one, other):
    recording, _, _ = random_counts
    assert (distances(recording, one) != distances(recording, other)).to_numpy()[np.triu_indices(12, k=1)].any()


def test_a_spike_on_the_edge_of_a_bin_is_in_the_later_one_whatever_the_rounding(packed_trains):
    """On a grid of 1 ms, dividing by the width would put 0.29 s into bin 28 of 10 ms."""
    assert int(0.29 / 0.01) == 28
    times = np.arange(201) * 0.01
    counts = binned_counts(packed_trains([[times]]), BinnedCount("10 ms").width)
    assert counts.shape == (1, 200)
    assert counts[0, :-1].tolist() == [1] * 199
    assert counts[0, -1] == 2  # the last bin has its own start and the end of the window


@pytest.mark.parametrize(
    ("width", "says"),
    [("300 ms", r"6.66667 bins.*0.285714286 s \(7 bins\)"), ("3 s", r"nearest.*2 s \(1 bins\)")],
)
def test_bins_that_leave_a_part_of_the_window_over_are_refused(random_counts, width, says):
    for metric in (BinnedCount(width), CountCorrelation(width), PoissonKL(width, prior_rate="1 Hz")):
        with pytest.raises(InputError, match=f"do not fill the window of 2 s.*{says}"):
            distances(random_counts[0], metric)


MEANINGLESS = {
    "no width": (lambda: BinnedCount(None), "SpikeCount"),
    "a width of zero": (lambda: BinnedCount("0 ms"), "above zero"),
    "a width without unit": (lambda: CountCorrelation(0.1), "has no unit"),
    "a prior of silence": (lambda: PoissonKL(prior_rate="0 Hz"), "above zero"),
    "a prior without unit": (lambda: PoissonKL(prior_rate=1), "has no unit"),
    "a prior without weight": (lambda: PoissonKL(prior_rate="1 Hz", prior_weight=0), "above zero"),
    "a weight that is a truth value": (lambda: PoissonKL(prior_rate="1 Hz", prior_weight=True), "above zero"),
    "a weight that is not a number": (lambda: PoissonKL(prior_rate="1 Hz", prior_weight=np.nan), "above zero"),
}


@pytest.mark.parametrize("case", MEANINGLESS)
def test_a_count_metric_that_means_nothing_is_refused(case):
    make, says = MEANINGLESS[case]
    with pytest.raises(InputError, match=says):
        make()
