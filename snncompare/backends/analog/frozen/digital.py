r"""Quantisers of digital chips, in closed form: the value that a chip has in place of the one that was asked for.

What is not emulated is the arithmetic of the state: on these chips membrane and current are integers that are rounded
in every step, here they are floats that decay by the chip's own factor. Decays are compared as factors per step: a
differential equation that is integrated exactly (exponential Euler) multiplies by :math:`e^{-dt/\tau}`, one that is
integrated by Euler's method by :math:`1 - dt/\tau`. Sources: Loihi from `brian2_loihi` (Michaelis et
al. 2022), Xylo and Speck from Rockpool and sinabs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown

__all__ = [
    "QUANTISERS",
    "Grid",
    "IntegerDecay",
    "ParameterQuantiser",
    "ShiftDecay",
    "WeightGrid",
    "WholeSteps",
    "quantiser",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """What a quantiser has to know of where a parameter stands.

    Attributes
    ----------
    dt : float
        Time step, seconds.
    euler : bool
        Whether the equations are integrated by Euler's method, else exactly.
    lsb : float, optional
        What one level of the weights adds to the membrane, in its SI unit; None where weights have another dimension.
    leak : float or array
        Potential from which a threshold is counted, SI unit.
    """

    dt: float
    euler: bool = False
    lsb: float | None = None
    leak: Any = 0.0

    def factor(self, tau: Array) -> Array:
        """Return by what a state with these time constants is multiplied in a step."""
        return 1.0 - self.dt / tau if self.euler else np.exp(-self.dt / tau)

    def time_constant(self, factor: Array) -> Array:
        """Return the time constants of states that are multiplied by these factors in a step."""
        return self.dt / (1.0 - factor) if self.euler else -self.dt / np.log(factor)


@dataclass(frozen=True)
class ParameterQuantiser(ABC):
    """What a digital chip makes of a parameter."""

    @abstractmethod
    def quantise(self, asked: Array, grid: Grid) -> Array:
        """Return the values that the chip has, of the shape of `asked`, SI units."""


@dataclass(frozen=True)
class IntegerDecay(ParameterQuantiser):
    r"""Decay by an integer: :math:`v \leftarrow v\,(1 - \delta/L)`, with :math:`\delta = \mathrm{round}(L(1 - a))`.

    :math:`a` is the asked factor per step, :math:`\delta` lies from 1 to L - 1 (0 would never leak, L would forget in
    one step, which no time constant does). Loihi: L = 4096, :math:`\tau = 4096/\delta` steps.

    Parameters
    ----------
    levels : float
        L.
    """

    levels: float = 4096.0

    def __post_init__(self) -> None:
        _check(self, self.levels >= 2, "levels of at least 2")

    def quantise(self, asked: Array, grid: Grid) -> Array:
        """Return the time constants that the chip has, seconds."""
        lost = np.clip(np.rint(self.levels * (1.0 - grid.factor(asked))), 1.0, self.levels - 1.0)
        return grid.time_constant(1.0 - lost / self.levels)


@dataclass(frozen=True)
class ShiftDecay(ParameterQuantiser):
    r"""Decay by a bit shift: :math:`v \leftarrow v - (v \gg d)`, with :math:`d = \mathrm{round}(\log_2(\tau/dt))`.

    The factor is :math:`1 - 2^{-d}`, d from 1 on. Xylo: Rockpool ``quantize_methods.py``, whose ``dash`` is d.

    Parameters
    ----------
    most : float
        The largest shift.
    """

    most: float = 15.0

    def __post_init__(self) -> None:
        _check(self, self.most >= 1, "most of at least 1")

    def quantise(self, asked: Array, grid: Grid) -> Array:
        """Return the time constants that the chip has, seconds."""
        shift = np.clip(np.rint(np.log2(asked / grid.dt)), 1.0, self.most)
        return grid.time_constant(1.0 - np.exp2(-shift))


@dataclass(frozen=True)
class WholeSteps(ParameterQuantiser):
    r"""A time in whole steps, :math:`dt \cdot \mathrm{clip}(\mathrm{round}(t/dt), \text{low}, \text{high})`.

    Parameters
    ----------
    low, high : float
        In steps. Loihi's refractory time: 1 to 64.
    """

    low: float = 1.0
    high: float = 64.0

    def __post_init__(self) -> None:
        _check(self, 0 <= self.low <= self.high, "0 <= low <= high")

    def quantise(self, asked: Array, grid: Grid) -> Array:
        """Return the times that the chip has, seconds."""
        return grid.dt * np.clip(np.rint(asked / grid.dt), self.low, self.high)


@dataclass(frozen=True)
class WeightGrid(ParameterQuantiser):
    r"""A potential in steps of what one level of the weights adds to the membrane, counted from the leak.

    :math:`E_L + \Delta\,\mathrm{clip}(\mathrm{round}((\theta - E_L)/\Delta), 1, L)`. Loihi's threshold is a mantissa
    times 2**6, in which a weight is one level (L = 131071); Xylo's and Speck's are 16-bit integers in the scale of
    their weights (L = 32767).

    Parameters
    ----------
    levels : float
        L, the largest threshold in levels.

    Raises
    ------
    InputError
        For less than one level.
    """

    levels: float

    def __post_init__(self) -> None:
        _check(self, self.levels >= 1, "levels of at least 1")

    def quantise(self, asked: Array, grid: Grid) -> Array:
        """Return the potentials that the chip has."""
        if grid.lsb is None:
            return asked
        return grid.leak + grid.lsb * np.clip(np.rint((asked - grid.leak) / grid.lsb), 1.0, self.levels)

    def clips(self, asked: Array, grid: Grid) -> NDArray[np.bool_]:
        """Return which potentials lie beyond the largest level or below the first, of the shape of `asked`."""
        if grid.lsb is None:
            return np.zeros(asked.shape, dtype=bool)
        steps = np.rint((asked - grid.leak) / grid.lsb)
        return np.asarray((steps < 1.0) | (steps > self.levels))


def _check(made: ParameterQuantiser, fine: bool, needed: str) -> None:
    if not fine:
        given = ", ".join(f"{field.name} {getattr(made, field.name):g}" for field in fields(made))
        raise InputError(f"quantiser {type(made).__name__} needs {needed}, got {given}.")


QUANTISERS: Mapping[str, type[ParameterQuantiser]] = {
    kind.__name__: kind for kind in (IntegerDecay, ShiftDecay, WholeSteps, WeightGrid)
}
"""Name in a chip profile to quantiser."""


def quantiser(name: str, numbers: Mapping[str, float]) -> ParameterQuantiser:
    """Return a quantiser by its name in a profile, with its numbers.

    Raises
    ------
    InputError
        For a quantiser or a number that does not exist, is missing or is out of range.
    """
    if name not in QUANTISERS:
        raise InputError("quantisers: " + unknown("quantiser", name, QUANTISERS))
    allowed = [field.name for field in fields(QUANTISERS[name])]
    for key in numbers:
        if key not in allowed:
            raise InputError(f"quantiser {name}: " + unknown("number", key, allowed))
    for field in fields(QUANTISERS[name]):
        if field.default is MISSING and field.name not in numbers:
            raise InputError(f"quantiser {name}: give its number '{field.name}', which has no default.")
    return QUANTISERS[name](**{key: float(value) for key, value in numbers.items()})
