"""The profile measures against their definitions, integrated on a dense grid of moments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.representation.metrics import ISI, SPIKE, SpikeSync

START, STOP, N_MOMENTS = 0.0, 2.0, 20_000
MOMENTS = START + (np.arange(N_MOMENTS) + 0.5) * (STOP - START) / N_MOMENTS
TRAIN = st.lists(st.one_of(st.integers(0, 8).map(lambda k: k / 4), st.floats(0.01, 1.99)), max_size=7).map(sorted)
THRESHOLD = 0.4


def completed(train):
    """Return distinct spikes with what the papers put beyond the edges, and which spike each of them stands for."""
    spikes = sorted(set(train)) or [START, STOP]
    before = START - max(0.0, spikes[1] - spikes[0] - (spikes[0] - START)) if len(spikes) > 1 else START
    after = STOP + max(0.0, spikes[-1] - spikes[-2] - (STOP - spikes[-1])) if len(spikes) > 1 else STOP
    head = [before] if spikes[0] > START else []
    tail = [after] if spikes[-1] < STOP else []
    stands_for = [spikes[0]] * len(head) + spikes + [spikes[-1]] * len(tail)
    if spikes == [START]:
        stands_for = [START, STOP]
    return np.array(head + spikes + tail), np.array(stands_for)


def around(train):
    """Return for each moment the previous and next knot, and the spikes these stand for."""
    knots, stands_for = completed(train)
    following = np.searchsorted(knots, MOMENTS, side="right").clip(1, len(knots) - 1)
    return knots[following - 1], knots[following], stands_for[following - 1], stands_for[following]


def isi_profile(a, b, threshold):
    (p, f, *_), (q, g, *_) = around(a), around(b)
    return np.abs((f - p) - (g - q)) / np.maximum(np.maximum(f - p, g - q), threshold)


def spike_profile(a, b, threshold, rate_independent):
    (p, f, *_), (q, g, *_) = around(a), around(b)
    x, y = f - p, g - q

    def dissimilarity(train, other):
        previous, following, of_previous, of_following = around(train)
        candidates = completed(other)[0]
        to_previous = np.abs(of_previous[:, None] - candidates).min(axis=1)
        to_following = np.abs(of_following[:, None] - candidates).min(axis=1)
        interval = following - previous
        return (to_previous * (following - MOMENTS) + to_following * (MOMENTS - previous)) / interval

    s_a, s_b, limited = dissimilarity(a, b), dissimilarity(b, a), np.maximum((x + y) / 2, threshold)
    return (s_a + s_b) / (2 * limited) if rate_independent else (s_a * y + s_b * x) / ((x + y) * limited)


def synchronisation(a, b, threshold):
    """Count coincidences by looking at every pair of spikes, not only at neighbours."""
    a, b = sorted(set(a)), sorted(set(b))

    def windows(train, i):
        before = (train[i] - train[i - 1] if i > 0 else STOP - START) / 2
        after = (train[i + 1] - train[i] if i + 1 < len(train) else STOP - START) / 2
        widened = max(min(before, after), threshold / 4)
        return min(before, widened), min(after, widened)

    def coincide(i, j):
        back_a, ahead_a = windows(a, i)
        back_b, ahead_b = windows(b, j)
        return a[i] == b[j] or abs(a[i] - b[j]) < (min(ahead_a, back_b) if a[i] < b[j] else min(back_a, ahead_b))

    count = sum(coincide(i, j) for i in range(len(a)) for j in range(len(b)))
    return 1 - 2 * count / (len(a) + len(b)) if a or b else 0.0


def grid_error(a, b):
    """Each spike or edge is a jump of at most one, which the grid places within one step."""
    return (len(set(a)) + len(set(b)) + 2) / N_MOMENTS


@pytest.mark.parametrize("adaptive", [None, THRESHOLD])
@settings(max_examples=60)
@given(a=TRAIN, b=TRAIN)
def test_the_isi_distance_is_the_mean_of_its_profile(packed_trains, matrix_of, adaptive, a, b):
    metric = ISI(adaptive=f"{adaptive} s" if adaptive else None)
    expected = isi_profile(a, b, adaptive or 0.0).mean()
    assert matrix_of(metric, packed_trains([[a], [b]]))[0, 1] == pytest.approx(expected, abs=grid_error(a, b))


@pytest.mark.parametrize("rate_independent", [False, True])
@pytest.mark.parametrize("adaptive", [None, THRESHOLD])
@settings(max_examples=60)
@given(a=TRAIN, b=TRAIN)
def test_the_spike_distance_is_the_mean_of_its_profile(packed_trains, matrix_of, adaptive, rate_independent, a, b):
    metric = SPIKE(adaptive=f"{adaptive} s" if adaptive else None, rate_independent=rate_independent)
    expected = spike_profile(a, b, adaptive or 0.0, rate_independent).mean()
    assert matrix_of(metric, packed_trains([[a], [b]]))[0, 1] == pytest.approx(expected, abs=grid_error(a, b))


@pytest.mark.parametrize("adaptive", [None, THRESHOLD])
@settings(max_examples=100)
@given(a=TRAIN, b=TRAIN)
def test_synchronisation_counts_all_coincidences(packed_trains, matrix_of, adaptive, a, b):
    metric = SpikeSync(adaptive=f"{adaptive} s" if adaptive else None)
    expected = synchronisation(a, b, adaptive or 0.0)
    assert matrix_of(metric, packed_trains([[a], [b]]))[0, 1] == pytest.approx(expected, abs=1e-15)


def test_the_grid_would_notice_another_edge_correction():
    """Negative control for the tolerance: the interval up to the edge, uncorrected, is another profile."""
    a, b = [0.3, 1.7], [0.1, 0.5, 0.9, 1.3, 1.9]
    knots = np.array([START, *a, STOP])
    following = np.searchsorted(knots, MOMENTS, side="right")
    uncorrected = knots[following] - knots[following - 1]
    (p, f, *_), (q, g, *_) = around(a), around(b)
    naive = np.abs(uncorrected - (g - q)) / np.maximum(uncorrected, g - q)
    assert abs(naive.mean() - isi_profile(a, b, 0.0).mean()) > 100 * grid_error(a, b)
    assert (f - p >= uncorrected - 1e-12).all()


def test_the_automatic_threshold_is_the_root_mean_square_of_all_intervals(packed_trains, matrix_of):
    """Worked out by hand: intervals 0.5 0.5 1 (edge) and 1.5 (edge) 0.5 0.5 (edge), over two units."""
    trains = packed_trains([[[0.5, 1.0], []], [[1.5], [1.5]]])
    intervals = [0.5, 0.5, 1.0, 2.0, 1.5, 0.5, 1.5, 0.5]
    threshold = np.sqrt(np.mean(np.square(intervals)))
    for kind in (ISI, SPIKE, SpikeSync):
        automatic, given = kind(adaptive="auto"), kind(adaptive=f"{threshold:.17g} s")
        assert matrix_of(automatic, trains)[0, 1] == pytest.approx(matrix_of(given, trains)[0, 1], abs=1e-14)


def test_pooled_units_have_their_own_automatic_threshold(packed_trains, matrix_of):
    separate = packed_trains([[[0.2, 1.0], [0.6, 1.4]], [[0.3, 1.2], [1.7]]])
    pooled = packed_trains([[[0.2, 0.6, 1.0, 1.4]], [[0.3, 1.2, 1.7]]])
    for kind in (ISI, SPIKE, SpikeSync):
        assert (
            matrix_of(kind(adaptive="auto", pooled=True), separate) == matrix_of(kind(adaptive="auto"), pooled)
        ).all()


@settings(max_examples=60)
@given(a=TRAIN, b=TRAIN)
def test_a_time_counts_once_however_many_spikes_it_has(packed_trains, matrix_of, a, b):
    once, twice = packed_trains([[a], [b]]), packed_trains([[sorted(a + a)], [b]])
    for kind in (ISI, SPIKE, SpikeSync):
        for adaptive in (None, "auto"):
            assert (matrix_of(kind(adaptive=adaptive), once) == matrix_of(kind(adaptive=adaptive), twice)).all()


@settings(max_examples=60)
@given(a=TRAIN, b=TRAIN)
def test_no_distance_leaves_zero_to_one(packed_trains, matrix_of, a, b):
    trains = packed_trains([[a], [b], [a]])
    for adaptive in (None, "0.4 s", "auto"):
        measures = (ISI(adaptive=adaptive), SPIKE(adaptive=adaptive), SpikeSync(adaptive=adaptive))
        for metric in (*measures, SPIKE(adaptive=adaptive, rate_independent=True)):
            distance = matrix_of(metric, trains)
            assert (distance >= 0).all()
            assert (distance <= 1 + 1e-12).all()  # the last digits of a quotient
            assert distance[0, 2] == 0


@settings(max_examples=100)
@given(trains=st.lists(TRAIN, min_size=3, max_size=3))
def test_the_isi_distance_keeps_the_triangle_inequality(packed_trains, matrix_of, trains):
    """|x - y| / max(x, y) is a metric between positive numbers, at each moment."""
    d = matrix_of(ISI(), packed_trains([[train] for train in trains]))
    assert d[0, 2] <= d[0, 1] + d[1, 2] + 1e-12


def test_the_measures_are_no_metrics_between_trains(packed_trains, matrix_of):
    """Unequal trains at 0, and triangles that do not close: why the documentation does not call them metrics."""
    shifted = packed_trains([[np.arange(8) / 4 + 0.05], [np.arange(8) / 4 + 0.1]])
    assert matrix_of(ISI(), shifted)[0, 1] < 1e-12
    assert matrix_of(SpikeSync(), shifted)[0, 1] == 0
    assert matrix_of(SPIKE(), shifted)[0, 1] > 0.01
    assert matrix_of(SPIKE(), packed_trains([[[]], [[0.0]], [[2.0]], [[0.0, 2.0]]])).max() == 0
    d = matrix_of(SPIKE(), packed_trains([[[0.25, 0.5, 0.75]], [[0.25, 1.5, 2.0]], [[1.5]]]))
    assert d[0, 2] > d[0, 1] + d[1, 2] + 0.1
    d = matrix_of(SpikeSync(), packed_trains([[[0.0]], [[0.75]], [[1.25]]]))
    assert d[0, 2] > d[0, 1] + d[1, 2] + 0.9


def test_times_that_hardly_differ_break_nothing(packed_trains, matrix_of):
    """Products of four such intervals are below the smallest number."""
    trains = packed_trains([[[0.0, 1e-200]], [[0.0, 3e-200, 1e-80]], [[1e-300]], [[2.0 - 2**-52, 2.0]]])
    for metric in (ISI(), SPIKE(), SPIKE(rate_independent=True), SpikeSync(), SPIKE(adaptive="auto")):
        d = matrix_of(metric, trains)
        assert np.isfinite(d).all()
        assert d.max() <= 1 + 1e-12
