"""Sessions count with their animal, network instances with their model, and both widen the interval as they should."""

import numpy as np
import pytest
from rsatoolbox.rdm import RDMs, concat
from scipy import stats
from scipy.spatial.distance import pdist

from snncompare.comparison.alignment import align
from snncompare.comparison.compare import compare
from snncompare.comparison.measures import Pearson, Spearman
from snncompare.comparison.members import Members
from snncompare.comparison.resampling.choice import (
    Conditions,
    ConditionsAndSessions,
    ConditionsAndSubjects,
    Seeds,
    Sessions,
    Subjects,
    choose_resampling,
)
from snncompare.comparison.resampling.draws import over_conditions, similarities
from snncompare.comparison.resampling.seeds import with_seeds
from snncompare.comparison.resampling.spread import Spread
from snncompare.comparison.result import Result
from snncompare.errors import InputError


@pytest.fixture
def rows():
    return np.random.default_rng(0).gamma(2.0, size=(12, 45))


@pytest.fixture
def nested(make_rdms, rows):
    """Two animals, one with three sessions and one with a single one, out of order."""
    return make_rdms(rows[:4], subject=["a", "b", "a", "a"], session=["1", "1", "2", "3"])


def test_the_similarity_is_the_mean_over_animals_of_the_mean_over_sessions(make_rdms, rows, nested):
    found = compare(nested, {"m": make_rdms(rows[5])}, n_resamples=50).table["similarity"][0]
    each = Spearman().between(rows[:4], rows[5][None])[:, 0]
    assert found == pytest.approx((each[[0, 2, 3]].mean() + each[1]) / 2)
    assert found != pytest.approx(each.mean(), abs=1e-3)  # not the mean over all sessions


def test_the_similarity_is_the_mean_over_seeds(make_rdms, rows):
    model = make_rdms(rows[5:8], seed=[3, 1, 2])
    found = compare(make_rdms(rows[0]), {"m": model, "n": make_rdms(rows[8])}, n_resamples=50)
    each = Spearman().between(rows[:1], rows[5:8])[0]
    assert found.table["similarity"][0] == pytest.approx(each.mean())
    assert found.provenance["seeds"] == {"m": ["3", "1", "2"], "n": []}
    mean_rdm = Spearman().between(rows[:1], rows[5:8].mean(axis=0)[None])[0, 0]
    assert found.table["similarity"][0] != pytest.approx(mean_rdm, abs=1e-3)  # not the similarity of the mean RDM


def test_p_is_that_of_the_mean_similarity(make_rdms, rows):
    """Exact over all orders, by brute force with the mean over sessions, animals and seeds."""
    few = rows[:, :10]
    data = make_rdms(few[:4], subject=["a", "b", "a", "a"], session=["1", "1", "2", "3"])
    found = compare(data, {"m": make_rdms(few[5:8], seed=[0, 1, 2])}, by=Pearson())
    parts = [
        compare(make_rdms(few[k]), {"m": make_rdms(few[5:8], seed=[0, 1, 2])}, by=Pearson()).table["similarity"][0]
        for k in range(4)
    ]
    assert found.table["similarity"][0] == pytest.approx((np.mean([parts[0], parts[2], parts[3]]) + parts[1]) / 2)
    equal = make_rdms(few[[0, 0, 0, 0]], subject=["a", "b", "a", "a"], session=["1", "1", "2", "3"])
    once = compare(make_rdms(few[0]), {"m": make_rdms(few[5:8], seed=[0, 1, 2])}, by=Pearson())
    assert compare(equal, {"m": make_rdms(few[5:8], seed=[0, 1, 2])}, by=Pearson()).table["p"][0] == once.table["p"][0]
    assert once.table["p"][0] * 120 == pytest.approx(round(once.table["p"][0] * 120))


def test_what_is_drawn_follows_from_subjects_sessions_seeds_and_conditions(make_rdms, rows, nested):
    seeds = {"m": make_rdms(rows[5:8], seed=[0, 1, 2])}
    one = {"m": make_rdms(rows[5])}

    def kind(data, models):
        return type(choose_resampling(align(data, models), None, 50, 0))

    sessions = make_rdms(rows[:3], session=["1", "2", "3"])
    assert kind(nested, one) is ConditionsAndSubjects
    assert kind(sessions, one) is ConditionsAndSessions
    assert kind(make_rdms(rows[0]), one) is kind(make_rdms(rows[0]), seeds) is Conditions
    few, few_seeds = rows[:, :10], {"m": make_rdms(rows[5:8, :10], seed=[0, 1, 2])}
    few_one = {"m": make_rdms(few[5])}
    assert kind(make_rdms(few[:2], subject=["a", "b"]), few_one) is Subjects
    assert kind(make_rdms(few[:2], session=["1", "2"]), few_one) is Sessions
    assert kind(make_rdms(few[0]), few_seeds) is Seeds
    assert choose_resampling(align(make_rdms(few[0]), few_one), None, 50, 0) is None


def test_it_is_said_in_words_over_what_the_intervals_generalise(make_rdms, rows, nested):
    seeds = make_rdms(rows[5:8], seed=[0, 1, 2])
    said = compare(nested, {"m": seeds}, n_resamples=50)
    assert said.resampled == "other stimuli of the same kind and other animals; and other seeds of the networks"
    assert any("Few seeds of 'm' (3)" in text for text in said.statements)
    sessions = compare(make_rdms(rows[:3], session=["1", "2", "3"]), {"m": make_rdms(rows[5])}, n_resamples=50)
    assert sessions.resampled == "other stimuli of the same kind and other sessions of the same animal"
    assert any("3 sessions: nothing is said about other animals" in text for text in sessions.statements)
    one = compare(make_rdms(rows[0]), {"m": make_rdms(rows[5], seed=[7])}, n_resamples=50)
    assert any("One seed of 'm': nothing is said about other seeds of it." in text for text in one.statements)
    hypothesis = compare(make_rdms(rows[0]), {"m": make_rdms(rows[5])}, n_resamples=50)
    assert not any("seed" in text for text in hypothesis.statements)


def test_only_seeds_can_be_drawn_of_one_recording_with_few_conditions(make_rdms, rows):
    few = rows[:, :10]
    models = {"m": make_rdms(few[5:9], seed=[0, 1, 2, 3]), "n": make_rdms(few[1]), "o": make_rdms(few[2])}
    found = compare(make_rdms(few[0]), models, by=Pearson())
    each = Pearson().between(few[:1], few[5:9])[0]
    half = stats.t.ppf(0.975, 3) * each.std(ddof=1) / 2
    assert found.table["ci_high"][0] == pytest.approx(min(1, each.mean() + half))
    assert found.table[["ci_low", "ci_high"]].iloc[1:].isna().all(axis=None)
    assert np.isnan(found.differences["p"].iloc[2])
    assert found.resampled == "other seeds of the networks, with the same data"
    assert any("the intervals hold the data fixed" in text for text in found.statements)


def test_the_variance_of_seeds_on_a_worked_example(make_rdms, rows):
    """Conditions and animals as they are, so that only the main effect of seeds and its interaction remain."""
    few = rows[:, :10]
    data = make_rdms(few[:3], subject=["a", "b", "c"])
    given = align(data, {"m": make_rdms(few[5:9], seed=[0, 1, 2, 3])})
    each = Pearson().between(few[:3], few[5:9])
    nothing = Spread(np.zeros((1, 1, 50)), np.zeros((1, 1)), np.zeros((1, 0)), 2.0, 2.0)
    found = with_seeds(nothing, np.zeros((1, 4, 50)), given, Pearson(), seed=0, resampled=each[None, ..., None])
    total = each.mean(axis=0).var(ddof=1) / 4
    assert found.variance[0, 0] == pytest.approx(total)  # at least that of the seeds as they are
    rest = each - each.mean(axis=0) - each.mean(axis=1, keepdims=True) + each.mean()
    crossed = (rest**2).sum() / (2 * 3) / 12
    wide = Spread(np.zeros((1, 1, 50)), np.full((1, 1), 9.0), np.zeros((1, 0)), 2.0, 2.0)
    added = with_seeds(wide, np.zeros((1, 4, 50)), given, Pearson(), seed=0, resampled=each[None, ..., None])
    assert added.variance[0, 0] - 9 == pytest.approx(max(total - crossed, 0))
    part = added.variance[0, 0] - 9
    assert added.degrees_of_freedom[0, 0] == pytest.approx((9 + part) ** 2 / (81 / 2 + part**2 / 3))


def test_one_seed_each_changes_nothing(make_rdms, rows, nested):
    plain = compare(nested, {"m": make_rdms(rows[5]), "n": make_rdms(rows[6])}, n_resamples=50)
    labelled = compare(nested, {"m": make_rdms(rows[5], seed=[0]), "n": make_rdms(rows[6], seed=[0])}, n_resamples=50)
    np.testing.assert_array_equal(plain.table["ci_low"], labelled.table["ci_low"])
    np.testing.assert_array_equal(plain.differences["p"], labelled.differences["p"])


def test_seeds_that_are_copies_of_each_other_add_no_variance(make_rdms, rows):
    data = make_rdms(rows[0])
    once = compare(data, {"m": make_rdms(rows[5])}, n_resamples=80)
    copies = compare(data, {"m": make_rdms(rows[[5, 5, 5]], seed=[0, 1, 2])}, n_resamples=80)
    assert copies.table["ci_low"][0] == pytest.approx(once.table["ci_low"][0])
    unlike = compare(data, {"m": make_rdms(np.stack([rows[5], rows[0], -rows[0]]), seed=[0, 1, 2])}, n_resamples=80)
    assert unlike.table["ci_high"][0] - unlike.table["ci_low"][0] > 1  # 1 and -1 among the seeds


def test_conditions_are_drawn_for_all_sessions_and_seeds_together(make_rdms, rows, nested):
    given = align(nested, {"m": make_rdms(rows[5:7], seed=[0, 1])})
    drawn = np.random.default_rng(0).integers(0, 10, (20, 10))
    each = over_conditions(given, Pearson(), drawn)
    assert each.shape == (1, 2, 2, 20)
    alone = align(make_rdms(rows[1]), {"m": make_rdms(rows[6])})
    np.testing.assert_allclose(each[0, 1, 1], over_conditions(alone, Pearson(), drawn)[0, 0, 0])
    assert similarities(given, Pearson()).shape == (1, 2, 2)


def test_members_that_are_missing_or_twice_are_named(make_rdms, rows):
    data = make_rdms(rows[:2], time_scale=[0.01, 0.1])
    model = make_rdms(rows[:3], time_scale=[0.01, 0.1, 0.01], seed=[0, 0, 1])
    with pytest.raises(InputError, match="model 'm', seed 1, has no RDM for van Rossum at 100 ms"):
        compare(data, {"m": model})
    with pytest.raises(InputError, match=r"model 'm' has 2 RDMs .*rdm_descriptors\['seed'\]"):
        compare(data, {"m": make_rdms(rows[:3], time_scale=[0.01, 0.1, 0.01])})
    with pytest.raises(InputError, match="two RDMs for van Rossum of subject 'a' in session '1'"):
        compare(make_rdms(rows[:2], subject=["a", "a"], session=["1", "1"]), {"m": make_rdms(rows[5])})
    unequal = make_rdms(rows[:3], time_scale=[0.01, 0.1, 0.01], session=["1", "1", "2"])
    with pytest.raises(InputError, match="the data in session '2' lack van Rossum at 100 ms"):
        compare(unequal, {"m": make_rdms(rows[5])})


def test_replicates_of_one_recording_are_refused_for_several(make_rdms, rows, record):
    data, repeats = record(np.random.default_rng(0), np.random.default_rng(1).normal(size=(9, 4)), 4, 1.0)
    two = concat([RDMs(data.get_vectors(), rdm_descriptors={k: [v[0]] for k, v in data.rdm_descriptors.items()},
                       pattern_descriptors={"condition": [f"c{k}" for k in range(9)]}) for _ in range(2)])  # fmt: skip
    two.rdm_descriptors["session"] = ["1", "2"]
    with pytest.raises(InputError, match="trials of one session, the data hold 2"):
        compare(two, {"m": make_rdms(rows[0, :36])}, replicates=repeats)


def test_members_average_by_owner():
    vectors = np.arange(12.0).reshape(1, 4, 3)
    members = Members(vectors, np.array([0, 1, 0, 1]))
    np.testing.assert_allclose(members.means()[0], [vectors[0, [0, 2]].mean(axis=0), vectors[0, [1, 3]].mean(axis=0)])
    np.testing.assert_allclose(members.averaged(vectors, axis=1), members.means())


def test_a_result_with_seeds_and_sessions_comes_back_from_its_files(make_rdms, rows, nested, tmp_path):
    result = compare(nested, {"m": make_rdms(rows[5:8], seed=[0, 1, 2])}, n_resamples=50)
    back = Result.load(result.save(tmp_path))
    assert back.statements == result.statements
    assert back.ceilings == result.ceilings
    np.testing.assert_array_equal(back.resamples, result.resamples)


def test_intervals_hold_new_animals_when_sessions_are_nested_and_not_when_each_counts_as_an_animal(make_rdms):
    """4 animals, 6 sessions, 6 conditions; the truth is the mean over 300 animals with the same stimuli."""
    generator = np.random.default_rng(1)
    n_experiments, held = 150, {"nested": 0, "as animals": 0}
    for seed in range(n_experiments):
        stimuli = generator.normal(size=(6, 4))
        animals = stimuli + 0.8 * generator.normal(size=(304, 6, 4))
        model = pdist(stimuli)[None]
        truth = Pearson().between(np.array([pdist(animal) for animal in animals]), model).mean()
        data = [pdist(animal + 0.1 * generator.normal(size=animal.shape)) for animal in animals[:4] for _ in range(6)]
        who = {"nested": [f"a{k // 6}" for k in range(24)], "as animals": [f"a{k}" for k in range(24)]}
        for name, subject in who.items():
            rdms = make_rdms(data, subject=subject, session=[k % 6 for k in range(24)])
            given = align(rdms, {"m": make_rdms(model)})
            spread = choose_resampling(given, None, 200, seed).spread(given, Pearson())
            centre = similarities(given, Pearson()).mean()
            half = stats.t.ppf(0.975, spread.degrees_of_freedom) * np.sqrt(spread.variance[0, 0])
            held[name] += abs(centre - truth) <= half
    # Sessions hold the truth slightly differently (their noise lowers the similarity): by less than 0.01 here.
    assert held["nested"] >= stats.binom.ppf(0.001, n_experiments, 0.95)
    assert held["as animals"] < stats.binom.ppf(0.001, n_experiments, 0.95)
