"""Noise ceilings hold what a second recording and the noise-free truth really reach."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from snncompare.comparison.alignment import align
from snncompare.comparison.ceiling import within_animal
from snncompare.comparison.compare import compare
from snncompare.comparison.measures import KendallTauA, Pearson, Spearman


@pytest.mark.parametrize("measure", [Spearman(), Pearson(), KendallTauA()], ids=lambda m: m.method)
def test_within_one_animal_both_bounds_are_right(measure, record, make_rdms):
    generator = np.random.default_rng(0)
    found, true = [], []
    for _ in range(25):
        truth = generator.normal(size=(12, 8))
        free = pdist(truth)
        data, replicates = record(generator, truth, 10, 1.5, n_resamples=1)
        again = record(generator, truth, 10, 1.5, n_resamples=1, n_splits=1)[0].get_vectors()
        ceiling = within_animal(align(data, {"m": make_rdms(free)}), measure, replicates)
        found.append([ceiling.low[0], ceiling.high[0]])
        true.append([measure.between(data.get_vectors(), v)[0, 0] for v in (again, free[None])])
    # 0.07: the largest error of the full simulation that the docstring reports.
    np.testing.assert_allclose(np.mean(found, axis=0), np.mean(true, axis=0), atol=0.07)


def test_a_recording_that_does_not_repeat_itself_has_a_ceiling_of_0(record, make_rdms):
    generator = np.random.default_rng(0)
    data, replicates = record(generator, np.zeros((9, 8)), 4, 1.0)
    opposite = replace(replicates, half_b=-replicates.half_a)
    result = compare(data, {"m": make_rdms(data.get_vectors())}, replicates=opposite)
    assert result.ceiling is not None
    assert (result.ceiling.low, result.ceiling.high) == ((0.0,), (0.0,))
    assert any("The recording does not repeat itself for m at 20 ms" in text for text in result.statements)
    assert result.table["verdict"][0] == "related"
    assert "the two halves of the trials do not agree, so nothing can match" in result.summary()
    assert "0.00 to 0.00" not in result.summary()


def test_animals_that_do_not_agree_have_no_ceiling_to_match(make_rdms):
    rows = np.random.default_rng(0).gamma(2.0, size=36)
    result = compare(make_rdms([rows, -rows], subject=["a", "b"]), {"m": make_rdms(rows)})
    assert "the animals do not agree with each other, so nothing can match" in result.summary()
    agreeing = compare(make_rdms([rows, rows], subject=["a", "b"]), {"m": make_rdms(rows)})
    assert "The noise ceiling there is 1.00 to 1.00" in agreeing.summary()


def test_identical_halves_have_a_ceiling_of_1(record, make_rdms):
    data, replicates = record(np.random.default_rng(0), np.random.default_rng(1).normal(size=(9, 8)), 4, 1.0)
    same = replace(replicates, half_b=replicates.half_a)
    ceiling = compare(data, {"m": make_rdms(np.arange(36.0))}, replicates=same).ceiling
    assert ceiling is not None
    assert (*ceiling.low, *ceiling.high) == pytest.approx((1, 1))


def test_without_repeats_there_is_no_ceiling_and_the_reason_is_given(record, make_rdms):
    data, replicates = record(np.random.default_rng(0), np.random.default_rng(1).normal(size=(9, 8)), 3, 1.0)
    assert replicates.half_a is None
    for given, reason in ((None, "no split halves of repeated trials"), (replicates, replicates.no_halves)):
        result = compare(data, {"m": make_rdms(data.get_vectors())}, replicates=given)
        assert result.ceiling is None
        assert result.table["ceiling_low"].isna().all()
        assert result.table["verdict"].tolist() == ["related"]
        assert any(text.startswith("No noise ceiling") and reason in text for text in result.statements)


def test_across_sessions_both_bounds_hold_what_others_and_the_truth_reach(make_rdms):
    """One animal, 12 conditions; sessions add noise to its points, and the truth is the animal without that noise."""
    generator = np.random.default_rng(3)
    found, true = [], []
    for _ in range(30):
        animal = generator.normal(size=(12, 6))
        sessions = np.array([pdist(animal + 0.6 * generator.normal(size=animal.shape)) for _ in range(7)])
        data = make_rdms(sessions[:6], session=list(range(6)))
        ceiling = compare(data, {"m": make_rdms(pdist(animal))}, by=Pearson(), n_resamples=50).ceiling
        assert ceiling is not None
        found.append([ceiling.low[0], ceiling.high[0]])
        others = Pearson().between(sessions[6:], sessions[:6].mean(axis=0)[None])[0, 0]
        true.append([others, Pearson().between(sessions[:6], pdist(animal)[None]).mean()])
    (low, high), (other, truth) = np.mean(found, axis=0), np.mean(true, axis=0)
    assert low == pytest.approx(other, abs=0.04)  # a seventh session; three standard errors of 30 differences
    assert low < truth < high  # the animal itself is bracketed


def test_the_question_of_a_ceiling_follows_from_what_was_recorded(make_rdms, record):
    rows = np.random.default_rng(0).gamma(2.0, size=(4, 36))
    model = {"m": make_rdms(rows[0])}
    animals = compare(make_rdms(rows, subject=list("aabb"), session=list("1212")), model, n_resamples=50)
    sessions = compare(make_rdms(rows, session=list("1234")), model, n_resamples=50)
    trials, repeats = record(np.random.default_rng(0), np.random.default_rng(1).normal(size=(9, 8)), 4, 1.0)
    one = compare(trials, model, replicates=repeats, n_resamples=50)
    questions = [result.ceiling.question for result in (animals, sessions, one)]
    assert questions == [
        "would another animal be as similar?",
        "would another session of this animal be as similar?",
        "would another recording of the same units be as similar?",
    ]
    assert "one session against the average of the 3 other(s) of this animal" in sessions.ceiling.meaning


def test_the_other_sessions_of_an_animal_do_not_count_as_other_animals(make_rdms):
    """Sessions of an animal agree, animals do not: the lower bound must not see the sessions of the same animal."""
    generator = np.random.default_rng(4)
    animals = generator.gamma(2.0, size=(3, 36))
    rows = [animal + 0.05 * generator.normal(size=36) for animal in animals for _ in range(2)]
    model = {"m": make_rdms(animals[0])}
    nested = compare(make_rdms(rows, subject=list("aabbcc"), session=list("121212")), model, n_resamples=50)
    as_animals = compare(make_rdms(rows, subject=list("abcdef")), model, n_resamples=50)
    assert nested.ceiling.low[0] < 0.4
    assert as_animals.ceiling.low[0] > nested.ceiling.low[0] + 0.2
