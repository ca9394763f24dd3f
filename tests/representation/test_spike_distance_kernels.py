"""The compiled distances against their definitions, written as plainly as possible."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.representation.compiled import van_rossum
from snncompare.representation.compiled import victor_purpura as edits
from snncompare.representation.compiled.pairs import over_pairs
from snncompare.representation.compiled.trains import Trains, pool_units
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura

COSTS = np.array([0.0, 0.3, 2.0, 50.0, 1e6])
TAUS = np.array([1e-4, 0.02, 0.5, 30.0])
# A grid of times makes coincident and duplicate spikes common; the floats next to it make nearly coincident ones.
GRID = st.integers(0, 40).map(lambda k: k / 20)
NEAR = st.builds(lambda t, e: t + e, GRID, st.sampled_from([0.0, 1e-12, 1e-7, 1e-3]))
TRAIN = st.lists(st.one_of(GRID, NEAR, st.floats(0, 2)), max_size=9).map(sorted)


def between_trials(kind, metrics, trains):
    every = range(trains.n_trials)
    return kind.between_trials(metrics, trains, every, every)


def van_rossum_squared(trains, taus):
    every = range(trains.n_trials)
    return van_rossum.van_rossum_squared(trains, taus, every, every)


def victor_purpura(trains, costs):
    every = range(trains.n_trials)
    return edits.victor_purpura(trains, costs, every, every)


def packed(trains):
    """Return `Trains` from ``trains[trial][unit]``."""
    flat = [train for trial in trains for train in trial]
    offsets = np.concatenate([[0], np.cumsum([len(train) for train in flat])]).astype(np.int64)
    return Trains(np.array([t for train in flat for t in train], dtype=float), offsets, len(trains[0]), 0.0, 10.0)


def plain_victor_purpura(a, b, cost):
    table = [[float(i + j) if i == 0 or j == 0 else 0.0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            shift = table[i - 1][j - 1] + cost * abs(a[i - 1] - b[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, shift)
    return table[-1][-1]


def plain_van_rossum_squared(a, b, tau):
    spikes = [(t, 1) for t in a] + [(t, -1) for t in b]
    return math.fsum(s * r * math.exp(-abs(t - u) / tau) for t, s in spikes for u, r in spikes)


@given(TRAIN, TRAIN)
def test_victor_purpura_is_the_cheapest_edit(a, b):
    ours = victor_purpura(packed([[a], [b]]), COSTS)[:, 0, 1]
    assert ours == pytest.approx([plain_victor_purpura(a, b, cost) for cost in COSTS], abs=1e-12)


@given(TRAIN, TRAIN)
def test_van_rossum_squared_is_the_double_sum(a, b):
    ours = van_rossum_squared(packed([[a], [b]]), TAUS)[:, 0, 1]
    assert ours == pytest.approx([plain_van_rossum_squared(a, b, tau) for tau in TAUS], rel=1e-12, abs=1e-11)


@given(st.lists(TRAIN, min_size=3, max_size=3))
def test_both_are_metrics(trains):
    """Identity, symmetry and the triangle inequality; a cost that is ignored would pass, see the limits below."""
    several = packed([[train] for train in trains])
    for d in (*victor_purpura(several, COSTS), *np.sqrt(van_rossum_squared(several, TAUS))):
        assert (np.diagonal(d) == 0).all()
        assert (d == d.T).all()
        assert d[0, 2] <= d[0, 1] + d[1, 2] + 1e-9


@given(TRAIN, TRAIN)
def test_distances_do_not_depend_on_the_order_of_the_two_trains(a, b):
    one, other = packed([[a], [b]]), packed([[b], [a]])
    assert (victor_purpura(one, COSTS) == victor_purpura(other, COSTS)).all()
    np.testing.assert_allclose(van_rossum_squared(one, TAUS), van_rossum_squared(other, TAUS), rtol=1e-12, atol=1e-15)


@given(TRAIN)
def test_identical_trains_are_exactly_zero_apart(a):
    twice = packed([[a], [a]])
    assert (victor_purpura(twice, COSTS) == 0).all()
    assert (van_rossum_squared(twice, TAUS) == 0).all()


def test_nearly_identical_trains_keep_their_digits():
    """Shifting every spike of a sparse train by e gives D^2 = 2 n (1 - exp(-e / tau)), far below rounding of n."""
    a = np.arange(20) * 5.0
    shift = 2.0**-30
    squared = van_rossum_squared(packed([[a], [a + shift]]), np.array([0.01]))[0, 0, 1]
    assert squared == pytest.approx(-2 * 20 * math.expm1(-shift / 0.01), rel=1e-9)


def test_costs_and_time_constants_matter():
    """Negative control for the axioms: without this, ignoring the parameter would pass them."""
    a, b = packed([[[0.1, 0.5]], [[0.12, 0.9]]]), packed([[[0.1, 0.5]], [[0.1, 0.5]]])
    assert len(set(victor_purpura(a, COSTS)[:, 0, 1])) == COSTS.size
    assert len(set(van_rossum_squared(a, TAUS)[:, 0, 1])) == TAUS.size
    assert len(set(victor_purpura(b, COSTS)[:, 0, 1])) == 1


@given(TRAIN, TRAIN)
def test_free_shifts_leave_the_difference_in_count(a, b):
    assert victor_purpura(packed([[a], [b]]), np.array([0.0]))[0, 0, 1] == abs(len(a) - len(b))
    assert van_rossum_squared(packed([[a], [b]]), np.array([1e9]))[0, 0, 1] == pytest.approx(
        (len(a) - len(b)) ** 2, abs=1e-6
    )


@given(st.lists(st.integers(0, 40), max_size=9, unique=True), st.lists(st.integers(0, 40), max_size=9, unique=True))
def test_sharp_time_scales_count_the_spikes_that_do_not_coincide(a, b):
    pair = packed([[sorted(a)], [sorted(b)]])
    apart = len(set(a) ^ set(b))
    assert victor_purpura(pair, np.array([1e6]))[0, 0, 1] == apart
    assert van_rossum_squared(pair, np.array([1e-6]))[0, 0, 1] == pytest.approx(apart, abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "n_edits", "squared"),
    [
        ([], [], 0, 0),
        ([1.0], [], 1, 1),
        ([1.0, 1.0], [], 2, 4),
        ([1.0, 1.0], [1.0], 1, 1),
        ([1.0], [1.0], 0, 0),
        ([1.0], [1.1], 0.5, 2 - 2 * math.exp(-0.5)),
        ([1.0], [1.5], 2, 2 - 2 * math.exp(-2.5)),
    ],
)
def test_small_trains_have_the_distance_worked_out_by_hand(a, b, n_edits, squared):
    """Cost 5 per second: a shift of 0.1 s costs 0.5, one of 0.5 s costs more than removing and adding."""
    pair = packed([[a], [b]])
    assert victor_purpura(pair, np.array([5.0]))[0, 0, 1] == pytest.approx(n_edits, abs=1e-14)
    assert van_rossum_squared(pair, np.array([0.2]))[0, 0, 1] == pytest.approx(squared, abs=1e-14)


@settings(max_examples=30)
@given(st.lists(st.lists(TRAIN, min_size=3, max_size=3), min_size=2, max_size=4), st.floats(0, 1))
def test_units_add_up_and_mixing_is_a_weighted_mean_of_labelled_line_and_pooled(trains, mixing):
    units = [packed([[trial[u]] for trial in trains]) for u in range(3)]
    summed = packed([[sorted(t for train in trial for t in train)] for trial in trains])
    whole = packed(trains)
    costs = [VictorPurpura(cost="3 Hz"), VictorPurpura(cost="3 Hz", pooled=True)]
    line, pooled = between_trials(VictorPurpura, costs, whole)
    np.testing.assert_allclose(line, sum(victor_purpura(u, np.array([3.0]))[0] for u in units), atol=1e-12)
    np.testing.assert_allclose(pooled, victor_purpura(summed, np.array([3.0]))[0], atol=1e-12)
    taus = [VanRossum(tau="0.2 s", mixing=c) for c in (0.0, 1.0, mixing)]
    line, pooled, mixed = between_trials(VanRossum, taus, whole) ** 2
    np.testing.assert_allclose(line, sum(van_rossum_squared(u, np.array([0.2]))[0] for u in units), atol=1e-12)
    np.testing.assert_allclose(pooled, van_rossum_squared(summed, np.array([0.2]))[0], atol=1e-12)
    np.testing.assert_allclose(mixed, (1 - mixing) * line + mixing * pooled, atol=1e-12)


def test_mixing_is_the_angle_between_the_directions_of_the_units():
    """Houghton & Sen: filtered trains along unit vectors with cosine c between any two, compared as one vector."""
    rng = np.random.default_rng(0)
    trains, c, tau = rng.uniform(0, 1, (2, 3, 5)), 0.4, 0.1
    kernel = lambda x, y: np.exp(-np.abs(x[:, None] - y[None, :]) / tau).sum()  # noqa: E731 - an equation
    squared = 0.0
    for p in range(3):
        for r in range(3):
            inner = sum(
                s * z * kernel(trains[i, p], trains[j, r]) for i, s in ((0, 1), (1, -1)) for j, z in ((0, 1), (1, -1))
            )
            squared += inner * (1.0 if p == r else c)
    ours = between_trials(VanRossum, [VanRossum(tau="0.1 s", mixing=c)], packed(np.sort(trains, axis=2).tolist()))
    assert ours[0, 0, 1] ** 2 == pytest.approx(squared, rel=1e-12)


def test_pooling_keeps_every_spike():
    pooled = pool_units(packed([[[0.1, 0.5], [0.1, 0.3]], [[], [0.2]]]))
    assert pooled.times.tolist() == [0.1, 0.1, 0.3, 0.5, 0.2]
    assert pooled.offsets.tolist() == [0, 4, 5]


@given(st.lists(st.lists(TRAIN, min_size=2, max_size=2), min_size=2, max_size=4))
def test_spike_count_is_the_euclidean_distance_of_count_vectors(trains):
    counts = np.array([[len(train) for train in trial] for trial in trains])
    expected = np.sqrt(((counts[:, None] - counts[None, :]) ** 2).sum(axis=2))
    np.testing.assert_allclose(between_trials(SpikeCount, [SpikeCount()], packed(trains))[0], expected, rtol=1e-15)


def test_a_sweep_equals_its_metrics_one_by_one():
    rng = np.random.default_rng(1)
    trains = packed([[np.sort(rng.uniform(0, 1, rng.integers(0, 12))) for _ in range(4)] for _ in range(7)])
    for kind in (VictorPurpura, VanRossum):
        sweep = kind.sweep(["1 ms", "20 ms", "300 ms"])
        together = between_trials(kind, sweep, trains)
        for metric, matrix in zip(sweep, together, strict=True):
            assert (between_trials(kind, [metric], trains)[0] == matrix).all()


@pytest.mark.parametrize("n_threads", [1, 3])
def test_every_pair_is_visited_once_whatever_the_number_of_threads(monkeypatch, n_threads):
    monkeypatch.setattr("snncompare.representation.compiled.pairs.config.NUMBA_NUM_THREADS", n_threads)
    visits = np.zeros((13, 13), dtype=int)

    def kernel(first, second, out):
        np.add.at(visits, (first, second), 1)
        out[:, 0] = 100 * first + second

    result = over_pairs(kernel, range(13), range(13), 1)[0]
    assert (visits == np.triu(np.ones((13, 13), dtype=int), k=1)).all()
    assert result[2, 7] == result[7, 2] == 207
