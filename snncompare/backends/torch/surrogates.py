r"""Surrogate derivatives of the spike, as values.

A spike is :math:`z = H(u)` with :math:`u` the membrane minus the threshold (volt, say). Its derivative is zero almost
everywhere, so the backward pass uses :math:`\psi(u)` instead (Neftci, Mostafa and Zenke 2019, IEEE Signal Processing
Magazine 36:51).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from snncompare.errors import InputError
from snncompare.units import Dimension, quantity

__all__ = ["SuperSpike", "Surrogate", "Triangle", "spike"]


@dataclass(frozen=True)
class Surrogate(ABC):
    r"""Shape of a surrogate derivative.

    Parameters
    ----------
    width : str
        How far from the threshold the derivative reaches, with the unit of the membrane, e.g. ``"1 mV"``.
    scale : str
        The membrane difference in which the peak is one: :math:`\psi(0) = 1/\text{scale}`; usually the distance from
        rest to threshold.
    """

    width: str
    scale: str

    def __post_init__(self) -> None:
        width, scale = quantity(self.width), quantity(self.scale)
        if width.dimension != scale.dimension or width.value <= 0 or scale.value <= 0:
            raise InputError(
                f"width and scale must be positive with the same unit, got '{self.width}' and '{self.scale}'."
            )

    @property
    def dimension(self) -> Dimension:
        """Dimension of the membrane the surrogate is meant for."""
        return quantity(self.width).dimension

    def derivative(self, u: Tensor) -> Tensor:
        r"""Return :math:`\psi(u)`, of the shape of `u`."""
        return self.shape(u.abs() / quantity(self.width).value) / quantity(self.scale).value

    @abstractmethod
    def shape(self, x: Tensor) -> Tensor:
        """Return the derivative, with peak one, at the distance `x` in units of the width."""


@dataclass(frozen=True)
class SuperSpike(Surrogate):
    r"""Derivative of a fast sigmoid, :math:`\psi(u) = (1 + |u|/w)^{-2} / s`.

    Zenke and Ganguli (2018) Neural Computation 30:1514.
    """

    def shape(self, x: Tensor) -> Tensor:
        """Return :math:`(1 + x)^{-2}`."""
        return (1 + x).square().reciprocal()


@dataclass(frozen=True)
class Triangle(Surrogate):
    r"""Triangle, :math:`\psi(u) = \max(0, 1 - |u|/w) / s`.

    Esser et al. (2016) PNAS 113:11441; Bellec et al. (2020) Nature Communications 11:3625.
    """

    def shape(self, x: Tensor) -> Tensor:
        r"""Return :math:`\max(0, 1 - x)`."""
        return (1 - x).clamp_min(0)


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, surrogate: Surrogate) -> Tensor:
        ctx.save_for_backward(u)
        ctx.surrogate = surrogate
        return (u > 0).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (u,) = ctx.saved_tensors
        return gradients[0] * ctx.surrogate.derivative(u), None


def spike(u: Tensor, surrogate: Surrogate) -> Tensor:
    """Return 1.0 where `u` is above zero and 0.0 elsewhere, with the surrogate as derivative."""
    result: Tensor = _Spike.apply(u, surrogate)
    return result
