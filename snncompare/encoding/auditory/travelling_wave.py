"""The travelling wave on the basilar membrane: a closed form of how fast each place moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncompare.encoding.parameters import check_between, check_not_negative, check_positive
from snncompare.errors import InputError

__all__ = ["TravellingWave"]

_NEGLIGIBLE = 1e-6
"""Gain relative to that at the characteristic frequency, above which higher frequencies are kept."""

_DECAYS = 8.0
"""Length of an impulse response, in time constants of the slowest place: all but 1e-6 of its energy."""

_LEAD = 2e-3
"""What is kept of an impulse response on its short side, in seconds: the ringing of a band that ends."""

_LARGEST = 2**17
"""Samples of a Fourier transform; gains of 700 channels then take 260 MB."""

_N_EXACT = 600
"""Frequencies per channel at which gains are computed: phases differ by 0.2 from one to the next, cubic splines then
are right to 1e-5 of the largest gain."""


@dataclass(frozen=True, kw_only=True)
class TravellingWave:
    r"""Basilar membrane in a shallow fluid, driven at the stapes: linear, passive, no coupling along its length.

    A place at distance :math:`x` from the stapes has stiffness, damping and mass per area; with time as
    :math:`e^{i \omega t}`,

    .. math::

        \xi(x, \omega) = C_0 e^{-\alpha x} - a - m \omega^2 + i \omega \delta \sqrt{C_0 m}\, e^{-\alpha x / 2}

    The pressure difference across it obeys :math:`p'' + g^2 p = 0` with the wave number
    :math:`g = \omega \sqrt{\rho / (h \xi)}`. The wave that leaves the stapes is

    .. math::

        p(x) = \sqrt{G / g}\, H_0^{(2)}(G), \qquad G(x) = \frac{2}{\alpha} g(0) + \int_0^x g(x')\, dx'

    exact where stiffness dominates, and of the accuracy of Liouville and Green elsewhere. With
    :math:`t = e^{\alpha x / 2}`, :math:`K = a + m \omega^2`, :math:`b = i \omega \delta \sqrt{C_0 m}`,

    .. math::

        \int_0^x g\, dx' = \frac{2 \omega}{\alpha} \sqrt{\frac{\rho}{h K}}
            \left[ \arcsin \frac{2 K t - b}{\sqrt{4 K C_0 + b^2}} \right]_{1}^{e^{\alpha x / 2}}

    The velocity per velocity of the stapes is :math:`v = \frac{2 i \omega}{\xi} \frac{p(x)}{p(0)} Z`, with the input
    impedance :math:`Z = i \sqrt{2 C_0 \rho / h}\, H_0^{(2)}(z) / H_1^{(2)}(z)`,
    :math:`z = \frac{2 \omega}{\alpha} \sqrt{2 \rho / (h C_0)}`.

    Parameters
    ----------
    length : float
        Of the membrane, cm.
    stiffness, stiffness_offset : float
        :math:`C_0, a`, g s^-2 cm^-2.
    decay : float
        :math:`\alpha`, 1/cm.
    mass : float
        :math:`m`, g cm^-2.
    damping : float
        :math:`\delta`, the inverse quality factor of a free place.
    height : float
        :math:`h`, of the scala, cm.
    density : float
        :math:`\rho`, of the fluid, g cm^-3.
    published_phase : bool
        The phases of `lauscher` 1.0.1, the program that Cramer et al. published with SHD and SSC. It has
        :math:`\frac{2 \omega}{\xi^*} (p(x) / p(0))^* Z`: amplitudes are the same, but the wave runs backwards in time,
        so that a place moves *before* the sound arrives, the apex 19 ms. False: as derived, a causal filter.

    Raises
    ------
    InputError
        For parameters that are not positive, a damping of 2 or more (nothing oscillates), an offset that makes the apex
        unstable.

    References
    ----------
    Sieroka, Dosch & Rupp (2006) J Acoust Soc Am 120:297-304 (model). Cramer, Stradmann, Schemmel & Zenke (2022) IEEE
    Trans Neural Netw Learn Syst 33:2744-2757 (parameters). de Boer (1996) in The Cochlea, Springer (long waves).
    """

    length: float = 3.5
    stiffness: float = 1e9
    stiffness_offset: float = 3500.0
    decay: float = 3.0
    mass: float = 0.05
    damping: float = 0.15
    height: float = 0.1
    density: float = 1.0
    published_phase: bool = False

    def __post_init__(self) -> None:
        check_positive(self, "length", "stiffness", "decay", "mass", "damping", "height", "density")
        check_not_negative(self, "stiffness_offset")
        check_between(self, "damping", 0.0, 1.99)
        apex = self.stiffness * np.exp(-self.decay * self.length)
        if self.stiffness_offset >= apex:
            raise InputError(
                f"stiffness_offset must be below the stiffness at the apex, {apex:g}, got {self.stiffness_offset:g}."
            )

    def places(self, n_channels: int) -> NDArray[np.float64]:
        """Return equally spaced distances from the stapes, base to apex, cm, shape (n_channels,)."""
        return np.linspace(0.0, self.length, n_channels)

    def resonance_frequencies(self, places: ArrayLike) -> NDArray[np.float64]:
        r"""Return :math:`\frac{1}{2 \pi} \sqrt{(C_0 e^{-\alpha x} - a) / m}`, hertz: where mass cancels stiffness."""
        stiffness = self.stiffness * np.exp(-self.decay * np.asarray(places, dtype=np.float64)) - self.stiffness_offset
        return np.asarray(np.sqrt(stiffness / self.mass) / (2 * pi))

    def characteristic_frequencies(self, places: ArrayLike) -> NDArray[np.float64]:
        """Return the frequencies that move each place fastest, hertz; about 0.9 of its resonance frequency."""
        relative = np.geomspace(0.4, 1.1, 400)
        frequencies = self.resonance_frequencies(places)[:, np.newaxis] * relative
        gains = np.abs(self.gains(frequencies, np.asarray(places)[:, np.newaxis]))
        return np.asarray(frequencies[np.arange(len(gains)), gains.argmax(axis=1)])

    def gains(self, frequencies: ArrayLike, places: ArrayLike) -> NDArray[np.complex128]:
        """Return the velocity of places (cm) per velocity of the stapes at frequencies (Hz, above 0); arrays broadcast.

        Phases are relative to :math:`e^{i 2 pi f t}`, as in `numpy.fft`: a delay is a falling phase.
        """
        omega = 2 * pi * np.asarray(frequencies, dtype=np.float64)
        x = np.asarray(places, dtype=np.float64)
        transmission, impedance = self._transmission(omega, x), self._input_impedance(omega)
        if self.published_phase:
            return np.asarray(np.conj(transmission) * impedance)
        return np.asarray(1j * transmission * impedance)

    def velocities(self, samples: ArrayLike, sampling_rate: float, n_channels: int) -> Iterator[NDArray[np.float32]]:
        """Yield the velocity of each channel, base to apex, at half the sampling rate, shape (n_samples // 2 + odd,).

        Half the rate, because the envelope of the highest channels is all that a hair cell can follow: what lies above
        a quarter of the sampling rate is folded down with its amplitude kept, as in the published implementation.

        Parameters
        ----------
        samples : array, shape (n_samples,)
        sampling_rate : float
            Hertz.
        n_channels : int

        Raises
        ------
        InputError
            For a membrane that rings for seconds.
        """
        from scipy.fft import irfft, rfft

        bank = _bank(self, float(sampling_rate), n_channels)
        sound = np.asarray(samples, dtype=np.float64)
        n_out, size = (sound.size + 1) // 2, bank.size
        step = size - bank.lag - bank.lead
        starts = range(0, n_out, step)
        padded = np.zeros(2 * (bank.lag + step * len(starts) + bank.lead))
        padded[2 * bank.lag : 2 * bank.lag + sound.size] = sound
        spectra = [rfft(padded[2 * start : 2 * (start + size)])[:size].astype(np.complex64) for start in starts]
        for gain in bank.gains:
            velocity = np.empty(step * len(starts), dtype=np.float32)
            for start, spectrum in zip(starts, spectra, strict=True):
                answer = irfft(_folded(gain * spectrum[: gain.size], size), size)
                velocity[start : start + step] = answer[bank.lag : bank.lag + step]
            yield velocity[:n_out]

    def _stiffness(self, omega: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.complex128]:
        elastic = self.stiffness * np.exp(-self.decay * x) - self.stiffness_offset - self.mass * omega**2
        resistance = self.damping * sqrt(self.stiffness * self.mass) * np.exp(-self.decay * x / 2)
        return np.asarray(elastic + 1j * omega * resistance)

    def _wave(self, omega: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return G: the phase that the wave has gathered."""
        load = self.stiffness_offset + self.mass * omega**2
        drag = 1j * omega * self.damping * sqrt(self.stiffness * self.mass)
        root = np.sqrt(4 * load * self.stiffness + (drag**2).real)
        gathered = np.arcsin((2 * load * np.exp(self.decay * x / 2) - drag) / root) - np.arcsin(
            (2 * load - drag) / root
        )
        number = omega * np.sqrt(self.density / (self.height * self._stiffness(omega, np.zeros(()))))
        return np.asarray(2 / self.decay * (number + omega * np.sqrt(self.density / (self.height * load)) * gathered))

    def _transmission(self, omega: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.complex128]:
        from scipy.special import hankel2

        base = np.zeros(())
        here, there = self._stiffness(omega, x), self._stiffness(omega, base)
        wave, start = self._wave(omega, x), self._wave(omega, base)
        # sqrt(g(0) / g(x)) is a power of the stiffness, whose own branch is safe: its imaginary part is positive.
        pressure = np.sqrt(wave / start) * (here / there) ** 0.25 * hankel2(0, wave) / hankel2(0, start)
        return np.asarray(2 * omega / here * pressure)

    def _input_impedance(self, omega: NDArray[np.float64]) -> NDArray[np.complex128]:
        from scipy.special import hankel2

        z = 2 * omega / self.decay * sqrt(2 * self.density / (self.height * self.stiffness))
        scale = sqrt(2 * self.stiffness * self.density / self.height)
        return np.asarray(1j * scale * hankel2(0, z) / hankel2(1, z))


@dataclass(frozen=True)
class _Bank:
    """Gains of all channels at the frequencies of a Fourier transform: ``size`` samples at half the sampling rate."""

    gains: tuple[NDArray[np.complex64], ...]
    size: int
    lag: int
    lead: int


@lru_cache(maxsize=2)
def _bank(membrane: TravellingWave, sampling_rate: float, n_channels: int) -> _Bank:
    places = membrane.places(n_channels)
    resonances = membrane.resonance_frequencies(places)
    decay_time = 2.0 / (membrane.damping * 2 * pi * resonances[-1])
    long, short = ceil(_DECAYS * decay_time * sampling_rate / 2), ceil(_LEAD * sampling_rate / 2)
    lag, lead = (ceil(long / 4), long) if membrane.published_phase else (long, short)
    size = 2 ** ceil(np.log2(4 * long + short))
    if size > _LARGEST:
        raise InputError(
            f"the apex rings at {resonances[-1]:.3g} Hz for {_DECAYS * decay_time:.3g} s after a sound, too long to be "
            "followed; take more damping, a stiffer apex or a lower sampling rate."
        )
    frequencies = np.arange(1, size) * sampling_rate / 2 / size
    gains = []
    for place, resonance in zip(places, resonances, strict=True):
        n_kept = np.searchsorted(frequencies, _highest(membrane, place, resonance))
        gains.append(_sampled(membrane, place, frequencies[:n_kept]))
    return _Bank(tuple(gains), size, lag, lead)


def _sampled(membrane: TravellingWave, place: float, frequencies: NDArray[np.float64]) -> NDArray[np.complex64]:
    """Return gains at 0 Hz and at equally spaced frequencies, most of them interpolated."""
    from scipy.interpolate import CubicSpline

    if frequencies.size <= _N_EXACT:
        found = membrane.gains(frequencies, place)
    else:
        known = np.linspace(frequencies[0], frequencies[-1], _N_EXACT)
        found = CubicSpline(known, membrane.gains(known, place))(frequencies)
    return np.concatenate([[0.0], found]).astype(np.complex64)


def _highest(membrane: TravellingWave, place: float, resonance: float) -> float:
    """Return the frequency above which a place hardly moves."""
    frequencies = resonance * np.geomspace(0.4, 4.0, 100)
    amplitudes = np.abs(membrane.gains(frequencies, place))
    return float(frequencies[np.flatnonzero(amplitudes > _NEGLIGIBLE * amplitudes.max())[-1]])


def _folded(spectrum: NDArray[Any], size: int) -> NDArray[Any]:
    """Return the non-negative frequencies of a real signal at half the rate, from those of the whole."""
    half = size // 2
    folded = np.zeros(half + 1, dtype=np.complex64)
    folded[: min(spectrum.size, half + 1)] = spectrum[: half + 1]
    high = np.conj(spectrum[half:])
    folded[half - np.arange(high.size)] += high
    return folded * np.float32(0.5)
