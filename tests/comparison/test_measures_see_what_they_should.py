"""No measure claims timing where there is only rate, and the reverse; the figure is in analyses/ground_truth."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.recording.observation import with_equal_counts
from snncompare.representation import metrics
from snncompare.testing.ground_truth import Design, latency_code, pattern_code, rate_code, synchrony_code, true_rdm

DESIGN = Design(conditions=8, repeats=8, units=10, layout="line")
LABELLED = [
    sc.VanRossum("20 ms"),
    sc.VictorPurpura("50 Hz"),
    metrics.VictorPurpuraIntervals("50 Hz"),
    metrics.BinnedCount("20 ms"),
    metrics.Schreiber("20 ms"),
    metrics.HunterMilton("20 ms"),
    metrics.ISI(),
    metrics.SPIKE(),
    metrics.SPIKE(rate_independent=True),
    metrics.SpikeSync(),
    metrics.EarthMover(),
    metrics.ModulusMetric(),
]
COUNTS = [metrics.SpikeCount(), metrics.CountCorrelation(), metrics.PoissonKL(prior_rate="1 Hz")]
FIRST_SPIKES = [metrics.FirstSpikeLatency(silent="500 ms"), metrics.RankOrder()]
POOLED = [
    sc.VictorPurpura("50 Hz", pooled=True),
    metrics.ISI(pooled=True),
    metrics.SPIKE(pooled=True),
    metrics.SpikeSync(pooled=True),
    metrics.EarthMover(pooled=True),
    metrics.ModulusMetric(pooled=True),
]
UNINFORMATIVE = 0.6
"""28 pairs of 8 conditions: under renaming, the correlation has a standard deviation of about 0.19."""


@pytest.fixture(scope="module")
def populations():
    rate = rate_code(DESIGN)
    return {
        "rate": rate,
        "rate, equal counts": with_equal_counts(rate, 0),
        "latency": latency_code(DESIGN),
        "pattern": pattern_code(DESIGN),
        "synchrony": synchrony_code(DESIGN),
    }


def seen(recording, metric):
    found = sc.rdm(recording, metric, by="condition").get_vectors()
    return sc.Spearman().between(found, true_rdm(recording).get_vectors()).item()


@pytest.mark.parametrize("metric", LABELLED, ids=repr)
def test_measures_of_labelled_trains_see_timing_but_not_synchrony(metric, populations):
    assert seen(populations["pattern"], metric) > UNINFORMATIVE
    assert abs(seen(populations["synchrony"], metric)) < UNINFORMATIVE
    assert abs(seen(populations["rate, equal counts"], metric)) < UNINFORMATIVE


@pytest.mark.parametrize("metric", COUNTS, ids=repr)
def test_counts_see_rates_and_nothing_else(metric, populations):
    assert seen(populations["rate"], metric) > 0.8
    for code in ("rate, equal counts", "latency", "pattern", "synchrony"):
        assert seen(populations[code], metric) == 0.0


@pytest.mark.parametrize("metric", FIRST_SPIKES, ids=repr)
def test_first_spikes_see_latencies_and_no_later_pattern(metric, populations):
    assert seen(populations["latency"], metric) > 0.8
    for code in ("rate, equal counts", "pattern", "synchrony"):
        assert abs(seen(populations[code], metric)) < UNINFORMATIVE
    # the first of more spikes comes earlier: a rate code moves first spikes, which is no claim of this measure
    assert seen(populations["rate"], metric) > UNINFORMATIVE


@pytest.mark.parametrize("metric", POOLED, ids=repr)
def test_measures_of_pooled_trains_see_synchrony_and_not_who_fired(metric, populations):
    assert seen(populations["synchrony"], metric) > 0.3
    for code in ("rate", "latency", "pattern"):
        assert abs(seen(populations[code], metric)) < UNINFORMATIVE


def test_pooled_measures_lose_synchrony_with_the_relations_between_units():
    from snncompare.recording.surrogates import ShuffledTrials

    source = synchrony_code(DESIGN)
    metric = sc.VictorPurpura("50 Hz", pooled=True)
    shuffled = np.mean([seen(ShuffledTrials("condition").apply(source, k), metric) for k in range(3)])
    assert seen(source, metric) > 0.7
    assert abs(shuffled) < 0.4


def test_the_unbiased_distance_of_pooled_filtered_trains_is_blind_to_synchrony_by_construction():
    """It is the distance of mean responses, and the mean of a sum is the sum of the units' means."""
    found = [seen(synchrony_code(Design(8, 8, 10, "line", noise=k)), sc.VanRossum("20 ms", 1.0)) for k in range(8)]
    assert abs(np.mean(found)) < 3.5 * 0.19 / np.sqrt(8)
