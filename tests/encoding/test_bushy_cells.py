"""Bushy cells lock to low tones better than the fibres that drive them."""

import numpy as np
import pytest

from snncompare.encoding.auditory.auditory_nerve import AuditoryNerve
from snncompare.encoding.auditory.bushy_cells import BushyCells
from snncompare.encoding.auditory.coincidence_kernel import coincidences
from snncompare.encoding.auditory.tone_experiments import fibres_at, pip, quiet, spikes_to, vector_strength
from snncompare.errors import InputError


def cells(frequency, **changes):
    given = {"cells_per_channel": 30, "inputs_per_cell": 20, "reach": 0} | changes
    return BushyCells(nerve=fibres_at(frequency, "high", 100), **given)


def locking(encoder, frequency):
    """Return the largest vector strength over levels, as Joris et al. (1994) do."""
    heard = [spikes_to(encoder, pip(frequency, level, 0.2)).times for level in (5.0, 15.0, 30.0)]
    return max(vector_strength(times[times > 0.02], frequency) for times in heard)


def nearest_channel(encoder, frequency):
    """Return the channel tuned nearest to a frequency, and its characteristic frequency."""
    table = encoder.units()
    nearest = table.iloc[np.abs(np.log(table["characteristic_frequency"] / frequency)).argmin()]
    return nearest["channel"], nearest["characteristic_frequency"]


def locking_in_channel(encoder, channel, frequency):
    """Return the vector strength in one channel to a tone at 40 dB."""
    fired = spikes_to(encoder, pip(frequency, 40.0, 0.5))
    trains = np.split(fired.times, np.cumsum(fired.counts)[:-1])
    times = np.concatenate([trains[k] for k in np.flatnonzero(encoder.units()["channel"] == channel)])
    return vector_strength(times[times > 0.02], frequency)


class TestSynchronisation:
    """Joris et al. (1994): 75 % of high-sync fibres below 700 Hz reach 0.9, more than ever seen in the nerve."""

    @pytest.mark.parametrize("frequency", [250.0, 500.0])
    def test_it_exceeds_nine_tenths_and_the_nerve(self, frequency):
        # Some 2000 spikes: a standard error below 0.01.
        assert locking(cells(frequency), frequency) > 0.9 > locking(cells(frequency).nerve, frequency)

    def test_cells_entrain_to_the_tone(self):
        """Joris et al. (1994): a spike to almost every cycle."""
        counts = spikes_to(cells(300.0), pip(300.0, 30.0, 0.5)).counts
        assert 0.9 <= counts.mean() / (0.5 * 300.0) <= 1.05

    def test_a_cell_with_one_input_is_no_better_than_it(self):
        """Negative control."""
        relay = cells(500.0, inputs_per_cell=1, coincidences=1.0)
        assert locking(relay, 500.0) == pytest.approx(locking(relay.nerve, 500.0), abs=0.03)

    @pytest.mark.parametrize("frequency", [250.0, 500.0, 700.0])
    def test_cells_with_their_defaults_exceed_the_nerve(self, frequency):
        default = BushyCells(cells_per_channel=8)
        assert BushyCells() == BushyCells(cells_per_channel=1)
        channel, own = nearest_channel(default, frequency)
        in_nerve = locking_in_channel(default.nerve, channel, own)
        # Some 800 spikes: a standard error near 0.01 each.
        assert locking_in_channel(default, channel, own) > in_nerve + 0.05
        wide = BushyCells(cells_per_channel=8, reach=3)  # control: channels that differ by up to 0.26 octaves
        assert locking_in_channel(wide, channel, own) < in_nerve

    def test_it_is_lost_where_the_nerve_loses_it(self):
        times = spikes_to(cells(5000.0), pip(5000.0, 30.0, 0.2)).times
        assert vector_strength(times[times > 0.02], 5000.0) < 0.4


class TestIntegration:
    def test_coincident_inputs_fire_and_scattered_ones_do_not(self):
        together = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
        assert coincidences(together, 1 / 3, 1e-3, 1e-3).tolist() == [1.0, 2.0]
        assert coincidences(np.arange(6) * 1e-3, 1 / 3, 1e-3, 1e-3).size == 0

    def test_the_threshold_lies_where_the_leak_puts_it(self):
        # Two inputs of weight 0.6 at a distance d reach 1 if exp(-d / tau) >= 2 / 3: up to 0.405 tau.
        assert coincidences(np.array([0.0, 0.40e-3]), 0.6, 1e-3, 1e-3).size == 1
        assert coincidences(np.array([0.0, 0.41e-3]), 0.6, 1e-3, 1e-3).size == 0

    def test_inputs_in_the_refractory_period_are_lost(self):
        inputs = np.array([0.0, 0.5e-3, 1.4e-3, 1.6e-3])
        assert coincidences(inputs, 1.0, 1e-3, 1.5e-3).tolist() == [0.0, 1.6e-3]

    def test_in_silence_cells_fire_less_than_their_fibres(self):
        counts = spikes_to(cells(1000.0), quiet(1.0)).counts
        assert 0 < counts.mean() < 20


def test_units_are_cells_with_the_frequency_of_their_channel():
    encoder = BushyCells(nerve=AuditoryNerve(n_channels=6), cells_per_channel=2, inputs_per_cell=10, reach=2)
    table = encoder.units()
    assert table["channel"].tolist() == [k for k in range(6) for _ in range(2)]
    assert table["characteristic_frequency"].iloc[-1] == pytest.approx(8000.0)
    assert spikes_to(encoder, pip(1000.0, 90.0, 0.05)).counts.shape == (12,)


@pytest.mark.parametrize(
    "change",
    [
        {"inputs_per_cell": 15},
        {"reach": 1},
        {"coincidences": 6.0},
        {"membrane_time_constant": "1 ms"},
        {"refractory_period": "4 ms"},
        {"delay": "2 ms"},
        {"seed": 1},
    ],
    ids=str,
)
def test_every_parameter_matters(change):
    nerve = AuditoryNerve(n_channels=6, fibres_per_channel=(0, 0, 20))
    before, after = (BushyCells(nerve=nerve, **({"reach": 0, "inputs_per_cell": 12} | given)) for given in ({}, change))
    sound = pip(1000.0, 100.0, 0.1)
    assert not np.array_equal(spikes_to(before, sound).times, spikes_to(after, sound).times)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"inputs_per_cell": 40}, "30 fibres within reach"),
        ({"inputs_per_cell": 0}, "inputs_per_cell"),
        ({"coincidences": 0.0}, "coincidences"),
        ({"reach": -1}, "reach"),
        ({"refractory_period": "0 ms"}, "refractory_period"),
        ({"nerve": "cat"}, "AuditoryNerve"),
    ],
    ids=str,
)
def test_cells_that_cannot_be_are_refused(wrong, fault):
    with pytest.raises(InputError, match=fault):
        BushyCells(**wrong)
