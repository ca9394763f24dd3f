"""What holds for every metric: blocks, threads, symmetry, labels, and that each parameter matters."""

import copy
import math
import pickle

import numpy as np
import pytest
import quantities as pq

from snncompare.errors import InputError
from snncompare.representation.distances import distances
from snncompare.representation.metrics import (
    ISI,
    SPIKE,
    BinnedCount,
    CountCorrelation,
    EarthMover,
    FirstSpikeLatency,
    ModulusMetric,
    PoissonKL,
    Precision,
    RankOrder,
    SpikeSync,
    WhitenedCount,
)

N_TRIALS, N_UNITS = 9, 3
_ROOT = np.tril(np.random.default_rng(1).normal(size=(2 * N_UNITS, 2 * N_UNITS))) + 3 * np.eye(2 * N_UNITS)
METRICS = [
    ISI(),
    ISI(adaptive="0.4 s"),
    ISI(adaptive="auto", pooled=True),
    SPIKE(),
    SPIKE(adaptive="auto"),
    SPIKE(rate_independent=True, adaptive="0.4 s", pooled=True),
    SpikeSync(),
    SpikeSync(adaptive="auto"),
    SpikeSync(adaptive="5 s", pooled=True),
    EarthMover(),
    EarthMover(pooled=True),
    ModulusMetric(),
    ModulusMetric(pooled=True),
    FirstSpikeLatency("window end"),
    FirstSpikeLatency("3 s", pooled=True),
    RankOrder("kendall"),
    RankOrder("footrule"),
    BinnedCount("500 ms"),
    CountCorrelation("500 ms"),
    PoissonKL("500 ms", prior_rate="3 Hz"),
    WhitenedCount("1 s", Precision(_ROOT @ _ROOT.T)),
]
IDS = [f"{k} {metric.label}" for k, metric in enumerate(METRICS)]


@pytest.fixture(scope="module")
def trains(packed_trains):
    """Return trains with silent units, single spikes, spikes on both edges, duplicates and a copy of a trial."""
    rng = np.random.default_rng(6)
    trials = [[np.sort(rng.uniform(0, 2, rng.poisson(6))) for _ in range(N_UNITS)] for _ in range(N_TRIALS - 4)]
    trials += [[[], [], []], [[0.0], [2.0], [1.0]], [[0.5, 0.5, 1.5], [0.0, 2.0], []], copy.deepcopy(trials[1])]
    return packed_trains(trials)


@pytest.mark.parametrize("metric", METRICS, ids=IDS)
def test_distances_are_finite_symmetric_and_zero_on_the_diagonal(matrix_of, trains, metric):
    d = matrix_of(metric, trains)
    assert np.isfinite(d).all()
    assert (d >= 0).all()
    assert (d == d.T).all()
    assert (np.diagonal(d) == 0).all()
    assert d[1, -1] == 0  # a copy of the trial
    assert (d[~np.eye(N_TRIALS, dtype=bool)] > 0).any()


@pytest.mark.parametrize("metric", METRICS, ids=IDS)
def test_a_pair_has_the_same_distance_in_every_block(matrix_of, trains, metric):
    whole = matrix_of(metric, trains)
    for rows, columns in (
        (range(4), range(4)),
        (range(4), range(4, 9)),
        (range(2, 3), range(5, 6)),
        (range(3, 9),) * 2,
    ):
        block = matrix_of(metric, trains, rows, columns)
        assert (block == whole[rows.start : rows.stop, columns.start : columns.stop]).all()


@pytest.mark.parametrize("metric", METRICS, ids=IDS)
def test_the_order_of_two_trials_does_not_matter(packed_trains, matrix_of, trains, metric):
    flat = np.split(trains.times, trains.offsets[1:-1])
    trials = [flat[k * N_UNITS : (k + 1) * N_UNITS] for k in range(N_TRIALS)]
    backwards = matrix_of(metric, packed_trains(trials[::-1]))
    whole = matrix_of(metric, trains)
    if isinstance(metric, WhitenedCount) or getattr(metric, "adaptive", None) == "auto":
        np.testing.assert_allclose(backwards[::-1, ::-1], whole, rtol=1e-13)  # sums over all trials come before
    else:
        assert (backwards[::-1, ::-1] == whole).all()


@pytest.mark.parametrize("metric", METRICS, ids=IDS)
def test_the_number_of_threads_does_not_matter(monkeypatch, matrix_of, trains, metric):
    results = []
    for n_threads in (1, 3):
        monkeypatch.setattr("snncompare.representation.compiled.pairs.config.NUMBA_NUM_THREADS", n_threads)
        results.append(matrix_of(metric, trains))
    assert (results[0] == results[1]).all()


@pytest.mark.parametrize("kind", [ISI, SPIKE, SpikeSync, EarthMover, ModulusMetric])
def test_the_labelled_line_is_the_mean_over_units(packed_trains, matrix_of, trains, kind):
    flat = np.split(trains.times, trains.offsets[1:-1])
    one_by_one = [packed_trains([[train] for train in flat[unit::N_UNITS]]) for unit in range(N_UNITS)]
    expected = np.mean([matrix_of(kind(), unit) for unit in one_by_one], axis=0)
    np.testing.assert_allclose(matrix_of(kind(), trains), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("kind", [ISI, SPIKE, SpikeSync])
def test_a_sweep_of_thresholds_equals_its_metrics_one_by_one(matrix_of, trains, kind):
    sweep = (kind(), *kind.sweep(["1 ms", "300 ms"], pooled=True), *kind.sweep(["2 s"]), kind(adaptive="auto"))
    every = range(N_TRIALS)
    for metric, matrix in zip(sweep, kind.between_trials(sweep, trains, every, every), strict=True):
        assert (matrix_of(metric, trains) == matrix).all()


@pytest.mark.parametrize("kind", [ISI, SPIKE, SpikeSync])
def test_every_parameter_of_a_profile_metric_matters(matrix_of, trains, kind):
    variants = [kind(), kind(adaptive="1.5 s"), kind(adaptive="auto"), kind(pooled=True)]
    variants += [SPIKE(rate_independent=True)] if kind is SPIKE else []
    values = [matrix_of(metric, trains) for metric in variants]
    assert all(np.abs(a - b).max() > 1e-3 for k, a in enumerate(values) for b in values[:k])


def test_metrics_of_many_kinds_go_through_the_public_door(noisy_recording):
    several = [m for m in METRICS if not isinstance(m, FirstSpikeLatency | WhitenedCount)]
    d = distances(noisy_recording, several)
    assert d.sizes["metric"] == len(several) == len(set(d["metric"].to_numpy().tolist()))
    for k, metric in enumerate(several):
        assert (d[k].to_numpy() == distances(noisy_recording, metric).to_numpy()).all()


@pytest.mark.parametrize("metric", METRICS, ids=IDS)
def test_a_metric_is_a_value(metric):
    assert metric == copy.deepcopy(metric) == pickle.loads(pickle.dumps(metric))
    assert hash(metric) == hash(pickle.loads(pickle.dumps(metric)))
    assert metric not in [other for other in METRICS if other is not metric]
    if not isinstance(metric, WhitenedCount):
        assert eval(repr(metric)) == metric


def test_equal_thresholds_are_equal_however_their_unit_is_written():
    assert ISI(adaptive="10 ms") == ISI(adaptive="0.01 s") == ISI(adaptive=10 * pq.ms) != ISI(adaptive="11 ms")
    assert BinnedCount("10 ms") == BinnedCount("0.01 s")


def test_labels_and_time_scales():
    assert SPIKE(adaptive="10 ms", rate_independent=True).label == "RIA-SPIKE"
    assert SPIKE(rate_independent=True, pooled=True).label == "RI-SPIKE, pooled"
    assert ISI(adaptive="auto").label == "A-ISI, auto"
    assert [metric.time_scale for metric in ISI.sweep(["1 ms", "0.2 s"])] == [0.001, 0.2]
    assert BinnedCount("20 ms").time_scale == 0.02
    assert all(math.isnan(m.time_scale) for m in (ISI(), ISI(adaptive="auto"), EarthMover(), RankOrder()))


MEANINGLESS = {
    "a threshold without unit": (lambda: ISI(adaptive=10), "has no unit"),
    "a threshold of zero": (lambda: SPIKE(adaptive="0 ms"), "above zero"),
    "a threshold that is a truth value": (lambda: SpikeSync(adaptive=True), "'auto' or None"),
    "an unknown threshold": (lambda: ISI(adaptive="automatic"), "cannot read"),
    "pooling that is no truth value": (lambda: ISI(pooled="yes"), "True or False"),
    "rate independence that is no truth value": (lambda: SPIKE(rate_independent=1), "True or False"),
    "pooled transport that is no truth value": (lambda: EarthMover(pooled=0), "True or False"),
    "an empty sweep": (lambda: ISI.sweep([]), "at least one"),
}


@pytest.mark.parametrize("case", MEANINGLESS)
def test_a_profile_metric_that_means_nothing_is_refused(case):
    make, says = MEANINGLESS[case]
    with pytest.raises(InputError, match=says):
        make()
