"""Layers of a network of ensembles: what drives them, what goes back through them, and the product of both."""

from dataclasses import dataclass
from math import prod
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import conv2d
from torch.nn.grad import conv2d_input, conv2d_weight

from snncompare.errors import InputError
from snncompare.values import check_fields

__all__ = ["Convolution", "ConvolutionalWiring", "Dense", "DenseWiring", "Layer", "Wiring"]

Shape = tuple[int, ...]


class Wiring(Protocol):
    """Connections of one layer with its input, for weights of any value.

    Attributes
    ----------
    shape_in, shape_out : tuple of int
        Of the event rates of one example.
    weight_shape : tuple of int
    fan_in, fan_out : int
        Of Glorot and Bengio (2010), AISTATS 9:249-256.
    """

    shape_in: Shape
    shape_out: Shape
    weight_shape: Shape
    fan_in: int
    fan_out: int

    def drive(self, rates: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return W e + c, shape (batch, *shape_out)."""
        ...

    def back(self, sent: Tensor, feedback: Tensor) -> Tensor:
        """Return the transpose, Y' b, shape (batch, *shape_in); `feedback` has the shape of the weights."""
        ...

    def add_product(self, to: Tensor, post: Tensor, pre: Tensor, *, keep: float, rate: float) -> None:
        """Set ``to`` to ``keep * to + rate * (sum over the batch of post x pre)``, in place."""
        ...

    def sum_of(self, post: Tensor) -> Tensor:
        """Return the same sum for the bias."""
        ...


@dataclass(frozen=True)
class Dense:
    """All to all.

    Parameters
    ----------
    units : int
    """

    units: int

    def __post_init__(self) -> None:
        check_fields(self)
        if self.units < 1:
            raise InputError(f"a dense layer has at least 1 unit, got {self.units}.")

    def on(self, shape: Shape) -> "DenseWiring":
        """Return the wiring on an input of a shape, which is flattened."""
        return DenseWiring(shape, self.units)


@dataclass(frozen=True)
class Convolution:
    """Weights shared between places; no padding.

    Parameters
    ----------
    channels : int
    kernel : int
        Width and height.
    stride : int
    """

    channels: int
    kernel: int
    stride: int = 1

    def __post_init__(self) -> None:
        check_fields(self)
        if min(self.channels, self.kernel, self.stride) < 1:
            raise InputError(
                f"channels, kernel and stride are at least 1, got {self.channels}, {self.kernel} and {self.stride}."
            )

    def on(self, shape: Shape) -> "ConvolutionalWiring":
        """Return the wiring on an input (channels, height, width).

        Raises
        ------
        InputError
            For an input of another shape, or smaller than the kernel.
        """
        if len(shape) != 3 or min(shape[1:]) < self.kernel:
            raise InputError(
                f"a convolution with a kernel of {self.kernel} needs an input (channels, height, width) that is not "
                f"smaller, got {shape}; give the network inputs=(channels, height, width)."
            )
        return ConvolutionalWiring(shape, self)


Layer = Dense | Convolution


class DenseWiring:
    """See `Wiring`; weights of shape (units, inputs)."""

    def __init__(self, shape: Shape, units: int) -> None:
        self.shape_in: Shape = shape
        self.shape_out: Shape = (units,)
        self.fan_in, self.fan_out = prod(shape), units
        self.weight_shape: Shape = (units, self.fan_in)

    def drive(self, rates: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return W e + c."""
        return torch.addmm(bias, rates.flatten(1), weight.T)

    def back(self, sent: Tensor, feedback: Tensor) -> Tensor:
        """Return Y' b."""
        return (sent @ feedback).reshape(-1, *self.shape_in)

    def add_product(self, to: Tensor, post: Tensor, pre: Tensor, *, keep: float, rate: float) -> None:
        """Set ``to`` to ``keep * to + rate * post' pre``."""
        to.addmm_(post.T, pre.flatten(1), beta=keep, alpha=rate)

    def sum_of(self, post: Tensor) -> Tensor:
        """Return the sum over the batch."""
        return post.sum(0)


class ConvolutionalWiring:
    """See `Wiring`; weights of shape (channels out, channels in, kernel, kernel)."""

    def __init__(self, shape: Shape, layer: Convolution) -> None:
        height, width = ((size - layer.kernel) // layer.stride + 1 for size in shape[1:])
        self.shape_in: Shape = shape
        self.shape_out: Shape = (layer.channels, height, width)
        self.weight_shape: Shape = (layer.channels, shape[0], layer.kernel, layer.kernel)
        self.fan_in, self.fan_out = shape[0] * layer.kernel**2, layer.channels * layer.kernel**2
        self._stride = layer.stride

    def drive(self, rates: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return the cross-correlation of rates and kernels, and the bias of each channel."""
        return conv2d(rates, weight, bias, self._stride)

    def back(self, sent: Tensor, feedback: Tensor) -> Tensor:
        """Return the transposed convolution."""
        return conv2d_input((sent.shape[0], *self.shape_in), feedback, sent, self._stride)

    def add_product(self, to: Tensor, post: Tensor, pre: Tensor, *, keep: float, rate: float) -> None:
        """Set ``to`` to ``keep * to + rate * (sum over batch and places of post x pre)``."""
        to.mul_(keep).add_(conv2d_weight(pre, self.weight_shape, post, self._stride), alpha=rate)

    def sum_of(self, post: Tensor) -> Tensor:
        """Return the sum over batch and places."""
        return post.sum((0, 2, 3))
