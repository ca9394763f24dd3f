"""Fibres of the auditory nerve: spontaneous rates, thresholds, refractoriness."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncompare.encoding.parameters import check_between, check_positive, keep_frequencies, keep_times
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["HIGH_RATE", "LOW_RATE", "MEDIUM_RATE", "FibreType", "Refractoriness"]


@dataclass(frozen=True, kw_only=True)
class Refractoriness:
    r"""Recovery of a fibre after its own spike: the hazard of the next one at time s is :math:`r\,w(s)`.

    .. math::

        w(s) = \begin{cases} 0 & s < t_a \\
        1 - (1 - f) e^{-(s - t_a)/\tau_1} - f e^{-(s - t_a)/\tau_2} & s \ge t_a \end{cases}

    Parameters
    ----------
    absolute : time
        :math:`t_a`.
    fast, slow : time
        :math:`\tau_1, \tau_2`.
    slow_part : float
        :math:`f`, 0 to 1.

    Raises
    ------
    InputError
        For parameters out of range.

    References
    ----------
    Gaumond, Molnar & Kim (1982) J Neurophysiol 48:856-873 (recovery functions); Westerman & Smith (1985) Hear Res
    20:243-251 and Carney (1993) J Acoust Soc Am 93:401-417 (two exponentials and these values).
    """

    absolute: QuantityLike = "0.75 ms"
    fast: QuantityLike = "1 ms"
    slow: QuantityLike = "12.5 ms"
    slow_part: float = 0.5

    def __post_init__(self) -> None:
        keep_times(self, "absolute", "fast", "slow")
        check_between(self, "slow_part", 0.0, 1.0)

    def undisturbed(self, spike_rate: ArrayLike) -> NDArray[np.float64]:
        """Return the rate of release (1/s) that leads to a steady rate of spikes (1/s).

        Raises
        ------
        InputError
            For spike rates that refractoriness does not allow.
        """
        rates, releases = _steady_rates(self)
        wanted = np.asarray(spike_rate, dtype=np.float64)
        if (wanted > rates[-1]).any():
            raise InputError(
                f"a steady rate of {wanted.max():g} spikes per second is beyond what refractoriness allows, "
                f"{rates[-1]:.0f}; ask for less."
            )
        return np.asarray(np.interp(wanted, rates, releases))


@lru_cache(maxsize=32)
def _steady_rates(refractoriness: Refractoriness) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rates of spikes, ascending, and of the release they come from: means of a renewal process."""
    dead, fast, slow = (q.value for q in (refractoriness.absolute, refractoriness.fast, refractoriness.slow))
    part = refractoriness.slow_part
    releases = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, 600)])
    rates = np.zeros(releases.size)
    for position, release in enumerate(releases[1:], 1):
        s = np.geomspace(1e-7, 40.0 / release + 40.0 * slow, 3000)
        integral = s + (1.0 - part) * fast * np.expm1(-s / fast) + part * slow * np.expm1(-s / slow)
        rates[position] = 1.0 / (dead + s[0] + np.trapezoid(np.exp(-release * integral), s))
    return rates, releases


@dataclass(frozen=True, kw_only=True)
class FibreType:
    """Fibres of one class of spontaneous rate.

    Parameters
    ----------
    lowest_rate, highest_rate : rate
        Spontaneous rates are drawn between these, all equally likely.
    saturated_rate : rate
        Steady rate of spikes that the supply of transmitter sustains however strong the drive.
    threshold : float
        :math:`V_0`, receptor potential, relative to its range, from which on release grows.
    half_activation : float
        :math:`V_{1/2}`, receptor potential above the threshold, relative to its range, that sustains half of the
        largest release (were there none at rest).

    Raises
    ------
    InputError
        For rates that are not in ascending order, a threshold beyond the range, or a half activation that is not
        positive.

    References
    ----------
    Liberman (1978) J Acoust Soc Am 63:442-455 (classes of the cat: below 0.5, 0.5 to 17.5, above 17.5 spikes/s);
    Sumner, Lopez-Poveda, O'Mard & Meddis (2002) J Acoust Soc Am 111:2178-2188 (classes that differ by the
    strength and the threshold of release).
    """

    lowest_rate: QuantityLike
    highest_rate: QuantityLike
    saturated_rate: QuantityLike
    threshold: float
    half_activation: float

    def __post_init__(self) -> None:
        keep_frequencies(self, "lowest_rate", zero=True)
        keep_frequencies(self, "highest_rate", "saturated_rate")
        check_between(self, "threshold", 0.0, 1.0)
        check_positive(self, "half_activation")
        if not self.lowest_rate.value <= self.highest_rate.value < self.saturated_rate.value:
            raise InputError(
                "lowest_rate <= highest_rate < saturated_rate must hold, got "
                f"{self.lowest_rate}, {self.highest_rate}, {self.saturated_rate}."
            )


LOW_RATE = FibreType(
    lowest_rate="0 Hz", highest_rate="0.5 Hz", saturated_rate="250 Hz", threshold=0.06, half_activation=0.18
)
"""Low spontaneous rate of the cat."""
MEDIUM_RATE = FibreType(
    lowest_rate="0.5 Hz", highest_rate="17.5 Hz", saturated_rate="220 Hz", threshold=0.01, half_activation=0.08
)
"""Medium spontaneous rate of the cat."""
HIGH_RATE = FibreType(
    lowest_rate="17.5 Hz", highest_rate="100 Hz", saturated_rate="220 Hz", threshold=0.0, half_activation=0.025
)
"""High spontaneous rate of the cat."""
