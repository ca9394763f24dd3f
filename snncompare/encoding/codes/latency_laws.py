"""Laws of latency: how long a neuron waits before its first spike, as a function of the intensity from 0 to 1."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.parameters import check_positive, keep_times
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["ChargingLatency", "LatencyLaw", "LinearLatency", "LogarithmicLatency", "PowerLatency"]


class LatencyLaw(ABC):
    """A frozen rule from intensity to latency."""

    @abstractmethod
    def latency(self, intensity: NDArray[np.float64], span: float) -> NDArray[np.float64]:
        """Return latencies in seconds, infinite where there is no spike at all.

        Parameters
        ----------
        intensity : array
            From 0 to 1.
        span : float
            Seconds between the earliest and the latest spike; used by the laws without a time scale of their own.
        """


@dataclass(frozen=True, kw_only=True)
class LinearLatency(LatencyLaw):
    r"""Latency that falls in a straight line.

    .. math:: t = T (1 - x), \qquad \text{or, with ``rising``,} \quad t = T x

    Parameters
    ----------
    rising : bool
        Whether larger values are later, as in the tasks of Göltz et al. (2021), Nat Mach Intell 3:823-835, where a
        value is a time and not an intensity.
    """

    rising: bool = False

    def latency(self, intensity: NDArray[np.float64], span: float) -> NDArray[np.float64]:
        """Return span * (1 - intensity), or span * intensity."""
        return span * (intensity if self.rising else 1.0 - intensity)


@dataclass(frozen=True, kw_only=True)
class LogarithmicLatency(LatencyLaw):
    r"""Latency that falls with the logarithm of the intensity, so that equal contrasts are equal differences of time.

    .. math:: t = -\frac{T}{d} \log_{10} x

    It is also the latency of a neuron whose threshold decays exponentially.

    Parameters
    ----------
    decades : float
        :math:`d`, decades of intensity from the latest spike to the earliest.

    References
    ----------
    Hopfield (1995) Nature 376:33-36 (time advance as the logarithm of intensity).
    """

    decades: float = 2.0

    def __post_init__(self) -> None:
        check_positive(self, "decades")

    def latency(self, intensity: NDArray[np.float64], span: float) -> NDArray[np.float64]:
        """Return span * log10(1 / intensity) / decades."""
        with np.errstate(divide="ignore"):
            return np.asarray(-span * np.log10(intensity) / self.decades) + 0.0


@dataclass(frozen=True, kw_only=True)
class ChargingLatency(LatencyLaw):
    r"""Latency of a leaky integrate-and-fire neuron that is charged by a constant current from rest.

    .. math:: \tau \dot v = -v + x, \quad v(t) = \theta \;\Rightarrow\; t = \tau \log \frac{x}{x - \theta}

    and no spike for :math:`x \le \theta`. The latency has its own time scale: ``latest`` only cuts it off.

    Parameters
    ----------
    time_constant : time
        :math:`\tau` of the membrane.
    rheobase : float
        :math:`\theta`, the intensity that just fails to make the neuron fire; above 0, below 1.

    References
    ----------
    Neftci, Mostafa & Zenke (2019) IEEE Signal Process Mag 36(6):51-63, whose tutorials encode pictures so, with
    :math:`\tau` = 20 ms and :math:`\theta` = 0.2.
    """

    time_constant: QuantityLike = "20 ms"
    rheobase: float = 0.2

    def __post_init__(self) -> None:
        keep_times(self, "time_constant")
        check_positive(self, "rheobase")
        if self.rheobase >= 1:
            raise InputError(f"rheobase must be below 1, the largest intensity, got {self.rheobase!r}.")

    def latency(self, intensity: NDArray[np.float64], span: float) -> NDArray[np.float64]:  # noqa: ARG002
        """Return time_constant * log(intensity / (intensity - rheobase)), infinite up to the rheobase."""
        above = intensity > self.rheobase
        ratio = np.divide(intensity, intensity - self.rheobase, where=above, out=np.full(intensity.shape, np.inf))
        return np.asarray(self.time_constant.value * np.log(ratio))


@dataclass(frozen=True, kw_only=True)
class PowerLatency(LatencyLaw):
    r"""Latency that falls with a power of the intensity, known as Piéron's law.

    .. math:: t = b\, x^{-p}

    to which ``earliest`` is added, the latency that no intensity undercuts.

    Parameters
    ----------
    scale : time
        :math:`b`, latency above the earliest at intensity 1.
    exponent : float
        :math:`p`.

    References
    ----------
    Piéron (1914) Année Psychol 20:17-96 (reaction times to stimulus intensity).
    """

    scale: QuantityLike = "10 ms"
    exponent: float = 0.5

    def __post_init__(self) -> None:
        keep_times(self, "scale")
        check_positive(self, "exponent")

    def latency(self, intensity: NDArray[np.float64], span: float) -> NDArray[np.float64]:  # noqa: ARG002
        """Return scale * intensity ** -exponent."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.scale.value * intensity**-self.exponent)
