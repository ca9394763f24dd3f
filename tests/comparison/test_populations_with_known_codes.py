"""From spikes to verdict on populations whose truth is known: a true model matches, an unrelated one does not."""

import numpy as np
import pytest
from scipy.stats import binom

import snncompare as sc
from snncompare.representation.conditions import Conditions
from snncompare.representation.distances import distances
from snncompare.representation.metrics import SpikeCount
from snncompare.representation.rdm import rdm_from_distances
from snncompare.representation.repeats.replicates import replicates
from snncompare.testing.ground_truth import Design, latency_code, rate_code

METRIC = sc.VanRossum(tau="20 ms")


def population(**change):
    return latency_code(Design(**({"conditions": 10, "repeats": 8} | change)))


def compared(data, model, seed=0):
    between, conditions = distances(data, METRIC), Conditions.of(data, "condition")
    return sc.compare(
        rdm_from_distances(between, conditions),
        {"model": sc.rdm(model, METRIC, by="condition")},
        seed=seed,
        replicates=replicates(between, conditions, n_resamples=100, n_splits=30, seed=seed),
        n_resamples=200,
    )


@pytest.mark.parametrize("seed", range(3))
def test_another_measurement_of_the_same_population_matches(seed):
    result = compared(population(order=seed, noise=0), population(order=seed, noise=1))
    assert result.table["verdict"].tolist() == ["match"]


def test_populations_that_share_nothing_are_called_related_no_more_often_than_stated():
    experiments = 60
    verdicts = [
        compared(population(order=k, repeats=4), population(order=1000 + k, repeats=4, noise=1), seed=k)
        .table["verdict"]
        .item()
        for k in range(experiments)
    ]
    false = sum(verdict != "no match" for verdict in verdicts)
    assert false <= binom.ppf(0.999, experiments, 0.05)


def test_a_rate_code_is_seen_by_counts_and_a_latency_code_is_not():
    rates, latencies = (code(Design(noise=0)) for code in (rate_code, latency_code))
    again = {"rate": rate_code(Design(noise=1)), "latency": latency_code(Design(noise=1))}
    seen = {}
    for name, recording in {"rate": rates, "latency": latencies}.items():
        counts = [sc.rdm(r, SpikeCount(), by="condition").get_vectors()[0] for r in (recording, again[name])]
        seen[name] = np.corrcoef(*counts)[0, 1] if np.ptp(counts[0]) > 0 else 0.0
    assert seen["rate"] > 0.8
    assert seen["latency"] == 0.0
