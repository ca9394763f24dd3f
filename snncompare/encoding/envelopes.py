"""Random amplitude modulations with the statistics of the sounds played to grasshopper receptors."""

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.units import QuantityLike, hertz, quantity, seconds

__all__ = ["BandLimitedEnvelope", "band_limited_noise", "mixture"]

_EDGE_PERIODS = 8
"""Periods of the cutoff that are generated and cut off, so that the two ends of a sound are not neighbours."""


@dataclass(frozen=True, kw_only=True)
class BandLimitedEnvelope:
    r"""A sound envelope that is Gaussian in decibels, with a flat spectrum up to a cutoff.

    .. math:: A(t) = 10^{L(t)/20}, \qquad L(t) = \min(L_{max}, \max(L_{min}, L_0 + \sigma g(t)))

    where :math:`g` is Gaussian noise of mean 0 and variance 1 whose power is constant from 0 to the cutoff frequency
    and 0 above it. The default values are those of the two sounds of the dataset ``grasshopper_receptor``, which
    have cutoffs of 200 and 800 Hz, a median of -18 dB, a standard deviation of 6 dB and limits at three standard
    deviations. Amplitudes are relative to the largest amplitude played.

    Parameters
    ----------
    cutoff : frequency
        Highest frequency of the modulation.
    level_db : float
        :math:`L_0`, median level in dB relative to amplitude 1.
    depth_db : float
        :math:`\sigma`, standard deviation of the level in dB.
    floor_db, ceiling_db : float
        :math:`L_{min}`, :math:`L_{max}`, limits of the level in dB.
    sampling_rate : frequency
        Samples per second; more than twice the cutoff.

    Raises
    ------
    InputError
        For limits that do not enclose the median, a depth that is not positive, or a cutoff above half the
        sampling rate.

    References
    ----------
    Machens, Stemmler, Prinz, Krahe, Ronacher & Herz (2001). Representation of acoustic communication signals by
    insect auditory receptor neurons. J Neurosci 21:3215-3227 (random amplitude modulations, Gaussian in dB).
    """

    cutoff: QuantityLike = "200 Hz"
    level_db: float = -18.0
    depth_db: float = 6.0
    floor_db: float = -36.0
    ceiling_db: float = 0.0
    sampling_rate: QuantityLike = "20 kHz"

    def __post_init__(self) -> None:
        for name in ("cutoff", "sampling_rate"):
            if hertz(getattr(self, name), name) <= 0:
                raise InputError(f"{name} must be positive, got {getattr(self, name)}.")
            object.__setattr__(self, name, quantity(getattr(self, name)))
        if 2 * self.cutoff.value >= self.sampling_rate.value:
            raise InputError(
                f"a cutoff of {self.cutoff} needs a sampling rate above {2 * self.cutoff.value:g} Hz, "
                f"got {self.sampling_rate}."
            )
        levels = (self.floor_db, self.level_db, self.ceiling_db)
        if not (all(isfinite(level) for level in levels) and levels[0] < levels[1] < levels[2]):
            raise InputError(f"floor_db < level_db < ceiling_db must hold, got {levels}.")
        if not (isfinite(self.depth_db) and self.depth_db > 0):
            raise InputError(f"depth_db must be positive, got {self.depth_db}.")

    def n_samples(self, duration: QuantityLike) -> int:
        """Return the number of samples in a sound of this duration.

        Raises
        ------
        InputError
            If that is not a whole, positive number.
        """
        exact = seconds(duration, "duration") * self.sampling_rate.value
        if round(exact) < 1 or abs(exact - round(exact)) > 1e-6 * max(exact, 1.0):
            raise InputError(
                f"a duration of {duration} is {exact:g} samples at {self.sampling_rate}; give whole samples."
            )
        return round(exact)

    def modulation(self, duration: QuantityLike, rng: np.random.Generator, n: int = 1) -> NDArray[np.float64]:
        """Return ``n`` random modulations :math:`g`, array of shape (n, n_samples), of mean 0 and variance 1."""
        return band_limited_noise(n, self.n_samples(duration), self.cutoff.value, self.sampling_rate.value, rng)

    def amplitude(self, modulation: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the envelope :math:`A` of a modulation :math:`g` (of mean 0, variance 1), of the same shape."""
        level = np.clip(self.level_db + self.depth_db * modulation, self.floor_db, self.ceiling_db)
        return np.asarray(10.0 ** (level / 20.0))

    def generate(self, duration: QuantityLike, rng: np.random.Generator, n: int = 1) -> NDArray[np.float64]:
        """Return ``n`` independent random envelopes, array of shape (n, n_samples)."""
        return self.amplitude(self.modulation(duration, rng, n))


def band_limited_noise(
    n: int, n_samples: int, cutoff: float, sampling_rate: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return Gaussian noise with a flat spectrum from 0 to ``cutoff`` and none above.

    White noise loses its Fourier components above the cutoff and is scaled to unit expected variance. A longer piece
    is made and cut, because the first and last samples of such noise would otherwise be neighbours.

    Parameters
    ----------
    n, n_samples : int
        Number of pieces and samples in each.
    cutoff, sampling_rate : float
        Hertz; the cutoff lies below half the sampling rate.
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (n, n_samples)
        Mean 0 and variance 1 in expectation.

    Raises
    ------
    InputError
        For no pieces.
    """
    if n < 1:
        raise InputError(f"at least one modulation must be asked for, got n={n}.")
    length = n_samples + int(np.ceil(_EDGE_PERIODS * sampling_rate / cutoff))
    spectrum = np.fft.rfft(rng.standard_normal((n, length)))
    passed = np.fft.rfftfreq(length, 1.0 / sampling_rate) <= cutoff
    spectrum[:, ~passed] = 0.0
    # The component of frequency 0 is real and counts once, all others count for themselves and their conjugate.
    share = (2 * np.count_nonzero(passed) - 1) / length
    return np.asarray(np.fft.irfft(spectrum, length)[:, :n_samples] / np.sqrt(share))


def mixture(template: NDArray[np.float64], fresh: NDArray[np.float64], similarity: float) -> NDArray[np.float64]:
    r"""Return presentations of a frozen modulation that share part of it and differ in the rest.

    .. math:: g = \sqrt{\rho}\, g_{template} + \sqrt{1 - \rho}\, g_{fresh}

    If template and fresh noise are independent, with the same spectrum and variance, then so is the mixture, for every
    similarity :math:`\rho`: two presentations of one template correlate with :math:`\rho`, and nothing
    in the statistics of a single one tells how much of it is shared.

    Parameters
    ----------
    template : array, shape (..., n_samples)
    fresh : array, shape (n, n_samples)
    similarity : float
        :math:`\rho`, from 0 (nothing shared) to 1 (all presentations identical).

    Raises
    ------
    InputError
        For a similarity outside 0 to 1, or different numbers of samples.
    """
    if template.shape[-1] != fresh.shape[-1]:
        raise InputError(
            f"template and fresh noise have {template.shape[-1]} and {fresh.shape[-1]} samples; make them equal."
        )
    if not 0.0 <= similarity <= 1.0:
        raise InputError(f"similarity must lie between 0 and 1, got {similarity}.")
    return np.asarray(np.sqrt(similarity) * template + np.sqrt(1.0 - similarity) * fresh)
