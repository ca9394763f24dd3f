import dataclasses

import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.representation.distances import distances
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura


def test_one_metric_gives_a_matrix_labelled_by_trial(noisy_recording):
    d = distances(noisy_recording, VanRossum(tau="10 ms"))
    assert d.dims == ("trial", "trial_")
    assert d.sizes["trial"] == noisy_recording.n_trials
    assert (d["trial"].to_numpy() == noisy_recording.trials.index).all()
    assert d["label"] == "van Rossum"
    assert d["time_scale"] == 0.01
    assert bool(d["euclidean"])


def test_several_metrics_of_several_kinds_keep_their_order(noisy_recording):
    metrics = [VictorPurpura(cost="10 Hz"), VanRossum(tau="1 s"), VictorPurpura(cost="1 Hz"), SpikeCount()]
    d = distances(noisy_recording, metrics)
    assert d.dims == ("metric", "trial", "trial_")
    assert d["time_scale"].to_numpy()[:3].tolist() == [0.1, 1.0, 1.0]
    assert d["label"].to_numpy().tolist() == ["Victor-Purpura", "van Rossum", "Victor-Purpura", "spike count"]
    assert d["euclidean"].to_numpy().tolist() == [False, True, False, True]
    for k, metric in enumerate(metrics):
        assert (d[k].to_numpy() == distances(noisy_recording, metric).to_numpy()).all()


def test_distances_count_from_the_reference_of_the_trial(recording_of):
    """The same response in two trials is at distance 0, and its shift within the trial is not."""
    d = distances(recording_of([[[1.0, 2.0]], [[1.0, 2.0]], [[1.1, 2.1]]]), VictorPurpura(cost="1 Hz"))
    assert d[0, 1] == 0
    assert d[0, 2] == pytest.approx(0.2)


def test_empty_trials_and_silent_units_have_distances(recording_of):
    d = distances(recording_of([[[], []], [[1.0], []], [[], []]]), [VictorPurpura(cost="1 Hz"), VanRossum(tau="1 s")])
    expected = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert d.to_numpy().tolist() == [expected, expected]


@pytest.mark.parametrize("side", ["start", "stop"])
def test_trials_with_unlike_windows_are_refused(recording_of, side):
    recording = recording_of([[[1.0]], [[2.0]], [[3.0]]])
    trials = recording.trials.copy()
    trials.loc[trials.index[1], side] += 0.5
    with pytest.raises(InputError, match=r"one common window.*trial 0 has 0 to 10 s, trial 1 .*cut"):
        distances(dataclasses.replace(recording, trials=trials), SpikeCount())


def test_windows_may_differ_by_rounding(recording_of):
    recording = recording_of([[[1.0]], [[2.0]]])
    trials = recording.trials.copy()
    trials.loc[trials.index[1], "stop"] += 1e-12
    assert distances(dataclasses.replace(recording, trials=trials), SpikeCount())[0, 1] == 0


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        ([], "no metric"),
        ("van Rossum", "expected a metric"),
        (3, "expected a metric"),
        (VanRossum, "expected a metric"),
        ([VanRossum(tau="10 ms"), VanRossum(tau="0.01 s")], "given twice"),
    ],
)
def test_what_is_no_metric_is_refused(noisy_recording, metric, says):
    with pytest.raises(InputError, match=says):
        distances(noisy_recording, metric)


def test_distances_grow_with_precision_for_victor_purpura(noisy_recording):
    d = distances(noisy_recording, VictorPurpura.sweep(["1 ms", "10 ms", "100 ms", "1 s"])).to_numpy()
    assert (np.diff(d, axis=0) <= 1e-12).all()
