"""Earth mover's distance and modulus-metric against plain definitions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.stats import wasserstein_distance

from snncompare.representation.metrics import EarthMover, ModulusMetric

DURATION = 2.0
TRAIN = st.lists(st.one_of(st.integers(0, 8).map(lambda k: k / 4), st.floats(0, 2)), max_size=6).map(sorted)
GRID = st.lists(st.integers(0, 8).map(lambda k: k / 4), max_size=6).map(sorted)
FILLED = TRAIN.filter(bool)
KINDS = (EarthMover, ModulusMetric)


@settings(max_examples=40)
@given(a=FILLED, b=FILLED)
def test_the_earth_mover_carries_the_spikes_over_the_shortest_ways(packed_trains, matrix_of, a, b):
    """Split into equal parts, the cheapest assignment of parts, found by a general solver."""
    parts = [np.repeat(a, len(b)), np.repeat(b, len(a))]
    cost = np.abs(parts[0][:, None] - parts[1][None, :])
    rows, columns = linear_sum_assignment(cost)
    distance = matrix_of(EarthMover(), packed_trains([[a], [b]]))[0, 1]
    assert distance == pytest.approx(cost[rows, columns].mean(), abs=1e-12)
    assert distance == pytest.approx(wasserstein_distance(a, b), abs=1e-12)


@given(a=FILLED, b=FILLED)
def test_the_earth_mover_ignores_how_many_spikes_there_are(packed_trains, matrix_of, a, b):
    d = matrix_of(EarthMover(), packed_trains([[a], [b], [sorted(a * 3)]]))
    assert d[0, 2] == 0
    assert d[0, 1] == pytest.approx(d[1, 2], abs=1e-12)


def test_shifting_a_train_moves_it_by_the_shift(packed_trains, matrix_of):
    """Negative control for the invariance above: time is measured, in seconds."""
    train = np.array([0.2, 0.3, 0.9])
    assert matrix_of(EarthMover(), packed_trains([[train], [train + 0.25]]))[0, 1] == pytest.approx(0.25, abs=1e-15)


@settings(max_examples=40)
@given(a=TRAIN, b=TRAIN)
def test_the_modulus_metric_integrates_the_difference_of_distances_to_the_nearest_spike(packed_trains, matrix_of, a, b):
    """On a grid of n steps h: slopes are at most 2, so a midpoint is off by h/2, and only where a corner is."""
    n = 4000
    moments = (np.arange(n) + 0.5) * DURATION / n

    def nearest(train):
        return np.abs(moments[:, None] - np.array(train)).min(axis=1) if train else np.full(n, DURATION)

    expected = np.abs(nearest(a) - nearest(b)).mean() * DURATION
    corners = 3 * (len(a) + len(b)) + 2
    distance = matrix_of(ModulusMetric(), packed_trains([[a], [b]]))[0, 1]
    assert distance == pytest.approx(expected, abs=corners * (DURATION / n) ** 2)


def test_the_modulus_metric_has_the_value_worked_out_by_hand(packed_trains, matrix_of):
    """d(s, {0.5}) - d(s, {1.5}) is -1 up to 0.5, rises to 1 at 1.5 and stays: 0.5 + 2 * 0.25 + 0.5."""
    assert matrix_of(ModulusMetric(), packed_trains([[[0.5]], [[1.5]]]))[0, 1] == pytest.approx(1.5, abs=1e-15)


def test_a_burst_is_near_one_spike_in_its_place(packed_trains, matrix_of):
    """What the modulus-metric is for; adding a spike far away is another thing."""
    d = matrix_of(ModulusMetric(), packed_trains([[[1.0]], [[0.99, 1.0, 1.01]], [[1.0, 1.9]]]))
    assert d[0, 1] < 0.1 * d[0, 2]


@settings(max_examples=60)
@given(trains=st.lists(TRAIN, min_size=3, max_size=3))
def test_both_keep_the_triangle_inequality(packed_trains, matrix_of, trains):
    for kind in KINDS:
        d = matrix_of(kind(), packed_trains([[train] for train in trains]))
        for a, b, c in itertools.permutations(range(3)):
            assert d[a, c] <= d[a, b] + d[b, c] + 1e-12


@given(a=GRID, b=GRID)
def test_the_modulus_metric_is_zero_for_the_same_set_of_times_only(packed_trains, matrix_of, a, b):
    d = matrix_of(ModulusMetric(), packed_trains([[a], [b], [sorted(a * 2)]]))
    assert d[0, 2] == 0
    assert (d[0, 1] > 0.01) == (set(a) != set(b))  # one step of the grid is worth 1/64 s² or more


def test_an_empty_train_has_the_distance_the_documentation_says(packed_trains, matrix_of):
    trains = packed_trains([[[]], [[0.5]], [[]], [[0.0, 2.0]]])
    mover, modulus = (matrix_of(kind(), trains) for kind in KINDS)
    assert mover[0].tolist() == [0, DURATION, 0, DURATION]
    # distance to the nearest spike, on average 0.625 over the window and 0.5, against the window's length 2
    assert modulus[0] == pytest.approx([0, 2 * (2 - 0.625), 0, 2 * (2 - 0.5)], abs=1e-14)


def test_pooling_keeps_every_spike_for_the_earth_mover(packed_trains, matrix_of):
    separate = packed_trains([[[0.5, 1.0], [0.5]], [[1.5], [0.25]]])
    pooled = packed_trains([[[0.5, 0.5, 1.0]], [[0.25, 1.5]]])
    for kind in KINDS:
        assert (matrix_of(kind(pooled=True), separate) == matrix_of(kind(), pooled)).all()
        assert (matrix_of(kind(pooled=True), separate) != matrix_of(kind(), separate))[0, 1]
