"""Random manifolds are smooth, of the dimension asked for, and hold their class in spike times only."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from snncompare.datasets.samplers.randman import randman

SMALL = {"n_validation": 0, "n_test": 0, "window": "1 s"}


def drawn(n_units=20, n=1000, **options):
    source = randman({}, n_units=n_units, n_train=n, **(SMALL | options))
    times, counts = source.spikes(np.arange(n))
    assert (counts == 1).all()
    return source.trials, times.reshape(n, n_units)


def harmonics(seed, number, unit, dimension, smoothness):
    """The sines of one unit, drawn anew from the seed by the rule in the docstring: an independent sum, term by term."""
    key = np.random.SeedSequence(seed, spawn_key=(0, number, unit))
    n = min(int(np.ceil(1e-3 ** (-1 / smoothness))), 1000)
    return np.random.default_rng(key).random((3, dimension, n))


@pytest.mark.parametrize("dimension", [1, 2])
def test_times_are_the_published_sum_of_sines_scaled_to_the_window(dimension):
    trials, times = drawn(n_units=2, n=40, dimension=dimension, smoothness=2.0, n_classes=1, seed=4)
    coordinates = trials[[f"x{d + 1}" for d in range(dimension)]].to_numpy()
    for unit in range(2):
        a, b, c = harmonics(4, 0, unit, dimension, 2.0)
        assert a.shape[1] == 32
        value = np.ones(40)
        for d in range(dimension):
            value *= sum(
                a[d, i] / (i + 1) ** 2.0 * np.sin(2 * np.pi * (i * coordinates[:, d] * b[d, i] + c[d, i]))
                for i in range(32)
            )
        # The same up to shift and scale: a straight line, to rounding of the range (1e-9).
        line = np.polyfit(value, times[:, unit], 1)
        assert np.abs(np.polyval(line, value) - times[:, unit]).max() < 1e-7
        assert line[0] > 0


@pytest.mark.parametrize("dimension", [1, 2])
def test_times_fill_the_window_and_hardly_any_are_cut(dimension):
    _, times = drawn(n_units=6, n=4000, dimension=dimension, smoothness=1.5, n_classes=1)
    assert times.min() >= 0
    assert times.max() <= 1
    # Of a surface the extremes lie in corners that 4000 points may miss.
    assert (np.ptp(times, axis=0) > 0.8).all()
    # Beyond the grid of 4096 points the sum rises by less than a thousandth of its range.
    assert ((times == 0) | (times == 1)).mean() < 0.002


def test_smoother_manifolds_change_less_from_point_to_point():
    lengths = []
    for smoothness in (1.0, 2.0, 4.0):
        trials, times = drawn(n=600, smoothness=smoothness, n_classes=1)
        ordered = times[np.argsort(trials["x1"].to_numpy())]
        lengths.append(np.linalg.norm(np.diff(ordered, axis=0), axis=1).sum())
    assert lengths[0] > 2 * lengths[1] > 2.2 * lengths[2]


def test_neighbourhoods_have_the_dimension_that_was_asked_for():
    ratios = []
    for dimension in (1, 2):
        _, times = drawn(n=6000, smoothness=4.0, n_classes=1, dimension=dimension)
        near = times[np.argsort(np.linalg.norm(times - times[0], axis=1))[:30]]
        spread = np.linalg.svd(near - near.mean(axis=0), compute_uv=False)
        ratios.append(spread[1] / spread[0])
    # 30 of 6000 points of a curve are a short, nearly straight piece; of a surface, a patch.
    assert ratios[0] < 0.05
    assert ratios[1] > 0.1


def test_classes_are_told_by_neighbours_better_than_by_planes():
    trials, times = drawn(n=2000, smoothness=1.0, n_classes=10)
    labels = trials["manifold"].to_numpy()
    curved = KNeighborsClassifier(3).fit(times[:1600], labels[:1600]).score(times[1600:], labels[1600:])
    linear = LogisticRegression(max_iter=200).fit(times[:1600], labels[:1600]).score(times[1600:], labels[1600:])
    assert curved > 0.9
    assert linear < curved - 0.1
    shuffled = np.random.default_rng(0).permutation(labels)
    assert KNeighborsClassifier(3).fit(times[:1600], shuffled[:1600]).score(times[1600:], shuffled[1600:]) < 0.2


def test_units_and_points_do_not_depend_on_how_many_there_are_and_parts_share_their_manifolds():
    _, many = drawn(n_units=20, n=50, smoothness=2.0)
    _, few = drawn(n_units=3, n=30, smoothness=2.0)
    assert np.array_equal(many[:30, :3], few)
    options = {"smoothness": 4.0, "n_classes": 1, "window": "1 s", "n_units": 5}
    source = randman({}, n_train=2000, n_validation=0, n_test=50, **options)
    times = source.spikes(np.arange(2050)).times.reshape(-1, 5)
    distance = np.linalg.norm(times[2000:, np.newaxis] - times[:2000], axis=2).min(axis=1)
    other = (
        randman({}, n_train=0, n_validation=0, n_test=50, seed=1, **options).spikes(np.arange(50)).times.reshape(-1, 5)
    )
    apart = np.linalg.norm(other[:, np.newaxis] - times[:2000], axis=2).min(axis=1)
    assert 0 < distance.max() < 0.05 < np.median(apart)
