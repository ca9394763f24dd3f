"""What timing contributes to a match: nothing for rate codes, at the stated rate of false claims; all of precise ones."""

import numpy as np
import pytest
from scipy.stats import binom

import snncompare as sc
from snncompare.comparison.precision.timing import timing_contribution
from snncompare.errors import InputError
from snncompare.recording.surrogates import ExchangedTimes, UniformTimes, WindowedJitter
from snncompare.representation.metrics import SpikeCount
from snncompare.testing.ground_truth import Design, latency_code, pattern_code, rate_code, true_rdm

SMALL = {"conditions": 6, "repeats": 5, "units": 6}
COLUMNS = [
    "model", "metric", "time_scale", "width", "similarity", "surrogate", "surrogate_low", "surrogate_high",
    "contribution", "p", "p_corrected",
]  # fmt: skip


def contribution(recording, metric=None, widths=("10 ms", "60 ms", "200 ms"), models=None, **options):
    chosen = sc.VanRossum.sweep(["5 ms", "30 ms"]) if metric is None else metric
    given = {"truth": true_rdm(recording)} if models is None else models
    return timing_contribution(recording, given, chosen, "condition", widths, **({"n_surrogates": 39} | options))


@pytest.fixture(scope="module")
def precise():
    return contribution(pattern_code(Design(conditions=8, repeats=6, units=8)), n_surrogates=99)


def test_a_precise_pattern_breaks_at_its_own_width(precise):
    assert list(precise.table) == COLUMNS
    assert len(precise.table) == 6
    assert 0.01 < precise.breaking_width["truth"] <= 0.06  # spikes are displaced by 20 ms, precise to 2 ms
    widest = precise.table[precise.table["width"] == 0.2]
    assert (widest["contribution"] > 0.3).all()
    assert (widest["p"] == 0.01).all()
    assert "the match uses timing at this scale" in precise.summary()


def test_above_the_band_is_significant_and_below_is_not(precise):
    table = precise.table
    alone = table[table["width"] == 0.2]
    assert (alone["similarity"] > alone["surrogate_high"]).all()
    narrow = table[table["width"] == 0.01]
    assert not (narrow["similarity"] > narrow["surrogate_high"]).any()
    assert (table["surrogate_low"] <= table["surrogate"]).all()
    assert (table["surrogate"] <= table["surrogate_high"]).all()


def test_a_wider_width_never_has_a_larger_corrected_p(precise):
    for _, curve in precise.table.groupby("time_scale"):
        ordered = curve.sort_values("width")
        assert (np.diff(ordered["p_corrected"]) <= 0).all()
        assert (ordered["p_corrected"] >= ordered["p"]).all()


def test_a_rate_code_claims_no_timing():
    found = contribution(rate_code(Design(conditions=8, repeats=6, units=8)), n_surrogates=99)
    assert found.table["similarity"].min() > 0.8
    assert np.isnan(found.breaking_width["truth"])
    assert "no sign" in found.summary()


def test_counts_cannot_claim_timing_for_any_code():
    found = contribution(rate_code(Design(**SMALL)), metric=SpikeCount(), widths=["100 ms"]).table.iloc[0]
    assert found["p"] == 1.0
    assert abs(found["contribution"]) < 1e-12


def test_a_model_without_the_code_claims_no_timing_and_does_not_change_the_others():
    recording = latency_code(Design(conditions=8, repeats=6, units=8))
    unrelated = true_rdm(latency_code(Design(conditions=8, repeats=2, units=2, order=4)))
    metric = sc.VanRossum("50 ms")
    both = contribution(recording, metric, models={"a": true_rdm(recording), "b": unrelated})
    alone = contribution(recording, metric)
    assert both.breaking_width["a"] == alone.breaking_width["truth"]
    assert both.breaking_width["a"] > 0.05
    assert np.isnan(both.breaking_width["b"])


def false_claims(make, surrogate, experiments, **options):
    claims = 0
    for k in range(experiments):
        found = contribution(
            make(k), surrogate=surrogate, n_surrogates=19, widths=["30 ms", "150 ms"], seed=k, **options
        )
        claims += bool((found.table["p_corrected"] <= 0.05).any())
    return claims


@pytest.mark.slow
def test_false_claims_stay_at_the_level():
    """100 rate codes with their own RDM as the model; analyses/ground_truth runs 500."""
    claims = false_claims(lambda k: rate_code(Design(**SMALL, noise=k)), WindowedJitter, 100)
    assert claims <= binom.ppf(0.999, 100, 0.05)


def transient(noise):
    """Return a rate code whose spikes all fall early: a time course that the conditions share."""
    source = rate_code(Design(**SMALL, noise=noise), depth=0.25)
    early = 0.5 * (source.times / 0.5) ** 6
    return sc.Recording(
        times=early, offsets=source.offsets, units=source.units, trials=source.trials, provenance=source.provenance
    )


@pytest.mark.slow
def test_a_shared_time_course_needs_surrogates_that_keep_it():
    """Under an exact null hypothesis p is uniform; a null that flattens the time course is another question."""
    mean = {}
    for surrogate in (ExchangedTimes, WindowedJitter):
        p = [
            contribution(transient(k), sc.VanRossum("5 ms"), ["250 ms"], surrogate=surrogate, n_surrogates=19, seed=k)
            .table["p"]
            .item()
            for k in range(40)
        ]
        mean[surrogate] = np.mean(p)
    uniform, error = 0.525, 0.29 / np.sqrt(40)  # mean of 1/20 ... 20/20
    assert abs(mean[ExchangedTimes] - uniform) < 3.5 * error
    assert abs(mean[WindowedJitter] - uniform) > 3.5 * error


def test_seeds_matter_and_repeat():
    recording = pattern_code(Design(**SMALL))
    first, again, other = (contribution(recording, widths=["60 ms"], seed=seed).table for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_the_estimator_the_measure_and_the_level_matter():
    recording = pattern_code(Design(**SMALL))
    plain = contribution(recording, widths=["60 ms"])
    for change in ({"estimator": sc.MeanDistance()}, {"measure": sc.Pearson()}):
        other = contribution(recording, widths=["60 ms"], **change).table
        assert not np.allclose(other["similarity"], plain.table["similarity"])
    strict, loose = (contribution(recording, widths=["60 ms"], level=level).table for level in (0.03, 0.4))
    assert (strict["surrogate_high"] > loose["surrogate_high"]).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"widths": "10 ms"}, "widths must be a list"),
        ({"widths": ["10 ms", "0.01 s"]}, "given twice"),
        ({"widths": ["0 ms"]}, "not above zero"),
        ({"n_surrogates": 18}, "at least 19"),
        ({"level": 0.5}, "level must lie between"),
        ({"seed": -1}, "seed must be"),
        ({"measure": "spearman"}, "must be a measure"),
        ({"surrogate": lambda width: width}, "surrogate must make a surrogate"),
    ],
    ids=["text", "twice", "zero", "few", "level", "seed", "measure", "no surrogate"],
)
def test_what_cannot_be_is_refused(change, sentence):
    with pytest.raises(InputError, match=sentence):
        contribution(rate_code(Design(**SMALL)), **change)


def test_any_surrogate_of_a_width_can_be_used():
    found = contribution(pattern_code(Design(**SMALL)), widths=["60 ms"], surrogate=lambda _: UniformTimes())
    assert (found.table["p"] <= 0.05).any()
