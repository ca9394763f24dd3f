"""How a recording is laid out, and what it refuses."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncompare.errors import InputError
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording

UNITS = pd.DataFrame({"area": ["V1", "V1", "LM"]}, index=["a", "b", "silent"])
TRIALS = pd.DataFrame({"start": -1.0, "stop": 1.0, "odour": ["mint", "mint", "citral"]}, index=[10, 20, 30])


def example(**changes):
    arguments = {
        "times": [0.5, -0.5, 0.1, 0.1],
        "unit": ["a", "a", "b", "b"],
        "trial": [10, 10, 20, 20],
        "units": UNITS,
        "trials": TRIALS,
    }
    return Recording.from_arrays(**(arguments | changes))


@given(st.data())
def test_any_order_of_rows_gives_the_trains_that_a_dictionary_gives(data):
    rows = data.draw(
        st.lists(
            st.tuples(st.floats(-1, 1), st.sampled_from(list(UNITS.index)), st.sampled_from(list(TRIALS.index))),
            max_size=30,
        )
    )
    recording = example(times=[r[0] for r in rows], unit=[r[1] for r in rows], trial=[r[2] for r in rows])
    for trial in TRIALS.index:
        for unit in UNITS.index:
            expected = sorted(t for t, u, i in rows if (u, i) == (unit, trial))
            assert recording.train(trial, unit).tolist() == expected
    trial, unit = recording.spike_index()
    again = example(times=recording.times, unit=UNITS.index[unit], trial=TRIALS.index[trial])
    assert again.equals(recording)
    assert recording.offsets.shape == (3 * 3 + 1,)


def test_silent_units_and_empty_trials_keep_their_rows():
    recording = example()
    assert (recording.n_trials, recording.n_units) == (3, 3)
    assert recording.train(30, "silent").size == 0
    assert recording.counts().sel(trial=30).to_numpy().tolist() == [0, 0, 0]
    assert example(times=[], unit=[], trial=[]).times.size == 0


def test_a_spike_may_lie_on_both_ends_of_the_window():
    assert example(times=[-1.0, 1.0], unit=["a", "a"], trial=[10, 10]).times.tolist() == [-1.0, 1.0]


def test_arrays_cannot_be_written_and_tables_are_copies():
    trials = TRIALS.copy()
    recording = example(trials=trials)
    trials["stop"] = 0.0
    assert recording.trials["stop"].tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        recording.times[0] = 3.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        recording.times = np.zeros(4)


def test_select_keeps_the_chosen_trains_and_their_marks():
    marks = Marks("event", pd.DataFrame({"trial": [30, 10], "start": [0.0, 0.1], "stop": [0.0, 0.1]}))
    recording = example(marks={"tone": marks})
    mint = recording.select(trials=recording.trials["odour"] == "mint", units=[True, False, True])
    assert list(mint.trials.index) == [10, 20]
    assert list(mint.units.index) == ["a", "silent"]
    assert mint.train(10, "a").tolist() == [-0.5, 0.5]
    assert mint.times.size == 2
    assert mint.marks["tone"].table["trial"].tolist() == [10]
    assert recording.select().equals(recording)


def test_labels_can_be_added_to_the_trials():
    recording = example().with_trials(repeat=[0, 1, 0], animal="mouse")
    assert recording.trials["repeat"].tolist() == [0, 1, 0]
    assert set(recording.trials["animal"]) == {"mouse"}
    with pytest.raises(InputError, match="2 values for 3 trials"):
        recording.with_trials(repeat=[0, 1])
    with pytest.raises(InputError, match="window of the trials"):
        recording.with_trials(stop=2.0)
    with pytest.raises(InputError, match="labelled differently"):
        recording.with_trials(repeat=pd.Series([0, 1, 2]))


def test_marks_stand_in_the_order_of_trial_then_time():
    table = pd.DataFrame({"trial": [30, 10, 10], "start": [0.0, 0.2, 0.1], "stop": [0.0, 0.2, 0.1], "n": [1, 2, 3]})
    recording = example().with_marks(tone=Marks("event", table))
    assert recording.marks["tone"].table["n"].tolist() == [3, 2, 1]


def test_equals_sees_one_bit():
    recording = example()
    moved = recording.times.copy()
    moved[0] = np.nextafter(moved[0], 1)
    assert not dataclasses.replace(recording, times=moved).equals(recording)
    assert not recording.with_trials(odour=["mint", "mint", "Citral"]).equals(recording)


BAD = {
    "NaN": ({"times": [0.5, np.nan, 0.1, 0.1]}, "1 spike times are not finite, the first at position 1"),
    "infinity": ({"times": [np.inf, 0, 0, 0.1]}, "not finite"),
    "text": ({"times": ["a", "b", "c", "d"]}, "must be numbers"),
    "outside": (
        {"times": [0.5, 1.5, 2.0, 0.1]},
        r"2 of 4 spikes lie outside .* at 1.5 s, unit 'a', in trial '10'",
    ),
    "lengths": ({"unit": ["a", "a", "b"]}, "times 4, unit 3, trial 4"),
    "unknown unit": ({"unit": ["a", "a", "b", "silnt"]}, "did you mean 'silent'"),
    "unknown trial": ({"trial": [10, 10, 20, 40]}, "1 rows name a trial .* no trial '40'"),
    "no length": ({"trials": TRIALS.assign(stop=-1.0)}, "3 trials have no positive length, the first is '10'"),
    "negative length": ({"trials": TRIALS.assign(stop=[1.0, -2.0, 1.0])}, r"the first is '20' \(-1 to -2 s\)"),
    "no stop": ({"trials": TRIALS.drop(columns="stop")}, "no column 'stop'"),
    "NaN start": ({"trials": TRIALS.assign(start=[0.0, np.nan, 0.0])}, "'start' of the trials table is not finite"),
    "text start": ({"trials": TRIALS.assign(start="0 s")}, "must be seconds"),
    "unit twice": ({"units": pd.DataFrame(index=["a", "b", "b"])}, "'b' stands 2 times"),
    "trial twice": ({"trials": TRIALS.set_axis([10, 20, 20])}, "trial names must be unique"),
    "no units": ({"units": UNITS.iloc[:0]}, "there are no units"),
    "unit names missing": ({"units": pd.DataFrame(index=["a", "b", None])}, "names are missing"),
    "list of units": ({"units": ["a", "b"]}, "pandas.DataFrame"),
    "levels": ({"units": pd.DataFrame(index=pd.MultiIndex.from_product([["a"], ["b"]]))}, "2 levels"),
    "provenance": ({"provenance": {"when": object()}}, "plain JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_error(name):
    changes, message = BAD[name]
    with pytest.raises(InputError, match=message) as caught:
        example(**changes)
    assert "\n" not in str(caught.value)


def test_contradicting_arrays_are_refused():
    recording = example()
    with pytest.raises(InputError, match="offsets must rise"):
        dataclasses.replace(recording, offsets=recording.offsets[:-1])
    with pytest.raises(InputError, match="sorted in time"):
        dataclasses.replace(recording, times=recording.times[::-1])


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ([True], "length 3"),
        ([1, 0, 1], "boolean"),
        ([False] * 3, "is empty"),
        (pd.Series([True] * 3), "labelled differently"),
    ],
)
def test_a_selection_that_does_not_fit_is_refused(mask, message):
    with pytest.raises(InputError, match=message):
        example().select(trials=mask)


def test_unknown_labels_of_a_train_name_the_nearest():
    with pytest.raises(InputError, match="did you mean 'silent'"):
        example().train(10, "silen")
    with pytest.raises(InputError, match="no trial 'x'"):
        example().train("x", "a")


@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        ("Event", {"trial": [10], "start": [0.0], "stop": [0.0]}, "kind 'event' or 'epoch'"),
        ("event", {"start": [0.0], "stop": [0.0]}, "no column 'trial'"),
        ("event", {"trial": [10], "start": [0.0], "stop": [1.0]}, "stop equal to start"),
        ("epoch", {"trial": [10], "start": [0.0], "stop": [-1.0]}, "1 marks stop before"),
        ("epoch", {"trial": [10], "start": [np.nan], "stop": [1.0]}, "not finite"),
        ("epoch", {"trial": [11], "start": [0.0], "stop": [1.0]}, "marks 'tone'"),
    ],
)
def test_bad_marks_are_refused(kind, table, message):
    with pytest.raises(InputError, match=message):
        example(marks={"tone": Marks(kind, pd.DataFrame(table))})
