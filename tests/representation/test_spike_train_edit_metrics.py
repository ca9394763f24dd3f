"""Edit distances of intervals and with relabelling, against plain definitions."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.errors import InputError, UnsupportedError
from snncompare.representation.compiled import relabelling as relabelled
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics import VictorPurpura, VictorPurpuraIntervals

TIME = st.one_of(st.integers(0, 40).map(lambda k: k / 20), st.floats(0, 2))
TRAIN = st.lists(TIME, max_size=7).map(sorted)
FEW = st.lists(TIME, max_size=2).map(sorted)
COST = st.sampled_from([0.0, 0.7, 3.0, 40.0])
ROUNDING = 1e-12  # distances are sums of at most 20 numbers below 2


def packed(trains, window=(0.0, 2.0)):
    flat = [train for trial in trains for train in trial]
    offsets = np.concatenate([[0], np.cumsum([len(train) for train in flat])]).astype(np.int64)
    return Trains(np.array([t for train in flat for t in train], dtype=float), offsets, len(trains[0]), *window)


def matrix(metric, trains):
    every = range(trains.n_trials)
    return type(metric).between_trials([metric], trains, every, every)[0]


def hertz(cost):
    return f"{cost} Hz"


def plain_edits(a, b, cost):
    table = [[float(i + j) if i == 0 or j == 0 else 0.0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, j in itertools.product(range(1, len(a) + 1), range(1, len(b) + 1)):
        change = table[i - 1][j - 1] + cost * abs(a[i - 1] - b[j - 1])
        table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, change)
    return table[-1][-1]


def plain_relabelling(a, b, cost, k):
    """Try every matching of labelled spikes ``(time, unit)``, crossing ones included."""
    if len(a) > len(b):
        a, b = b, a
    places = [*range(len(b)), *[None] * len(a)]
    best = math.inf
    for chosen in set(itertools.permutations(places, len(a))):
        total = len(b) - sum(p is not None for p in chosen)
        for (t, u), p in zip(a, chosen, strict=True):
            total += 1 if p is None else cost * abs(t - b[p][0]) + k * (u != b[p][1])
        best = min(best, total)
    return best


@given(TRAIN, TRAIN, COST, st.booleans())
def test_the_interval_distance_is_the_cheapest_edit_of_intervals(a, b, cost, ends):
    bounded = [[0.0, *train, 2.0] if ends else train for train in (a, b)]
    expected = plain_edits(*(np.diff(train).tolist() for train in bounded), cost)
    ours = matrix(VictorPurpuraIntervals(hertz(cost), ends=ends), packed([[a], [b]]))
    assert ours[0, 1] == pytest.approx(expected, abs=ROUNDING)


@given(st.lists(st.lists(TRAIN, min_size=2, max_size=2), min_size=3, max_size=3), COST, st.booleans(), st.booleans())
def test_the_interval_distance_is_a_metric_between_sequences_of_intervals(trains, cost, ends, pooled):
    d = matrix(VictorPurpuraIntervals(hertz(cost), pooled, ends), packed([*trains, trains[0]]))
    assert (np.diagonal(d) == 0).all()
    assert (d == d.T).all()
    assert d[0, 3] == 0
    assert d[0, 2] <= d[0, 1] + d[1, 2] + ROUNDING


def test_intervals_do_not_see_the_start_unless_the_window_ends_bound_them():
    pair = packed([[[0.1, 0.3]], [[1.1, 1.3]], [[]], [[0.5]]])
    without = matrix(VictorPurpuraIntervals("0.5 Hz"), pair)
    assert without[0, 1] == pytest.approx(0, abs=1e-14)  # 1.3 - 1.1 and 0.3 - 0.1 differ by rounding
    assert without[2, 3] == 0
    assert without[0, 2] == 1
    bounded = matrix(VictorPurpuraIntervals("0.5 Hz", ends=True), pair)
    assert bounded[0, 1] == pytest.approx(0.5 * (1 + 1))
    assert bounded[2, 3] == pytest.approx(1 + 0.5 * 0.5)  # add 0.5 s, shorten 2 s to 1.5 s


def test_interval_trains_of_many_trials_and_units_add_up():
    rng = np.random.default_rng(0)
    trains = [[np.sort(rng.uniform(0, 2, rng.poisson(6))).tolist() for _ in range(3)] for _ in range(40)]
    d = matrix(VictorPurpuraIntervals("5 Hz"), packed(trains))
    for i, j in ((0, 1), (3, 39), (17, 18), (39, 0)):
        parts = (plain_edits(np.diff(a), np.diff(b), 5.0) for a, b in zip(trains[i], trains[j], strict=True))
        assert d[i, j] == pytest.approx(sum(parts), abs=ROUNDING)


def test_free_changes_leave_the_difference_in_the_number_of_intervals():
    trains = packed([[[0.1, 0.2, 1.9]], [[0.5]], [[]], [[0.1, 0.2, 0.3, 1.0]]])
    expected = [[abs(x - y) for y in (2, 0, 0, 3)] for x in (2, 0, 0, 3)]
    assert matrix(VictorPurpuraIntervals("0 Hz"), trains).tolist() == expected
    sharp = matrix(VictorPurpuraIntervals("1e9 Hz"), trains)
    assert sharp[0, 1] == 2  # every interval removed
    assert sharp[0, 0] == 0


@settings(max_examples=60)
@given(st.lists(st.lists(FEW, min_size=2, max_size=2), min_size=2, max_size=2), COST, st.sampled_from([0.3, 1.0, 1.9]))
def test_relabelling_finds_the_cheapest_of_all_matchings(trials, cost, k):
    labelled = [[(t, u) for u, train in enumerate(trial) for t in train] for trial in trials]
    ours = matrix(VictorPurpura(hertz(cost), relabelling=k), packed(trials))[0, 1]
    assert ours == pytest.approx(plain_relabelling(*labelled, cost, k), abs=ROUNDING)


@given(st.lists(st.lists(TRAIN, min_size=3, max_size=3), min_size=3, max_size=3), COST, st.sampled_from([0.2, 1.1]))
def test_relabelling_gives_a_metric_between_pooled_and_labelled_line(trials, cost, k):
    several = packed([*trials, trials[0]])
    d = matrix(VictorPurpura(hertz(cost), relabelling=k), several)
    assert (d == d.T).all()
    assert d[0, 3] == 0
    assert d[0, 2] <= d[0, 1] + d[1, 2] + ROUNDING
    assert (matrix(VictorPurpura(hertz(cost), pooled=True), several) <= d + ROUNDING).all()
    assert (d <= matrix(VictorPurpura(hertz(cost)), several) + ROUNDING).all()


def test_the_ends_of_relabelling_are_the_two_codings_and_the_assignment_agrees_with_both():
    rng = np.random.default_rng(1)
    trains = packed([[np.sort(rng.uniform(0, 2, 8)).tolist() for _ in range(3)] for _ in range(5)])
    pooled, line = (matrix(VictorPurpura("4 Hz", pooled=p), trains) for p in (True, False))
    assert (matrix(VictorPurpura("4 Hz", relabelling=0), trains) == pooled).all()
    assert (matrix(VictorPurpura("4 Hz", relabelling=2), trains) == line).all()
    assert (matrix(VictorPurpura("4 Hz", relabelling=7), trains) == line).all()
    every, costs = range(5), np.array([4.0])
    for k, expected in ((0.0, pooled), (2.0, line)):
        ours = relabelled.relabelled_victor_purpura(trains, costs, k, every, every)[0]
        np.testing.assert_allclose(ours, expected, atol=ROUNDING)
    between = [matrix(VictorPurpura("4 Hz", relabelling=k), trains)[0, 1] for k in (0, 0.5, 1, 1.5, 2)]
    assert (np.diff(between) > 0).all()


def test_matches_that_cross_in_time_are_found():
    """Keeping the order would cost 2 k; crossing costs two shifts of 0.1 s."""
    swapped = packed([[[0.5], [0.6]], [[0.6], [0.5]]])
    assert matrix(VictorPurpura("1 Hz", relabelling=0.5), swapped)[0, 1] == pytest.approx(0.2)
    assert matrix(VictorPurpura("9 Hz", relabelling=0.5), swapped)[0, 1] == pytest.approx(1.0)


def test_relabelling_that_would_take_hours_is_refused_with_the_time(monkeypatch):
    trains = packed([[[0.1, 0.2], [0.3]], [[0.1], [0.2, 0.4]]])
    monkeypatch.setattr(relabelled, "MOST_STEPS", 26.0)
    with pytest.raises(UnsupportedError, match=r"2\.7e\+01 steps.*hours.*relabelling=0"):
        matrix(VictorPurpura("0 Hz", relabelling=1), trains)
    monkeypatch.setattr(relabelled, "MOST_STEPS", 27.0)
    assert matrix(VictorPurpura("0 Hz", relabelling=1), trains)[0, 1] == 1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: VictorPurpura("1 Hz", relabelling=-1), "zero or more"),
        (lambda: VictorPurpura("1 Hz", relabelling=True), "zero or more"),
        (lambda: VictorPurpura("1 Hz", relabelling=math.nan), "zero or more"),
        (lambda: VictorPurpura("1 Hz", True, 1.0), "not both"),
        (lambda: VictorPurpuraIntervals("-1 Hz"), "zero or more"),
        (lambda: VictorPurpuraIntervals("1 s"), "must be a frequency"),
        (lambda: VictorPurpuraIntervals("1 Hz", ends=1), "True or False"),
        (lambda: VictorPurpuraIntervals("1 Hz", pooled="no"), "True or False"),
    ],
    ids=["negative", "truth value", "nan", "twice", "negative cost", "time", "ends", "pooled"],
)
def test_meaningless_edit_metrics_are_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_edit_metrics_print_as_the_line_that_makes_them_and_sweep():
    for metric in (
        VictorPurpura("5 Hz", relabelling=0.5),
        VictorPurpuraIntervals("5 Hz", pooled=True, ends=True),
        VictorPurpuraIntervals("5 Hz"),
    ):
        assert eval(repr(metric)) == metric
    assert [m.time_scale for m in VictorPurpuraIntervals.sweep(["1 ms", "0.1 s"], ends=True)] == [0.001, 0.1]
    assert all(m.relabelling == 0.5 for m in VictorPurpura.sweep(["1 ms", "2 ms"], relabelling=0.5))
    assert not VictorPurpura("5 Hz", relabelling=0.5).additive
    assert VictorPurpura("5 Hz", relabelling=3).additive
    assert VictorPurpuraIntervals("5 Hz").label != VictorPurpuraIntervals("5 Hz", ends=True).label
