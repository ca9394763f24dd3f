"""A receptor with default parameters fires like the recorded neuron, to the recorded neuron's own sounds."""

import numpy as np
import pandas as pd
import pytest

from snncompare import datasets
from snncompare.encoding.receptors import ReceptorPopulation
from snncompare.encoding.stimuli import Signal
from snncompare.recording.interval_statistics import interval_statistics


@pytest.fixture(scope="module")
def animal():
    pytest.importorskip("nitime", reason="the recording is carried by nitime")
    return datasets.load("grasshopper_receptor")


def spike_triggered_level(times, envelope):
    """Return peak (dB above the mean) and lag (seconds) of the level that precedes spikes."""
    level = 20 * np.log10(envelope)
    spikes = (times[times > 0.02] * 20_000).astype(int)
    before = np.array([level[spikes - lag].mean() for lag in range(400)]) - level.mean()
    return before.max(), before.argmax() / 20_000


def model(animal, **changes):
    receptors = ReceptorPopulation(size=10, spread_db=0.0, heterogeneity=0.0, **changes)
    labels = animal.spikes.trials[["sound"]]
    sounds = [Signal([envelope], "20 kHz") for envelope in animal.stimulus.to_numpy()]
    return receptors.encode(sounds, seed=0, trials=labels)


def compared(animal, recording):
    animal_table = interval_statistics(animal.spikes).groupby("trial").mean()
    model_table = interval_statistics(recording).groupby("trial").mean()
    return pd.concat({"animal": animal_table, "model": model_table}, axis=1)


@pytest.mark.parametrize("sound", ["sound 1", "sound 2"])
class TestBands:
    """The animal's numbers come from one presentation, whose own sampling error the bands allow for."""

    def test_rate_is_within_a_tenth(self, animal, sound):
        table = compared(animal, model(animal)).loc[sound]
        # About 900 spikes with a Fano factor near 0.4: a standard error of 2 %; the rest is the fit.
        assert table["model", "rate"] == pytest.approx(table["animal", "rate"], rel=0.10)

    def test_interval_variability_is_within_a_twentieth(self, animal, sound):
        table = compared(animal, model(animal)).loc[sound]
        # Standard error of a coefficient of variation near 0.5 from 900 intervals: 0.015.
        assert table["model", "cv"] == pytest.approx(table["animal", "cv"], abs=0.05)
        assert table["model", "cv2"] == pytest.approx(table["animal", "cv2"], abs=0.05)

    def test_median_interval_is_within_a_tenth_and_the_shortest_within_one_millisecond(self, animal, sound):
        table = compared(animal, model(animal)).loc[sound]
        assert table["model", "median"] == pytest.approx(table["animal", "median"], rel=0.10)
        # The minimum of 900 intervals varies by some 0.3 ms between presentations of the model.
        assert table["model", "shortest"] == pytest.approx(table["animal", "shortest"], abs=1e-3)

    def test_the_sound_before_spikes_is_as_loud_and_as_late(self, animal, sound):
        envelope = animal.stimulus.sel(trial=sound).to_numpy()
        peak, lag = spike_triggered_level(animal.spikes.train(sound, "receptor"), envelope)
        recording = model(animal)
        row = list(animal.spikes.trials.index).index(sound)
        model_peak, model_lag = spike_triggered_level(recording.times[recording.spike_index()[0] == row], envelope)
        # 900 spikes, levels with a standard deviation of 6 dB: a standard error of 0.2 dB.
        assert model_peak == pytest.approx(peak, abs=0.6)
        assert model_lag == pytest.approx(lag, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "column", "off"),
    [
        ({"gain": 0.2}, "rate", 0.10),
        ({"noise_sd": 0.6}, "rate", 0.10),
        ({"refractory_period": "5 ms"}, "median", 0.05),
        ({"membrane_time_constant": "8 ms"}, "rate", 0.10),
        ({"adaptation": 0.0}, "rate", 0.10),
    ],
)
def test_other_parameters_miss_the_bands(animal, changes, column, off):
    """Negative control: the bands can be missed."""
    table = compared(animal, model(animal, **changes)).loc["sound 1"]
    assert abs(table["model", column] / table["animal", column] - 1) > off
