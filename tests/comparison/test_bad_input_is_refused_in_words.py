"""What cannot be compared is refused with the reason; what can is accepted with the caveat."""

from dataclasses import dataclass

import numpy as np
import pytest
from rsatoolbox.rdm import RDMs
from scipy.spatial.distance import pdist

from snncompare.comparison.compare import compare
from snncompare.comparison.measures import Bures, BuresMetric, Cosine, NegativeRiemannianDistance, Pearson, Spearman
from snncompare.comparison.precision.selection import select_time_scale
from snncompare.comparison.precision.time_scale import time_scale_test
from snncompare.comparison.resampling.choice import Subjects, choose_resampling
from snncompare.errors import InputError


@pytest.fixture
def rows():
    return np.random.default_rng(0).gamma(2.0, size=(4, 15))


def entries(data, models):
    """Every entry of the room that takes RDMs."""
    yield lambda: compare(data, models, n_resamples=50)
    yield lambda: time_scale_test(data, models, n=99)
    yield lambda: select_time_scale(data, next(iter(models.values())))


def test_labels_that_differ_are_refused_with_both_sets_shown(make_rdms, rows):
    data, model = make_rdms(rows[0], ["0", "45", "90", "135", "180", "225"]), make_rdms(rows[1], range(0, 270, 45))
    for entry in entries(data, {"network": model}):
        with pytest.raises(InputError) as error:
            entry()
        text = str(error.value)
        assert "lack the condition '0', '45', '90', '135', '180', '225'" in text
        assert "the data are over '0', '45', '90', '135', '180', '225'" in text
        assert "model" in text
        assert "over 0, 45, 90, 135, 180, 225" in text


def test_windows_that_differ_are_refused_and_equal_ones_are_not(make_rdms, rows):
    early = make_rdms(rows[0], window_start=[0.0], window_stop=[0.2])
    late = make_rdms(rows[1], window_start=[0.1], window_stop=[0.3])
    for entry in entries(early, {"network": late}):
        with pytest.raises(
            InputError, match=r"the data have the window 0 ms to 200 ms, model '.*' has 100 ms to 300 ms"
        ):
            entry()
    same = make_rdms(rows[1], window_start=[1e-12], window_stop=[0.2])
    assert np.isfinite(compare(early, {"network": same}).table["similarity"][0])
    assert np.isfinite(compare(early, {"no window": make_rdms(rows[1])}).table["similarity"][0])


def test_a_movie_is_compared_one_window_at_a_time(make_rdms, rows):
    movie = make_rdms(rows[:2], window_start=[0.0, 0.1], window_stop=[0.1, 0.2])
    with pytest.raises(InputError, match=r"are of 2 windows \(0 ms to 100 ms, 100 ms to 200 ms, ...\); compare one"):
        compare(movie, {"m": make_rdms(rows[2])})
    assert compare(movie.subset("window_start", 0.1), {"m": make_rdms(rows[1])}).table["similarity"][
        0
    ] == pytest.approx(1)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_undefined_entries_are_refused_with_their_conditions(make_rdms, rows, bad):
    first, second = np.triu_indices(6, 1)
    rows[0][(first == 4) | (second == 4)] = bad
    for entry in entries(make_rdms(rows[0]), {"m": make_rdms(rows[1])}):
        with pytest.raises(InputError, match=r"RDM of the data .* undefined for the condition 'c4'"):
            entry()
    seeds = make_rdms(np.stack([rows[1], rows[0]]), seed=[0, 1])
    with pytest.raises(InputError, match=r"RDM of model 'm' .* undefined for the condition 'c4'"):
        compare(make_rdms(rows[2]), {"m": seeds})


def test_missing_conditions_can_be_left_out_on_purpose(make_rdms, rows):
    smaller = make_rdms(rows[1]).subset_pattern("condition", ["c0", "c1", "c2", "c3", "c5"])
    with pytest.raises(InputError, match="lack the condition 'c4'"):
        compare(make_rdms(rows[0]), {"m": smaller})
    fewer = make_rdms(rows[0]).subset_pattern("condition", ["c5", "c3", "c2", "c1", "c0"])
    assert len(compare(fewer, {"m": smaller}).provenance["conditions"]) == 5


def test_one_and_two_conditions_are_too_few_and_three_are_compared(make_rdms, rows):
    one = RDMs(np.zeros((1, 1, 1)), pattern_descriptors={"condition": ["a"]})
    with pytest.raises(InputError, match="the data have 1 condition; RDMs can be compared from 3 on"):
        compare(one, {"m": one})
    two = make_rdms(rows[0, :1])
    with pytest.raises(InputError, match="the data have 2 conditions; RDMs can be compared from 3 on"):
        compare(two, {"m": two})
    three = compare(make_rdms(rows[0, :3]), {"m": make_rdms(rows[1, :3])})
    assert any("no model can be shown to be above chance" in text for text in three.statements)


@pytest.mark.parametrize("measure", [Spearman(), Pearson(), Cosine()], ids=lambda m: m.method)
@pytest.mark.parametrize("animals", [1, 3])
def test_constant_data_are_no_error_and_never_related(make_rdms, measure, animals):
    flat = make_rdms(np.ones((animals, 45)), subject=[f"a{k}" for k in range(animals)])
    model = np.random.default_rng(0).gamma(2.0, size=45)
    found = compare(flat, {"m": make_rdms(model)}, measure, n_resamples=60)
    assert found.table["p"][0] == 1
    assert found.table["verdict"][0] == "no match"
    assert any("The data set all conditions equally apart" in text for text in found.statements)
    if animals > 1:
        assert (found.ceiling.low, found.ceiling.high) == ((0.0,), (0.0,))


def test_one_constant_seed_is_named(make_rdms):
    rows = np.random.default_rng(0).gamma(2.0, size=(3, 45))
    rows[2] = 1
    found = compare(make_rdms(rows[0]), {"m": make_rdms(rows[1:], seed=[0, 1])}, n_resamples=60)
    assert found.table["similarity"][0] == pytest.approx(Spearman().between(rows[:1], rows[1:2])[0, 0] / 2)
    assert any("model 'm' sets all conditions equally apart somewhere" in text for text in found.statements)


@dataclass(frozen=True)
class Once(Spearman):
    """A measure for which a condition cannot occur twice."""

    label = "measure without repeats"

    @property
    def no_bootstrap(self):
        return "a condition cannot occur twice"


def test_a_measure_without_repeated_conditions_falls_back_and_says_so(make_rdms):
    rows = np.random.default_rng(0).gamma(2.0, size=(4, 45))
    model = {"m": make_rdms(rows[3])}
    one = compare(make_rdms(rows[0]), model, Once())
    assert one.resampled == "nothing"
    assert one.table["ci_low"].isna().all()
    assert any(
        "with the measure without repeats, so nothing" in text and "cannot occur twice" in text
        for text in one.statements
    )
    several = compare(make_rdms(rows[:3], subject=["a", "b", "c"]), model, Once(), n_resamples=50)
    assert several.resampled == "other animals, shown the same stimuli"
    assert np.isfinite(several.table["ci_low"][0])
    assert not any("too few to be resampled" in text for text in several.statements)
    assert compare(make_rdms(rows[0]), model, n_resamples=50).resampled != "nothing"


def test_a_distance_is_refused_and_a_negative_distance_has_no_ceiling(make_rdms):
    points = np.random.default_rng(0).normal(size=(4, 9, 12))
    rows = np.array([pdist(each) ** 2 for each in points])
    data, models = make_rdms(rows[:3], subject=["a", "b", "c"]), {"m": make_rdms(rows[3])}
    for entry in (compare, time_scale_test):
        with pytest.raises(InputError, match=r"is a distance; for tests and intervals use by=Bures\(\)"):
            entry(data, models, BuresMetric())
    found = compare(data, models, NegativeRiemannianDistance(), n_resamples=50)
    assert found.ceiling is None
    assert found.table["similarity"][0] < -1  # far below -1, and the interval is not cut there
    assert found.table["ci_low"][0] < found.table["similarity"][0] < found.table["ci_high"][0] <= 0
    assert any("none is defined for the negative Riemannian distance" in text for text in found.statements)
    assert compare(data, models, Bures(), n_resamples=50).ceiling is not None


def test_the_fall_back_is_subjects(make_rdms):
    from snncompare.comparison.alignment import align

    rows = np.random.default_rng(0).gamma(2.0, size=(4, 45))
    given = align(make_rdms(rows[:3], subject=["a", "b", "c"]), {"m": make_rdms(rows[3])})
    assert isinstance(choose_resampling(given, None, 50, 0, conditions=False), Subjects)
