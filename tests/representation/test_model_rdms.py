import numpy as np
import pytest

from snncompare.errors import FileError, InputError
from snncompare.representation.model_rdms import (
    categorical,
    circular,
    from_features,
    from_matrix,
    linear,
    read_matrix,
)


def test_orientations_lie_on_a_circle():
    model = circular([0, 45, 90, 135, 170.0], period=180)
    assert model.get_matrices()[0][0].tolist() == [0, 45, 90, 45, 10]
    assert model.pattern_descriptors["condition"] == [0, 45, 90, 135, 170]
    assert circular([0, 45, 90, 135, 170], period=360).get_matrices()[0][0].tolist() == [0, 45, 90, 135, 170]


def test_linear_is_the_absolute_difference():
    assert linear([3, 1, 7.5]).dissimilarities.tolist() == [[2, 4.5, 6.5]]


def test_categories_are_one_apart():
    model = categorical(["a1", "a2", "b1"], ["a", "a", "b"])
    assert model.dissimilarities.tolist() == [[0, 1, 1]]


def test_features_are_compared_by_their_euclidean_distance():
    assert from_features(["x", "y"], [[0, 0], [3, 4]]).dissimilarities.tolist() == [[5]]


def test_a_model_has_the_labels_of_every_rdm():
    model = linear([1, 2, 3], name="loudness")
    assert model.rdm_descriptors["name"] == ["loudness"]
    assert model.rdm_descriptors["metric"] == ["model"]
    assert np.isnan(model.rdm_descriptors["time_scale"]).all()


@pytest.mark.parametrize(("labels", "read"), [(["a", "b", "c"], ["a", "b", "c"]), (["0", "22.5", "45"], [0, 22.5, 45])])
def test_a_matrix_is_read_with_its_labels(tmp_path, labels, read):
    values = np.array([[0, 1, 2], [1, 0, 3.5], [2, 3.5, 0]])
    lines = [
        ",".join(["", *labels]),
        *(",".join([label, *map(str, row)]) for label, row in zip(labels, values, strict=True)),
    ]
    file = tmp_path / "human ratings.csv"
    file.write_text("\n".join(lines))
    model = read_matrix(file)
    assert model.pattern_descriptors["condition"] == read
    assert (model.get_matrices()[0] == values).all()
    assert model.rdm_descriptors["name"] == ["human ratings"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (",a,b\na,0,1\nc,1,0\n", "labelled differently"),
        (",a,b\na,0,1\nb,2,0\n", "symmetric"),
        (",a,b\na,1,0\nb,0,1\n", "zero on its diagonal"),
        (",a,b\na,0,x\nb,1,0\n", "not a number"),
        (",a,b\na,0,nan\nb,nan,0\n", "not finite"),
        (",a,b\na,0,1\n", "labelled differently"),
        (",a\na,0\n", "at least two"),
    ],
)
def test_a_table_that_is_no_matrix_of_dissimilarities_is_refused(tmp_path, text, says):
    file = tmp_path / "matrix.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=says):
        read_matrix(file)


def test_files_that_are_no_table_are_refused(tmp_path):
    with pytest.raises(FileError, match="no file"):
        read_matrix(tmp_path / "absent.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(FileError, match="cannot read"):
        read_matrix(tmp_path / "empty.csv")


EMPTY = {
    "no period": (lambda: circular([0, 90], period=0), "above zero"),
    "text on a circle": (lambda: circular(["0", "90"], period=180), "conditions that are numbers, got '0'"),
    "a condition twice": (lambda: linear([1, 1, 2]), "more than once"),
    "a missing condition": (lambda: linear([1, float("nan")]), "missing"),
    "one condition": (lambda: linear([1]), "at least two"),
    "too few categories": (lambda: categorical(["a", "b"], ["x"]), "1 categories for 2"),
    "one category": (lambda: categorical(["a", "b"], ["x", "x"]), "constant"),
    "a category for each": (lambda: categorical(["a", "b"], ["x", "y"]), "constant"),
    "features without rows": (lambda: from_features(["a", "b"], [1, 2]), "one row for each"),
    "infinite features": (lambda: from_features(["a", "b"], [[1], [np.inf]]), "finite"),
    "a small matrix": (lambda: from_matrix(["a", "b", "c"], np.zeros((2, 2))), "3 conditions"),
}


@pytest.mark.parametrize("case", EMPTY)
def test_models_that_state_nothing_are_refused(case):
    make, says = EMPTY[case]
    with pytest.raises(InputError, match=says):
        make()
