"""The synthetic populations code by what they say and by nothing else, and their RDM is known."""

import numpy as np
import pytest
from scipy.stats import kstest, spearmanr

import snncompare as sc
from snncompare.errors import InputError
from snncompare.recording.surrogates import ShuffledTrials
from snncompare.representation.metrics import SpikeCount
from snncompare.testing.ground_truth import (
    CODES,
    SPIKES,
    WINDOW,
    Design,
    latency_code,
    mixture,
    pattern_code,
    rate_code,
    synchrony_code,
    true_rdm,
)

EQUAL_COUNTS = [latency_code, pattern_code, synchrony_code]


def seen(recording, metric, code=None):
    found = sc.rdm(recording, metric, by="condition").get_vectors()[0]
    known = true_rdm(recording, code).get_vectors()[0]
    return 0.0 if np.ptp(found) == 0 else spearmanr(found, known).statistic


def trains(recording):
    """Return the times of trains of equal count, (n_trials, n_units, n_spikes), and their conditions."""
    return recording.times.reshape(recording.n_trials, recording.n_units, -1), recording.trials["condition"].to_numpy()


@pytest.mark.parametrize("layout", ["circle", "line"])
@pytest.mark.parametrize(
    ("code", "metric"),
    [(rate_code, SpikeCount()), (latency_code, sc.VanRossum("50 ms")), (pattern_code, sc.VanRossum("20 ms"))],
    ids=["rate", "latency", "pattern"],
)
def test_the_right_metric_finds_the_known_rdm_and_it_goes_with_the_code(code, metric, layout):
    design = Design(layout=layout, order=3)
    assert seen(code(design), metric) > 0.7
    assert abs(seen(code(design, depth=0.0), metric)) < 0.35  # 66 pairs of 12 conditions: standard deviation 0.12


def test_synchrony_is_found_by_a_pooled_metric_only():
    recording, silent = synchrony_code(), synchrony_code(depth=0.0)
    assert seen(recording, sc.VictorPurpura("100 Hz", pooled=True)) > 0.8
    assert abs(seen(silent, sc.VictorPurpura("100 Hz", pooled=True))) < 0.4
    assert abs(seen(recording, sc.VictorPurpura("100 Hz"))) < 0.4


@pytest.mark.parametrize("code", EQUAL_COUNTS)
def test_counts_are_equal_where_timing_codes(code):
    assert (np.diff(code().offsets) == SPIKES).all()


def test_times_are_uniform_in_every_condition_where_rates_code():
    recording = rate_code(Design(repeats=40))
    trial, _ = recording.spike_index()
    condition = recording.trials["condition"].to_numpy()[trial]
    p = [kstest(recording.times[condition == k], "uniform", (0, WINDOW)).pvalue for k in range(12)]
    assert min(p) > 0.05 / 12 / 50
    assert kstest(latency_code().times, "uniform", (0, WINDOW)).pvalue < 1e-6  # negative control


def test_every_unit_alone_is_the_same_in_all_conditions_where_synchrony_codes():
    times, condition = trains(synchrony_code(Design(layout="line", repeats=60, units=6)))
    for unit in range(6):
        p = [kstest(times[condition == k, unit].ravel(), "uniform", (0, WINDOW)).pvalue for k in range(12)]
        assert min(p) > 0.05 / 72 / 50
        intervals = [np.diff(times[condition == k, unit]).std() for k in (0, 11)]
        # 420 intervals each, exponential-like: standard error of the standard deviation 5 %
        assert intervals[0] == pytest.approx(intervals[1], rel=0.3)


def coincidences(recording):
    times, condition = trains(recording)
    near = [(np.abs(trial[0][:, None] - trial[1]) < 3e-3).sum() for trial in times]
    return np.array([np.mean(np.array(near)[condition == k]) for k in range(12)])


def test_units_share_more_spikes_the_further_along_the_line_until_trials_are_shuffled():
    recording = synchrony_code(Design(layout="line", repeats=60, units=2))
    assert np.polyfit(range(12), coincidences(recording), 1)[0] > 0.3  # 0 to 8 * 0.9**2 shared spikes over 12 steps
    apart = coincidences(ShuffledTrials("condition").apply(recording, 0))
    assert abs(np.polyfit(range(12), apart, 1)[0]) < 0.06


def test_a_pattern_says_nothing_by_its_first_spike_and_a_latency_code_all():
    for code, informative in ((pattern_code, False), (latency_code, True)):
        times, condition = trains(code(Design(repeats=40)))
        means = np.array([times[condition == k, :, 0].mean(axis=0) for k in range(12)])
        error = times[condition == 0, :, 0].std() / np.sqrt(40)
        assert (np.ptp(means, axis=0).max() > 6 * error) == informative


def test_conditions_can_lie_in_another_order_and_noise_is_another_measurement():
    first, other = (true_rdm(rate_code(Design(order=k))).get_vectors()[0] for k in (1, 2))
    assert not np.array_equal(first, other)
    again = rate_code(Design(order=1, noise=5))
    assert np.array_equal(true_rdm(again).get_vectors()[0], first)
    assert not np.array_equal(again.offsets, rate_code(Design(order=1)).offsets)


def test_a_mixture_has_the_units_and_the_rdms_of_its_parts():
    parts = rate_code(Design(units=5)), latency_code(Design(units=7, order=1))
    both = mixture(*parts)
    assert both.n_units == 12
    assert np.array_equal(np.diff(both.select(units=both.units["code"] == "rate").offsets), np.diff(parts[0].offsets))
    for part, code in zip(parts, ("rate", "latency"), strict=True):
        assert np.array_equal(true_rdm(both, code).get_vectors(), true_rdm(part).get_vectors())


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Design(layout="ring"), "no layout 'ring'"),
        (lambda: synchrony_code(Design()), "synchrony is one number"),
        (lambda: mixture(rate_code(), rate_code()), "different codes"),
        (lambda: mixture(rate_code(), latency_code(Design(repeats=3))), "different codes with the same conditions"),
        (lambda: true_rdm(mixture(rate_code(), latency_code())), "name one"),
        (lambda: true_rdm(rate_code(), "latency"), "no code 'latency'"),
    ],
    ids=["layout", "circle", "twice", "other trials", "no name", "other name"],
)
def test_what_cannot_be_is_refused(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_all_codes_are_listed():
    assert list(CODES) == ["rate", "latency", "pattern", "synchrony"]
