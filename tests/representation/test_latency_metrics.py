"""First-spike latencies and rank orders against plain definitions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.errors import InputError
from snncompare.representation.distances import distances
from snncompare.representation.metrics import FirstSpikeLatency, RankOrder

LATENCY = st.sampled_from([0.0, 0.1, 0.1000001, 0.5, 1.9, 2.0, None])
TRIALS = st.lists(st.lists(LATENCY, min_size=4, max_size=4), min_size=3, max_size=3)


def trains_with(latencies):
    """Return trains whose first spikes are the latencies, with later spikes that must not matter."""
    return [[[] if t is None else [t, min(2.0, t + 0.3)] for t in trial] for trial in latencies]


@given(latencies=TRIALS)
def test_latencies_are_compared_as_vectors_with_silence_at_the_end_of_the_window(packed_trains, matrix_of, latencies):
    vectors = np.array([[2.0 if t is None else t for t in trial] for trial in latencies])
    expected = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    distance = matrix_of(FirstSpikeLatency("window end"), packed_trains(trains_with(latencies)))
    np.testing.assert_allclose(distance, expected, rtol=1e-14, atol=1e-15)


def test_the_time_of_silent_units_is_the_callers_choice(packed_trains, matrix_of):
    trains = packed_trains([[[0.5]], [[]]])
    assert matrix_of(FirstSpikeLatency("window end"), trains)[0, 1] == 1.5
    assert matrix_of(FirstSpikeLatency("3 s"), trains)[0, 1] == 2.5
    assert FirstSpikeLatency("3 s").label != FirstSpikeLatency("window end").label


def test_silence_cannot_be_an_early_response(recording_of):
    recording = recording_of([[[0.5]], [[]]], (0.0, 2.0))
    with pytest.raises(InputError, match=r"1500 ms.*until 2 s.*Write '2 s' or later, or 'window end'"):
        distances(recording, FirstSpikeLatency("1500 ms"))


def test_pooled_latency_is_that_of_the_first_unit_to_fire(packed_trains, matrix_of):
    trains = packed_trains([[[0.5], [0.2, 1.0]], [[0.9], []]])
    assert matrix_of(FirstSpikeLatency("window end", pooled=True), trains)[0, 1] == pytest.approx(0.7, abs=1e-15)


def sign(x, y):
    return (x > y) - (x < y)


def plain_kendall(a, b):
    pairs = list(itertools.combinations(range(len(a)), 2))
    return sum(abs(sign(a[u], a[v]) - sign(b[u], b[v])) / 2 for u, v in pairs) / len(pairs)


def plain_footrule(a, b):
    def rank(values, u):
        return sum(v < values[u] for v in values) + (sum(v == values[u] for v in values) + 1) / 2

    return sum(abs(rank(a, u) - rank(b, u)) for u in range(len(a))) / (len(a) ** 2 // 2)


@pytest.mark.parametrize(("distance", "plain"), [("kendall", plain_kendall), ("footrule", plain_footrule)])
@settings(max_examples=60)
@given(latencies=TRIALS)
def test_rank_orders_have_ties_and_silent_units_last(packed_trains, matrix_of, distance, plain, latencies):
    d = matrix_of(RankOrder(distance), packed_trains(trains_with(latencies)))
    values = [[np.inf if t is None else t for t in trial] for trial in latencies]
    for i, j in itertools.product(range(3), repeat=2):
        assert d[i, j] == pytest.approx(plain(values[i], values[j]), abs=1e-14)
    assert d[0, 2] <= d[0, 1] + d[1, 2] + 1e-12
    assert 0 <= d.min() <= d.max() <= 1


@pytest.mark.parametrize("distance", ["kendall", "footrule"])
def test_order_alone_matters_to_the_rank_order(packed_trains, matrix_of, distance):
    """Same order at other times is 0, reversed is 1, and silence of one unit is not the same as a late spike of two."""
    trains = packed_trains([[[0.1], [0.2], [0.3]], [[0.2], [1.4], [1.9]], [[0.3], [0.2], [0.1]], [[0.1], [], []]])
    d = matrix_of(RankOrder(distance), trains)
    assert d[0, 1] == 0
    assert d[0, 2] == 1
    assert 0 < d[0, 3] < 1


def test_both_distances_between_rank_orders_differ(packed_trains, matrix_of):
    trains = packed_trains([[[0.1], [0.2], [0.3], [0.4]], [[0.4], [0.1], [0.2], [0.3]]])
    kendall, footrule = (matrix_of(RankOrder(kind), trains)[0, 1] for kind in ("kendall", "footrule"))
    assert kendall == pytest.approx(3 / 6)
    assert footrule == pytest.approx(6 / 8)


def test_one_unit_has_no_rank_order(recording_of):
    with pytest.raises(InputError, match="at least two units"):
        distances(recording_of([[[0.5]], [[]]]), RankOrder())


MEANINGLESS = {
    "an unknown rank distance": (lambda: RankOrder("kendal"), "did you mean 'kendall'"),
    "silent units without a unit": (lambda: FirstSpikeLatency(1.0), "window end.*has no unit"),
    "silent units by an unknown rule": (lambda: FirstSpikeLatency("never"), "cannot read"),
    "pooling that is no truth value": (lambda: FirstSpikeLatency("window end", pooled=1), "True or False"),
}


@pytest.mark.parametrize("case", MEANINGLESS)
def test_a_latency_metric_that_means_nothing_is_refused(case):
    make, says = MEANINGLESS[case]
    with pytest.raises(InputError, match=says):
        make()
