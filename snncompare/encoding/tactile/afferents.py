"""Kinds of tactile afferents: how skin indentation drives each."""

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.low_pass import low_pass
from snncompare.encoding.parameters import (
    check_between,
    check_not_negative,
    check_positive,
    keep_frequencies,
    keep_times,
)
from snncompare.units import QuantityLike

__all__ = ["PC", "RA1", "SA1", "Afferent"]


@dataclass(frozen=True, kw_only=True)
class Afferent:
    r"""How the indentation of the skin :math:`s` (mm) drives the spike generator of an afferent.

    .. math::

        x &= h * s, \qquad \tau_r \dot{\bar x} = x - \bar x \\
        I &= S(g_s [x - \rho \bar x]_+) + S(g_v [\dot x]_+) + \kappa S(g_v [-\dot x]_+) + S(g_a [\ddot x]_+)
             + \kappa S(g_a [-\ddot x]_+), \qquad S(y) = y / (1 + y / I_{max})

    with :math:`h` a critically damped low-pass filter of second order (skin and end organ), corner frequency
    :math:`f_c`. :math:`I` drives `integrate_and_fire`. The skin has rested at the first sample's indentation.

    Parameters
    ----------
    static_gain : float
        :math:`g_s`, per mm.
    velocity_gain : float
        :math:`g_v`, seconds per mm.
    acceleration_gain : float
        :math:`g_a`, seconds squared per mm.
    retraction : float
        :math:`\kappa`, weight of movement out of the skin relative to movement into it.
    relaxation : float
        :math:`\rho`, share of a held indentation that relaxes.
    relaxation_time : time
        :math:`\tau_r`.
    corner : frequency
        :math:`f_c`.
    saturation : float
        :math:`I_{max}`, in units of the threshold; above 1.
    membrane_time_constant, refractory_period, adaptation_time_constant : time
    adaptation, noise_sd : float
        Of the spike generator, see `integrate_and_fire`.
    field_mm : float
        Standard deviation of the Gaussian receptive field over skin sites, mm; 0: one site.

    Raises
    ------
    InputError
        For parameters that describe no afferent.
    """

    static_gain: float = 0.0
    velocity_gain: float = 0.0
    acceleration_gain: float = 0.0
    retraction: float = 0.5
    relaxation: float = 0.0
    relaxation_time: QuantityLike = "5 s"
    corner: QuantityLike = "60 Hz"
    saturation: float = 1000.0
    membrane_time_constant: QuantityLike = "3 ms"
    refractory_period: QuantityLike = "1 ms"
    adaptation: float = 0.0
    adaptation_time_constant: QuantityLike = "20 ms"
    noise_sd: float = 0.05
    field_mm: float = 0.0

    def __post_init__(self) -> None:
        check_not_negative(self, "static_gain", "velocity_gain", "acceleration_gain", "adaptation", "noise_sd")
        check_not_negative(self, "field_mm", "retraction")
        check_between(self, "relaxation", 0.0, 1.0)
        check_positive(self, "saturation")
        keep_times(self, "relaxation_time", "membrane_time_constant", "refractory_period", "adaptation_time_constant")
        keep_frequencies(self, "corner")

    @property
    def least_rate(self) -> float:
        """Samples per second below which the drive or the membrane would be computed too coarsely: ten per period."""
        return float(max(10.0 * self.corner.value, 3.0 / self.membrane_time_constant.value))

    def drive(
        self, indentation: NDArray[np.float64], dt: float, sensitivity: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the drive :math:`I`.

        Parameters
        ----------
        indentation : array, shape (n_units, n_samples)
            Millimetres.
        dt : float
            Length of a sample, seconds.
        sensitivity : array, shape (n_units, 1)
            Multiplies all gains.

        Returns
        -------
        array, shape (n_units, n_samples)
        """
        skin = 1.0 / (2.0 * pi * self.corner.value)
        smooth = low_pass(indentation, skin, dt, order=2)
        velocity = np.diff(smooth, axis=1, prepend=smooth[:, :1]) / dt
        held = smooth
        if self.relaxation > 0:
            held = smooth - self.relaxation * low_pass(smooth, self.relaxation_time.value, dt)
        total = self._saturated(self.static_gain * sensitivity * held)
        total += self._both_ways(self.velocity_gain * sensitivity * velocity)
        if self.acceleration_gain > 0:
            acceleration = np.diff(velocity, axis=1, prepend=velocity[:, :1]) / dt
            total += self._both_ways(self.acceleration_gain * sensitivity * acceleration)
        return total

    def _both_ways(self, movement: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._saturated(movement) + self.retraction * self._saturated(-movement)

    def _saturated(self, drive: NDArray[np.float64]) -> NDArray[np.float64]:
        above = np.maximum(drive, 0.0)
        return np.asarray(above / (1.0 + above / self.saturation))


@dataclass(frozen=True, kw_only=True)
class SA1(Afferent):
    """Slowly adapting type 1 (Merkel): held indentation, in a rate that is linear in its depth.

    Threshold, gain and adaptation put a held indentation of 1 mm near 60 spikes/s; relaxation follows the decline by
    38 % in 12 s of a steady indentation that Burgess et al. (1983) J Neurosci 3:2652-2662 report.
    """

    static_gain: float = 12.0
    velocity_gain: float = 0.06
    relaxation: float = 0.45
    corner: QuantityLike = "30 Hz"
    membrane_time_constant: QuantityLike = "5 ms"
    refractory_period: QuantityLike = "2 ms"
    adaptation: float = 1.5
    adaptation_time_constant: QuantityLike = "80 ms"


@dataclass(frozen=True, kw_only=True)
class RA1(Afferent):
    """Rapidly adapting type 1 (Meissner): velocity, most sensitive to flutter."""

    velocity_gain: float = 1.0
    corner: QuantityLike = "60 Hz"
    saturation: float = 4.0
    membrane_time_constant: QuantityLike = "3 ms"
    refractory_period: QuantityLike = "2 ms"
    adaptation: float = 3.0
    adaptation_time_constant: QuantityLike = "8 ms"


@dataclass(frozen=True, kw_only=True)
class PC(Afferent):
    """Pacinian: acceleration, most sensitive to vibration at some 250 Hz."""

    acceleration_gain: float = 0.003
    retraction: float = 0.0
    corner: QuantityLike = "150 Hz"
    saturation: float = 6.0
    membrane_time_constant: QuantityLike = "0.5 ms"
    refractory_period: QuantityLike = "1 ms"
    adaptation: float = 15.0
    adaptation_time_constant: QuantityLike = "1 ms"
