"""Model fibres answer tones as fibres of the cat do: published values, and ears in which they are missed."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from snncompare.encoding.auditory.basilar_membrane import DualResonance, Gammatone
from snncompare.encoding.auditory.hair_cell import HairCell
from snncompare.encoding.auditory.synapse import Synapse
from snncompare.encoding.auditory.tone_experiments import (
    driven_rate,
    dynamic_range,
    fibres_at,
    masked_pip,
    pip,
    poststimulus_rate,
    rate_level,
    sharpness,
    spikes_to,
    threshold,
    vector_strength,
)

LEVELS = np.arange(-10.0, 101.0, 5.0)


class TestTuning:
    """Miller et al. (1997) as fitted by Zhang et al. (2001): median log10 Q10 = 0.4708 log10(CF / kHz) + 0.4664."""

    @staticmethod
    def published(kilohertz):
        return 10 ** (0.4708 * np.log10(kilohertz) + 0.4664)

    @pytest.mark.parametrize("kilohertz", [0.5, 2.0, 8.0])
    def test_sharpness_grows_with_frequency_as_in_the_cat(self, kilohertz):
        q10, best = sharpness(fibres_at(1e3 * kilohertz, "high", 100), 1e3 * kilohertz)
        # The quartiles of the fibres have 0.3934 and 0.5469 instead of 0.4664.
        assert 10**-0.073 <= q10 / self.published(kilohertz) <= 10**0.0805
        # Liberman (1978), Fig. 10: the most sensitive fibres have thresholds of -10 to 10 dB SPL.
        assert -10 <= best <= 10

    def test_an_ear_tuned_like_human_listeners_misses_them(self):
        fibres = fibres_at(500.0, "high", 100, filters=DualResonance(tuning="human"))
        assert sharpness(fibres, 500.0)[0] > 1.3 * self.published(0.5)

    def test_fibres_of_high_frequency_have_a_tail_below_the_tip(self):
        """Kiang & Moxon (1974): 40 to 60 dB and more above the tip, one octave and more below a CF above 3 kHz."""
        fibres = fibres_at(8000.0, "high", 50)
        tip, tail, above = (threshold(fibres, f) for f in (8000.0, 3000.0, 12_000.0))
        assert 40 <= tail - tip <= 70
        assert above > tail
        sensitive = fibres_at(8000.0, "high", 50, filters=DualResonance(tail_attenuation_db=25.0))
        assert threshold(sensitive, 3000.0) - tip < 40


@pytest.fixture(scope="module")
def functions():
    """Return rate-level functions of the three classes of fibres."""
    kinds = ("high", "medium", "low")
    return {kind: rate_level(fibres_at(8000.0, kind, 100), 8000.0, LEVELS) for kind in kinds}


class TestRateAndLevel:
    """Liberman (1978), Sachs & Abbas (1974), Winter, Robertson & Yates (1990)."""

    @staticmethod
    def slope(rates):
        """Return the growth per dB from 50 to 90 dB SPL, as a fraction of the whole driven rate."""
        inside = (LEVELS >= 50) & (LEVELS <= 90)
        return np.polyfit(LEVELS[inside], rates[inside], 1)[0] * 100 / np.ptp(rates)

    def test_fibres_of_low_spontaneous_rate_are_less_sensitive(self):
        high, medium, low = (threshold(fibres_at(8000.0, kind, 100), 8000.0) for kind in ("high", "medium", "low"))
        # Liberman (1978), Fig. 10: medium some 10 dB above high; low from 10 to more than 50 dB above.
        assert 5 <= medium - high <= 15
        assert 10 <= low - high <= 50

    def test_fibres_of_high_rate_saturate_within_twenty_to_thirty_decibels(self, functions):
        # Johnson (1980): the average discharge rate varies with level over 20 to 30 dB.
        assert 20 <= dynamic_range(LEVELS, functions["high"]) <= 30
        assert self.slope(functions["high"]) < 0.15
        assert 150 <= functions["high"].max() <= 350

    def test_fibres_of_medium_rate_slope_and_those_of_low_rate_go_straight_on(self, functions):
        # Winter et al. (1990), Figs 1 to 3: sloping saturation, and no saturation up to the loudest tones.
        assert dynamic_range(LEVELS, functions["medium"]) > dynamic_range(LEVELS, functions["high"]) + 10
        assert dynamic_range(LEVELS, functions["low"]) >= 50
        assert self.slope(functions["high"]) < self.slope(functions["medium"]) < self.slope(functions["low"])
        assert self.slope(functions["low"]) > 0.7

    def test_without_compression_every_type_saturates(self):
        """Negative control: Yates, Winter & Robertson (1990) put the difference down to the basilar membrane."""
        low = rate_level(fibres_at(8000.0, "low", 100, filters=Gammatone()), 8000.0, LEVELS)
        assert dynamic_range(LEVELS, low) < 40
        assert self.slope(low) < 0.5


class TestPhaseLocking:
    """Johnson (1980), cat: maximal synchronisation 0.75 to 0.9 up to 1 kHz, falling above, gone at 6 kHz."""

    @staticmethod
    def locking(frequency, **changes):
        fibres = fibres_at(frequency, "high", 150, **changes)
        spikes = [spikes_to(fibres, pip(frequency, level, 0.1)).times for level in (5.0, 15.0, 30.0)]
        return max(vector_strength(times[times > 0.02], frequency) for times in spikes)

    # About 2000 spikes: a standard error of 0.02.
    @pytest.mark.parametrize(
        ("frequency", "low", "high"),
        [(500.0, 0.75, 0.9), (1000.0, 0.75, 0.9), (2000.0, 0.6, 0.8), (4000.0, 0.2, 0.5), (6000.0, 0.0, 0.15)],
        ids=str,
    )
    def test_it_fades_as_in_the_cat(self, frequency, low, high):
        assert low <= self.locking(frequency) <= high

    def test_it_fades_earlier_in_the_guinea_pig(self):
        """Palmer & Russell (1986): about half of its maximum at 1.5 to 2.5 kHz, gone at 3.5 to 4 kHz."""
        cell = HairCell(cutoff="1.5 kHz")
        assert 0.3 <= self.locking(2000.0, hair_cell=cell) / self.locking(500.0, hair_cell=cell) <= 0.7
        assert self.locking(4000.0, hair_cell=cell) < 0.15

    def test_a_fast_membrane_locks_to_everything(self):
        """Negative control."""
        assert self.locking(6000.0, hair_cell=HairCell(cutoff="20 kHz")) > 0.3


class TestAdaptation:
    """Westerman & Smith (1984), gerbil: rapid 1 to 10 ms, short-term about 60 ms (20 to 100), steady after it."""

    @staticmethod
    def fitted(**changes):
        """Return the rates (1/s) steady, rapid, short-term, and the two time constants (s)."""

        def two(t, steady, rapid, fast, short, slow):
            return steady + rapid * np.exp(-t / fast) + short * np.exp(-t / slow)

        bins = np.arange(0.0, 0.3001, 1e-3)
        rates = poststimulus_rate(fibres_at(8000.0, "high", 400, **changes), pip(8000.0, 25.0, 0.3), bins)
        after = rates[rates.argmax() :]
        time = 1e-3 * np.arange(after.size)
        bounds = ([0, 0, 3e-4, 0, 15e-3], [500, 5000, 40e-3, 1000, 0.5])
        steady, rapid, fast, short, slow = curve_fit(two, time, after, (150, 300, 4e-3, 100, 60e-3), bounds=bounds)[0]
        return steady, rapid, short, fast, slow

    def test_two_components_have_the_published_time_constants(self):
        steady, rapid, short, fast, slow = self.fitted()
        assert 1e-3 <= fast <= 10e-3
        assert 20e-3 <= slow <= 100e-3
        # Chimento & Schreiner (1990), neurophonic of the cat, 10 to 30 dB above threshold: rapid 4.8 (SD 2.1) ms.
        assert fast == pytest.approx(4.8e-3, abs=2 * 2.1e-3)
        # Onset rates of several times the steady rate (Smith & Brachman 1980).
        assert 2 <= (steady + rapid + short) / steady <= 6

    def test_other_stores_miss_them(self):
        """Negative control."""
        assert self.fitted(synapse=Synapse(rapid="14 ms", short_term="300 ms"))[4] > 100e-3


class TestForwardMasking:
    """Harris & Dallos (1979), chinchilla: the answer to a probe recovers within 200 ms after a masker."""

    GAPS = np.array([2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 100e-3, 200e-3])

    @staticmethod
    def answer(fibres, sound, start):
        return driven_rate(fibres, sound, start, start + 0.018, 1) - fibres.units()["spontaneous_rate"].mean()

    def recovery(self, *, masker_db=45.0, masker=0.1, gaps=GAPS, **changes):
        """Return the answer to a probe after gaps, relative to that without a masker."""
        fibres = fibres_at(8000.0, "high", 300, **changes)
        probe = pip(8000.0, 25.0, 0.015, after=0.005)
        alone = self.answer(fibres, masked_pip(pip(8000.0, -100.0, 0.1), 0.1, probe), 0.2)
        loud = pip(8000.0, masker_db, masker)
        return np.array([self.answer(fibres, masked_pip(loud, gap, probe), masker + gap) for gap in gaps]) / alone

    def test_it_recovers_in_two_steps_with_the_published_time_constants(self):
        def two(t, rapid, fast, short, slow):
            return 1 - rapid * np.exp(-t / fast) - short * np.exp(-t / slow)

        found = self.recovery()
        assert (np.diff(found) > -0.03).all()
        assert found[0] < 0.6
        assert found[-1] > 0.9
        bounds = ([0, 1e-3, 0, 40e-3], [1, 40e-3, 1, 0.5])
        _, fast, _, slow = curve_fit(two, self.GAPS, found, (0.2, 10e-3, 0.4, 0.1), bounds=bounds)[0]
        # Chimento & Schreiner (1990), neurophonic of the cat: rapid 16.2 (SD 9.8), short-term 125 (SD 50) ms.
        assert fast == pytest.approx(16.2e-3, abs=2 * 9.8e-3)
        assert slow == pytest.approx(125e-3, abs=50e-3)

    def test_masking_grows_with_the_level_and_the_duration_of_the_masker(self):
        gap = [5e-3]
        loud, soft = self.recovery(gaps=gap), self.recovery(gaps=gap, masker_db=10.0)
        brief = self.recovery(gaps=gap, masker=0.01)
        assert loud < soft - 0.1
        assert loud < brief - 0.05

    def test_a_synapse_whose_stores_fill_at_once_hardly_masks(self):
        """Negative control."""
        assert self.recovery(gaps=[5e-3], synapse=Synapse(rapid="0.5 ms", short_term="1 ms")) > 0.85
