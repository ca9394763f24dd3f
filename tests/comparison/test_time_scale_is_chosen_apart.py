"""A time scale that is chosen on some conditions or animals and scored on others gives an honest score."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from snncompare.comparison.alignment import align
from snncompare.comparison.measures import Pearson, Spearman
from snncompare.comparison.precision.selection import conditions_part, select_time_scale, subjects_part
from snncompare.errors import InputError

SCALES = np.geomspace(0.001, 1, 5)


def sweep(make_rdms, points, **descriptors):
    return make_rdms([pdist(each) for each in points], time_scale=np.resize(SCALES, len(points)), **descriptors)


def unrelated(make_rdms, rng, n):
    return (sweep(make_rdms, rng.normal(size=(5, n, 4))) for _ in range(2))


def test_on_null_data_the_score_is_0_and_the_one_on_the_same_data_is_not(make_rdms):
    rng = np.random.default_rng(0)
    chosen = [select_time_scale(*unrelated(make_rdms, rng, 16), Pearson(), seed=k, repeats=2) for k in range(150)]
    score, same = (np.array([getattr(each, name) for each in chosen]) for name in ("score", "same_data"))
    error = score.std(ddof=1) / np.sqrt(len(score))
    assert abs(score.mean()) < 3.3 * error  # one in a thousand by chance
    assert same.mean() > 0.1  # the optimism of choosing and scoring on the same data
    assert same.mean() > 10 * same.std(ddof=1) / np.sqrt(len(same))


def test_the_time_scale_of_the_code_is_chosen_in_every_fold(make_rdms):
    rng = np.random.default_rng(1)
    data, model = rng.normal(size=(2, 5, 20, 4))
    model[2] = data[2] + 0.3 * rng.normal(size=(20, 4))
    found = select_time_scale(sweep(make_rdms, data), sweep(make_rdms, model), seed=0)
    assert (found.table["time_scale"] == SCALES[2]).all()
    assert found.scales["chosen"].tolist() == [0, 0, 1, 0, 0]
    # Scored on pairs of four conditions each: the same similarity, up to what few conditions leave uncertain.
    assert found.score == pytest.approx(found.same_data, abs=0.15)
    assert "the model has Spearman correlation" in found.summary()
    assert "Most often chosen: van Rossum at 31.62 ms, in 100% of" in found.summary()


def test_held_out_conditions_are_no_training_conditions(make_rdms):
    """What happens to pairs that cross the border changes neither the choice nor the score."""
    rng = np.random.default_rng(2)
    data, model = (sweep(make_rdms, rng.normal(size=(5, 8, 4))) for _ in range(2))
    found = select_time_scale(data, model, folds=2, repeats=1)
    held = [name.split(", ") for name in found.table["held_out"]]
    assert sorted(held[0] + held[1]) == [f"c{k}" for k in range(8)]
    first, second = np.triu_indices(8, 1)
    inside = np.array([f"c{k}" in held[0] for k in range(8)])
    crossing = inside[first] != inside[second]
    changed = data.get_vectors().copy()
    changed[:, crossing] = rng.gamma(2.0, size=(5, crossing.sum()))
    other = select_time_scale(make_rdms(changed, time_scale=SCALES), model, folds=2, repeats=1)
    np.testing.assert_array_equal(other.table["score"], found.table["score"])
    changed[:, ~crossing] = rng.gamma(2.0, size=(5, (~crossing).sum()))
    changed = select_time_scale(make_rdms(changed, time_scale=SCALES), model, folds=2, repeats=1)
    assert not np.allclose(changed.table["score"], found.table["score"])


def test_over_subjects_one_animal_after_the_other_is_held_out(make_rdms):
    rng = np.random.default_rng(3)
    truth, model = rng.normal(size=(2, 5, 6, 4))
    model[1] = truth[1]
    points = np.concatenate([truth + 0.2 * rng.normal(size=truth.shape) for _ in range(3)])
    data = sweep(make_rdms, points, subject=[name for name in "abc" for _ in range(5)])
    found = select_time_scale(data, sweep(make_rdms, model), over="subjects")
    assert sorted(found.table["held_out"]) == ["a", "b", "c"]
    assert (found.table["time_scale"] == SCALES[1]).all()
    given = align(data, {"m": sweep(make_rdms, model)})
    row = found.table.set_index("held_out").loc["b"]
    assert row["score"] == pytest.approx(Spearman().between(given.data[1, 1:2], given.models[1])[0, 0])
    both = Spearman().between(given.data[1, [0, 2]], given.models[1]).mean()
    assert row["training"] == pytest.approx(both)


def test_parts_keep_sessions_and_seeds(make_rdms):
    rows = np.random.default_rng(4).gamma(2.0, size=(8, 15))
    data = make_rdms(rows[:4], subject=["a", "b", "a", "b"], session=["1", "1", "2", "2"])
    given = align(data, {"m": make_rdms(rows[4:6], seed=[0, 1])})
    one = subjects_part(given, np.array([1]))
    assert one.subjects == ("b",)
    np.testing.assert_array_equal(one.recordings.vectors[0], rows[[1, 3]])
    part = conditions_part(given, np.array([0, 2, 5]))
    assert part.conditions == ("c0", "c2", "c5")
    np.testing.assert_array_equal(part.instances.vectors[0], rows[4:6][:, [1, 4, 11]])  # pairs 0-2, 0-5, 2-5


def test_the_seed_the_folds_and_the_repeats_matter(make_rdms):
    rng = np.random.default_rng(5)
    data, model = unrelated(make_rdms, rng, 12)
    base, again = (select_time_scale(data, model, seed=1, folds=2, repeats=2) for _ in range(2))
    assert base.table.equals(again.table)
    assert len(base.table) == 4
    assert select_time_scale(data, model, seed=2, folds=2, repeats=2).score != base.score
    assert len(select_time_scale(data, model, folds=3, repeats=5).table) == 15
    assert len(select_time_scale(data, model, repeats=1).table) == 3  # 12 conditions: three folds of four


def test_what_cannot_be_divided_is_refused(make_rdms):
    rng = np.random.default_rng(6)
    data, model = unrelated(make_rdms, rng, 7)
    with pytest.raises(InputError, match="7 conditions are too few to hold some out: at least 8"):
        select_time_scale(data, model)
    with pytest.raises(InputError, match="one subject, so none can be held out"):
        select_time_scale(data, model, over="subjects")
    data, model = unrelated(make_rdms, rng, 12)
    with pytest.raises(InputError, match="folds must be at most 3 with 12 conditions, got 4"):
        select_time_scale(data, model, folds=4)
    with pytest.raises(InputError, match="folds must be a whole number of at least 2"):
        select_time_scale(data, model, folds=1)
    with pytest.raises(InputError, match="over must be 'conditions' or 'subjects'"):
        select_time_scale(data, model, over="trials")
    one = make_rdms(data.get_vectors()[0])
    with pytest.raises(InputError, match="one metric and time scale, van Rossum; give several"):
        select_time_scale(one, one)
