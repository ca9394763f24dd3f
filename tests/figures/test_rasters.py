"""A raster shows the spikes that were fired, in the stretch of time that was asked for."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from snncompare.errors import InputError
from snncompare.figures.raster_rows import UnitOrder
from snncompare.figures.rasters import raster_data, raster_figure
from snncompare.recording.recording import Recording

SOUND = {"sound": "sound 1"}


@pytest.fixture
def tiny():
    units = pd.DataFrame({"population": ["e", "i", "e"]}, index=["e0", "i0", "e1"])
    trials = pd.DataFrame({"start": [0.0], "stop": [1.0], "sound": ["sound 1"]}, index=["t"])
    return Recording.from_arrays(
        times=[0.1, 0.2, 0.3, 0.05], unit=["e1", "e1", "i0", "e0"], trial=["t"] * 4, units=units, trials=trials
    )


def test_the_data_hold_exactly_the_spikes_of_the_stretch(animal, model):
    spikes = raster_data({"animal": animal, "model": model}, "0.5 s", "1.5 s", where=SOUND)["spikes"]
    for name, recording in {"animal": animal, "model": model}.items():
        shown = spikes[spikes["recording"] == name]
        expected = [
            t
            for trial in recording.trials.index[recording.trials["sound"] == "sound 1"]
            for unit in recording.units.index
            for t in recording.train(trial, unit)
            if 0.5 <= t < 1.5
        ]
        assert sorted(shown["time_s"]) == sorted(expected)


def test_units_stand_by_population_then_by_rate_or_latency_or_as_given(tiny):
    def order(how):
        return list(raster_data({"m": tiny}, order=how)["rows"]["unit"])

    assert order(UnitOrder.RATE) == ["e1", "e0", "i0"]
    assert order(UnitOrder.LATENCY) == ["e0", "e1", "i0"]
    assert order(UnitOrder.GIVEN) == ["e0", "e1", "i0"]


def test_spikes_are_drawn_in_the_row_of_their_unit(tiny):
    tables = raster_data({"m": tiny})
    merged = tables["spikes"].merge(tables["rows"], on=["row", "unit", "trial"])
    assert len(merged) == 4
    line = raster_figure({"m": tiny}).axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(line[::3, 0], tables["spikes"]["time_s"])
    np.testing.assert_allclose((line[::3, 1] + line[1::3, 1]) / 2, tables["spikes"]["row"])


def test_the_rate_is_spikes_per_second_and_unit(tiny):
    rate = raster_data({"m": tiny}, rate_bin="0.4 s")["rate"]
    np.testing.assert_allclose(rate["stop_s"], [0.4, 0.8, 1.0])
    np.testing.assert_allclose(rate["rate_hz"], [4 / (3 * 0.4), 0, 0])


def test_stimulus_animal_and_models_share_one_time_axis_with_units(animal, model, envelope):
    figure = raster_figure(
        {"animal": animal, "model": model}, where=SOUND, stimulus={"Envelope": envelope}, rate_bin="20 ms"
    )
    limits = {tuple(ax.get_xlim()) for ax in figure.axes}
    assert limits == {(0.0, 1.0)}
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "", "Time (s)"]
    labels = [ax.get_ylabel().replace("\n", " ") for ax in figure.axes]
    assert labels == ["a.u.", "Trial", "Unit", "Rate (Hz per unit)"]
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == list("ABCD")


def test_a_short_stretch_is_labelled_in_milliseconds(animal):
    figure = raster_figure({"animal": animal}, "100 ms", "200 ms")
    assert figure.axes[-1].get_xlabel() == "Time (ms)"
    assert "100" in [tick.get_text() for tick in figure.axes[-1].get_xticklabels()]


def test_a_stimulus_may_be_a_dataarray_with_a_unit_in_its_name(animal, envelope):
    trace = xr.DataArray(envelope.to_numpy(), dims="time", coords={"time": envelope.index})
    figure = raster_figure({"animal": animal}, stimulus={"Level (dB)": trace})
    assert figure.axes[0].get_title(loc="left") == "Level"
    assert figure.axes[0].get_ylabel() == "dB"


def test_silence_is_said_in_the_panel(tiny):
    figure = raster_figure({"m": tiny}, "0.5 s", "0.9 s")
    assert "no spikes in this stretch of time" in [t.get_text() for t in figure.axes[0].texts]
    loud = raster_figure({"m": tiny}, "0 s", "0.9 s")
    assert "no spikes in this stretch of time" not in [t.get_text() for t in loud.axes[0].texts]


def test_populations_are_named_where_there_are_several(tiny, animal):
    assert {"e", "i"} <= {t.get_text() for t in raster_figure({"m": tiny}).axes[0].texts}
    assert not raster_figure({"a": animal}).axes[0].texts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"where": {"sond": "sound 1"}}, "did you mean 'sound'"),
        ({"where": {"sound": "sound 9"}}, "no trial with sound ="),
        ({"stop": "20 s"}, "inside 0 to 1 s"),
        ({"start": "1 s"}, "empty"),
        ({"stimulus": {"Envelope": pd.Series([1.0], index=[99.0])}}, "no sample between"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_what_can(tiny, arguments, message):
    with pytest.raises(InputError, match=message):
        raster_figure({"m": tiny}, **arguments)


def test_no_recording_is_refused():
    with pytest.raises(InputError, match="at least one recording"):
        raster_figure({})
