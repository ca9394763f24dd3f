"""Synthetic electrocardiograms of several rhythms, from a dynamical model of the heartbeat."""

from collections.abc import Mapping, Sequence
from math import pi, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncompare.datasets.samplers.generated_classes import GeneratedClasses
from snncompare.encoding.low_pass import low_pass
from snncompare.encoding.stimuli import Signal
from snncompare.errors import InputError, unknown
from snncompare.units import QuantityLike, hertz, seconds

__all__ = ["RHYTHMS", "Rhythm", "SyntheticECG", "electrocardiogram", "synthetic_ecg"]

_ANGLES = np.array([-pi / 3, -pi / 12, 0.0, pi / 12, pi / 2])
_HEIGHTS = np.array([1.2, -5.0, 30.0, -7.5, 0.75])
_WIDTHS = np.array([0.25, 0.1, 0.1, 0.1, 0.4])
"""Of P, Q, R, S and T: McSharry et al. 2003, table I."""

_ECTOPIC_HEIGHTS = np.array([0.0, -1.0, 8.0, -2.0, -1.5])
_ECTOPIC_WIDTHS = np.array([0.25, 0.2, 0.25, 0.2, 0.4])
"""Of a ventricular extrasystole: no P wave, a broad QRS complex, an inverted T wave."""
_BEFORE, _PREMATURE, _PAUSE = 0.8, 0.6, 1.5
"""Durations of the heartbeat before an extrasystole, of itself and of the next: its R wave comes after 0.7 of the usual
interval, the next one after 1.05."""

_MILLIVOLT_PER_UNIT = 25.0
"""Scale that gives the published parameters at 60 beats per minute the published range, 1.6 mV (-0.4 to 1.2 mV)."""

_LOW_FREQUENCY, _HIGH_FREQUENCY, _SPREAD, _POWER_RATIO = 0.1, 0.25, 0.01, 0.5
"""Hertz: Mayer waves and breathing in the heart rate, and the ratio of their powers (McSharry et al. 2003)."""


class Rhythm(NamedTuple):
    """``slowest``, ``fastest``: heart rate, beats per minute. ``ectopic``: probability of an extrasystole per beat."""

    slowest: float
    fastest: float
    ectopic: float = 0.0


RHYTHMS = {
    "normal": Rhythm(60.0, 95.0),
    "bradycardia": Rhythm(35.0, 50.0),
    "tachycardia": Rhythm(110.0, 160.0),
    "extrasystoles": Rhythm(60.0, 95.0, 0.2),
}
"""Bradycardia is below 60 and tachycardia above 100 beats per minute; a gap is left between the classes."""


def synthetic_ecg(
    files: Mapping[str, Path],  # noqa: ARG001 (nothing is read)
    *,
    rhythms: Sequence[str] = tuple(RHYTHMS),
    n_per_class: int = 50,
    duration: QuantityLike = "10 s",
    sampling_rate: QuantityLike = "250 Hz",
    noise_mv: float = 0.01,
    seed: int = 0,
) -> "SyntheticECG":
    """Return electrocardiograms of several rhythms, one lead, in mV.

    Parameters
    ----------
    files : mapping
        Empty.
    rhythms : sequence of str
        Some of `RHYTHMS`.
    n_per_class : int
    duration : time
    sampling_rate : frequency
        At least 200 Hz, so that the QRS complex has its shape.
    noise_mv : float
        Standard deviation of white noise, mV.
    seed : int

    Returns
    -------
    SyntheticECG
        Labels ``rhythm``, ``presentation``, ``split``.

    Raises
    ------
    InputError
        For rhythms that do not exist, numbers that make no recording.
    """
    for name in rhythms:
        if name not in RHYTHMS:
            raise InputError(unknown("rhythm", name, RHYTHMS))
    length, rate = seconds(duration, "duration"), hertz(sampling_rate, "sampling_rate")
    if not 200.0 <= rate < np.inf or not 2.0 <= length < 3600.0:
        raise InputError(f"duration must be 2 s to 1 h, sampling_rate 200 Hz or more, got {duration}, {sampling_rate}.")
    if not 0 <= noise_mv < np.inf:
        raise InputError(f"noise_mv must be 0 or more, got {noise_mv}.")
    return SyntheticECG(tuple(rhythms), n_per_class, seed, length, rate, float(noise_mv))


class SyntheticECG(GeneratedClasses):
    """Electrocardiograms; see `synthetic_ecg`."""

    def __init__(
        self, rhythms: tuple[str, ...], n_per_class: int, seed: int, duration: float, rate: float, noise_mv: float
    ) -> None:
        super().__init__("rhythm", rhythms, n_per_class, seed)
        self._duration = duration
        self._rate = rate
        self._noise_mv = noise_mv

    def stimulus(self, position: int) -> Signal:
        """Return the electrocardiogram in mV."""
        rng = self.randomness(position)
        rhythm = RHYTHMS[self.classes[position // self.n_per_class]]
        heart_rate = rng.uniform(rhythm.slowest, rhythm.fastest)
        beats = _beats(heart_rate, rhythm.ectopic, self._duration, rng)
        trace = electrocardiogram(*beats, heart_rate, self._duration, self._rate)
        trace += self._noise_mv * rng.standard_normal(trace.size)
        return Signal(trace[np.newaxis], f"{self._rate} Hz", ("lead",))


def electrocardiogram(
    onsets: NDArray[np.float64], ectopic: NDArray[np.bool_], heart_rate: float, duration: float, sampling_rate: float
) -> NDArray[np.float64]:
    r"""Return the electrocardiogram of a sequence of heartbeats, in mV.

    .. math::

        \dot z = -\sum_{i \in PQRST} a_i\, \Delta\theta_i\, e^{-\Delta\theta_i^2 / 2 b_i^2} - (z - z_0),
        \qquad \Delta\theta_i = (\theta - \theta_i) \bmod 2\pi

    The phase :math:`\theta` of the heartbeat runs from :math:`-\pi` to :math:`\pi` within each, evenly; R is at 0. As
    in ECGSYN, the widths of the waves and the angles of Q and S grow with :math:`\sqrt{h / 60}` and those of P and T
    with its root, h being the heart rate. The baseline :math:`z_0` follows the breath at 0.25 Hz.

    Parameters
    ----------
    onsets : array, shape (n_beats + 1,)
        Where each heartbeat begins and the last one ends, seconds.
    ectopic : array of bool, shape (n_beats,)
        Which are ventricular extrasystoles.
    heart_rate : float
        Mean, beats per minute.
    duration, sampling_rate : float
        Seconds, hertz.

    Returns
    -------
    array, shape (n_samples,)

    References
    ----------
    McSharry, Clifford, Tarassenko & Smith (2003) IEEE Trans Biomed Eng 50:289-294, equations 1 to 4.
    """
    dt = 1.0 / sampling_rate
    lead_in = round(sampling_rate)
    time = (np.arange(round(duration * sampling_rate) + lead_in) - lead_in) * dt
    beat = np.searchsorted(onsets, time, side="right") - 1
    phase = -pi + 2.0 * pi * (time - onsets[beat]) / np.diff(onsets)[beat]
    stretch = sqrt(heart_rate / 60.0)
    angles = _ANGLES * np.array([sqrt(stretch), stretch, 1.0, stretch, sqrt(stretch)])
    away = (phase[:, np.newaxis] - angles + pi) % (2.0 * pi) - pi
    odd = ectopic[beat][:, np.newaxis]
    heights = np.where(odd, _ECTOPIC_HEIGHTS, _HEIGHTS)
    widths = np.where(odd, _ECTOPIC_WIDTHS, _WIDTHS) * stretch
    push = -(heights * away * np.exp(-(away**2) / (2.0 * widths**2))).sum(axis=1)
    push += 0.005 * np.sin(2.0 * pi * _HIGH_FREQUENCY * time)
    push[0] = 0.0  # starts at rest
    # The equation for z is that of a leaky integrator with a time constant of 1 s.
    return np.asarray(_MILLIVOLT_PER_UNIT * low_pass(push[np.newaxis], 1.0, dt)[0, lead_in:])


def _beats(
    heart_rate: float, ectopic: float, duration: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return where heartbeats begin and the last one ends, from before -1 s to after the end; which are ectopic."""
    n = int(np.ceil((duration + 4.0) * heart_rate / 60.0 / _PREMATURE)) + 4
    odd = rng.uniform(size=n) < ectopic
    odd[1:] &= ~odd[:-1]
    if ectopic > 0 and not odd[4:8].any():
        odd[5] = True
        odd[[4, 6]] = False
    interval = 60.0 / heart_rate * (1.0 + _variability(n, heart_rate, rng))
    interval[:-1][odd[1:]] *= _BEFORE
    interval[odd] *= _PREMATURE
    interval[1:][odd[:-1]] *= _PAUSE
    start = -1.0 - rng.uniform(0.5, 1.0) * interval[0] - interval[0]
    return start + np.concatenate([[0.0], np.cumsum(interval)]), odd


def _variability(n: int, heart_rate: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return relative deviations of n intervals: two Gaussian peaks in the spectrum, standard deviation 3 %."""
    frequency = np.fft.rfftfreq(max(n, 64), 60.0 / heart_rate)
    power = sum(
        share * np.exp(-((frequency - centre) ** 2) / (2.0 * _SPREAD**2))
        for share, centre in ((_POWER_RATIO, _LOW_FREQUENCY), (1.0, _HIGH_FREQUENCY))
    )
    spectrum = np.sqrt(power) * np.exp(2j * pi * rng.uniform(size=frequency.size))
    course = np.fft.irfft(spectrum, max(n, 64))
    return np.asarray(0.03 * (course / course.std())[:n])
