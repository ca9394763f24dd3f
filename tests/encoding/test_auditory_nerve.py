"""The auditory nerve as an encoder: units, spontaneous activity, refractoriness, repeatability, refusals."""

import numpy as np
import pytest

from snncompare.encoding import catalogue
from snncompare.encoding.auditory.auditory_nerve import AuditoryNerve
from snncompare.encoding.auditory.basilar_membrane import Gammachirp, Gammatone
from snncompare.encoding.auditory.bushy_cells import BushyCells
from snncompare.encoding.auditory.fibres import FibreType, Refractoriness
from snncompare.encoding.auditory.hair_cell import HairCell
from snncompare.encoding.auditory.synapse import Synapse
from snncompare.encoding.auditory.tone_experiments import driven_rate, fibres_at, pip, quiet, spikes_to
from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.stimuli import Features, Sound
from snncompare.errors import InputError


def noise(seconds=0.1, level=0.01, rate=16_000, seed=0):
    samples = np.clip(level * np.random.default_rng(seed).standard_normal(round(seconds * rate)), -1, 1)
    return Sound(samples, f"{rate} Hz")


def fire(nerve, sound, seed=0, presentation=0):
    return nerve.fire(sound, presentation_seed(seed, presentation))


class TestUnits:
    def test_units_say_place_frequency_and_class(self):
        table = AuditoryNerve().units()
        assert len(table) == 350
        assert table.index.is_unique
        frequency = table["characteristic_frequency"].to_numpy()
        assert frequency[[0, -1]] == pytest.approx([125.0, 8000.0])
        assert np.allclose(np.diff(table["place_mm"].unique()), np.diff(table["place_mm"].unique())[0])

    def test_classes_have_the_rates_and_shares_of_liberman(self):
        """Liberman (1978): below 0.5, 0.5 to 17.5, above 17.5 spikes/s; 16, 23 and 61 %."""
        rates = AuditoryNerve().units().groupby("spontaneous_rate_class")["spontaneous_rate"]
        assert rates.max()["low"] <= 0.5 <= rates.min()["medium"]
        assert rates.max()["medium"] <= 17.5 <= rates.min()["high"]
        # Five fibres a channel cannot come nearer than 4 %.
        assert (rates.size() / 350).to_dict() == pytest.approx({"low": 0.16, "medium": 0.23, "high": 0.61}, abs=0.041)

    def test_the_seed_of_the_nerve_draws_other_fibres(self):
        first, again, other = (AuditoryNerve(seed=seed).units()["spontaneous_rate"] for seed in (0, 0, 1))
        assert (first == again).all()
        assert (first != other).all()


class TestSilence:
    def test_fibres_fire_at_their_spontaneous_rates(self):
        nerve = AuditoryNerve(n_channels=20)
        table = nerve.units()
        counts = fire(nerve, Sound(np.zeros(80_000), "16 kHz")).counts
        expected = 5.0 * table["spontaneous_rate"]
        # Refractoriness makes counts less variable than Poisson: four standard deviations and one spike.
        assert (np.abs(counts - expected) <= 4 * np.sqrt(expected) + 1).all()
        assert np.corrcoef(counts, expected)[0, 1] > 0.95

    def test_silence_stays_silent_at_any_level(self):
        silent = Sound(np.zeros(1600), "16 kHz")
        assert np.array_equal(fire(AuditoryNerve(), silent).times, fire(AuditoryNerve(level_db=90.0), silent).times)

    def test_the_rate_at_the_start_is_the_rate_later(self):
        spikes = spikes_to(fibres_at(1000.0, "high", 2000), quiet(0.1))
        early, late = (((spikes.times >= a) & (spikes.times < a + 0.02)).sum() for a in (0.0, 0.08))
        # About 2400 spikes each.
        assert early == pytest.approx(late, abs=4 * np.sqrt(2 * late))


class TestRefractoriness:
    """Gaumond, Molnar & Kim (1982): no spike within about 0.75 ms, then recovery over 20 ms and more."""

    @staticmethod
    def intervals(**changes):
        equal = {"lowest_rate": "60 Hz", "highest_rate": "60 Hz", "saturated_rate": "220 Hz"}
        kind = FibreType(**equal, threshold=0.0, half_activation=0.02)
        spikes = spikes_to(fibres_at(1000.0, "high", 300, high=kind, **changes), quiet(2.0))
        trains = np.split(spikes.times, np.cumsum(spikes.counts)[:-1])
        return np.concatenate([np.diff(train) for train in trains])

    @staticmethod
    def hazard(intervals, start, stop):
        at_risk = np.clip(intervals, start, stop) - start
        return ((intervals >= start) & (intervals < stop)).sum() / at_risk.sum()

    def test_no_interval_is_shorter_than_the_absolute_period(self):
        assert self.intervals().min() >= 0.75e-3
        short = self.intervals(refractoriness=Refractoriness(absolute="0.1 ms", slow_part=0.0, fast="0.01 ms"))
        assert short.min() < 0.75e-3

    def test_the_hazard_recovers_as_the_formula_says(self):
        intervals = self.intervals()
        late = self.hazard(intervals, 30e-3, 60e-3)
        for start in (1e-3, 2e-3, 4e-3, 8e-3):
            s = start + 0.25e-3 - 0.75e-3
            expected = 1 - 0.5 * np.exp(-s / 1e-3) - 0.5 * np.exp(-s / 12.5e-3)
            # Some 500 of 36 000 intervals a bin, so 5 %; depleted stores lower the hazard after short intervals a little.
            assert self.hazard(intervals, start, start + 0.5e-3) / late == pytest.approx(expected, rel=0.15)
        assert self.hazard(intervals, 1e-3, 1.5e-3) < 0.35 * late
        poisson = self.intervals(refractoriness=Refractoriness(slow_part=0.0, fast="0.01 ms"))
        assert self.hazard(poisson, 1e-3, 1.5e-3) > 0.9 * self.hazard(poisson, 30e-3, 60e-3)


class TestRepeatability:
    def test_spikes_depend_on_the_presentation_and_nothing_else(self):
        nerve = AuditoryNerve(n_channels=5)
        sounds = [noise(seed=k) for k in range(3)]
        whole = nerve.encode(sounds, seed=4)
        last = nerve.encode(sounds[2:], seed=4, presentations=[2])
        assert np.array_equal(whole.times[whole.offsets[50] :], last.times)
        assert not np.array_equal(fire(nerve, sounds[0], 4).times, fire(nerve, sounds[0], 5).times)

    def test_spikes_lie_within_the_sound_and_are_ordered(self):
        sound = noise(0.0501)
        spikes = fire(AuditoryNerve(n_channels=5), sound)
        assert spikes.times.min() >= 0.0
        assert spikes.times.max() <= sound.duration
        assert all((np.diff(train) > 0).all() for train in np.split(spikes.times, np.cumsum(spikes.counts)[:-1]))

    @pytest.mark.parametrize(
        "given",
        [
            AuditoryNerve(level_db=65.0, filters=Gammachirp(chirp=-1.0), fibres_per_channel=(1, 0, 2)),
            BushyCells(nerve=AuditoryNerve(n_channels=4, synapse=Synapse(rapid="2 ms")), inputs_per_cell=10, reach=2),
        ],
        ids=["nerve", "bushy cells"],
    )
    def test_plain_data_make_the_same_encoder(self, given):
        assert catalogue.encoder(given.described()) == given
        assert catalogue.encoder(given.described()) != AuditoryNerve()


@pytest.mark.parametrize(
    "change",
    [
        {"lowest": "300 Hz"},
        {"highest": "4 kHz"},
        {"species": "human"},
        {"filters": Gammatone()},
        {"hair_cell": HairCell(cutoff="1 kHz")},
        {"synapse": Synapse(short_term="30 ms")},
        {"refractoriness": Refractoriness(absolute="2 ms")},
        {"delay": "3 ms"},
        {"sampling_rate": "50 kHz"},
        {"full_scale_db": 60.0},
        {"level_db": 30.0},
        {"seed": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_parameter_matters(change):
    before, after = (fire(AuditoryNerve(n_channels=10, **given), noise()) for given in ({}, change))
    assert not np.array_equal(before.times, after.times)


@pytest.mark.parametrize("kind", ["low", "high"])
def test_the_internal_rate_does_not_change_the_answer(kind):
    tone = pip(1000.0, 60.0, 0.2)
    coarse, fine = (
        driven_rate(fibres_at(1000.0, kind, 200, sampling_rate=rate), tone, 0.0, 0.2) for rate in ("25 kHz", "100 kHz")
    )
    # Some 8000 spikes with a Fano factor near 0.5: a standard error of 1 % each.
    assert coarse == pytest.approx(fine, rel=0.04)


def test_steps_too_coarse_for_a_sensitive_synapse_are_refused():
    given = {"lowest_rate": "20 Hz", "highest_rate": "50 Hz", "saturated_rate": "220 Hz", "threshold": 0.0}
    with pytest.raises(InputError, match=r"half_activation=0\.001 empty their stores"):
        AuditoryNerve(high=FibreType(**given, half_activation=0.001))
    AuditoryNerve(high=FibreType(**given, half_activation=0.02))


def test_levels_are_calibrated():
    loud, soft = noise(level=0.05), noise(level=0.005)
    nerve = AuditoryNerve(n_channels=3)
    # A sine of full scale has a root mean square of 1 / sqrt(2) and, unless told otherwise, 100 dB SPL.
    measured = 20 * np.log10(np.sqrt(np.mean(nerve.pressure(loud) ** 2)) / 20e-6)
    expected = 100 + 20 * np.log10(np.sqrt(2) * np.sqrt(np.mean(loud.samples**2)))
    # Noise up to 8 kHz loses a little in the resampling filter.
    assert measured == pytest.approx(expected, abs=0.3)
    assert np.allclose(*(AuditoryNerve(level_db=60.0).pressure(sound) for sound in (loud, soft)))
    assert not np.allclose(nerve.pressure(loud), nerve.pressure(soft))


def tone_counts(rate, frequency=1000.0, stated=None):
    t = np.arange(round(0.2 * rate)) / rate
    sound = Sound(0.001 * np.sin(2 * np.pi * frequency * t), f"{stated or rate} Hz")
    nerve = AuditoryNerve(n_channels=20, full_scale_db=90.0)
    return fire(nerve, sound).counts.reshape(20, -1).sum(axis=1)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
def test_sounds_of_usual_rates_are_heard_alike(rate):
    reference, counts = tone_counts(16_000), tone_counts(rate)
    # Counts of up to 250 a channel, less variable than Poisson.
    assert np.abs(counts - reference).max() < 50
    assert np.abs(tone_counts(rate, stated=2 * rate) - reference).max() > 100


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"n_channels": 0}, "n_channels"),
        ({"n_channels": 3501}, "n_channels must be a whole number from 1 to 3500"),
        ({"lowest": "9 kHz"}, "lowest < highest"),
        ({"lowest": "20 Hz"}, "cochlea of a cat"),
        ({"species": "cow"}, "cow"),
        ({"fibres_per_channel": (0, 0, 0)}, "at least one"),
        ({"fibres_per_channel": (1, 1)}, "three whole numbers"),
        ({"fibres_per_channel": (1, 1, 1.5)}, "three whole numbers"),
        ({"sampling_rate": "20 kHz"}, "at least 32000 Hz"),
        ({"full_scale_db": float("nan")}, "full_scale_db"),
        ({"level_db": 200.0}, "level_db"),
        ({"delay": "-1 ms"}, "delay"),
        ({"filters": Synapse()}, "filters is a MembraneFilters"),
        ({"high": "loud"}, "high is a FibreType"),
    ],
    ids=str,
)
def test_ears_that_cannot_be_are_refused(wrong, fault):
    with pytest.raises(InputError, match=fault):
        AuditoryNerve(**wrong)


def test_sounds_that_cannot_be_heard_are_refused():
    with pytest.raises(InputError, match=r"16000 Hz or more, or highest='4000 Hz'"):
        fire(AuditoryNerve(), noise(rate=8000))
    with pytest.raises(InputError, match="usual rate"):
        fire(AuditoryNerve(), Sound(np.zeros(1000), "20000.7 Hz"))
    with pytest.raises(InputError, match="takes a stimulus of kind Sound"):
        fire(AuditoryNerve(), Features([0.5]))
    for samples in ([np.nan], [], [[0.0, 0.0]], [2.0]):
        with pytest.raises(InputError):
            Sound(np.array(samples), "16 kHz")
