"""Conditions and time scales are matched by their labels, and what does not match is named."""

import numpy as np
import pytest
from rsatoolbox.rdm import RDMs
from rsatoolbox.rdm import compare as reference

from snncompare.comparison.alignment import align
from snncompare.comparison.compare import compare
from snncompare.errors import InputError

PAIRS = np.triu_indices(6, 1)


@pytest.fixture
def vector():
    return np.random.default_rng(0).gamma(2.0, size=15)


def reordered(vector, order):
    matrix = np.zeros((6, 6))
    matrix[PAIRS] = vector
    matrix += matrix.T
    return matrix[np.ix_(order, order)][PAIRS]


def test_the_same_rdm_in_another_order_of_conditions_has_similarity_1(make_rdms, vector):
    order = [3, 0, 5, 1, 4, 2]
    shuffled = make_rdms(reordered(vector, order), [f"c{k}" for k in order])
    table = compare(make_rdms(vector), {"same": shuffled}).table
    assert table["similarity"][0] == pytest.approx(1.0)


def test_rsatoolbox_itself_does_not_align(make_rdms, vector):
    order = [3, 0, 5, 1, 4, 2]
    shuffled = make_rdms(reordered(vector, order), [f"c{k}" for k in order])
    assert reference(make_rdms(vector), shuffled, "spearman")[0, 0] < 0.9


def test_aligning_copies_and_leaves_the_given_rdms_as_they_were(make_rdms, vector):
    data, model = make_rdms(vector), make_rdms(vector[::-1])
    found = align(data, {"m": model})
    found.data[:] = found.models[:] = -1
    np.testing.assert_array_equal(data.get_vectors()[0], vector)
    np.testing.assert_array_equal(model.get_vectors()[0], vector[::-1])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["c0", "c1", "c2", "c3", "c4", "x"], "model 'm' lack the condition 'c5' and have the condition 'x'"),
        (["c0", "c1", "c2", "c3", "c4", "c4"], "model 'm' contain the condition 'c4' twice"),
    ],
)
def test_conditions_that_do_not_fit_are_named(make_rdms, vector, names, message):
    with pytest.raises(InputError, match=message):
        align(make_rdms(vector), {"m": make_rdms(vector, names)})


def test_a_condition_in_excess_is_named(make_rdms, vector):
    with pytest.raises(InputError, match=r"model 'm' have the condition 'c5', which the data lack"):
        align(make_rdms(vector[:10]), {"m": make_rdms(vector)})


def test_numbers_and_texts_are_told_apart_in_the_message(make_rdms, vector):
    with pytest.raises(InputError, match=r"lack the condition 0, 1, .* have the condition '0', '1'"):
        align(make_rdms(vector, range(6)), {"m": make_rdms(vector, "012345")})


def test_a_silent_condition_is_named(make_rdms, vector):
    vector[(PAIRS[0] == 2) | (PAIRS[1] == 2)] = np.nan
    with pytest.raises(InputError, match=r"RDM of the data for van Rossum at 20 ms .* condition 'c2'; was it silent"):
        align(make_rdms(vector, time_scale=[0.02]), {"m": make_rdms(np.arange(15.0))})
    with pytest.raises(InputError, match=r"RDM of model 'm' .* condition 'c2'"):
        align(make_rdms(np.arange(15.0)), {"m": make_rdms(vector)})


def test_one_undefined_pair_names_both_conditions(make_rdms, vector):
    vector[0] = np.nan
    with pytest.raises(InputError, match=r"condition 'c0', 'c1'"):
        align(make_rdms(vector), {"m": make_rdms(np.arange(15.0))})


def test_a_matched_model_is_used_at_its_own_time_scale_whatever_the_order(make_rdms):
    rows = np.random.default_rng(1).gamma(2.0, size=(3, 15))
    data = make_rdms(rows, time_scale=[0.01, 0.1, np.nan])
    model = make_rdms(rows[[2, 0, 1]], time_scale=[np.nan, 0.01 * (1 + 1e-12), 0.1])
    np.testing.assert_array_equal(align(data, {"m": model}).models[:, 0], rows)


def test_a_single_rdm_without_time_scale_is_used_at_every_one(make_rdms):
    rows = np.random.default_rng(1).gamma(2.0, size=(3, 15))
    found = align(make_rdms(rows, time_scale=[0.01, 0.1, 1.0]), {"m": make_rdms(rows[0], metric="categories")})
    np.testing.assert_array_equal(found.models[:, 0], rows[[0, 0, 0]])


def test_a_missing_time_scale_of_a_model_is_named(make_rdms):
    rows = np.random.default_rng(1).gamma(2.0, size=(2, 15))
    data = make_rdms(rows, time_scale=[0.01, 0.1])
    with pytest.raises(InputError, match="model 'm' has no RDM for van Rossum at 100 ms"):
        align(data, {"m": make_rdms(rows, time_scale=[0.01, 0.2])})
    with pytest.raises(InputError, match="model 'm' has no RDM for van Rossum at 100 ms"):
        align(data, {"m": make_rdms(rows[0], time_scale=[0.01])})
    with pytest.raises(InputError, match="model 'm' has 2 RDMs for van Rossum at 10 ms"):
        align(data, {"m": make_rdms(rows, time_scale=[0.01, 0.01])})


def test_subjects_are_sorted_out_by_label(make_rdms):
    rows = np.random.default_rng(1).gamma(2.0, size=(4, 15))
    data = make_rdms(rows, time_scale=[0.1, 0.01, 0.01, 0.1], subject=["a", "b", "a", "b"])
    found = align(data, {"m": make_rdms(rows[0])})
    assert found.subjects == ("a", "b")
    assert [key.time_scale for key in found.metrics] == [0.1, 0.01]
    np.testing.assert_array_equal(found.data, rows[[[0, 3], [2, 1]]])


def test_two_rdms_for_one_place_and_a_missing_one_are_refused(make_rdms):
    rows = np.random.default_rng(1).gamma(2.0, size=(3, 15))
    with pytest.raises(InputError, match=r"two RDMs for van Rossum at 10 ms; .*\['subject'\]"):
        align(make_rdms(rows, time_scale=[0.01, 0.01, 0.1]), {"m": make_rdms(rows[0])})
    with pytest.raises(InputError, match="data of subject 'b' lack van Rossum at 100 ms"):
        align(make_rdms(rows, time_scale=[0.01, 0.1, 0.01], subject=["a", "a", "b"]), {"m": make_rdms(rows[0])})


def test_things_that_are_not_rdms_are_refused(make_rdms, vector):
    with pytest.raises(InputError, match="data must be rsatoolbox RDMs"):
        align(vector, {"m": make_rdms(vector)})
    with pytest.raises(InputError, match="models must be a mapping"):
        align(make_rdms(vector), make_rdms(vector))
    with pytest.raises(InputError, match="there are no models"):
        align(make_rdms(vector), {})
    with pytest.raises(InputError, match="model 'm' must be rsatoolbox RDMs"):
        align(make_rdms(vector), {"m": vector})
    with pytest.raises(InputError, match="name no conditions"):
        align(RDMs(vector[None]), {"m": make_rdms(vector)})
    with pytest.raises(InputError, match="the data have 2 conditions"):
        align(make_rdms([[1.0]]), {"m": make_rdms([[1.0]])})
