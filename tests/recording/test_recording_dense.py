"""Counts and rasters with named dimensions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.errors import InputError, UnitError
from snncompare.recording.recording import Recording


def recording(times, *, unit=None, trial=None, stop=1.0):
    return Recording.from_arrays(
        times=times,
        unit=unit if unit is not None else ["a"] * len(times),
        trial=trial if trial is not None else [0] * len(times),
        units=pd.DataFrame({"area": ["V1", "LM"], "condition": ["x", "y"]}, index=["a", "b"]),
        trials=pd.DataFrame({"start": [0.0, 0.0], "stop": stop, "condition": ["mint", "citral"]}),
    )


def test_counts_have_names_and_labels():
    counts = recording([0.1, 0.2, 0.3], unit=["a", "b", "b"], trial=[0, 1, 1]).counts()
    assert counts.dims == ("trial", "unit")
    assert counts.to_numpy().tolist() == [[1, 0], [0, 2]]
    assert counts.coords["condition"].to_numpy().tolist() == ["mint", "citral"]
    assert counts.coords["unit_condition"].to_numpy().tolist() == ["x", "y"]
    assert counts.sel(unit="b", trial=1).item() == 2


@settings(max_examples=25)
@given(st.lists(st.integers(0, 9999), min_size=20, max_size=40))
def test_spikes_on_a_grid_fall_into_their_own_bin(steps):
    """k * dt in floating point lies now above, now below the edge."""
    raster = recording(np.array(steps, float) * 1e-4).raster("0.1 ms")
    assert raster.sizes["time"] == 10000
    expected = np.bincount(np.array(steps, int), minlength=10000)
    assert np.array_equal(raster.sel(trial=0, unit="a").to_numpy(), expected)


def test_without_the_tolerance_grid_spikes_would_fall_into_the_bin_before():
    """Negative control of the test above: 0.3 / 0.1 is less than 3."""
    assert np.floor(0.3 / 0.1) == 2
    assert recording([0.3]).raster("100 ms").sel(trial=0, unit="a").to_numpy().tolist() == [0, 0, 0, 1] + [0] * 6


def test_a_raster_holds_every_spike_and_its_sum_is_the_count():
    rng = np.random.default_rng(1)
    spikes = recording(rng.random(200), unit=rng.choice(["a", "b"], 200), trial=rng.integers(0, 2, 200))
    raster = spikes.raster("10 ms")
    assert raster.dims == ("trial", "unit", "time")
    assert raster.attrs["dt"] == 0.01
    assert (raster.sum("time") == spikes.counts()).all()
    expected = np.histogram(spikes.train(1, "b"), bins=np.arange(101) * 0.01)[0]
    assert np.array_equal(raster.sel(trial=1, unit="b").to_numpy(), expected)


def test_a_spike_on_the_end_of_the_window_falls_into_the_last_bin():
    assert recording([1.0]).raster("250 ms").sel(trial=0, unit="a").to_numpy().tolist() == [0, 0, 0, 1]


def test_rasters_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="whole number of bins"):
        recording([0.1]).raster("300 ms")
    with pytest.raises(InputError, match="same window"):
        recording([0.1], stop=[1.0, 2.0]).raster("100 ms")
    with pytest.raises(InputError, match="positive"):
        recording([0.1]).raster("0 ms")
    with pytest.raises(UnitError):
        recording([0.1]).raster(0.1)
