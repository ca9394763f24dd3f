"""Traces beside the spikes: what a recording takes, refuses, carries along and says of them."""

import dataclasses
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from snncompare.errors import InputError
from snncompare.recording.inspect import describe
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording
from snncompare.recording.traces import trace_array

UNITS = pd.DataFrame({"area": ["V1", "V1", "LM"]}, index=["a", "b", "c"])
TRIALS = pd.DataFrame({"start": 0.0, "stop": [1.0, 1.0, 0.5], "odour": ["mint", "mint", "citral"]}, index=[10, 20, 30])
DT = 0.1


def voltages(n_trials=3, n_units=2, n_samples=5):
    return -0.07 + 0.001 * np.arange(float(n_trials * n_units * n_samples)).reshape(n_trials, n_units, n_samples)


def trace(values=None, *, trials=TRIALS.index, units=("a", "c"), time=None, unit="volt", dt=None):
    values = voltages() if values is None else values
    time = np.arange(values.shape[2]) * DT if time is None else time
    return trace_array(values, trials=pd.Index(trials), units=pd.Index(units), time=time, unit=unit, dt=dt)


def recording(**traces):
    return Recording.from_arrays(
        times=[0.5, 0.1],
        unit=["a", "b"],
        trial=[10, 20],
        units=UNITS,
        trials=TRIALS,
        traces={name.replace("_", "."): value for name, value in traces.items()},
    )


def test_a_trace_is_found_by_labels_and_seconds():
    given = voltages()
    held = recording(hidden_v=trace(given)).traces["hidden.v"]
    assert held.dims == ("trial", "unit", "time")
    assert held.attrs == {"unit": "volt", "dt": DT}
    assert held.name == "hidden.v"
    assert held.dtype == np.float64
    assert float(held.sel(trial=20, unit="c", time=DT)) == given[1, 1, 1]
    assert np.array_equal(held.values, given)


def test_without_traces_nothing_is_different_and_xarray_is_not_loaded():
    assert recording().traces == {}
    assert repr(recording()).endswith("marks [])")
    assert "Trace" not in describe(recording())
    code = (
        "import pandas as pd, sys, snncompare as sc\n"
        "r = sc.Recording.from_arrays(times=[], unit=[], trial=[], units=pd.DataFrame(index=['a']),"
        " trials=pd.DataFrame({'start': [0.0], 'stop': [1.0]}), marks=None)\n"
        "r.select(units=[True]).cut_windows('1 s').equals(r)\n"
        "print('xarray' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_values_are_a_copy_that_cannot_be_written():
    given = trace()
    held = recording(hidden_v=given)
    given.values[...] = 0.0
    assert not (held.traces["hidden.v"].values == 0.0).any()
    with pytest.raises(ValueError, match="read-only"):
        held.traces["hidden.v"].values[0, 0, 0] = 3.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        held.traces = {}


def test_values_that_nobody_can_write_are_shared_and_a_view_of_writable_ones_is_not():
    owned = voltages().copy()
    owned.setflags(write=False)
    held = recording(v=trace(owned))
    assert np.shares_memory(held.traces["v"].values, owned)
    assert np.shares_memory(held.with_trials(n=1).select().traces["v"].values, owned)
    base = voltages().copy()
    view = base[...]
    view.setflags(write=False)
    assert not np.shares_memory(recording(v=trace(view)).traces["v"].values, base)


def test_float32_stays_and_whole_numbers_become_float64():
    assert recording(v=trace(voltages().astype(np.float32))).traces["v"].dtype == np.float32
    assert recording(v=trace(np.ones((3, 2, 5), dtype=np.int8), unit="1")).traces["v"].dtype == np.float64


def test_samples_at_multiples_of_dt_give_dt_back_to_the_last_bit():
    time = np.arange(14) * 1e-4
    assert time[-1] / 13 != 1e-4
    held = recording(v=trace(voltages(n_samples=14), time=time)).traces["v"]
    assert held.attrs["dt"] == 1e-4


def test_one_sample_needs_its_interval():
    one = voltages(n_samples=1)
    assert recording(v=trace(one, dt=DT)).traces["v"].attrs["dt"] == DT
    with pytest.raises(InputError, match="has one sample; give its interval"):
        recording(v=trace(one))


def test_what_was_not_recorded_is_nan_also_after_a_shorter_trial():
    values = voltages(n_samples=10)
    with pytest.raises(InputError, match=r"samples outside the window of trial '30', which lasts from 0 to 0\.5 s"):
        recording(v=trace(values))
    values[2, :, 6:] = np.nan
    values[0, 1] = np.nan
    assert np.isnan(recording(v=trace(values)).traces["v"].values).sum() == 10 + 2 * 4


def broken(**changes):
    return lambda: trace(**changes)


def with_infinity():
    values = voltages()
    values[1, 0, 3] = -np.inf
    return trace(values)


def uneven():
    return trace(time=np.array([0.0, 0.1, 0.2, 0.31, 0.4]))


BAD = {
    "an array": (voltages, "must be an xarray.DataArray with dimensions trial, unit, time, got ndarray"),
    "dimensions in another order": (
        lambda: trace().transpose("trial", "time", "unit"),
        "dimensions trial, unit, time in this order; it has trial, time, unit",
    ),
    "dimensions missing": (lambda: trace().isel(unit=0), "it has trial, time"),
    "no samples": (lambda: trace().isel(time=slice(0)), r"is empty, of shape \(3, 2, 0\)"),
    "no coordinates": (lambda: xr.DataArray(voltages(), dims=("trial", "unit", "time")), "no others; it has none"),
    "more coordinates": (lambda: trace().assign_coords(area="V1"), "it has trial, unit, time, area"),
    "more attributes": (lambda: trace().assign_attrs(author="x"), "has the attributes author"),
    "an unknown unit": (broken(units=["a", "d"]), "trace 'v': 1 rows name a unit .* no unit 'd'"),
    "an unknown trial": (broken(trials=[10, 20, 40]), "trace 'v': 1 rows name a trial .* no trial '40'"),
    "a trial too few": (broken(values=voltages(2), trials=[10, 20]), "must have the 3 trials .* got 2"),
    "trials in another order": (broken(trials=[20, 10, 30]), "3 trials of the recording in their order"),
    "units in another order": (broken(units=["c", "a"]), "in the order of the units table"),
    "a unit twice": (broken(units=["a", "a"]), "each once"),
    "uneven times": (uneven, r"even steps, here from 0 s by 0\.1 s; sample 3 is at 0\.31 s"),
    "falling times": (broken(time=-np.arange(5) * DT), r"must rise in even steps, here from -?0 s by -0\.1 s"),
    "times that stand still": (broken(time=np.zeros(5)), "must rise in even steps"),
    "times that are missing": (broken(time=np.full(5, np.nan)), "must be finite numbers in seconds"),
    "times as text": (broken(time=np.array(list("abcde"))), "must be finite numbers in seconds, got <U1"),
    "another dt": (broken(dt=0.2), r"by 0\.2 s; sample 1 is at 0\.1 s"),
    "a dt that is text": (broken(dt="0.1 s"), "dt of trace 'v' must be a positive number of seconds"),
    "a dt that is true": (broken(dt=True), "dt of trace 'v' must be a positive number of seconds, got True"),
    "a dt that is no time": (broken(dt=0.0), "dt of trace 'v' must be a positive number of seconds"),
    "infinity": (
        with_infinity,
        r"infinite in 1 samples, the first in trial '20', unit 'a', at 0\.3 s; .* NaN stands for",
    ),
    "truth values": (broken(values=voltages() > 0), "must hold numbers, got bool"),
    "objects": (broken(values=voltages().astype(object)), "must hold numbers, got object"),
    "before the trial": (broken(time=np.arange(5) * DT - 0.1), "samples outside the window of trial '10'"),
    "no unit of measurement": (lambda: trace().drop_attrs(), "such as 'volt' .* it says None"),
    "a blank unit of measurement": (broken(unit=" "), "it says ' '"),
    "a unit of measurement that does not exist": (broken(unit="vlot"), "trace 'v': no unit 'vlot'"),
    "millivolts": (broken(unit="mV"), "'mV', but traces are in SI units .* multiply it by 0.001"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_trace_that_does_not_fit_is_one_clear_error(name):
    make, message = BAD[name]
    with pytest.raises(InputError, match=message) as caught:
        recording(v=make())
    assert "\n" not in str(caught.value)


def test_names_are_text_and_traces_a_mapping():
    for name in (3, ""):
        with pytest.raises(InputError, match=r"the name of a trace is text such as .* got (3|'')"):
            dataclasses.replace(recording(), traces={name: trace()})
    with pytest.raises(InputError, match=r"traces are a mapping .* got list"):
        dataclasses.replace(recording(), traces=[trace()])


@pytest.mark.parametrize("unit", ["1", "volt", "siemens/metre**2", "kilogram * metre ** -2", "V"])
def test_every_si_unit_is_taken_as_it_is_written(unit):
    assert recording(v=trace(unit=unit)).traces["v"].attrs["unit"] == unit


def test_select_keeps_the_samples_of_the_chosen_trials_and_units():
    values = voltages()
    held = recording(v=trace(values), w=trace(values[:, :1], units=["b"]))
    part = held.select(trials=[True, False, True], units=[False, True, True])
    assert list(part.traces) == ["v", "w"]
    assert part.traces["v"]["unit"].to_numpy().tolist() == ["c"]
    assert np.array_equal(part.traces["v"].values, values[[0, 2], 1:])
    with pytest.raises(ValueError, match="read-only"):
        part.traces["v"].values[...] = 0
    assert list(held.select(units=[True, False, False]).traces) == ["v"]
    assert held.select().equals(held)


def test_select_keeps_the_traces_that_are_named():
    held = recording(v=trace(), w=trace())
    assert list(held.select(traces=["w"]).traces) == ["w"]
    assert held.select(traces=[]).traces == {}
    with pytest.raises(InputError, match="no trace 'vv'; did you mean 'v'"):
        held.select(traces=["vv"])
    with pytest.raises(InputError, match=r"by a list of names, for example \['v'\]"):
        held.select(traces="v")


def test_labels_and_marks_leave_traces_as_they_are():
    held = recording(hidden_v=trace())
    tone = Marks("event", pd.DataFrame({"trial": [10], "start": [0.0], "stop": [0.0]}))
    for changed in (held.with_trials(animal="x"), held.with_marks(tone=tone)):
        assert changed.traces["hidden.v"].identical(held.traces["hidden.v"])


def test_equals_sees_the_precision_of_equal_values():
    ones = np.ones((3, 2, 5))
    assert recording(v=trace(ones)).equals(recording(v=trace(ones.astype(int))))
    assert not recording(v=trace(ones)).equals(recording(v=trace(ones.astype(np.float32))))


def test_equals_sees_one_bit_one_label_one_time_one_unit_and_one_name():
    values = voltages()
    values[0, 0, 0] = np.nan
    held = recording(v=trace(values))
    assert held.equals(recording(v=trace(values.copy())))
    moved = values.copy()
    moved[1, 1, 1] = np.nextafter(moved[1, 1, 1], 1)
    filled = np.nan_to_num(values)
    later = np.arange(5) * DT
    later[4] = np.nextafter(later[4], 1)
    for other in (
        trace(moved),
        trace(filled),
        trace(values, units=["a", "b"]),
        trace(values, time=later),
        trace(values, unit="amp"),
    ):
        assert not held.equals(recording(v=other))
    assert not held.equals(recording(w=trace(values)))
    assert not held.equals(recording())
    assert not recording().equals(held)


def test_traces_are_named_with_their_sampling_and_range():
    values = voltages()
    values[:, 1] = np.nan
    held = recording(hidden_v=trace(values), w=trace(np.full((3, 2, 5), np.nan), unit="1"))
    text = describe(held)
    assert "Trace 'hidden.v' (volt): 2 units, one sample every 0.1 s from 0 to 0.4 s\n" in text
    assert "  values from -0.07 to -0.046 volt\n  not recorded: 50 % of the samples\n" in text
    assert text.endswith(
        "Trace 'w' (1): 2 units, one sample every 0.1 s from 0 to 0.4 s\n  not recorded: 100 % of the samples"
    )
    assert repr(held).endswith("traces ['hidden.v', 'w'])")
