"""Experiments of auditory physiology on model fibres: tones, thresholds, tuning, phase locking, adaptation, masking."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncompare.encoding.auditory.auditory_nerve import AuditoryNerve
from snncompare.encoding.encoder import Encoder, Spikes, presentation_seed
from snncompare.encoding.stimuli import Sound

__all__ = [
    "driven_rate",
    "dynamic_range",
    "fibres_at",
    "masked_pip",
    "pip",
    "poststimulus_rate",
    "quiet",
    "rate_level",
    "sharpness",
    "spikes_to",
    "threshold",
    "vector_strength",
]

_RATE = 100_000.0
_FULL_SCALE_DB = 120.0


def fibres_at(frequency: float, kind: str = "high", n: int = 200, **changes: Any) -> AuditoryNerve:
    """Return ``n`` fibres of one class with one characteristic frequency (Hz); full scale is 120 dB SPL.

    Parameters
    ----------
    frequency : float
        Hertz.
    kind : str
        "low", "medium" or "high" spontaneous rate.
    n : int
    **changes
        Other parameters of `AuditoryNerve`.
    """
    counts = tuple(n * (name == kind) for name in ("low", "medium", "high"))
    given = {"sampling_rate": "50 kHz", "delay": "0 ms"} | changes
    return AuditoryNerve(
        n_channels=1,
        lowest=f"{float(frequency)!r} Hz",
        highest=f"{float(frequency) * 1.001!r} Hz",
        fibres_per_channel=counts,  # type: ignore[arg-type]
        full_scale_db=_FULL_SCALE_DB,
        **given,
    )


def pip(
    frequency: float, level_db: float, duration: float, *, before: float = 0.0, after: float = 0.0, ramp: float = 2.5e-3
) -> Sound:
    """Return a tone with cosine ramps between silences.

    Parameters
    ----------
    frequency : float
        Hertz.
    level_db : float
        dB SPL, where full scale is 120 dB SPL.
    duration, before, after, ramp : float
        Seconds; ramps are part of the duration.
    """
    t = np.arange(round(duration * _RATE)) / _RATE
    gate = np.clip(np.minimum(t, duration - t) / ramp, 0.0, 1.0) if ramp > 0 else 1.0
    tone = 10.0 ** ((level_db - _FULL_SCALE_DB) / 20.0) * np.sin(2.0 * np.pi * frequency * t)
    silences = (np.zeros(round(before * _RATE)), np.zeros(round(after * _RATE)))
    return Sound(np.concatenate([silences[0], tone * np.sin(0.5 * np.pi * gate) ** 2, silences[1]]), f"{_RATE} Hz")


def quiet(duration: float) -> Sound:
    """Return silence of a duration in seconds."""
    return Sound(np.zeros(round(duration * _RATE)), f"{_RATE} Hz")


def masked_pip(masker: Sound, gap: float, probe: Sound) -> Sound:
    """Return a masker, a silent gap (s), and a probe."""
    silence = np.zeros(round(gap * _RATE))
    return Sound(np.concatenate([masker.samples, silence, probe.samples]), f"{_RATE} Hz")


def spikes_to(encoder: Encoder, sound: Sound, seed: int = 0) -> Spikes:
    """Return the spikes of one presentation."""
    return encoder.fire(sound, presentation_seed(seed, 0))


def driven_rate(nerve: Encoder, sound: Sound, start: float, stop: float, seed: int = 0) -> float:
    """Return the rate between two times (s), mean of all fibres, spikes per second."""
    spikes = spikes_to(nerve, sound, seed)
    inside = ((spikes.times >= start) & (spikes.times < stop)).sum()
    return float(inside / ((stop - start) * spikes.counts.size))


def rate_level(
    nerve: AuditoryNerve, frequency: float, levels_db: ArrayLike, duration: float = 0.05
) -> NDArray[np.float64]:
    """Return mean rates during tones of a frequency (Hz) at several levels (dB SPL)."""
    levels = np.asarray(levels_db, dtype=np.float64)
    return np.array(
        [driven_rate(nerve, pip(frequency, level, duration), 0.0, duration, seed) for seed, level in enumerate(levels)]
    )


def threshold(
    nerve: AuditoryNerve,
    frequency: float,
    *,
    criterion: float = 20.0,
    lowest_db: float = -20.0,
    highest_db: float = 110.0,
    accuracy_db: float = 0.5,
) -> float:
    """Return the level (dB SPL) at which 50 ms tones raise the rate by a criterion, NaN if none does.

    One more spike per 50 ms tone is the criterion of Liberman (1978): 20 spikes per second.

    Parameters
    ----------
    nerve : AuditoryNerve
        Fibres of one kind.
    frequency : float
        Hertz.
    criterion : float
        Above the spontaneous rate, spikes per second.
    lowest_db, highest_db, accuracy_db : float
        Bounds and accuracy of the search by halving.
    """
    silent = nerve.units()["spontaneous_rate"].mean()

    def audible(level: float) -> bool:
        return driven_rate(nerve, pip(frequency, level, 0.05), 0.0, 0.05) - silent >= criterion

    if not audible(highest_db):
        return float("nan")
    low, high = lowest_db, highest_db
    while high - low > accuracy_db:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if audible(middle) else (middle, high)
    return 0.5 * (low + high)


def sharpness(nerve: AuditoryNerve, frequency: float) -> tuple[float, float]:
    """Return Q10 and threshold (dB SPL) of fibres with a CF (Hz): CF over the width of tuning 10 dB above threshold.

    The flanks are found by halving, up to 2 octaves below and 1.5 above the CF, with tones 10 dB above threshold.
    """
    best = threshold(nerve, frequency)
    silent = nerve.units()["spontaneous_rate"].mean()

    def edge(octaves: float) -> float:
        near, far = 0.0, octaves
        for _ in range(7):
            middle = 0.5 * (near + far)
            tone = pip(frequency * 2.0**middle, best + 10.0, 0.05)
            near, far = (middle, far) if driven_rate(nerve, tone, 0.0, 0.05) - silent >= 20.0 else (near, middle)
        return float(frequency * 2.0 ** (0.5 * (near + far)))

    return frequency / (edge(1.5) - edge(-2.0)), best


def dynamic_range(levels_db: ArrayLike, rates: ArrayLike) -> float:
    """Return the range of levels (dB) over which the rate grows from 10 to 90 % of all its growth."""
    levels, given = np.asarray(levels_db, dtype=np.float64), np.asarray(rates, dtype=np.float64)
    grown = np.maximum.accumulate((given - given.min()) / (given.max() - given.min()))
    low, high = np.interp([0.1, 0.9], grown, levels)
    return float(high - low)


def vector_strength(times: NDArray[np.float64], frequency: float) -> float:
    r"""Return the synchronisation of spikes (s) to a frequency (Hz), :math:`|\frac1n \sum_k e^{2 \pi i f t_k}|`.

    Goldberg & Brown (1969) J Neurophysiol 32:613-636.
    """
    return float(np.abs(np.exp(2j * np.pi * frequency * times).mean())) if times.size else 0.0


def poststimulus_rate(nerve: Encoder, sound: Sound, bins: NDArray[np.float64], seeds: int = 1) -> NDArray[np.float64]:
    """Return the rate in bins (edges in s), mean of all fibres and of several presentations, spikes per second."""
    total = np.zeros(bins.size - 1)
    n = 0
    for seed in range(seeds):
        spikes = spikes_to(nerve, sound, seed)
        total += np.histogram(spikes.times, bins)[0]
        n += spikes.counts.size
    return np.asarray(total / (n * np.diff(bins)))
