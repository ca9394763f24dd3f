"""Cutting recordings into trials equals the definition, spike by spike."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.errors import InputError, UnitError
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording


def continuous(onsets, *, seed=0, stop=10.0, n=300, kind="event", lasts=0.0, **labels):
    rng = np.random.default_rng(seed)
    onsets = np.asarray(onsets, float)
    table = pd.DataFrame({"trial": "all", "start": onsets, "stop": onsets + lasts, **labels})
    return Recording.from_arrays(
        times=rng.random(n) * stop,
        unit=rng.integers(0, 3, n),
        trial=["all"] * n,
        units=pd.DataFrame(index=range(3)),
        trials=pd.DataFrame({"start": [0.0], "stop": [stop], "animal": ["x"]}, index=["all"]),
        marks={"tone": Marks(kind, table)},
    )


@given(
    st.lists(st.floats(1, 8), min_size=1, max_size=8),
    st.floats(-1, 0.5).map(lambda x: round(x, 3)),
    st.floats(0.01, 1.4).map(lambda x: round(x, 3)),
    st.integers(0, 1000),
)
def test_a_cut_equals_the_definition(onsets, begin, length, seed):
    recording = continuous(onsets, seed=seed)
    end = round(begin + length, 3)
    trials = recording.cut("tone", (f"{begin} s", f"{end} s"))
    assert trials.n_trials == len(onsets)
    for i, onset in enumerate(sorted(onsets)):
        for unit in range(3):
            train = recording.train("all", unit)
            expected = train[(train >= onset + begin) & (train < onset + end)] - onset
            np.testing.assert_allclose(trials.train(i, unit), expected, rtol=0, atol=1e-14)


def test_the_new_trials_carry_onset_labels_and_source():
    recording = continuous([4.0, 2.0], odour=["mint", "citral"], animal=["y", "z"])
    trials = recording.cut("tone", ("-1 s", "500 ms")).trials
    assert trials["onset"].tolist() == [2.0, 4.0]
    assert trials["odour"].tolist() == ["citral", "mint"]
    assert trials["animal"].tolist() == ["z", "y"]
    assert trials["source_animal"].tolist() == ["x", "x"]
    assert trials["source_trial"].tolist() == ["all", "all"]
    assert (trials["start"].iloc[0], trials["stop"].iloc[0]) == (-1.0, 0.5)


def test_epochs_cut_at_their_own_length_and_events_ask_for_a_window():
    recording = continuous([1.0, 3.0], kind="epoch", lasts=[0.5, 2.0])
    assert recording.cut("tone").trials["stop"].tolist() == [0.5, 2.0]
    with pytest.raises(InputError, match="give a window"):
        continuous([1.0]).cut("tone")


def test_several_source_trials_are_cut_each_in_its_own_time():
    table = pd.DataFrame({"trial": ["b", "a"], "start": [0.5, 0.2], "stop": [0.5, 0.2]})
    recording = Recording.from_arrays(
        times=[0.3, 0.6, 0.3, 0.7],
        unit=[0, 0, 0, 0],
        trial=["a", "a", "b", "b"],
        units=pd.DataFrame(index=[0]),
        trials=pd.DataFrame({"start": 0.0, "stop": 1.0}, index=["a", "b"]),
        marks={"tone": Marks("event", table)},
    )
    cut = recording.cut("tone", ("0 s", "0.5 s"))
    assert cut.trials["source_trial"].tolist() == ["a", "b"]
    np.testing.assert_allclose(cut.train(0, 0), [0.1, 0.4])
    np.testing.assert_allclose(cut.train(1, 0), [0.2])


def test_marks_that_touch_a_window_come_along():
    recording = continuous([2.0, 6.0])
    light = pd.DataFrame({"trial": "all", "start": [1.9, 5.0, 9.0], "stop": [2.2, 7.0, 9.5], "n": [1, 2, 3]})
    cut = recording.with_marks(light=Marks("epoch", light)).cut("tone", ("0 s", "1 s"))
    table = cut.marks["light"].table
    assert table["n"].tolist() == [1, 2]
    assert table["trial"].tolist() == [0, 1]
    np.testing.assert_allclose(table["start"], [-0.1, -1.0])
    assert cut.marks["tone"].table["start"].tolist() == [0.0, 0.0]


@settings(max_examples=30)
@given(st.integers(7, 999), st.integers(0, 100))
def test_consecutive_windows_hold_every_spike_once(milliseconds, seed):
    recording = continuous([], seed=seed, n=100)
    windows = recording.cut_windows(f"{milliseconds} ms")
    covered = windows.trials["onset"].iloc[-1] + milliseconds * 1e-3
    for unit in range(3):
        joined = np.concatenate([windows.train(i, unit) + windows.trials["onset"][i] for i in range(windows.n_trials)])
        train = recording.train("all", unit)
        np.testing.assert_allclose(joined, train[train < covered], rtol=0, atol=1e-12)
    assert windows.provenance["left_out_s"] == pytest.approx(10.0 - covered, abs=1e-9)


def test_a_spike_on_the_very_end_of_the_recording_is_kept():
    recording = Recording.from_arrays(
        times=[0.5, 1.0],
        unit=[0, 0],
        trial=[0, 0],
        units=pd.DataFrame(index=[0]),
        trials=pd.DataFrame({"start": [0.0], "stop": [1.0]}),
    )
    windows = recording.cut_windows("500 ms")
    assert [windows.train(i, 0).tolist() for i in range(2)] == [[], [0.0, 0.5]]


def test_windows_beyond_the_recording_are_refused_and_counted():
    with pytest.raises(InputError, match=r"2 of 3 windows at 'tone' reach beyond .* from 9.5 to 10.5 s"):
        continuous([1.0, 9.5, 9.9]).cut("tone", ("0 s", "1 s"))
    assert continuous([1.0, 9.0]).cut("tone", ("0 s", "1 s")).n_trials == 2


@pytest.mark.parametrize(
    ("name", "window", "message"),
    [
        ("tune", ("0 s", "1 s"), "did you mean 'tone'"),
        ("tone", ("1 s", "0 s"), "must end after"),
        ("tone", "1 s", "two times"),
    ],
)
def test_cuts_that_make_no_sense_are_refused(name, window, message):
    with pytest.raises(InputError, match=message):
        continuous([1.0]).cut(name, window)
    with pytest.raises(InputError, match="nothing to cut"):
        continuous([]).cut("tone", ("0 s", "1 s"))
    with pytest.raises(UnitError):
        continuous([1.0]).cut("tone", (0, 1))


def test_windows_longer_than_a_trial_are_refused():
    with pytest.raises(InputError, match="do not fit into 1 of 1 trials; the shortest lasts 10 s"):
        continuous([]).cut_windows("11 s")
    with pytest.raises(InputError, match="positive"):
        continuous([]).cut_windows("0 s")


def test_the_part_between_two_times_keeps_labels_onsets_and_marks():
    from snncompare.recording.cutting import cut_at_zero

    trials = pd.DataFrame({"start": -1.0, "stop": 1.0, "onset": [5.0, 9.0], "odour": ["x", "y"]}, index=["p", "q"])
    marks = {"puff": Marks("epoch", pd.DataFrame({"trial": ["p"], "start": [0.1], "stop": [0.2]}))}
    whole = Recording.from_arrays(
        times=[-0.5, 0.25, 0.5],
        unit=["a"] * 3,
        trial=["p", "p", "q"],
        units=pd.DataFrame(index=["a"]),
        trials=trials,
        marks=marks,
    )
    part = cut_at_zero(whole, ("0 s", "0.5 s"))
    assert part.times.tolist() == [0.25]
    assert part.trials[["onset", "odour"]].to_numpy().tolist() == [[5.0, "x"], [9.0, "y"]]
    assert list(part.marks) == ["puff"]
    assert cut_at_zero(whole, ("-1 s", "0 s")).times.tolist() == [-0.5]
