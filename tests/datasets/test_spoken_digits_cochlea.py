"""Spoken digits as the auditory nerve sends them: the card's units, rates, levels and refusals."""

import numpy as np
import pytest

from snncompare import datasets
from snncompare.errors import InputError


@pytest.fixture
def load(shared_data, monkeypatch):
    """Return a function that loads one recording of each of two digits."""
    monkeypatch.setenv("SNNCOMPARE_DATA", str(shared_data))

    def loaded(**options):
        return datasets.load("spoken_digits_cochlea", **({"digits": [3, 7], "n_per_class": 1} | options))

    return loaded


def test_units_are_fibres_and_trials_are_digits(load):
    dataset = load()
    assert len(dataset.units) == 350
    assert dataset.units["characteristic_frequency"].agg(["min", "max"]).tolist() == pytest.approx([125.0, 3600.0])
    assert dataset.trials["digit"].tolist() == [3, 7]
    assert set(load(n_per_class=24).trials["split"]) == {"train", "test"}


def test_speech_drives_the_nerve_and_silent_spikes_are_fewer(load):
    dataset = load()
    recording = dataset.recording([0, 1])
    counts = np.diff(recording.offsets).reshape(2, -1).sum(axis=0)
    seconds = (recording.trials["stop"] - recording.trials["start"]).sum()
    rates = dataset.units.assign(rate=counts / seconds).groupby("spontaneous_rate_class")["rate"].mean()
    assert rates["low"] < rates["medium"] < rates["high"] < 300
    assert (rates > [80, 20, 40]).all()
    soft = load(encoder={"level_db": 0.0}).recording([0, 1])
    assert soft.times.size < 0.5 * recording.times.size


def test_spikes_do_not_depend_on_the_selection(load):
    alone = load(digits=[7]).recording([0])
    together = load().recording([1])
    assert np.array_equal(alone.times, together.times)
    assert not np.array_equal(load(seed=1, digits=[7]).recording([0]).times, alone.times)


def test_fibres_tuned_above_the_band_of_the_sound_are_refused(load):
    with pytest.raises(InputError, match="highest='4000 Hz' or less"):
        load(encoder={"highest": "6 kHz"}).recording([0])
