"""Cutting traces equals the definition, sample by sample, and refuses windows between samples."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncompare.errors import InputError
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording
from snncompare.recording.traces import trace_array

STEPS = 400


def continuous(onsets, *, dt=1e-3, first=0, n=STEPS, lasts=0.0, trials=("all",), stop=None):
    """Spikes on every sample, and a trace whose value is the number of the sample (from ``first``)."""
    onsets = np.asarray(onsets, float)
    stop = STEPS * dt if stop is None else stop
    steps = np.arange(first, first + n)
    values = np.broadcast_to(steps.astype(float), (len(trials), 2, n)).copy()
    values += 1000.0 * np.arange(len(trials))[:, None, None]
    kind = "epoch" if np.any(lasts) else "event"
    table = pd.DataFrame({"trial": trials[0], "start": onsets, "stop": onsets + lasts})
    return Recording.from_arrays(
        times=np.arange(STEPS) * dt,
        unit=["u"] * STEPS,
        trial=[trials[0]] * STEPS,
        units=pd.DataFrame(index=["silent", "u", "v"]),
        trials=pd.DataFrame({"start": 0.0, "stop": stop}, index=list(trials)),
        marks={"tone": Marks(kind, table)},
        traces={
            "hidden.v": trace_array(
                values, trials=pd.Index(trials), units=pd.Index(["u", "v"]), time=steps * dt, unit="volt", dt=dt
            )
        },
    )


@given(
    st.lists(st.integers(60, 340), min_size=1, max_size=6),
    st.integers(-60, 30),
    st.integers(1, 30),
    st.sampled_from([1e-3, 1e-4, 0.1e-3, 5e-4, 1 / 3]),
)
def test_samples_and_spikes_on_them_are_cut_alike(onsets, begin, length, dt):
    recording = continuous([k * dt for k in onsets], dt=dt)
    cut = recording.cut("tone", (f"{begin * dt!r} s", f"{(begin + length) * dt!r} s"))
    trace = cut.traces["hidden.v"]
    assert trace.shape == (len(onsets), 2, length)
    assert np.array_equal(trace["time"].to_numpy(), np.arange(begin, begin + length) * dt)
    assert trace["trial"].to_numpy().tolist() == list(cut.trials.index)
    for i, onset in enumerate(sorted(onsets)):
        assert trace.values[i, 0].tolist() == list(range(onset + begin, onset + begin + length))
        # Spikes keep the rounding of the subtraction; their number tells that they are the same samples.
        assert abs(cut.train(i, "u").size - length) <= 1


def test_a_window_takes_its_first_sample_and_not_its_last():
    cut = continuous([0.1]).cut("tone", ("-2 ms", "3 ms"))
    assert cut.traces["hidden.v"].values[0, 0].tolist() == [98, 99, 100, 101, 102]


def test_a_sample_on_the_end_of_the_recording_belongs_to_no_window_that_ends_there():
    cut = continuous([], n=STEPS + 1).cut_windows("100 ms")
    assert cut.traces["hidden.v"].shape == (4, 2, 100)
    assert cut.traces["hidden.v"].values.max() == STEPS - 1


def test_consecutive_windows_hold_every_sample_once():
    recording = continuous([], trials=("x", "y"))
    windows = recording.cut_windows("70 ms")
    trace = windows.traces["hidden.v"]
    assert trace.shape == (10, 2, 70)
    joined = trace.values[:, 1].reshape(2, 350)
    assert np.array_equal(joined, np.arange(350.0) + np.array([[0.0], [1000.0]]))
    assert np.array_equal(trace["time"].to_numpy(), np.arange(70) * 1e-3)


def test_epochs_of_different_length_end_in_nan():
    trace = continuous([0.1, 0.2], lasts=np.array([0.002, 0.004])).cut("tone").traces["hidden.v"]
    np.testing.assert_array_equal(trace.values[:, 0], [[100, 101, np.nan, np.nan], [200, 201, 202, 203]])


def test_what_the_trace_does_not_cover_is_nan():
    recording = continuous([0.1, 0.2, 0.3], first=199, n=3)
    trace = recording.cut("tone", ("-2 ms", "3 ms")).traces["hidden.v"]
    assert np.isnan(trace.values[[0, 2]]).all()
    assert trace.values[1, 0].tolist() == [199, 200, 201]
    assert trace["time"].to_numpy().tolist() == [-1e-3, 0.0, 1e-3]


def test_onsets_equally_far_between_samples_keep_their_exact_times():
    trace = continuous([0.1003, 0.2003]).cut("tone", ("0 s", "2 ms")).traces["hidden.v"]
    assert trace.values[:, 0].tolist() == [[101, 102], [201, 202]]
    # 16 decimals: differences of times of 0.1 s are rounded by 1e-17 s.
    np.testing.assert_allclose(trace["time"].to_numpy(), [0.7e-3, 1.7e-3], rtol=0, atol=1e-16)


def test_windows_between_samples_are_refused_with_the_way_out():
    recording = continuous([0.1, 0.2004])
    message = r"do not fall on the samples of trace 'hidden\.v': window 1 begins 100\.4 samples .* interval of 0\.001 s"
    with pytest.raises(InputError, match=message) as caught:
        recording.cut("tone", ("0 s", "10 ms"))
    assert "Recording.select(traces=" in str(caught.value)
    assert recording.select(traces=[]).cut("tone", ("0 s", "10 ms")).n_trials == 2
    with pytest.raises(InputError, match=r"window 1 begins 10\.5 samples"):
        recording.cut_windows("10.5 ms")
    assert recording.cut_windows("10 ms").traces["hidden.v"].sizes["time"] == 10


def test_windows_without_a_sample_are_refused():
    with pytest.raises(InputError, match=r"no window holds a sample of trace 'hidden\.v'"):
        continuous([0.1], first=300, n=10).cut("tone", ("0 s", "10 ms"))
    with pytest.raises(InputError, match="no window holds a sample"):
        continuous([0.1003]).cut("tone", ("0 ms", "0.5 ms"))


def test_a_long_recording_is_cut_on_the_sample():
    """At 1e7 s floats are 2e-9 s apart, more than the millionth of a sample that is allowed for decimals."""
    dt, first = 1e-4, 10**11
    recording = continuous([(first + 10) * dt, (first + 20) * dt], dt=dt, first=first, n=30, stop=2e7)
    trace = recording.cut("tone", ("0 s", "0.5 ms")).traces["hidden.v"]
    assert (trace.values[:, 0] - first).tolist() == [[10, 11, 12, 13, 14], [20, 21, 22, 23, 24]]


def test_trials_are_cut_in_their_own_time():
    recording = continuous([0.1], trials=("x", "y"))
    table = pd.DataFrame({"trial": ["y", "x"], "start": [0.2, 0.1], "stop": [0.2, 0.1]})
    cut = recording.with_marks(tone=Marks("event", table)).cut("tone", ("0 s", "2 ms"))
    assert cut.trials["source_trial"].tolist() == ["x", "y"]
    assert cut.traces["hidden.v"].values[:, 0].tolist() == [[100, 101], [1200, 1201]]
