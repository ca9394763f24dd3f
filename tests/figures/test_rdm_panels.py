"""RDM panels show each matrix, its labels and a labelled colour bar."""

import numpy as np
import pytest
from scipy.stats import rankdata

from snncompare.errors import InputError
from snncompare.figures.brackets import runs
from snncompare.figures.rdm_panels import RdmScale, rank_normalised, rdm_data, rdm_figure


@pytest.fixture
def forty(make_rdm, models):
    matrices = {"animal": make_rdm(40, 0)} | {name: make_rdm(40, i + 1) for i, name in enumerate(models)}
    labels = [f"{0.25 * (i % 20):.2f} s" for i in range(40)]
    return matrices, labels, ["sound 1"] * 20 + ["sound 2"] * 20


def test_the_animal_comes_first_and_every_panel_has_a_letter_and_a_name(forty):
    matrices, labels, groups = forty
    figure = rdm_figure(matrices, labels, groups=groups)
    words = [{t.get_text() for t in ax.texts} for ax in figure.axes[:7]]
    for letter, name, found in zip("ABCDEFG", matrices, words, strict=True):
        assert {letter, name, "sound 1", "sound 2"} <= found


def test_many_conditions_are_labelled_every_fifth_within_each_group(forty):
    matrices, labels, groups = forty
    ax = rdm_figure(matrices, labels, groups=groups).axes[0]
    assert list(ax.get_yticks()) == [0, 5, 10, 15, 20, 25, 30, 35]
    assert [t.get_text() for t in ax.get_yticklabels()][4] == "0.00 s"
    assert len(rdm_figure(matrices, labels, every=10).axes[0].get_yticks()) == 4


def test_ranks_share_one_labelled_colour_bar_and_raw_values_have_one_each(forty):
    matrices, labels, _ = forty
    ranked = rdm_figure(matrices, labels, dissimilarity="van Rossum distance")
    assert [ax.get_ylabel() for ax in ranked.axes[7:]] == ["van Rossum distance (rank, 0 to 1)"]
    raw = rdm_figure(matrices, labels, scale=RdmScale.RAW, dissimilarity="Distance (spikes)")
    assert [ax.get_ylabel() for ax in raw.axes[7:]] == ["Distance (spikes)"] * 7


@pytest.mark.parametrize("n", [2, 4, 5])
def test_few_conditions_are_all_labelled(make_rdm, n):
    labels = [f"odour {i}" for i in range(n)]
    ax = rdm_figure({"animal": make_rdm(n, 0), "model": make_rdm(n, 1)}, labels).axes[0]
    assert [t.get_text() for t in ax.get_xticklabels()] == labels


def test_ranks_are_those_of_the_pairs(make_rdm):
    matrix = make_rdm(6, 0)
    upper = np.triu_indices(6, 1)
    ranked = rank_normalised(matrix)
    np.testing.assert_allclose(ranked[upper], (rankdata(matrix[upper]) - 1) / 14)
    np.testing.assert_array_equal(ranked, ranked.T)
    np.testing.assert_array_equal(ranked, rank_normalised(np.exp(matrix)))
    assert np.isnan(np.diag(ranked)).all()


def test_missing_pairs_are_grey_and_said(make_rdm):
    matrix = make_rdm(4, 0)
    complete = rdm_figure({"animal": matrix}, list("abcd"))
    matrix[0, 1] = matrix[1, 0] = np.nan
    assert complete.axes[0].get_xlabel() == ""
    assert rdm_figure({"animal": matrix}, list("abcd")).axes[0].get_xlabel() == "grey: could not be measured"
    empty = rdm_figure({"animal": np.full((4, 4), np.nan)}, list("abcd"), scale=RdmScale.RAW)
    assert "no dissimilarity could be measured" in [t.get_text() for t in empty.axes[0].texts]


def test_the_data_hold_every_pair_once(forty):
    matrices, labels, groups = forty
    table = rdm_data(matrices, labels, groups)
    assert len(table) == 40 * 39 // 2
    row = table.iloc[3]
    assert (row["condition_b"], row["group_b"]) == (labels[4], "sound 1")
    assert row["animal"] == matrices["animal"][0, 4]


@pytest.mark.parametrize(
    ("matrices", "groups", "message"),
    [
        ({}, None, "no matrix"),
        ({"a": np.zeros((3, 3))}, None, r"shape \(3, 3\)"),
        ({"a": np.arange(4).reshape(2, 2)}, None, "not symmetric"),
        ({"a": np.zeros((2, 2))}, ["x"], "1 groups were given for 2"),
    ],
)
def test_matrices_that_do_not_fit_are_refused(matrices, groups, message):
    with pytest.raises(InputError, match=message):
        rdm_figure(matrices, ["x", "y"], groups=groups)


def test_groups_are_runs_of_neighbours():
    assert runs(["a", "b", "b", "a"]) == [("a", 0, 0), ("b", 1, 2), ("a", 3, 3)]
