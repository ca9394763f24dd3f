"""Model receptors fire as auditory receptors do, and their noise is their own."""

import numpy as np
import pandas as pd
import pytest

from snncompare.encoding.catalogue import encoder
from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.envelopes import BandLimitedEnvelope
from snncompare.encoding.receptors import ReceptorPopulation
from snncompare.encoding.stimuli import Signal, Sound
from snncompare.errors import InputError, UnitError
from snncompare.recording.interval_statistics import interval_statistics

RATE = "20 kHz"
ALIKE = {"spread_db": 0.0, "heterogeneity": 0.0}


def heard(envelopes, rate=RATE):
    return [Signal([envelope], rate) for envelope in envelopes]


def tones(levels, seconds):
    return heard(
        np.repeat(10 ** (np.asarray(levels, dtype=float)[:, np.newaxis] / 20), round(seconds * 20_000), axis=1)
    )


def songs(n, seed=0, duration="300 ms"):
    return heard(BandLimitedEnvelope().generate(duration, np.random.default_rng(seed), n=n))


class TestPhysiology:
    def test_the_rate_grows_with_level_and_saturates(self):
        levels = np.arange(-60, 21, 5)
        recording = ReceptorPopulation(size=8, **ALIKE).encode(tones(levels, 1.0), seed=0)
        rate = recording.counts().mean("unit").to_numpy()
        # Eight receptors for one second: a standard error of at most 1.5 Hz.
        assert (np.diff(rate) > -4).all()
        assert rate[levels <= -40].max() < 5
        assert rate[levels == -15] > 60
        assert rate[levels == 20] == pytest.approx(rate[levels == 0], abs=4)

    def test_without_saturation_the_rate_keeps_growing(self):
        """Negative control of the saturation."""
        receptors = ReceptorPopulation(size=8, dynamic_range_db=100.0, **ALIKE)
        quiet, loud = receptors.encode(tones([0, 20], 1.0), seed=0).counts().mean("unit").to_numpy()
        assert loud > quiet + 20

    @pytest.mark.parametrize(("adaptation", "adapts"), [(0.073, True), (0.0, False)])
    def test_the_rate_falls_after_the_onset_of_a_tone_because_of_adaptation(self, adaptation, adapts):
        receptors = ReceptorPopulation(size=60, adaptation=adaptation, **ALIKE)
        times = receptors.encode(tones([-12], 0.4), seed=1).times
        early = np.count_nonzero((times > 0.006) & (times < 0.026)) / 0.020
        late = np.count_nonzero((times > 0.3) & (times < 0.4)) / 0.100
        assert (early > 1.15 * late) == adapts

    def test_no_two_spikes_of_a_receptor_are_closer_than_the_refractory_period(self):
        recording = ReceptorPopulation(refractory_period="3 ms").encode(tones([0, 20], 2.0), seed=0)
        assert interval_statistics(recording)["shortest"].min() > 0.003

    def test_more_sensitive_receptors_fire_more(self):
        counts = ReceptorPopulation(heterogeneity=0.0).encode(songs(20), seed=0).counts().sum("trial").to_numpy()
        assert counts[:5].mean() > 1.5 * counts[20] > 0
        assert counts[-5:].mean() < 0.5 * counts[20]

    def test_spikes_follow_the_envelope_by_the_latency_and_not_another_sound(self):
        sounds = songs(2, duration="10 s")
        recording = ReceptorPopulation(size=20, **ALIKE).encode(sounds, seed=0)
        times = recording.times[recording.spike_index()[0] == 0]
        spikes = (times[times > 0.03] * 20_000).astype(int)
        level = 20 * np.log10(np.concatenate([sound.values for sound in sounds]))
        triggered = [np.mean([level[s, spikes - lag].mean() for lag in range(120, 130)]) for s in (0, 1)]
        # 20000 spikes, but only 4000 independent samples of the sound: a standard error of 0.1 dB.
        assert triggered[0] > level[0].mean() + 4
        assert triggered[1] == pytest.approx(level[1].mean(), abs=0.5)

    def test_nothing_is_fired_before_the_latency_or_to_silence_without_noise(self):
        assert ReceptorPopulation().encode(tones([0], 0.1), seed=0).times.min() >= 0.006
        assert ReceptorPopulation(noise_sd=0.0).encode(heard(np.zeros((1, 4000))), seed=0).times.size == 0


class TestNoise:
    def test_the_same_seed_gives_the_same_spikes_and_another_seed_others(self):
        receptors, sounds = ReceptorPopulation(size=5), songs(3)
        first, again, other = (receptors.encode(sounds, seed=s) for s in (0, 0, 1))
        assert first.equals(again)
        assert not np.array_equal(first.times, other.times)

    def test_trials_do_not_depend_on_the_batch_they_are_in(self):
        receptors, sounds = ReceptorPopulation(size=5), songs(6)
        whole = receptors.encode(sounds, seed=0)
        part = receptors.encode([sounds[5], sounds[2]], seed=0, presentations=[5, 2])
        for row, number in enumerate([5, 2]):
            for unit in whole.units.index:
                assert np.array_equal(part.train(row, unit), whole.train(number, unit))

    def test_receptors_do_not_depend_on_the_size_of_the_population(self):
        few, many = (ReceptorPopulation(size=n, spread_db=0.0).encode(songs(2), seed=0) for n in (3, 6))
        assert all(np.array_equal(few.train(1, unit), many.train(1, unit)) for unit in few.units.index)

    def test_two_presentations_and_two_receptors_have_different_noise(self):
        recording = ReceptorPopulation(size=2, **ALIKE).encode(songs(1) * 2, seed=0)
        trains = [tuple(recording.train(trial, unit)) for trial in (0, 1) for unit in recording.units.index]
        assert len(set(trains)) == 4

    def test_without_noise_presentations_are_identical(self):
        recording = ReceptorPopulation(size=1, noise_sd=0.0).encode(songs(1) * 2, seed=0)
        assert np.array_equal(recording.train(0, "receptor 0"), recording.train(1, "receptor 0"))


class TestTables:
    def test_labels_of_trials_and_parameters_of_receptors_travel_along(self):
        labels = pd.DataFrame({"song": ["a", "b"]}, index=["first", "second"])
        recording = ReceptorPopulation(size=3).encode(songs(2), seed=0, trials=labels)
        assert list(recording.trials.index) == ["first", "second"]
        assert list(recording.trials["song"]) == ["a", "b"]
        assert (recording.trials["stop"] == 0.3).all()
        assert list(recording.units["threshold_db"]) == [-39.0, -29.0, -19.0]
        assert recording.provenance["encoder"]["latency"] == "6 ms"

    def test_a_sound_shorter_than_the_latency_gives_empty_trials(self):
        assert ReceptorPopulation(size=2).encode(heard(np.ones((2, 1))), seed=0).times.size == 0

    def test_plain_data_make_the_same_receptors_again(self):
        receptors = ReceptorPopulation(size=3, latency="4 ms")
        assert encoder(receptors.described()) == receptors
        assert encoder({"kind": "ReceptorPopulation", "size": 3}) != receptors

    def test_the_noise_of_a_receptor_is_that_of_the_first_release(self):
        """Child of the presentation's randomness; spikes of earlier versions stay the same bit for bit."""
        receptors, sound = ReceptorPopulation(size=2), songs(1)[0]
        randomness = presentation_seed(3, 8)
        first, again = (receptors.fire(sound, randomness) for _ in range(2))
        assert np.array_equal(first.times, again.times)
        key = np.random.SeedSequence(3, spawn_key=(8, 1))
        assert np.array_equal(randomness.spawn(2)[1].generate_state(4), key.generate_state(4))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([[0.1, np.nan]], "not finite"),
        ([[0.1, np.inf]], "not finite"),
        ([[0.1, -0.2]], "negative"),
        (np.zeros((2, 10)), "one channel"),
        (np.zeros((1, 0)), "empty"),
        (np.zeros(10), "shape"),
        ([["a", "b"]], "numbers"),
    ],
)
def test_envelopes_that_are_no_sounds_are_refused(values, says):
    with pytest.raises(InputError, match=says):
        ReceptorPopulation(size=1).encode([Signal(values, RATE)], seed=0)


def test_a_sampling_rate_that_is_too_low_and_a_waveform_are_refused():
    with pytest.raises(InputError, match="at least 3846 Hz"):
        ReceptorPopulation(size=1).encode([Signal(np.ones((1, 100)), "1 kHz")], seed=0)
    with pytest.raises(InputError, match="takes a stimulus of kind Signal"):
        ReceptorPopulation(size=1).encode([Sound(np.ones(100), RATE)], seed=0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"trials": pd.DataFrame(index=[0])}, "1 rows for 2 stimuli"),
        ({"trials": pd.DataFrame({"start": [0, 0]})}, "'start' or 'stop'"),
        ({"presentations": [1]}, "2 whole numbers"),
        ({"presentations": [0, -1]}, "2 whole numbers"),
        ({"seed": -1}, "seed"),
    ],
)
def test_labels_and_numbers_that_do_not_fit_the_sounds_are_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        ReceptorPopulation(size=1).encode(heard(np.ones((2, 100))), **({"seed": 0} | wrong))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"size": 0}, "size must be a whole number of at least 1, got 0"),
        ({"gain": 0.0}, "gain"),
        ({"noise_sd": -1.0}, "noise_sd"),
        ({"refractory_period": "0 ms"}, "refractory_period"),
        ({"threshold_db": float("nan")}, "threshold_db"),
    ],
)
def test_parameters_that_describe_no_receptor_are_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        ReceptorPopulation(**wrong)


def test_a_time_without_a_unit_is_refused():
    with pytest.raises(UnitError, match="latency must be a time"):
        ReceptorPopulation(latency=6)
