"""Filters of the basilar membrane, as values: gammatone, gammachirp, and two compressive paths."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.auditory.place_maps import TUNING, ten_db_bandwidth
from snncompare.encoding.parameters import check_between, check_not_negative, check_positive, check_whole
from snncompare.errors import InputError, unknown

__all__ = ["REFERENCE_PRESSURE", "DualResonance", "Gammachirp", "Gammatone", "MembraneFilters", "MembraneStages"]

REFERENCE_PRESSURE = 2e-5
"""Root-mean-square sound pressure of 0 dB SPL, in pascal."""
_NO_KNEE = 1e30


class MembraneStages(NamedTuple):
    """Digital filters of all channels, for `snncompare.encoding.auditory.membrane_kernel`.

    Each channel is cascades of complex one-pole filters whose real part counts: ``orders[0]`` poles, then biquads, then
    the broken stick (`knee` in pascal of amplitude, `exponent`), then ``orders[1]`` poles; beside it, ``orders[2]``
    poles on the input, added. ``poles`` has shape (n_channels, 3), ``gains`` (n_channels, 3),
    ``biquads`` (n_channels, n_biquads, 5): b0, b1, b2, a1, a2.
    """

    poles: NDArray[np.complex128]
    gains: NDArray[np.float64]
    orders: NDArray[np.int64]
    biquads: NDArray[np.float64]
    knee: float
    exponent: float

    def motion(self, sound: NDArray[np.float32], channels: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return how some places move, in pascal.

        Parameters
        ----------
        sound : array, shape (n_samples,)
            Pascal.
        channels : array, shape (LANES,)
            Numbers of the places; one may occur several times.

        Returns
        -------
        array, shape (n_samples LANES,)
            Place by place for each sample.
        """
        from snncompare.encoding.auditory.membrane_kernel import membrane_motion

        poles = self.poles[channels]
        parts = np.stack([poles.real.T, poles.imag.T], axis=1).reshape(6, -1)
        biquads = self.biquads[channels].reshape(channels.size, -1).T
        filters = np.concatenate([parts, self.gains[channels].T, biquads]).astype(np.float32).ravel()
        motion = np.empty(sound.size * channels.size, dtype=np.float32)
        orders = tuple(tuple(range(order)) for order in self.orders.tolist())
        sections = tuple(range(self.biquads.shape[1]))
        membrane_motion(sound, filters, orders, sections, self.knee, self.exponent, motion)
        return motion


class MembraneFilters(ABC):
    """Motion of places on the basilar membrane, in pascal: the sound pressure itself for a soft tone at the CF."""

    tuning: str

    @abstractmethod
    def stages(self, frequencies: NDArray[np.float64], rate: float) -> MembraneStages:
        """Return the digital filters for characteristic frequencies (Hz) at a sampling rate (Hz)."""

    def _check_tuning(self) -> None:
        if self.tuning not in TUNING:
            raise InputError(unknown("tuning called", self.tuning, TUNING))


@dataclass(frozen=True, kw_only=True)
class Gammatone(MembraneFilters):
    r"""Linear gammatone filters.

    .. math:: g(t) = t^{n-1} e^{-2 \pi b t} \cos(2 \pi f_c t)

    as :math:`n` equal complex one-pole filters. :math:`b` is such that the filter is as wide at -10 dB as
    `place_maps.ten_db_bandwidth` says; for human tuning and the fourth order that is :math:`b = 1.019\,ERB`.

    Parameters
    ----------
    order : int
        :math:`n`.
    tuning : str
        "cat" (sharpness of auditory-nerve fibres) or "human" (of listeners).

    Raises
    ------
    InputError
        For an order below 1 or an unknown tuning.

    References
    ----------
    Patterson, Nimmo-Smith, Holdsworth & Rice (1987) An efficient auditory filterbank based on the gammatone function;
    Hohmann (2002) Acta Acustica 88:433-442 (complex one-pole filters).
    """

    order: int = 4
    tuning: str = "cat"

    def __post_init__(self) -> None:
        check_whole(self, "order", 1)
        self._check_tuning()

    def stages(self, frequencies: NDArray[np.float64], rate: float) -> MembraneStages:
        """Return the filters; the gain at the CF is 1."""
        decay = _gammatone_decay(ten_db_bandwidth(frequencies, self.tuning), self.order)
        poles = _poles(frequencies, decay, rate)
        gains = 1.0 / np.abs(_response(poles, self.order, frequencies, rate))
        return _one_path(poles, gains, self.order, np.empty((frequencies.size, 0, 5)))


@dataclass(frozen=True, kw_only=True)
class Gammachirp(MembraneFilters):
    r"""Linear gammachirp filters: gammatones with an upper flank steeper than the lower one.

    .. math::

        g(t) = t^{n-1} e^{-2 \pi b t} \cos(2 \pi f_r t + c \ln t), \qquad
        |G(f)| \propto \frac{e^{c \theta}}{(1 + y^2)^{n/2}}, \quad \theta = \arctan y, \quad y = \frac{f - f_r}{b}

    :math:`b` and :math:`f_r` are such that :math:`|G|` peaks at the CF and is as wide at -10 dB as
    `place_maps.ten_db_bandwidth` says. The factor :math:`e^{c \theta}` is a cascade of four biquads, right to about
    1 dB within 30 dB of the peak.

    Parameters
    ----------
    chirp : float
        :math:`c`, from -2 to 0; 0 is a gammatone.
    order : int
        :math:`n`.
    tuning : str
        As for `Gammatone`.

    Raises
    ------
    InputError
        For parameters out of range.

    References
    ----------
    Irino & Patterson (1997) J Acoust Soc Am 101:412-419; (2001) 109:2008-2022 (passive gammachirp); Irino & Unoki
    (1999) J Acoust Soc Jpn (E) 20:397-406 (the cascade). The level-dependent part of the compressive gammachirp is
    not in here; `DualResonance` is the compressive one.
    """

    chirp: float = -2.0
    order: int = 4
    tuning: str = "cat"

    def __post_init__(self) -> None:
        check_between(self, "chirp", -2.0, 0.0)
        check_whole(self, "order", 1)
        self._check_tuning()

    def stages(self, frequencies: NDArray[np.float64], rate: float) -> MembraneStages:
        """Return the filters; the gain at the CF is 1."""
        decay = ten_db_bandwidth(frequencies, self.tuning) / _gammachirp_width(self.order, self.chirp)
        centre = frequencies - decay * self.chirp / self.order
        poles = _poles(centre, decay, rate)
        biquads = _asymmetry(centre, decay, self.chirp, rate)
        at_peak = _response(poles, self.order, frequencies, rate) * _biquad_response(biquads, frequencies, rate)
        return _one_path(poles, 1.0 / np.abs(at_peak), self.order, biquads)


@dataclass(frozen=True, kw_only=True)
class DualResonance(MembraneFilters):
    r"""Compressive filters: a sharp path with a broken stick inside, beside a broad linear one.

    .. math:: y = G_2\left[\phi(G_1[p])\right] + 10^{-g/20} G_{lin}[p], \qquad
        \phi(u) = \begin{cases} u & |u| < p_k \\ \mathrm{sgn}(u)\, p_k^{1-c} |u|^c & |u| \ge p_k \end{cases}

    :math:`G_1` and :math:`G_2` are gammatone filters of second order at the CF; below the knee they are one of fourth
    order, as wide as `Gammatone`. :math:`G_{lin}` is of fourth order, lower and broader: it makes the tail of the
    tuning curve and the linear response to loud sound. The same knee and
    exponent hold at all places, whereas the apex of real cochleae compresses less.

    Parameters
    ----------
    knee_db : float
        :math:`p_k`, level (dB SPL) of a tone at the CF above which the response is compressed: about 30 dB above
        the lowest threshold there (Sachs, Winslow & Sokolowski 1989).
    exponent : float
        :math:`c`, growth above the knee, dB/dB; measured 0.2 to 0.5 (Robles & Ruggero 2001).
    tail_attenuation_db : float
        :math:`g`, sensitivity of the tail below that of the tip.
    tail_centre, tail_bandwidth : float
        Centre frequency and decay constant :math:`b` of :math:`G_{lin}`, relative to the CF.
    tuning : str
        As for `Gammatone`.

    Raises
    ------
    InputError
        For parameters out of range.

    References
    ----------
    Meddis, O'Mard & Lopez-Poveda (2001) J Acoust Soc Am 109:2852-2861 (dual resonance, broken stick; here in pascal
    instead of stapes velocity); Robles & Ruggero (2001) Physiol Rev 81:1305-1352, sections III.A and III.B; Sachs,
    Winslow & Sokolowski (1989) Hear Res 41:61-69; Kiang & Moxon (1974) J Acoust Soc Am 55:620-630 (tails).
    """

    knee_db: float = 30.0
    exponent: float = 0.25
    tail_attenuation_db: float = 50.0
    tail_centre: float = 0.7
    tail_bandwidth: float = 0.4
    tuning: str = "cat"

    def __post_init__(self) -> None:
        check_between(self, "knee_db", -20.0, 140.0)
        check_between(self, "exponent", 0.01, 1.0)
        check_not_negative(self, "tail_attenuation_db")
        check_positive(self, "tail_centre", "tail_bandwidth")
        self._check_tuning()

    def stages(self, frequencies: NDArray[np.float64], rate: float) -> MembraneStages:
        """Return the filters; the gain of the sharp path at the CF is 1 below the knee."""
        sharp = _poles(frequencies, _gammatone_decay(ten_db_bandwidth(frequencies, self.tuning), 4), rate)
        tail_frequencies = self.tail_centre * frequencies
        tail = _poles(tail_frequencies, self.tail_bandwidth * frequencies, rate)
        gain = 1.0 / np.abs(_response(sharp, 2, frequencies, rate))
        tail_gain = 10.0 ** (-self.tail_attenuation_db / 20.0) / np.abs(_response(tail, 4, tail_frequencies, rate))
        return MembraneStages(
            poles=np.stack([sharp, sharp, tail], axis=1),
            gains=np.stack([gain, gain, tail_gain], axis=1),
            orders=np.array([2, 2, 4]),
            biquads=np.empty((frequencies.size, 0, 5)),
            knee=float(np.sqrt(2.0) * REFERENCE_PRESSURE * 10.0 ** (self.knee_db / 20.0)),
            exponent=float(self.exponent),
        )


def _one_path(
    poles: NDArray[np.complex128], gains: NDArray[np.float64], order: int, biquads: NDArray[np.float64]
) -> MembraneStages:
    nothing = np.zeros_like(poles)
    none = np.zeros_like(gains)
    return MembraneStages(
        poles=np.stack([poles, nothing, nothing], axis=1),
        gains=np.stack([gains, none, none], axis=1),
        orders=np.array([order, 0, 0]),
        biquads=biquads,
        knee=_NO_KNEE,
        exponent=1.0,
    )


def _gammatone_decay(bandwidth: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return b of a gammatone of this width at -10 dB: |G|^2 = (1 + (width / 2b)^2)^-n = 1/10."""
    return np.asarray(bandwidth / (2.0 * np.sqrt(10.0 ** (1.0 / order) - 1.0)))


def _gammachirp_width(order: int, chirp: float) -> float:
    """Return the width at -10 dB of a gammachirp, in units of b; its amplitude peaks at y = c / n."""
    from scipy.optimize import brentq

    def level(y: float) -> float:
        return float(chirp * np.arctan(y) - 0.5 * order * np.log1p(y * y))

    peak = chirp / order
    target = level(peak) - 0.5 * np.log(10.0)
    flanks = [brentq(lambda y: level(y) - target, peak, peak + side * 1e3) for side in (-1.0, 1.0)]
    return float(flanks[1] - flanks[0])


def _poles(centre: NDArray[np.float64], decay: NDArray[np.float64], rate: float) -> NDArray[np.complex128]:
    return np.asarray(np.exp(2.0 * np.pi * (-decay + 1j * centre) / rate))


def _response(
    poles: NDArray[np.complex128], order: int, frequencies: NDArray[np.float64], rate: float
) -> NDArray[np.complex128]:
    """Return the response at each channel's frequency of the real part of a cascade of one-pole filters."""
    unit = np.exp(-2j * np.pi * frequencies / rate)
    above = (1.0 - poles * unit) ** -order
    below = (1.0 - poles * np.conj(unit)) ** -order
    return np.asarray(0.5 * (above + np.conj(below)))


def _asymmetry(
    centre: NDArray[np.float64], decay: NDArray[np.float64], chirp: float, rate: float
) -> NDArray[np.float64]:
    """Return the biquads that multiply the amplitude by exp(c theta), of Irino & Unoki (1999), b there in ERB."""
    b = 1.019
    ratio, step = 2.0, 1.0724
    radius = 1.7818 * (1.0 - 0.0791 * b) * (1.0 - 0.1655 * abs(chirp))
    shift = 0.5689 * (1.0 - 0.1620 * b) * (1.0 - 0.0857 * abs(chirp))
    sections = []
    for k in range(4):
        r = np.exp(-radius * (ratio / step) ** k * 2.0 * np.pi * decay / rate)
        away = (ratio * step) ** k * shift * chirp * decay
        zero = 2.0 * np.pi * np.maximum(centre - away, 0.0) / rate
        pole = 2.0 * np.pi * np.maximum(centre + away, 0.0) / rate
        one = np.ones_like(r)
        sections.append(np.stack([one, -2.0 * r * np.cos(zero), r**2, -2.0 * r * np.cos(pole), r**2], axis=1))
    return np.stack(sections, axis=1)


def _biquad_response(
    biquads: NDArray[np.float64], frequencies: NDArray[np.float64], rate: float
) -> NDArray[np.complex128]:
    z = np.exp(-2j * np.pi * frequencies / rate)[:, np.newaxis]
    b0, b1, b2, a1, a2 = np.moveaxis(biquads, 2, 0)
    return np.asarray(((b0 + b1 * z + b2 * z**2) / (1.0 + a1 * z + a2 * z**2)).prod(axis=1))
