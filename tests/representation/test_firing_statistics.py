import numpy as np
import pandas as pd
import pytest

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.recording.interval_statistics import interval_statistics
from snncompare.recording.recording import Recording
from snncompare.representation.firing_statistics import firing_statistics
from snncompare.representation.label_information import label_information
from snncompare.testing.ground_truth import Design, rate_code, synchrony_code


def recording_of(trains, duration=10.0, **labels):
    """Trains (n_trials, n_units) of times."""
    n_units = len(trains[0])
    counts = [len(train) for trial in trains for train in trial]
    return Recording(
        times=np.concatenate([np.sort(train) for trial in trains for train in trial]),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        units=pd.DataFrame(index=[f"u{j}" for j in range(n_units)]),
        trials=pd.DataFrame({"start": 0.0, "stop": duration, **labels}, index=range(len(trains))),
    )


def renewal(shape, n_trials=40, rate=20.0, duration=10.0, seed=0):
    """Gamma intervals: CV = 1 / sqrt(shape); a start far before the window makes the process stationary."""
    rng = np.random.default_rng(seed)
    times = [
        np.cumsum(rng.gamma(shape, 1 / (shape * rate), int(rate * (duration + 5) * 2))) - 5 for _ in range(n_trials)
    ]
    return recording_of([[t[(t > 0) & (t < duration)]] for t in times], duration)


@pytest.mark.parametrize("shape", [1, 4])
def test_gamma_intervals_have_the_variability_theory_says(shape):
    found = firing_statistics(renewal(shape))
    # 8000 intervals: CV is known to 1 %; counts of 40 trials: variance to 23 % (sqrt(2 / 39)), three of which are 70 %
    assert found.summary["cv"] == pytest.approx(shape**-0.5, rel=0.04)
    assert found.summary["fano"] == pytest.approx(1 / shape, rel=0.7)  # of long windows: the squared CV (Cox 1962)
    assert found.summary["rate"] == pytest.approx(20, rel=0.04)
    if shape == 1:
        assert found.summary["cv2"] == pytest.approx(1, abs=0.03)  # Poisson (Holt et al. 1996)


def test_cv2_ignores_slow_changes_of_rate_and_cv_does_not():
    rng = np.random.default_rng(0)
    slow = [np.concatenate([np.sort(rng.uniform(0, 5, 400)), np.sort(rng.uniform(5, 10, 40))])]
    found = firing_statistics(recording_of([slow] * 5)).summary
    assert found["cv2"] == pytest.approx(1, abs=0.1)
    assert found["cv"] > 1.5


def test_unit_statistics_are_those_of_single_trains():
    recording = rate_code(Design(conditions=3, repeats=1, units=4), depth=0.0)
    one = recording.select(trials=[True, False, False])
    found, train = firing_statistics(one).units, interval_statistics(one).droplevel("trial")
    for column in ("rate", "cv", "cv2"):
        assert np.allclose(found[column], train[column], rtol=1e-12)
    both = firing_statistics(recording).units
    assert not np.allclose(both["cv"], found["cv"])  # control: more trials, other numbers


def test_fano_factors_are_within_classes():
    rng = np.random.default_rng(0)
    n = np.where(np.arange(200) % 2, 40, 4)
    trains = [[rng.uniform(0, 10, rng.poisson(k)), rng.uniform(0, 10, 5)] for k in n]
    recording = recording_of(trains, which=np.arange(200) % 2)
    by_class = firing_statistics(recording, "which").fano
    poisson = by_class[by_class["unit"] == "u0"]
    assert np.allclose(poisson["fano"], 1, atol=3 * np.sqrt(2 / 99))  # three standard errors of a variance of 100
    assert np.allclose(poisson["mean"], [4, 40], rtol=0.15)
    assert (by_class.loc[by_class["unit"] == "u1", "fano"] == 0).all()  # 5 in every trial
    assert firing_statistics(recording).fano["fano"].iloc[0] > 10  # control: stimuli mixed


def test_synchrony_is_beyond_what_shuffled_trials_have():
    together, apart = (
        firing_statistics(synchrony_code(Design(conditions=2, repeats=15, units=8, layout="line"), depth=d)).summary
        for d in (0.9, 0.0)
    )
    assert together["synchrony"] - together["synchrony_shuffled"] > 0.1
    assert abs(apart["synchrony"] - apart["synchrony_shuffled"]) < 0.02


def test_identical_trains_are_in_perfect_synchrony_and_so_is_a_common_response():
    train = np.array([0.1, 0.5, 0.9])
    found = firing_statistics(recording_of([[train, train]] * 4, 1.0)).summary
    assert found["synchrony"] == found["synchrony_shuffled"] == 1


def test_silence_is_counted_and_nothing_is_made_up():
    empty = np.empty(0)
    found = firing_statistics(recording_of([[[0.2], empty], [empty, empty]], 1.0))
    assert found.units["silent"].tolist() == [0.5, 1.0]
    assert found.units["latency"].iloc[0] == 0.2
    assert np.isnan(found.units["latency"].iloc[1])
    assert found.summary["silent_units"] == 0.5
    assert found.summary["silent_trains"] == 0.75
    for name in ("cv", "cv2", "median_interval", "synchrony"):
        assert np.isnan(found.summary[name])
    assert found.intervals.size == 0


def test_intervals_do_not_reach_over_trains():
    found = firing_statistics(recording_of([[[0.1, 0.4], [0.5, 0.6]], [[0.7], [0.8]]], 1.0))
    assert np.allclose(found.intervals, [0.3, 0.1])


def test_what_was_drawn_is_said():
    recording = rate_code(Design(conditions=3, repeats=10, units=12))
    some = firing_statistics(recording, "condition", most_trials=9, most_units=4)
    assert len(some.synchrony) == 9
    assert [said.split(",")[0] for said in some.statements] == [
        "Synchrony of 9 of 30 trials",
        "Synchrony of 4 of 12 units that fire",
    ]
    assert firing_statistics(recording, "condition").statements == ()


def test_trials_of_unequal_length_are_pointed_out():
    recording = rate_code(Design(conditions=2, repeats=3, units=2))
    longer = recording.trials.assign(stop=0.5 + 0.1 * np.arange(6))
    unlike = Recording(times=recording.times, offsets=recording.offsets, units=recording.units, trials=longer)
    assert firing_statistics(unlike).statements == ("Trials last 0.5 to 1 s: Fano factors hold that, too.",)
    assert firing_statistics(recording).statements == ()


def test_a_dataset_is_refused_with_the_way_to_its_recording():
    recording = rate_code(Design(conditions=2, repeats=2, units=2))
    dataset = SpikeDataset(spikes=recording, label="condition", name="codes")
    for refused in (firing_statistics, label_information):
        with pytest.raises(InputError, match=r"take dataset.spikes, or dataset.recording\(indices\)") as told:
            refused(dataset, "condition")
        assert "\n" not in str(told.value)
    assert firing_statistics(dataset.spikes, "condition").summary["trials"] == 4  # control


def test_a_column_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="did you mean 'condition'"):
        firing_statistics(rate_code(Design(conditions=2, repeats=2, units=2)), "conditions")
