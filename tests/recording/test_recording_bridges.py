"""Spikes from and to xarray, pandas, lists of Neo's SpikeTrains, Elephant's trials, rasters and Brian2's monitors."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from snncompare.errors import InputError
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording
from snncompare.recording.traces import trace_array


def recording(**changes):
    rng = np.random.default_rng(1)
    trial, unit = rng.integers(0, 3, 60), rng.integers(0, 2, 60)
    trials = pd.DataFrame(
        {"start": 0.0, "stop": [1.0, 1.0, 2.0], "odour": pd.Categorical(["x", "y", "x"])}, index=["p", "q", "r"]
    )
    given = {
        "times": rng.uniform(0, 1, 60),
        "unit": np.array(["a", "b", "silent"])[unit],
        "trial": np.array(["p", "q", "r"])[trial],
        "units": pd.DataFrame({"area": ["V1", "V1", "LM"], "depth": [1.5, 2.5, np.nan]}, index=["a", "b", "silent"]),
        "trials": trials,
        "marks": {"puff": Marks("epoch", pd.DataFrame({"trial": ["q"], "start": 0.1, "stop": 0.2}))},
        "provenance": {"source": {"file": "x"}},
    }
    return Recording.from_arrays(**(given | changes))


def test_xarray_and_back_is_the_same_recording():
    values = np.arange(18.0).reshape(3, 2, 3)
    trace = trace_array(
        values, trials=pd.Index(["p", "q", "r"]), units=pd.Index(["a", "b"]), time=np.array([0, 0.1, 0.2]), unit="volt"
    )
    given = recording(traces={"cell.v": trace})
    dataset = given.to_xarray()
    assert dict(dataset.sizes)["event"] == 60
    assert dataset["offsets"].size == 3 * 3 + 1
    k = int(np.flatnonzero((dataset["event_trial"] == 1) & (dataset["event_unit"] == 1))[0])
    assert dataset["time"][k] == given.train("q", "b")[0]
    assert dataset["trial_odour"].to_numpy().tolist() == ["x", "y", "x"]
    again = Recording.from_xarray(dataset)
    assert again.equals(given)
    assert again.provenance == given.provenance


def test_a_dataset_of_another_program_needs_names_of_trials_units_and_spikes_only():
    dataset = xr.Dataset(
        {"time": ("event", [0.3, 0.1]), "start": ("trial", [0.0, 0.0]), "stop": ("trial", [1.0, 1.0])},
        coords={
            "trial": [5, 6],
            "unit": ["a"],
            "event_trial": ("event", [1, 1]),
            "event_unit": ("event", [0, 0]),
            "trial_odour": ("trial", ["x", "y"]),
        },
    )
    made = Recording.from_xarray(dataset)
    assert made.train(6, "a").tolist() == [0.1, 0.3]
    assert made.trials["odour"].tolist() == ["x", "y"]
    for change, message in (
        (dataset.drop_vars("stop"), "no variable 'stop'"),
        (dataset.drop_vars("unit"), "no coordinate 'unit'"),
        (dataset.drop_vars("event_unit"), "neither 'offsets' nor the coordinate 'event_unit'"),
        (dataset.assign_coords(event_unit=("event", [0, 1])), "positions from 0 to 0"),
    ):
        with pytest.raises(InputError, match=message):
            Recording.from_xarray(change)


def test_a_selection_in_xarray_that_moves_trains_is_refused():
    with pytest.raises(InputError, match="offsets do not fit 2 trials"):
        Recording.from_xarray(recording().to_xarray().isel(trial=[0, 1]))


def test_the_table_of_spikes_makes_the_recording_again():
    given = recording()
    table = given.to_pandas()
    assert list(table) == ["time", "trial", "unit"]
    again = Recording.from_arrays(
        times=table["time"],
        trial=table["trial"],
        unit=table["unit"],
        units=given.units,
        trials=given.trials,
        marks=given.marks,
    )
    assert again.equals(given)


def trains(n_trials=2, n_units=3):
    import neo

    rng = np.random.default_rng(0)
    return [
        [neo.SpikeTrain(np.sort(rng.uniform(0, 900, 5)), units="ms", t_stop=1000, name=f"u{j}") for j in range(n_units)]
        for _ in range(n_trials)
    ]


def test_lists_of_spike_trains_are_trials_and_are_left_as_they_were():
    given = trains()
    made = Recording.from_neo(given)
    assert (made.n_trials, made.units.index.tolist()) == (2, ["u0", "u1", "u2"])
    assert np.allclose(made.train(1, "u2"), given[1][2].magnitude / 1000, rtol=1e-15)
    assert all(train.segment is None for row in given for train in row)
    one = Recording.from_neo(given[0])
    assert (one.n_trials, one.n_units) == (1, 3)


def test_a_spike_train_list_of_neo_is_one_trial():
    from neo.core.spiketrainlist import SpikeTrainList

    given = trains()[0]
    made = Recording.from_neo(SpikeTrainList(given))
    assert np.array_equal(made.times, Recording.from_neo(given).times)


def test_the_trials_of_elephant_are_accepted():
    import neo
    from elephant.trials import TrialsFromBlock, TrialsFromLists

    given = trains()
    block = neo.Block()
    for row in trains():
        segment = neo.Segment()
        segment.spiketrains.extend(row)
        block.segments.append(segment)
    expected = Recording.from_neo(given)
    for trials in (TrialsFromLists(given, description="x"), TrialsFromBlock(block, description="x")):
        made = Recording.from_neo(trials)
        assert np.array_equal(made.times, expected.times)
        assert np.array_equal(made.offsets, expected.offsets)


@pytest.mark.parametrize(
    "given", [3, np.zeros((2, 3)), [], [[1.0, 2.0]], "trains"], ids=["number", "array", "empty", "numbers", "text"]
)
def test_what_is_no_spike_train_is_refused(given):
    with pytest.raises(InputError, match=r"cannot read spike trains from|no spikes"):
        Recording.from_neo(given)


def test_rasters_of_0_and_1_become_spikes_at_the_beginning_of_their_bins():
    raster = np.zeros((2, 3, 10), dtype=bool)
    raster[0, 1, [0, 4]] = raster[1, 2, 9] = True
    made = Recording.from_raster(raster, "2 ms", start="-10 ms")
    assert made.train(0, 1).tolist() == pytest.approx([-0.01, -0.002], abs=1e-15)
    assert made.counts().to_numpy().tolist() == [[0, 2, 0], [0, 0, 1]]
    assert made.trials["stop"].tolist() == pytest.approx([0.01, 0.01])
    assert np.array_equal(made.raster("2 ms").to_numpy(), raster)
    assert Recording.from_raster(raster[0], "2 ms").n_trials == 1


def test_a_raster_of_a_recording_comes_back_with_its_labels():
    given = recording().select(trials=[True, True, False])
    raster = given.raster("1 ms")
    again = Recording.from_raster(raster)
    assert again.trials["odour"].tolist() == ["x", "y"]
    assert np.array_equal(again.raster("1 ms").to_numpy(), raster.to_numpy())


@pytest.mark.parametrize(
    ("raster", "dt", "message"),
    [
        (np.full((1, 1, 3), 2), "1 ms", "3 entries of the raster are neither 0 nor 1, the first is 2"),
        (np.array([[[0, -1.0]]]), "1 ms", "the first is -1"),
        (np.array([[[0, np.nan]]]), "1 ms", "neither 0 nor 1"),
        (np.zeros(3), "1 ms", "shape"),
        (np.zeros((1, 1, 3)), None, "width of its bins"),
        (np.zeros((1, 1, 3)), "0 ms", "positive"),
    ],
    ids=["counts", "negative", "nan", "flat", "no dt", "zero"],
)
def test_other_rasters_are_refused(raster, dt, message):
    with pytest.raises(InputError, match=message):
        Recording.from_raster(raster, dt)


def monitor(n, i, t):
    return SimpleNamespace(source=range(n), i=np.array(i), t=np.array(t))


def test_monitors_of_brian2_become_units_and_runs_become_trials():
    runs = [
        {"e": monitor(3, [2, 0], [0.2, 0.1]), "i": monitor(2, [1], [0.3])},
        {"e": monitor(3, [], []), "i": monitor(2, [0], [0.4])},
    ]
    made = Recording.from_brian2(runs, "1 s", pd.DataFrame({"stimulus": ["A", "B"]}))
    assert made.units.index.tolist() == ["e/0", "e/1", "e/2", "i/0", "i/1"]
    assert made.units["population"].tolist() == ["e"] * 3 + ["i"] * 2
    assert made.train(0, "i/1").tolist() == [0.3]
    assert made.trials["stimulus"].tolist() == ["A", "B"]
    assert Recording.from_brian2(monitor(2, [1], [0.5]), "1 s").units.index.tolist() == [0, 1]
    with pytest.raises(InputError, match="run 1 has other groups"):
        Recording.from_brian2([runs[0], {"e": runs[1]["e"]}], "1 s")
    with pytest.raises(InputError, match="no SpikeMonitor"):
        Recording.from_brian2([[1, 2]], "1 s")
    with pytest.raises(InputError, match="outside the window"):
        Recording.from_brian2(monitor(2, [1], [1.5]), "1 s")


def test_a_real_monitor_is_read():
    brian2 = pytest.importorskip("brian2")
    brian2.prefs.codegen.target = "numpy"
    group = brian2.SpikeGeneratorGroup(3, [0, 2], [0.001, 0.002] * brian2.second)
    spikes = brian2.SpikeMonitor(group)
    brian2.Network(group, spikes).run(0.01 * brian2.second)
    made = Recording.from_brian2(spikes, "10 ms")
    assert made.counts().to_numpy().tolist() == [[1, 0, 1]]
    assert made.times.tolist() == pytest.approx([0.001, 0.002], abs=1e-12)
