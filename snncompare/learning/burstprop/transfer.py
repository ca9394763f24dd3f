"""Transfer functions of ensembles, with the slope that the dendrite must know, and losses of outputs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["OUTPUTS", "TRANSFERS", "Output", "Transfer"]


class Transfer(Protocol):
    """From drive v to event rate e = f(v)."""

    def rate(self, drive: Tensor) -> Tensor:
        """Return f(v)."""
        ...

    def slope(self, rate: Tensor) -> Tensor:
        """Return f'(v), from e = f(v)."""
        ...

    def relative_slope(self, rate: Tensor) -> Tensor:
        """Return h = f'(v)/f(v), from e = f(v)."""
        ...


class Output(Protocol):
    """Event rates of the output layer, and the loss L.

    The output's error is h (t - e) e = -dL/dv.
    """

    def rate(self, drive: Tensor) -> Tensor:
        """Return e."""
        ...

    def relative_slope(self, rate: Tensor) -> Tensor:
        """Return h."""
        ...

    def loss(self, rate: Tensor, target: Tensor) -> Tensor:
        """Return L of each example, shape (batch,)."""
        ...


class _Sigmoid:
    def rate(self, drive: Tensor) -> Tensor:
        return torch.sigmoid(drive)

    def slope(self, rate: Tensor) -> Tensor:
        return rate * (1 - rate)

    def relative_slope(self, rate: Tensor) -> Tensor:
        return 1 - rate

    def loss(self, rate: Tensor, target: Tensor) -> Tensor:
        return 0.5 * ((target - rate) ** 2).sum(1)


class _RectifiedLinear:
    def rate(self, drive: Tensor) -> Tensor:
        return torch.relu(drive)

    def slope(self, rate: Tensor) -> Tensor:
        return (rate > 0).to(rate.dtype)

    def relative_slope(self, rate: Tensor) -> Tensor:
        return torch.where(rate > 0, 1 / rate, 0.0)


class _Exponential:
    def rate(self, drive: Tensor) -> Tensor:
        return torch.exp(drive)

    def slope(self, rate: Tensor) -> Tensor:
        return rate

    def relative_slope(self, rate: Tensor) -> Tensor:
        return torch.ones_like(rate)


class _Softmax:
    def rate(self, drive: Tensor) -> Tensor:
        return torch.softmax(drive, 1)

    def relative_slope(self, rate: Tensor) -> Tensor:
        return 1 / rate

    def loss(self, rate: Tensor, target: Tensor) -> Tensor:
        return -(target * torch.log(rate.clamp_min(torch.finfo(rate.dtype).tiny))).sum(1)


TRANSFERS: Mapping[str, Transfer] = MappingProxyType(
    {"sigmoid": _Sigmoid(), "rectified linear": _RectifiedLinear(), "exponential": _Exponential()}
)
"""Of hidden layers."""
OUTPUTS: Mapping[str, Output] = MappingProxyType({"sigmoid": _Sigmoid(), "softmax": _Softmax()})
"""Of the output layer."""
