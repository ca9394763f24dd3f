"""Yin-Yang points are the published ones, and their spikes lie where the publications put them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from snncompare import datasets
from snncompare.datasets.samplers.yin_yang import REGIONS, region, yin_yang
from snncompare.errors import InputError


@pytest.fixture(scope="module")
def points():
    return yin_yang({})


def features(points, part):
    rows = np.flatnonzero(points.table["split"] == part)
    values = np.array([points.stimulus(row).values for row in rows])
    return values, np.array([REGIONS.index(name) for name in points.table["region"].iloc[rows]])


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_points_and_labels_are_the_published_ones_bit_for_bit(points, part, shared_data):
    values, labels = features(points, part)
    published = shared_data / "yin_yang"
    assert np.array_equal(values, np.load(published / f"{part}_samples.npy"))
    assert np.array_equal(labels, np.load(published / f"{part}_labels.npy"))


def test_class_counts_and_the_first_point_are_the_published_ones(points):
    counts = {part: np.bincount(features(points, part)[1]).tolist() for part in ("train", "validation", "test")}
    assert counts == {"train": [1681, 1702, 1617], "validation": [316, 336, 348], "test": [350, 316, 334]}
    # Eight decimals are printed.
    assert points.stimulus(0).values[:2].tolist() == pytest.approx([0.68030754, 0.45049925], abs=5e-9)


def test_a_linear_classifier_reaches_the_published_accuracy_and_a_curved_one_much_more(points):
    learnt, test = features(points, "train"), features(points, "test")
    linear = LogisticRegression().fit(*learnt).score(*test)
    # Published by the authors with the data (their README): 63.8 +- 1.0 %; three standard deviations.
    assert linear == pytest.approx(0.638, abs=0.03)
    assert KNeighborsClassifier(5).fit(*learnt).score(*test) > 0.95


def test_half_a_turn_exchanges_yin_and_yang_and_keeps_the_dots():
    rng = np.random.default_rng(0)
    for x, y in rng.random((2000, 2)):
        here, there = region(x, y), region(1 - x, 1 - y)
        assert there == {0: 1, 1: 0, 2: 2, None: None}[here]
    assert region(0.25, 0.5) == region(0.75, 0.5) == 2
    assert region(0.99, 0.99) is None
    assert {region(0.5, 0.9), region(0.5, 0.1)} == {0, 1}


def test_points_of_a_part_are_the_same_for_any_size_and_parts_share_none(points):
    few = yin_yang({}, n_train=7, n_validation=5, n_test=3)
    for position, name in enumerate(few.table.index):
        whole = points.table.index.get_loc(name)
        assert np.array_equal(few.stimulus(position).values, points.stimulus(whole).values)
        assert few.number(position) == points.number(whole)
    numbers = [points.number(row) for row in range(7000)]
    assert len(set(numbers)) == 7000
    places = points.table.groupby("split")[["x", "y"]].apply(lambda part: set(map(tuple, part.to_numpy())))
    assert not places["train"] & places["test"]
    assert not places["train"] & places["validation"]
    assert not places["test"] & places["validation"]


def test_the_card_puts_values_into_times_and_adds_the_reference_spike():
    dataset = datasets.load("yin_yang", n_train=20, n_validation=0, n_test=5)
    assert dataset.classes == ("dot", "yang", "yin")
    assert set(dataset.split_by("split")) == {"train", "test"}
    for i in (0, 13, 24):
        values = dataset.source.stimulus(i).values
        assert np.allclose(dataset[i].times, [*(0.03 * values), 0.0], atol=1e-15)
        assert dataset[i].units.tolist() == [0, 1, 2, 3, 4]
    noisy = datasets.load("yin_yang", encoder={"jitter": "1 ms"}, n_train=20, n_validation=0, n_test=5)
    assert not np.allclose(noisy[0].times, dataset[0].times)


@pytest.mark.parametrize("wrong", [{"n_train": -1}, {"n_train": 0, "n_validation": 0, "n_test": 0}, {"n_test": 1.5}])
def test_sizes_that_are_none_are_refused(wrong):
    with pytest.raises(InputError, match=r"number of trials|empty"):
        yin_yang({}, **wrong)
