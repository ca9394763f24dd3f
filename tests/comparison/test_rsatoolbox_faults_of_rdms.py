"""Behaviour of rsatoolbox in making RDMs that the package avoids; a failure here means that rsatoolbox has changed."""

import numpy as np
import pandas as pd
import pytest
import rsatoolbox.rdm as rsatoolbox_rdm
from rsatoolbox.data import Dataset, TemporalDataset
from rsatoolbox.model import ModelFixed
from rsatoolbox.rdm import RDMs, calc_rdm, calc_rdm_movie, calc_rdm_unbalanced
from rsatoolbox.rdm import compare as rsatoolbox_compare
from rsatoolbox.rdm.calc import _gen_default_cv_descriptor

import snncompare as sc
from snncompare.comparison.compare import compare
from snncompare.comparison.measures import Spearman
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.distances import distances
from snncompare.representation.estimators import BetweenMinusWithin, MeanDistance
from snncompare.representation.metrics import CountCorrelation, PoissonKL, Precision, SpikeCount, WhitenedCount
from snncompare.representation.movie import rdm_movie

# rsatoolbox writes nan into an array of whole numbers.
cast = pytest.mark.filterwarnings("ignore:invalid value encountered in cast")


def recorded(counts, conditions, **columns):
    """Return a recording with the counts (n_trials, n_units) in a window of one second."""
    counts = np.asarray(counts)
    trial, unit = (index.ravel() for index in np.indices(counts.shape))
    inside = np.concatenate([np.arange(1, n + 1) / (n + 1) for n in counts.ravel()] or [np.empty(0)])
    table = {"condition": list(conditions), "start": 0.0, "stop": 1.0, **columns}
    return Recording.from_arrays(
        times=inside,
        unit=np.repeat(unit, counts.ravel()),
        trial=np.repeat(trial, counts.ravel()),
        units=pd.DataFrame(index=range(counts.shape[1])),
        trials=pd.DataFrame(table, index=range(len(counts))),
    )


@pytest.fixture
def folds():
    """Four conditions in three runs, six units."""
    generator = np.random.default_rng(0)
    return generator.poisson(4, size=(12, 6)), np.repeat(list("abcd"), 3), np.tile(range(3), 4)


@cast
def test_1_poisson_cv_returns_the_last_fold_only(folds):
    counts, names, run = folds

    def theirs(values):
        given = Dataset(values.astype(float), obs_descriptors={"condition": names, "run": run})
        return calc_rdm(given, "poisson_cv", descriptor="condition", cv_descriptor="run").get_vectors()[0]

    def ours(values):
        metric = PoissonKL(prior_rate="1 Hz")
        return sc.rdm(
            recorded(values, names, run=run), metric, "condition", BetweenMinusWithin(across="run")
        ).get_vectors()[0]

    exchanged = counts.copy()
    exchanged[run == 0], exchanged[run == 2] = counts[run == 2], counts[run == 0]  # another order of the same folds
    assert not np.allclose(theirs(exchanged), theirs(counts))
    np.testing.assert_allclose(ours(exchanged), ours(counts))
    given = Dataset(counts.astype(float), obs_descriptors={"condition": names, "run": run})
    mean = calc_rdm_unbalanced(given, "poisson_cv", descriptor="condition", cv_descriptor="run").get_vectors()[0]
    np.testing.assert_allclose(ours(counts), 6 * mean)  # the one that averages, times the number of units


def test_2_conditions_are_sorted_as_texts_in_one_function_and_kept_in_the_other_and_never_aligned(make_rdms):
    counts, names = np.random.default_rng(1).poisson(4, size=(4, 5)), ["2", "10", "1", "20"]
    given = Dataset(counts.astype(float), obs_descriptors={"condition": names})
    balanced, unbalanced = calc_rdm(given, descriptor="condition"), calc_rdm_unbalanced(given, descriptor="condition")
    assert list(balanced.pattern_descriptors["condition"]) == ["1", "10", "2", "20"]
    assert list(unbalanced.pattern_descriptors["condition"]) == names
    assert rsatoolbox_compare(balanced, unbalanced, "spearman")[0, 0] < 0.9
    ours = sc.rdm(recorded(counts, names), SpikeCount(), "condition", MeanDistance())
    assert list(ours.pattern_descriptors["condition"]) == names
    assert compare(ours, {"sorted": balanced}).table["similarity"][0] == pytest.approx(1)


@pytest.mark.parametrize(
    "name", ["sqrt_transform", "positive_transform", "minmax_transform", "geotopological_transform"]
)
def test_3_transforms_change_their_input_and_a_comparison_does_not(make_rdms, name):
    rows = np.random.default_rng(2).normal(size=(2, 45)) + 0.5
    given = make_rdms(rows[0])
    arguments = (0.2, 0.8) if name == "geotopological_transform" else ()
    getattr(rsatoolbox_rdm, name)(given, *arguments)
    assert not np.array_equal(given.get_vectors()[0], rows[0])
    data, model = make_rdms(rows[0]), make_rdms(rows[1])
    compare(data, {"m": model}, n_resamples=50)
    np.testing.assert_array_equal(data.get_vectors()[0], rows[0])
    np.testing.assert_array_equal(model.get_vectors()[0], rows[1])


def test_4_a_movie_of_a_list_of_data_sets_forgets_its_bins():
    generator = np.random.default_rng(3)
    given = TemporalDataset(
        generator.normal(size=(4, 3, 6)),
        obs_descriptors={"condition": list("abcd")},
        time_descriptors={"time": np.arange(6.0)},
    )
    bins = [np.arange(3.0), np.arange(3.0, 6.0)]
    assert calc_rdm_movie(given, descriptor="condition", bins=bins).n_rdm == 2
    assert calc_rdm_movie([given], descriptor="condition", bins=bins).n_rdm == 6
    ours = recorded(generator.poisson(5, size=(4, 3)), "abcd")
    for metric in (SpikeCount(), [SpikeCount()]):
        assert rdm_movie(ours, metric, "condition", window="500 ms", step="500 ms").n_rdm == 2


def test_5_a_movie_of_one_channel_fails():
    generator = np.random.default_rng(4)
    given = TemporalDataset(
        generator.normal(size=(4, 1, 6)),
        obs_descriptors={"condition": list("abcd")},
        time_descriptors={"time": np.arange(6.0)},
    )
    with pytest.raises(ValueError, match="same number of dimensions"):
        calc_rdm_movie(given, descriptor="condition")
    ours = recorded(generator.poisson(5, size=(4, 1)), "abcd")
    assert rdm_movie(ours, SpikeCount(), "condition", window="500 ms", step="500 ms").n_rdm == 2


@cast
def test_6_default_folds_are_cut_to_one_character():
    names = np.repeat(list("ab"), 12)
    folds = _gen_default_cv_descriptor(Dataset(np.zeros((24, 2)), obs_descriptors={"c": names}), "c")
    assert len(np.unique(folds)) == 10  # 12 repeats
    counts = np.random.default_rng(5).poisson(4, size=(24, 3))
    short = sc.rdm(recorded(counts, names), SpikeCount(), "condition").get_vectors()
    longer = sc.rdm(recorded(counts, np.char.add(names, " long name")), SpikeCount(), "condition").get_vectors()
    np.testing.assert_array_equal(short, longer)
    runs = np.tile(range(12), 2)
    given = Dataset(counts.astype(float), obs_descriptors={"c": names, "run": runs})
    reference = calc_rdm(given, "crossnobis", descriptor="c", cv_descriptor="run").get_vectors()
    ours = sc.rdm(recorded(counts, names, run=runs), SpikeCount(), "condition", BetweenMinusWithin(across="run"))
    np.testing.assert_allclose(ours.get_vectors(), 3 * reference)


def test_7_a_silent_condition_makes_correlation_distances_undefined(make_rdms):
    counts = np.random.default_rng(6).poisson(4, size=(5, 6))
    counts[2] = 0
    with np.errstate(all="ignore"):
        theirs = calc_rdm(
            Dataset(counts.astype(float), obs_descriptors={"condition": list("abcde")}),
            "correlation",
            descriptor="condition",
        )
    assert np.isnan(theirs.get_matrices()[0, 2, [0, 1, 3, 4]]).all()
    with pytest.raises(InputError, match="undefined for the condition 'c'"):
        compare(theirs, {"m": make_rdms(np.arange(10.0), "abcde")})
    recording = recorded(counts, "abcde")
    for metric in (SpikeCount(), CountCorrelation(width="100 ms")):
        assert np.isfinite(sc.rdm(recording, metric, "condition", MeanDistance()).get_vectors()).all()


def test_14_a_fixed_model_of_several_rdms_predicts_their_mean_or_all_of_them(make_rdms):
    rows = np.random.default_rng(7).gamma(2.0, size=(3, 45))
    model = ModelFixed("m", make_rdms(rows[:2]))
    np.testing.assert_allclose(model.predict(), rows[:2].mean(axis=0))
    assert model.predict_rdm().n_rdm == 2
    with pytest.raises(InputError, match="model 'm' has 2 RDMs"):
        compare(make_rdms(rows[2]), {"m": make_rdms(rows[:2])})
    seeds = compare(make_rdms(rows[2]), {"m": make_rdms(rows[:2], seed=[0, 1])}, n_resamples=50)
    assert seeds.table["similarity"][0] == pytest.approx(Spearman().between(rows[2:], rows[:2]).mean())


def test_15_matrices_lose_their_diagonal_and_half_of_what_is_not_symmetric():
    matrix = np.array([[5.0, 1, 2], [3, 5, 4], [6, 7, 5]])
    kept = RDMs(matrix[None]).get_matrices()[0]
    np.testing.assert_array_equal(np.diagonal(kept), 0)
    np.testing.assert_array_equal(kept, kept.T)
    counts = np.random.default_rng(8).poisson(4, size=(6, 3))
    recording = recorded(counts, "aabbcc")
    within = distances(recording, SpikeCount()).to_numpy()[[0, 2, 4], [1, 3, 5]] ** 2  # trials of one condition: kept
    assert (within > 0).any()
    naive = sc.rdm(recording, SpikeCount(), "condition", MeanDistance())
    unbiased = sc.rdm(recording, SpikeCount(), "condition", BetweenMinusWithin())
    between = [
        (distances(recording, SpikeCount()).to_numpy()[i : i + 2, j : j + 2] ** 2).mean()
        for i, j in ((0, 2), (0, 4), (2, 4))
    ]
    expected = np.array(between) - (within[[0, 0, 1]] + within[[1, 2, 2]]) / 2
    np.testing.assert_allclose(unbiased.get_vectors()[0], expected)
    assert not np.allclose(naive.get_vectors()[0] ** 2, expected)


@cast
def test_16_a_precision_for_every_fold_works_in_one_function_and_not_in_the_other(folds):
    counts, names, run = folds
    given = Dataset(counts.astype(float), obs_descriptors={"c": names, "run": run})
    precisions = [np.eye(6) for _ in range(3)]
    theirs = calc_rdm(given, "crossnobis", descriptor="c", noise=precisions, cv_descriptor="run")
    with pytest.raises(TypeError, match="a bytes-like object is required, not 'list'"):
        calc_rdm_unbalanced(given, "crossnobis", descriptor="c", noise=precisions, cv_descriptor="run")
    metric = WhitenedCount("1 s", precision=Precision(np.eye(6)))
    ours = sc.rdm(recorded(counts, names, run=run), metric, "condition", BetweenMinusWithin(across="run"))
    np.testing.assert_allclose(ours.get_vectors(), 6 * theirs.get_vectors())  # not divided by the number of units


def test_17_the_poisson_distance_has_no_factor_of_one_half():
    """Documented as half the sum of both divergences; computed as the sum. Ours is documented as it is computed."""
    counts = np.array([[3, 1], [5, 2]])
    rates = (counts + 1.0 * 0.1) / 1.1
    both = ((rates[0] - rates[1]) * np.log(rates[0] / rates[1])).sum()
    theirs = calc_rdm(Dataset(counts.astype(float), obs_descriptors={"c": ["a", "b"]}), "poisson", descriptor="c")
    assert theirs.get_vectors()[0, 0] == pytest.approx(both / 2)  # / 2 for two channels, not for the formula
    ours = distances(recorded(counts, "ab"), PoissonKL(prior_rate="1 Hz", prior_weight=0.1)).to_numpy()[0, 1] ** 2
    assert ours == pytest.approx(both)
    assert "without a factor 1/2" in (PoissonKL.__doc__ or "")
