"""Halves of the units tell how similar another sample of units, and the whole population, really are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from snncompare.comparison.alignment import align
from snncompare.comparison.ceiling import between_units
from snncompare.comparison.compare import compare
from snncompare.comparison.measures import KendallTauA, Pearson, Spearman
from snncompare.comparison.result import Result
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions
from snncompare.representation.distances import distances
from snncompare.representation.estimators import BetweenMinusWithin, MeanDistance
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.rdm import rdm
from snncompare.representation.repeats.replicates import replicates
from snncompare.representation.unit_halves import unit_halves


def population(seed, units, conditions=10, trials=6):
    """Poisson units whose rates follow three hidden properties of the conditions, each unit in its own way."""
    rng = np.random.default_rng([seed, 0])
    rates = 8 * np.exp(0.3 * rng.normal(size=(conditions, 3)) @ rng.normal(size=(3, units)) / np.sqrt(3))
    counts = rng.poisson(rates[:, None] * np.ones((1, trials, 1)))
    trial, unit = (index.ravel() for index in np.indices((conditions * trials, units)))
    table = pd.DataFrame(
        {"condition": np.repeat(np.arange(conditions), trials), "start": 0.0, "stop": 1.0},
        index=range(conditions * trials),
    )
    return Recording.from_arrays(
        times=rng.uniform(0, 1, counts.sum()),
        unit=np.repeat(unit, counts.ravel()),
        trial=np.repeat(trial, counts.ravel()),
        units=pd.DataFrame(index=range(units)),
        trials=table,
    )


def part(recording, first, last):
    place = np.arange(recording.n_units)
    return recording.select(units=(place >= first) & (place < last))


@pytest.fixture(scope="module")
def worlds():
    """16 of 216 units each, the next 16, and all others, with the halves of the first."""
    found = []
    for seed in range(24):
        every = population(seed, 216)
        one = part(every, 0, 16)
        halves = unit_halves(one, SpikeCount(), "condition", n_splits=30)
        rdms = [rdm(given, SpikeCount(), "condition") for given in (one, part(every, 16, 32), part(every, 32, 216))]
        found.append((halves, align(rdms[0], {"other": rdms[1], "all": rdms[2]})))
    return found


# Three standard errors of the mean of 24 worlds, whose errors have standard deviations of 0.14 and 0.23.
@pytest.mark.parametrize(
    ("measure", "error"),
    [(Spearman(), 0.09), (KendallTauA(), 0.09), (Pearson(), 0.14)],
    ids=["spearman", "tau", "corr"],
)
def test_both_bounds_are_right(measure, error, worlds):
    """Lower: other units in the same trials; upper: the population they come from."""
    found, true, plain = [], [], []
    for halves, given in worlds:
        ceiling = between_units(given, measure, halves)
        found.append([ceiling.low[0], ceiling.high[0]])
        true.append(measure.between(given.data[0], given.models[0])[0])
        each = zip(halves.half_a[0], halves.half_b[0], strict=True)
        plain.append(np.mean([measure.between(a[None], b[None])[0, 0] for a, b in each]))
    np.testing.assert_allclose(np.mean(found, axis=0), np.mean(true, axis=0), atol=error)
    # Halves of the units say less about all units than the Spearman-Brown formula does: the control.
    assert np.mean(plain) < np.mean(true, axis=0)[0] - 0.08


@pytest.mark.parametrize(
    ("metric", "estimator"),
    [
        (VanRossum(tau="50 ms"), BetweenMinusWithin()),
        (VanRossum(tau="50 ms"), MeanDistance()),  # a mean of roots does not add up over units
        (VictorPurpura(cost="20 Hz"), MeanDistance()),
    ],
    ids=["squares add up", "roots do not", "not Euclidean"],
)
def test_the_halves_are_the_rdms_of_two_disjoint_sets_of_units(metric, estimator):
    recording = population(0, 5, conditions=3, trials=2)
    halves = unit_halves(recording, metric, "condition", estimator, n_splits=3, seed=4)
    masks = [np.array([k in chosen for k in range(5)]) for chosen in subsets(5)]
    possible = {
        tuple(mask): rdm(recording.select(units=mask), metric, "condition", estimator).get_vectors()[0]
        for mask in masks
    }
    for a, b in zip(halves.half_a[0], halves.half_b[0], strict=True):
        of_a = [m for m, vector in possible.items() if np.allclose(vector, a, rtol=1e-9)]
        of_b = [m for m, vector in possible.items() if np.allclose(vector, b, rtol=1e-9)]
        assert len(of_a) == len(of_b) == 1
        assert tuple(not kept for kept in of_a[0]) == of_b[0]
        assert {sum(of_a[0]), sum(of_b[0])} == {2, 3}


def subsets(n):
    return [[k for k in range(n) if number >> k & 1] for number in range(1, 2**n - 1)]


def test_splits_follow_from_the_seed_and_are_shared_by_the_metrics():
    recording = population(0, 8, conditions=4, trials=2)
    metrics = [SpikeCount(), VanRossum(tau="100 s")]
    one, again, other = (unit_halves(recording, metrics, "condition", n_splits=6, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.half_a, again.half_a)
    assert not np.allclose(one.half_a, other.half_a)
    assert one.metric == ("spike count", VanRossum(tau="100 s").label)
    assert one.time_scale[1] == 100
    assert np.corrcoef(one.half_a[0].ravel(), one.half_a[1].ravel())[0, 1] > 0.99  # counts, all but


def test_the_ceilings_stand_beside_each_other_with_their_questions(record, make_rdms, tmp_path):
    recording = population(1, 12, conditions=9)
    between = distances(recording, SpikeCount())
    repeated = replicates(between, Conditions.of(recording, "condition"), n_resamples=50, n_splits=20)
    halves = unit_halves(recording, SpikeCount(), "condition", n_splits=20)
    data = rdm(recording, SpikeCount(), "condition")
    result = compare(data, {"m": data}, replicates=repeated, unit_halves=halves, n_resamples=50)
    assert [ceiling.question for ceiling in result.ceilings] == [
        "would another recording of the same units be as similar?",
        "would another sample of units be as similar?",
    ]
    assert result.ceiling == result.ceilings[0]
    assert any("Other ceilings: " in text and "another sample of units" in text for text in result.statements)
    assert Result.load(result.save(tmp_path)).ceilings == result.ceilings
    # The units are fixed in one and drawn in the other, so the ceiling of the trials is the higher one here.
    assert result.ceilings[0].low[0] > result.ceilings[1].low[0]


def test_what_cannot_be_split_is_refused():
    recording = population(0, 6, conditions=4, trials=2)
    with pytest.raises(InputError, match=r"need a metric that is a sum over units; VictorPurpura.*pooled=True"):
        unit_halves(recording, VictorPurpura(cost="20 Hz", pooled=True), "condition")
    with pytest.raises(InputError, match="has 3 units; unit halves need at least 4"):
        unit_halves(part(recording, 0, 3), SpikeCount(), "condition")
    with pytest.raises(InputError, match="n_splits must be a whole number of at least 1"):
        unit_halves(recording, SpikeCount(), "condition", n_splits=0)


def test_unit_halves_of_one_animal_are_refused_for_several(make_rdms):
    recording = population(0, 6, conditions=9, trials=2)
    halves = unit_halves(recording, SpikeCount(), "condition", n_splits=5)
    rows = np.random.default_rng(0).gamma(2.0, size=(2, 36))
    data = make_rdms(rows, range(9), metric="spike count", subject=["a", "b"])
    with pytest.raises(InputError, match="unit_halves describe the units of one animal, the data hold 2"):
        compare(data, {"m": make_rdms(rows[0], range(9))}, unit_halves=halves)


def test_units_that_share_nothing_have_a_ceiling_of_0(make_rdms):
    recording = population(0, 6, conditions=9, trials=2)
    halves = unit_halves(recording, SpikeCount(), "condition", n_splits=5)
    opposite = replace(halves, half_b=-halves.half_a)
    data = rdm(recording, SpikeCount(), "condition")
    result = compare(data, {"m": data}, unit_halves=opposite, n_resamples=50)
    assert result.ceiling.high == (0.0,)
    assert any("The units do not agree for spike count" in text for text in result.statements)
