"""The Heidelberg cochlea against lauscher, the program with which SHD and SSC were made, stage by stage."""

from dataclasses import replace

import numpy as np
import pytest

from snncompare.encoding.auditory.heidelberg import Heidelberg
from snncompare.encoding.auditory.travelling_wave import TravellingWave
from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.stimuli import Sound

pytest.importorskip("lauscher", reason="the reference implementation is not installed")

from lauscher.audiowaves import MonoAudioWave
from lauscher.firing_probability import FiringProbability
from lauscher.helpers import CommandLineArguments
from lauscher.membranevelocity import MembraneVelocity
from lauscher.transformations import BasilarMembrane, BushyCell, HairCell

RATE, N_CHANNELS = 48_000, 8
EAR = Heidelberg(n_channels=N_CHANNELS, membrane=TravellingWave(published_phase=True))


@pytest.fixture(scope="module", autouse=True)
def _one_process() -> None:
    CommandLineArguments().num_concurrent_jobs = 1


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """Return 0.1 s of a vowel: harmonics of 150 Hz under two formants, at the level of the encoder."""
    time = np.arange(4801) / RATE
    harmonics = 150.0 * np.arange(1, 40)
    weights = 1 / (1 + ((harmonics - 700) / 150) ** 2) + 0.5 / (1 + ((harmonics - 2400) / 200) ** 2)
    voice = (weights[:, np.newaxis] * np.cos(2 * np.pi * harmonics[:, np.newaxis] * time)).sum(axis=0)
    return EAR.heard(Sound(0.5 * voice / np.abs(voice).max(), f"{RATE} Hz"))


@pytest.fixture(scope="module")
def their_velocity(sound: np.ndarray) -> np.ndarray:
    return BasilarMembrane(N_CHANNELS)(MonoAudioWave(sound.copy(), RATE)).channels


@pytest.fixture(scope="module")
def their_probability(their_velocity: np.ndarray) -> np.ndarray:
    return HairCell()(MembraneVelocity(their_velocity, RATE // 2)).channels


def gains_as_they_sample(wave: TravellingWave, sound: np.ndarray) -> np.ndarray:
    """Filter with our gains at their frequencies, which rise from 1 Hz instead of 0."""
    n = sound.size // 2 + 1
    frequencies = np.linspace(1, RATE // 2, n)
    spectrum = np.fft.fft(sound)[:n]
    return np.array([np.fft.ifft(wave.gains(frequencies, place) * spectrum).real for place in wave.places(N_CHANNELS)])


def test_membrane_velocity_is_theirs(sound: np.ndarray, their_velocity: np.ndarray) -> None:
    ours = gains_as_they_sample(EAR.membrane, sound)
    np.testing.assert_allclose(ours, their_velocity, atol=1e-9 * np.abs(their_velocity).max())  # two closed forms
    causal = gains_as_they_sample(TravellingWave(), sound)
    assert np.abs(causal - their_velocity).max() > 0.1 * np.abs(their_velocity).max()


def test_filtered_in_blocks_it_differs_by_their_frequencies_alone(
    sound: np.ndarray, their_velocity: np.ndarray
) -> None:
    """They take frequencies off by up to 1 Hz, and n // 2 + 1 samples where n / 2 belong: the end is a sample early."""
    ours = np.array(list(EAR.membrane.velocities(sound, RATE, N_CHANNELS)))
    theirs = their_velocity[:, : ours.shape[1]]
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99  # a shift of 42 us at 2.4 kHz is 0.6 rad
    assert (ours**2).mean() == pytest.approx((theirs**2).mean(), rel=0.02)
    causal = np.array(list(TravellingWave().velocities(sound, RATE, N_CHANNELS)))
    assert np.corrcoef(causal.ravel(), theirs.ravel())[0, 1] < 0.7


def test_firing_probability_is_theirs(their_velocity: np.ndarray, their_probability: np.ndarray) -> None:
    ours = np.array([EAR.hair_cell.probabilities(velocity, 2 / RATE) for velocity in their_velocity])
    np.testing.assert_allclose(ours, their_probability, rtol=1e-9)  # order of additions
    other = replace(EAR.hair_cell, reuptake=6000.0)
    changed = np.array([other.probabilities(velocity, 2 / RATE) for velocity in their_velocity])
    assert not np.allclose(changed, their_probability, rtol=1e-3)


def test_spikes_are_theirs_in_distribution(their_probability: np.ndarray) -> None:
    n_trials, rng = 20, np.random.default_rng(0)
    p = their_probability[2 : N_CHANNELS - 1]
    ours = np.array([[EAR.bushy_cell.spikes(row, 2 / RATE, rng).size for row in p] for _ in range(n_trials)])
    np.random.seed(0)  # noqa: NPY002 (theirs draws from the global generator)
    pooled = BushyCell()(FiringProbability(np.repeat(p, n_trials, axis=0), RATE // 2))
    theirs = np.bincount(pooled.spike_labels.astype(int), minlength=n_trials * len(p)).reshape(len(p), n_trials).T
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / n_trials + 1e-3)
    assert ours.mean() > 1.0
    assert np.all(np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4 * error)  # 4 standard errors of a difference
    assert 0.5 < ours.var(axis=0).sum() / theirs.var(axis=0).sum() < 2.0  # F of 5 x 19 and as many: 0.6 to 1.7
    weak = replace(EAR.bushy_cell, weight=10e3)
    fewer = np.array([[weak.spikes(row, 2 / RATE, rng).size for row in p] for _ in range(n_trials)])
    assert not np.all(np.abs(fewer.mean(axis=0) - theirs.mean(axis=0)) < 4 * error)


def test_bushy_cell_given_the_same_fibre_spikes_fires_in_the_same_steps() -> None:
    rng = np.random.default_rng(1)
    fibres = (rng.random((3000, 40)) < 0.01).astype(float)
    theirs = np.flatnonzero(BushyCell()._lif(fibres, RATE // 2))
    assert theirs.size > 30
    np.testing.assert_array_equal(EAR.bushy_cell.steps(fibres.sum(axis=1).astype(np.int64), 2 / RATE), theirs)


def test_whole_chain_has_their_rates_per_channel(sound: np.ndarray) -> None:
    n_trials = 8
    ear = replace(EAR, ramp="0 ms")
    heard = Sound(sound / 2, f"{RATE} Hz")  # scaled back to the level by the encoder
    ours = np.array([ear.fire(heard, presentation_seed(0, k)).counts for k in range(n_trials)])
    velocity = BasilarMembrane(N_CHANNELS)(MonoAudioWave(ear.heard(heard), RATE))
    p = HairCell()(velocity).channels
    np.random.seed(1)  # noqa: NPY002
    pooled = BushyCell()(FiringProbability(np.repeat(p, n_trials, axis=0), RATE // 2))
    theirs = np.bincount(pooled.spike_labels.astype(int), minlength=n_trials * N_CHANNELS)
    theirs = theirs.reshape(N_CHANNELS, n_trials).T
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / n_trials + 0.05)
    assert np.all(np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4 * error)
    assert np.corrcoef(ours.mean(axis=0), theirs.mean(axis=0))[0, 1] > 0.95
