"""The whole Heidelberg cochlea: units, determinism, what it hears and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from snncompare.encoding.auditory.heidelberg import Heidelberg
from snncompare.encoding.auditory.travelling_wave import TravellingWave
from snncompare.encoding.catalogue import encoder
from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.stimuli import Image, Sound
from snncompare.errors import InputError

EAR = Heidelberg(n_channels=70)


def tone(frequency: float, rate: int = 48_000, seconds: float = 0.2, amplitude: float = 0.5) -> Sound:
    return Sound(amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate), f"{rate} Hz")


def counts(ear: Heidelberg, sound: Sound, seed: int = 0) -> np.ndarray:
    return ear.fire(sound, presentation_seed(seed, 0)).counts


def test_units_lie_from_base_to_apex() -> None:
    units = EAR.units(tone(1000.0))
    assert list(units.columns) == ["place", "characteristic_frequency"]
    assert units["place"].iloc[[0, -1]].tolist() == [0.0, 0.035]
    assert units["characteristic_frequency"].is_monotonic_decreasing
    assert units["characteristic_frequency"].iloc[-1] == pytest.approx(100.0, rel=0.02)  # see test_travelling_wave


@pytest.mark.parametrize("frequency", [300.0, 1000.0, 5000.0])
def test_a_tone_drives_the_cells_of_its_frequency_most(frequency: float) -> None:
    units = EAR.units(tone(frequency))
    smoothed = np.convolve(counts(EAR, tone(frequency)), np.ones(5), "same")
    best = units["characteristic_frequency"].iloc[int(smoothed.argmax())]
    assert abs(np.log2(best / frequency)) < 0.35  # octave: at this level several channels saturate


def test_spikes_of_a_low_tone_are_locked_to_its_phase() -> None:
    ear, sound = replace(EAR, ramp="5 ms"), tone(200.0, seconds=0.5)
    fired = ear.fire(sound, presentation_seed(0, 0))
    unit = int(fired.counts.argmax())
    times = np.split(fired.times, np.cumsum(fired.counts)[:-1])[unit]
    times = times[times > 0.05]
    strength = np.abs(np.exp(2j * np.pi * 200.0 * times).mean())
    assert strength > 0.8  # bushy cells sharpen the locking of the nerve: above 0.8 below 1 kHz (Joris et al. 1994)
    assert np.abs(np.exp(2j * np.pi * 237.0 * times).mean()) < 0.3


def test_silence_is_heard_as_spontaneous_activity() -> None:
    ear = Heidelberg(n_channels=200)
    spikes = counts(ear, Sound(np.zeros(48_000), "48 kHz"))
    assert 0.2 < spikes.mean() < 3.0  # spikes/s; the fibres' 61 spikes/s rarely coincide, unlike in a tone
    assert counts(ear, tone(1000.0, seconds=1.0)).max() > 15


def test_the_rate_of_the_file_does_not_matter_where_it_holds_the_sound() -> None:
    slow, fast = counts(EAR, tone(800.0, 8000, 0.4)), counts(EAR, tone(800.0, 44_100, 0.4))
    assert np.corrcoef(slow, fast)[0, 1] > 0.98  # same membrane up to edges of the resampling filter
    assert slow.sum() == pytest.approx(fast.sum(), rel=0.05)
    assert np.corrcoef(slow, counts(EAR, tone(3000.0, 8000, 0.4)))[0, 1] < 0.5


def test_level_is_what_the_encoder_says() -> None:
    quiet, loud = tone(1000.0, amplitude=0.01), tone(1000.0, amplitude=0.9)
    np.testing.assert_array_equal(counts(EAR, quiet), counts(EAR, loud))
    as_it_is = replace(EAR, level=None)
    assert counts(as_it_is, quiet).sum() < counts(as_it_is, loud).sum()
    heard = replace(EAR, ramp="0 ms").heard(quiet)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.3)


def test_ramp_fades_both_ends() -> None:
    sound = Sound(np.full(9600, 0.5), "48 kHz")
    heard = replace(EAR, level=None, ramp="10 ms").heard(sound)
    assert heard[0] == heard[-1] == 0.0
    assert heard[240] == pytest.approx(0.25, abs=0.002)  # half of 10 ms, half of the amplitude
    assert np.all(heard[480:-480] == 0.5)
    assert replace(EAR, level=None, ramp="1 s").heard(sound).max() < 0.5001  # half the sound at most


def test_spikes_depend_on_seed_and_presentation_alone() -> None:
    sounds = [tone(500.0), tone(900.0, 8000)]
    together = EAR.encode(sounds, seed=3)
    second = EAR.encode(sounds[1:], seed=3, presentations=[1])
    np.testing.assert_array_equal(together.times[together.offsets[70] :], second.times)
    again = EAR.encode(sounds, seed=3)
    np.testing.assert_array_equal(together.times, again.times)
    assert not np.array_equal(together.times, EAR.encode(sounds, seed=4).times)
    assert not np.array_equal(second.times, EAR.encode(sounds[1:], seed=3).times)


def test_times_lie_within_the_sound_and_rise() -> None:
    sound = tone(2000.0, 11_025, 0.1)
    fired = EAR.fire(sound, presentation_seed(0, 0))
    assert 0.0 <= fired.times.min() <= fired.times.max() <= sound.duration
    for train in np.split(fired.times, np.cumsum(fired.counts)[:-1]):
        assert np.all(np.diff(train) >= 1e-3)


def test_the_encoder_is_plain_data_and_back() -> None:
    ear = Heidelberg(n_channels=10, membrane=TravellingWave(damping=0.2), ramp="5 ms", level=None)
    assert encoder(ear.described()) == ear
    assert ear.described()["membrane"]["kind"] == "TravellingWave"


def test_published_phase_fires_before_the_click_ours_after() -> None:
    click = np.zeros(9600)
    click[4800] = 1.0
    for published, before in ((False, False), (True, True)):
        ear = Heidelberg(n_channels=120, membrane=TravellingWave(published_phase=published), ramp="0 ms")
        ear = replace(ear, bushy_cell=replace(ear.bushy_cell, weight=9e3))  # spontaneous spikes would hide it
        fired = ear.fire(Sound(click, "48 kHz"), presentation_seed(0, 0))
        assert fired.times.size > 10
        assert (np.median(fired.times) < 0.1) == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tone(100.0, 2000), "at least 4000 Hz"),
        (lambda: Sound(np.zeros(4000), "44100.1234 Hz"), "no simple ratio"),
        (lambda: Image(np.zeros((4, 4)), 1.0), "takes a stimulus of kind Sound"),
        (lambda: Sound(np.zeros((100, 2)), "8 kHz"), "one channel"),
        (lambda: Sound(np.array([]), "8 kHz"), "empty"),
        (lambda: Sound(np.array([0.0, np.nan]), "8 kHz"), "not finite"),
        (lambda: Sound(np.array([0, 32767]), "8 kHz"), "full scale"),
    ],
    ids=["low-rate", "odd-rate", "image", "stereo", "empty", "nan", "whole-numbers"],
)
def test_what_is_no_sound_for_it_is_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        EAR.encode([make()], seed=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"n_channels": 1},
        {"n_channels": 3501},
        {"sampling_rate": "9 kHz"},
        {"level": 0.0},
        {"level": float("nan")},
        {"ramp": "-1 ms"},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Heidelberg(**changes)  # type: ignore[arg-type]
