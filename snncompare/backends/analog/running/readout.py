r"""The analog-to-digital converter through which a chip shows its membranes.

.. math::
    c = \min(\max(\lfloor o_i + g\,(v - E_L)/(\theta - E_L) + \sigma z \rfloor,\; low),\; high)

:math:`v` membrane potential, :math:`E_L` and :math:`\theta` leak and threshold that were asked for, :math:`g` gain (LSB
per distance of threshold and leak), :math:`o_i` offset of the channel of neuron i (frozen, drawn from the device seed
around its nominal value), :math:`\sigma` noise (LSB), drawn for each sample, low and high the range of the converter, 0
and :math:`2^{bits} - 1`; ``readout.low`` and ``readout.high`` of a profile say where it is reliable and limit nothing.
What a user sees is the potential that the nominal gain and offset give for the middle of the step,
:math:`\hat v = E_L + (c + 1/2 - o)(\theta - E_L)/g`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Converter", "Sampling"]


@dataclass(frozen=True, eq=False)
class Converter:
    """The converters of a population's neurons; arrays broadcast with (copy, neuron).

    Attributes
    ----------
    gain : float
        g, LSB per threshold - leak.
    offset : float
        o, nominal, LSB.
    channel_offsets : float64 array
        Of the channels, in addition to `offset`, LSB.
    noise : float
        Standard deviation, LSB.
    low, high : float
        Range, LSB.
    leak, distance : float64 array
        Leak, and threshold - leak, in the unit of the variable.
    """

    gain: float
    offset: float
    channel_offsets: NDArray[np.float64]
    noise: float
    low: float
    high: float
    leak: NDArray[np.float64]
    distance: NDArray[np.float64]

    def codes(self, values: NDArray[np.float64], z: NDArray[np.float64] | float = 0.0) -> NDArray[np.float64]:
        """Return what the converter gives, in LSB.

        Parameters
        ----------
        values : float64 array (..., copy, neuron)
        z : float64 array
            Standard normal numbers, one for each value.
        """
        there = (values - self.leak) / self.distance
        exact = self.offset + self.channel_offsets + self.gain * there + self.noise * z
        return np.minimum(np.maximum(np.floor(exact), self.low), self.high)

    def values(self, codes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the potential in the middle of a step of the converter, by the nominal gain and offset."""
        return self.leak + (codes + 0.5 - self.offset) * self.distance / self.gain


@dataclass(frozen=True)
class Sampling:
    r"""When the converter samples: sample k is taken at the time step nearest to k times the period.

    .. math::
        s_k = \lfloor k r + 1/2 \rfloor, \qquad r = \max(period / dt, 1)

    A converter that is faster than the time step samples in every step.

    Parameters
    ----------
    period : float or None
        Seconds of biological time; None samples in every step.
    dt : float
        Time step, seconds.
    """

    period: float | None
    dt: float

    @property
    def steps(self) -> float:
        """r, the time steps from sample to sample."""
        return 1.0 if self.period is None else max(1.0, round(self.period / self.dt, 9))

    @property
    def shown_every(self) -> int:
        """Steps between the values of a trace: r, or 1 where samples are not evenly spaced in steps."""
        return int(self.steps) if self.steps.is_integer() else 1

    def numbers(self, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the latest sample at each time step."""
        return (np.ceil((steps + 0.5) / self.steps) - 1).astype(np.int64)
