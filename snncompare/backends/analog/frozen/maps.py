r"""What a chip makes of the values it is asked for: parameters of single neurons, weights of single synapses.

Both maps use additions, multiplications, comparisons and rounding only, in one fixed order, so that another array
library computes the same numbers to the last bit.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gradient", "ParameterMap", "WeightMap"]

Gradient = Literal["straight_through", "clipped"]
"""What a gradient makes of rounding and clipping: passes everywhere, or only where nothing was clipped."""


@dataclass(frozen=True, eq=False)
class ParameterMap:
    r"""The value that each neuron got, of the value that was asked for.

    .. math::
        \text{got}_i = \min(\max(\text{asked}_i \, f_i + o_i, \text{low}), \text{high})

    Attributes
    ----------
    factor : float64 array
        :math:`f`, dimensionless, of shape (n_neurons,) for one device or (n_devices, n_neurons).
    offset : float64 array
        :math:`o`, in the SI unit of the parameter, of the shape of `factor`.
    low, high : float
        Bounds in the SI unit of the parameter; infinite where there are none.
    """

    factor: NDArray[np.float64]
    offset: NDArray[np.float64]
    low: float = -np.inf
    high: float = np.inf

    def apply(self, asked: Any) -> NDArray[np.float64]:
        """Return what the devices got, of the shape of `factor`.

        Parameters
        ----------
        asked : float or float64 array
            One value for all, or of shape (n_neurons,), or of the shape of `factor`; SI unit.
        """
        return np.minimum(np.maximum(np.asarray(asked) * self.factor + self.offset, self.low), self.high)

    def select(self, device: int) -> Self:
        """Return the map of one of the devices."""
        return replace(self, factor=self.factor[device], offset=self.offset[device])

    def equals(self, other: Self) -> bool:
        """Return whether two maps are the same to the last bit."""
        return (
            np.array_equal(self.factor, other.factor)
            and np.array_equal(self.offset, other.offset)
            and (self.low, self.high) == (other.low, other.high)
        )


@dataclass(frozen=True, eq=False)
class WeightMap:
    r"""The weight that each synapse got, of the weight that was asked for.

    .. math::
        \text{got}_k = \frac{\min(\max(\text{round}(s\,\text{asked}_k), \text{low}), \text{high})}{s} \, f_k

    Halves are rounded to the even number, as numpy and PyTorch do.

    Attributes
    ----------
    scale : float, optional
        :math:`s`, levels of the chip per SI unit of the weight. None: such that the largest weight of those given fills
        the range, :math:`s = \text{top}/\max_k |\text{asked}_k|`, with `top`.
    low, high : float
        Range in levels, for example -63 and 63; infinite where there is none.
    rounds : bool
        Whether weights are whole numbers of levels; without, `scale` only says where the range ends.
    factor : float64 array, optional
        :math:`f`, efficacy of each synapse, dimensionless, of shape (n_synapses,) or (n_devices, n_synapses); None
        where all are 1. Synapses are ordered as in `Connections`.
    gradient : str
        What a gradient makes of it.
    """

    scale: float | None = 1.0
    low: float = -np.inf
    high: float = np.inf
    rounds: bool = False
    factor: NDArray[np.float64] | None = None
    gradient: Gradient = "straight_through"

    @property
    def top(self) -> float:
        """The largest magnitude that both signs reach, or that the one sign has where the range has only one."""
        both = min(abs(self.low), abs(self.high))
        return both if both > 0 else max(abs(self.low), abs(self.high))

    @property
    def quantises(self) -> bool:
        """Whether the map rounds or clips anything at all, apart from the factors."""
        return self.rounds or np.isfinite(self.low) or np.isfinite(self.high)

    def scale_of(self, asked: NDArray[np.float64]) -> float:
        """Return the scale for these weights: `scale`, or the one that lets the largest of them fill the range."""
        if self.scale is not None:
            return self.scale
        largest = float(np.abs(asked).max(initial=0.0))
        return self.top / largest if largest > 0 and np.isfinite(self.top) else 1.0

    def levels(self, asked: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weights in levels of the chip, what is written into its memory."""
        scaled = asked * self.scale_of(asked)
        return np.minimum(np.maximum(np.rint(scaled) if self.rounds else scaled, self.low), self.high)

    def apply(self, asked: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the synapses got, of shape (n_synapses,), or (n_devices, n_synapses) with such factors.

        Parameters
        ----------
        asked : float64 array
            Weights in their SI unit, of shape (n_synapses,) or (n_devices, n_synapses).
        """
        got = self.levels(asked) / self.scale_of(asked) if self.quantises else asked
        return got if self.factor is None else got * self.factor

    def select(self, device: int) -> Self:
        """Return the map of one of the devices."""
        return self if self.factor is None else replace(self, factor=self.factor[device])

    def equals(self, other: Self) -> bool:
        """Return whether two maps are the same to the last bit."""
        plain = ("scale", "low", "high", "rounds", "gradient")
        if any(getattr(self, name) != getattr(other, name) for name in plain):
            return False
        if self.factor is None or other.factor is None:
            return self.factor is other.factor
        return np.array_equal(self.factor, other.factor)
