"""The travelling wave: its closed form, and what is published of wave and place map."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import hankel2

from snncompare.encoding.auditory.travelling_wave import TravellingWave
from snncompare.errors import InputError

WAVE = TravellingWave()
SAMPLING_RATE = 48_000.0


def greenwood(place_cm: np.ndarray) -> np.ndarray:
    """Return the human place-frequency map, hertz (Greenwood 1990, J Acoust Soc Am 87:2592, eq. 1, 35 mm)."""
    return 165.4 * (10 ** (0.06 * (35.0 - 10.0 * place_cm)) - 0.88)


@pytest.mark.parametrize("frequency", [100.0, 1000.0, 15000.0])
@pytest.mark.parametrize("place", [0.3, 1.7, 3.5])
def test_gathered_phase_is_the_integral_of_the_wave_number(frequency: float, place: float) -> None:
    omega = 2 * np.pi * frequency

    def wave_number(x: float) -> complex:
        stiffness = 1e9 * np.exp(-3 * x) - 3500 - 0.05 * omega**2
        resistance = 0.15 * np.sqrt(1e9 * 0.05) * np.exp(-3 * x / 2)
        return omega * np.sqrt(1.0 / (0.1 * (stiffness + 1j * omega * resistance)))

    integral = quad(wave_number, 0.0, place, complex_func=True, limit=500)[0]
    expected = 2 / 3.0 * wave_number(0.0) + integral
    found = WAVE._wave(np.array(omega), np.array(place))
    assert abs(found - expected) < 1e-6 * abs(expected)  # accuracy of the quadrature across the resonance


def test_where_stiffness_alone_acts_the_pressure_is_the_exact_solution_of_the_wave_equation() -> None:
    """p'' = -g^2 p with g = g0 exp(alpha x / 2) is solved by the Hankel function of 2 g / alpha."""
    stiff = replace(WAVE, mass=1e-12, damping=1e-9, stiffness_offset=0.0)
    places = np.linspace(0.0, 3.5, 8)
    omega = 2 * np.pi * 500.0
    number = omega * np.sqrt(1.0 / (0.1 * 1e9 * np.exp(-3.0 * places)))
    pressure = hankel2(0, 2 * number / 3.0) / hankel2(0, 2 * number[0] / 3.0)
    expected = 2 * omega / (1e9 * np.exp(-3.0 * places)) * pressure
    found = stiff._transmission(np.array(omega), places)
    np.testing.assert_allclose(found, expected, rtol=1e-6)  # what mass and damping, made small, still do
    assert np.abs(WAVE._transmission(np.array(omega), places) / expected - 1).max() > 0.1


def test_place_map_follows_the_human_one() -> None:
    places = np.linspace(0.0, 3.0, 13)
    octaves = np.log2(WAVE.characteristic_frequencies(places) / greenwood(places))
    assert np.abs(octaves).max() < 0.3  # octaves, from 20 kHz to 200 Hz; a straight map of the model against a bent one
    assert np.log2(WAVE.characteristic_frequencies([3.5]) / greenwood(np.array([3.5]))) > 2.0  # 100 Hz, the ear 20 Hz
    steep = replace(WAVE, decay=3.5)
    assert np.abs(np.log2(steep.characteristic_frequencies(places) / greenwood(places))).max() > 0.3


def test_a_place_is_tuned_as_in_a_passive_cochlea() -> None:
    """Gentle low-frequency flank, steep high-frequency flank, Q10 between 1 and 2 (dead cochleae: Robles & Ruggero
    2001, Physiol Rev 81:1305; sensitive ones reach 10 at high frequencies)."""
    place = np.array([1.5])
    best = WAVE.characteristic_frequencies(place)[0]
    frequencies = best * 2.0 ** np.linspace(-3, 1, 2001)
    level = 20 * np.log10(np.abs(WAVE.gains(frequencies, place)))
    level -= level.max()
    passed = frequencies[level > -10]
    assert 1.0 < best / (passed[-1] - passed[0]) < 2.0
    above, below = np.interp([0.5, -1.0], np.log2(frequencies / best), level)
    assert above / 0.5 < -80  # dB per octave
    assert -15 < below < -6


def test_phase_gathered_at_the_peak_is_that_of_passive_travelling_waves() -> None:
    """1.5 to 3 pi at the place of the largest response (White & Grosh 2005, PNAS 102:1296, fluid-filled passive duct)."""
    place = np.array([2.0])
    best = WAVE.characteristic_frequencies(place)[0]
    phase = np.unwrap(np.angle(WAVE.gains(np.linspace(best / 50, best, 2000), place)))
    assert -3 * np.pi < phase[-1] < -1.5 * np.pi
    reversed_phase = np.unwrap(
        np.angle(replace(WAVE, published_phase=True).gains(np.linspace(best / 50, best, 2000), place))
    )
    assert reversed_phase[-1] > np.pi


@pytest.mark.parametrize("place", [0.6, 1.5, 3.5])
def test_a_place_moves_after_the_click_and_later_towards_the_apex(place: float) -> None:
    before = {
        wave.published_phase: _energy_before_click(wave, place) for wave in (WAVE, replace(WAVE, published_phase=True))
    }
    assert before[False] < 1e-6  # what a band that ends at 24 kHz leaves of a causal filter
    assert before[True] > 0.99


def _energy_before_click(wave: TravellingWave, place: float) -> float:
    n = 2**16
    frequencies = np.arange(1, n) * SAMPLING_RATE / 2 / n
    gains = wave.gains(frequencies, np.array(place))
    response = np.fft.irfft(np.concatenate([[0.0], gains, [0.0]])) ** 2
    return float(response[n:].sum() / response.sum())


def test_published_phase_changes_no_amplitude() -> None:
    frequencies = np.geomspace(50.0, 20_000.0, 50)[:, np.newaxis]
    places = WAVE.places(9)
    ours, theirs = WAVE.gains(frequencies, places), replace(WAVE, published_phase=True).gains(frequencies, places)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), rtol=1e-12)  # rounding
    assert np.abs(np.angle(ours / theirs)).max() > 1.0


@pytest.mark.parametrize("published_phase", [False, True], ids=["causal", "published"])
@pytest.mark.parametrize("n", [7001, 30_000], ids=["one-block", "several-blocks"])
def test_velocities_are_the_sound_filtered_by_the_gains(published_phase: bool, n: int) -> None:
    wave = replace(WAVE, published_phase=published_phase)
    t = np.arange(n) / SAMPLING_RATE
    sound = np.random.default_rng(0).normal(size=n) * np.sin(np.pi * t / t[-1]) ** 2
    padded = 2**16
    frequencies = np.arange(1, padded // 2) * SAMPLING_RATE / padded
    spectrum = np.fft.rfft(sound, padded)
    for velocity, place in zip(wave.velocities(sound, SAMPLING_RATE, 4), wave.places(4), strict=True):
        gains = np.concatenate([[0.0], wave.gains(frequencies, place), [0.0]])
        exact = np.fft.irfft(spectrum * gains)[:n:2]
        assert velocity.shape == exact.shape
        error = np.sqrt(np.mean((velocity - exact) ** 2) / np.mean(exact**2))
        # 1e-3: impulse responses are cut where 1e-6 of their energy is left; the base rings on, its band ends at 24 kHz.
        assert error < (0.02 if place == 0.0 else 2e-3)


def test_velocities_depend_on_no_later_sound() -> None:
    rng = np.random.default_rng(1)
    early = np.concatenate([rng.normal(size=8000), np.zeros(8000)])
    late = early + np.concatenate([np.zeros(9000), rng.normal(size=7000)])
    for one, other in list(zip(*(WAVE.velocities(s, SAMPLING_RATE, 6) for s in (early, late)), strict=True))[1:]:
        assert np.abs(one[:4300] - other[:4300]).max() < 1e-3 * np.abs(one).max()
        assert np.abs(one[4600:] - other[4600:]).max() > 0.1 * np.abs(one).max()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": 0.0}, "length"),
        ({"damping": 2.0}, "damping"),
        ({"stiffness_offset": 1e5}, "stiffness at the apex"),
        ({"mass": float("nan")}, "mass"),
    ],
)
def test_parameters_that_make_no_membrane_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TravellingWave(**changes)


def test_a_membrane_that_rings_for_seconds_is_refused() -> None:
    with pytest.raises(InputError, match=r"for 2.31 s after a sound"):
        next(replace(WAVE, damping=0.01).velocities(np.zeros(100), SAMPLING_RATE, 4))
    assert next(replace(WAVE, damping=0.05).velocities(np.zeros(1), SAMPLING_RATE, 2)).shape == (1,)


@pytest.mark.parametrize("name", ["stiffness", "stiffness_offset", "decay", "mass", "damping", "height", "density"])
def test_every_parameter_matters(name: str) -> None:
    changed = replace(WAVE, **{name: getattr(WAVE, name) * 0.9})
    assert not np.allclose(WAVE.gains([200.0], [3.0]), changed.gains([200.0], [3.0]), rtol=1e-3)
