import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions
from snncompare.representation.distances import distances
from snncompare.representation.estimators import BetweenMinusWithin, MeanDistance
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura
from snncompare.representation.rdm import rdm
from snncompare.representation.repeats.replicates import replicates
from snncompare.representation.within import within_condition

METRICS = [VanRossum(tau="0.1 s"), VictorPurpura(cost="5 Hz"), SpikeCount()]


def test_conditions_asked_for_come_in_that_order(noisy_recording):
    whole = rdm(noisy_recording, METRICS, by="orientation")
    part = rdm(noisy_recording, METRICS, by="orientation", conditions=[10, 20, 40])
    assert part.pattern_descriptors["condition"] == [10, 20, 40]
    place = [whole.pattern_descriptors["condition"].index(label) for label in (10, 20, 40)]
    np.testing.assert_allclose(part.get_matrices(), whole.get_matrices()[:, place][:, :, place], rtol=1e-13)  # rounding


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ([10, 50, 60], r"no trial of 50, 60 in column 'orientation'; it has 40, 10, 30, 20"),
        ([10, 20, 10], "10 is named more than once"),
        ([10], "at least two"),
        ("10", "is for sessions that are joined"),
    ],
)
def test_conditions_that_do_not_occur_are_refused_by_name(noisy_recording, asked, says):
    with pytest.raises(InputError, match=says):
        rdm(noisy_recording, SpikeCount(), by="orientation", conditions=asked)


@pytest.mark.parametrize("gap", [None, np.nan], ids=["none", "nan"])
def test_trials_without_label_are_refused_unless_the_conditions_are_listed(recording_of, gap):
    recording = recording_of([[[1.0]], [[2.0]], [[3.0]], [[4.0]]], odour=["mint", gap, "citral", "mint"])
    with pytest.raises(InputError, match="missing for 1 trials, the first at position 1"):
        rdm(recording, SpikeCount(), by="odour")
    listed = rdm(recording, VictorPurpura(cost="1 Hz"), by="odour", conditions=["citral", "mint"])
    assert listed.dissimilarities.tolist() == [[1.5]]  # one repeat of citral: mean of 2 (edited) and 1 (moved)


def test_a_condition_with_one_repeat_gets_the_mean_and_refuses_the_unbiased(recording_of):
    recording = recording_of([[[1.0]], [[1.2]], [[3.0]]], odour=["mint", "mint", "citral"])
    assert rdm(recording, SpikeCount(), by="odour").rdm_descriptors["estimator"] == ["MeanDistance()"]
    with pytest.raises(InputError, match="condition 'citral' has 1"):
        rdm(recording, SpikeCount(), by="odour", estimator=BetweenMinusWithin())


def test_a_silent_condition_has_dissimilarities_like_any_other(noisy_recording):
    trial, _ = noisy_recording.spike_index()
    heard = (noisy_recording.trials["song"] != "song 30").to_numpy()[trial]
    silent = rebuilt(noisy_recording, heard)
    for estimator in (MeanDistance(), BetweenMinusWithin()):
        made = rdm(silent, METRICS, by="song", estimator=estimator)
        assert np.isfinite(made.dissimilarities).all()
        at = made.pattern_descriptors["condition"].index("song 30")
        others = [k for k in range(4) if k != at]
        assert (made.get_matrices()[:, at, others] > 0).all()
    d = distances(silent, METRICS)
    assert (within_condition(d, silent.trials["song"]).sel(condition="song 30") == 0).all()


def rebuilt(recording, keep):
    trial, unit = recording.spike_index()
    return Recording.from_arrays(
        times=recording.times[keep],
        unit=recording.units.index[unit[keep]],
        trial=recording.trials.index[trial[keep]],
        units=recording.units,
        trials=recording.trials,
    )


def test_a_recording_without_any_spike_is_all_zeros(noisy_recording):
    empty = rebuilt(noisy_recording, np.zeros(noisy_recording.times.size, bool))
    assert (rdm(empty, METRICS, by="song").dissimilarities == 0).all()


def test_silent_units_change_nothing_and_one_unit_is_enough(noisy_recording):
    _, unit = noisy_recording.spike_index()
    first_only = rebuilt(noisy_recording, unit == 0)
    alone = first_only.select(units=np.array([True, False, False]))
    assert alone.n_units == 1
    assert (rdm(first_only, METRICS, by="song").dissimilarities == rdm(alone, METRICS, by="song").dissimilarities).all()
    assert (
        rdm(alone, METRICS, by="song").dissimilarities != rdm(noisy_recording, METRICS, by="song").dissimilarities
    ).any()


def test_duplicated_spikes_count_twice(recording_of):
    recording = recording_of([[[1.0, 1.0]], [[1.0]], [[]]], odour=["twice", "once", "never"])
    made = rdm(recording, [SpikeCount(), VictorPurpura(cost="1 Hz"), VanRossum(tau="1 s")], by="odour")
    assert made.dissimilarities.tolist() == [[1.0, 2.0, 1.0]] * 3


def test_the_distance_within_a_condition_is_the_mean_over_its_pairs(noisy_recording):
    d = distances(noisy_recording, METRICS)
    of = Conditions.of(noisy_recording, "song")
    within = within_condition(d, of)
    naive = within_condition(d, of, MeanDistance())
    first = d.to_numpy()[:, of.index == 2][:, :, of.index == 2]
    upper = np.triu_indices(6, k=1)
    np.testing.assert_allclose(naive.sel(condition="song 30"), first[:, *upper].mean(axis=1), rtol=1e-13)
    np.testing.assert_allclose(within.sel(condition="song 30")[0], (first[0][upper] ** 2).mean(), rtol=1e-13)
    assert within.dims == ("metric", "condition")
    assert within["label"].to_numpy().tolist() == ["van Rossum", "Victor-Purpura", "spike count"]


def test_the_distance_within_a_single_trial_is_unknown(recording_of):
    recording = recording_of([[[1.0]], [[1.2]], [[3.0]]], odour=["mint", "mint", "citral"])
    within = within_condition(distances(recording, VictorPurpura(cost="1 Hz")), recording.trials["odour"])
    assert within.sel(condition="mint") == pytest.approx(0.2)
    assert np.isnan(within.sel(condition="citral"))
    with pytest.raises(InputError, match="2 condition labels for 3 trials"):
        within_condition(distances(recording, SpikeCount()), ["a", "b"])


def test_replicates_refuse_what_the_rdm_refuses(noisy_recording):
    d = distances(noisy_recording, SpikeCount())
    labels = noisy_recording.trials["song"].tolist()
    with pytest.raises(InputError, match="missing for 1"):
        replicates(d, [None, *labels[1:]])
