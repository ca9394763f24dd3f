"""What chips make of trained values, on tensors: to the last bit what the numpy transforms make of float64 arrays."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.emulation import ParameterTransform, WeightTransform

__all__ = ["ChipWeights", "emulated_parameter", "emulated_weights", "injected", "with_factors"]


@dataclass(frozen=True, eq=False)
class ChipWeights:
    """The weights of one projection as chips hold them.

    Attributes
    ----------
    each : Tensor, shape (n_synapses,) or (n_devices, n_synapses)
        In the order of the connections; without an axis of devices where all have the same.
    shared : Tensor or None
        The same weights in the shape of the parameter that is trained, where that is possible.
    """

    each: Tensor
    shared: Tensor | None


def emulated_parameter(asked: Tensor, transform: ParameterTransform) -> Tensor:
    """Return the values that neurons got, shape (n_neurons,) or, of several devices, (n_devices, n_neurons).

    Parameters
    ----------
    asked : Tensor, shape () or (n_neurons,)
        In SI units, of any type of number; computed in float64.
    transform : ParameterTransform
    """
    factor, offset = (_alone(_tensor(array, asked)) for array in (transform.factor, transform.offset))
    got = asked.double() * factor + offset
    if transform.low > -float("inf") or transform.high < float("inf"):
        got = got.clamp(transform.low, transform.high)
    return got.to(asked.dtype)


def emulated_weights(asked: Tensor, transform: WeightTransform) -> Tensor:
    """Return weights rounded to the levels of a chip and clipped to its range, factors of single synapses left out.

    Parameters
    ----------
    asked : Tensor
        Of any shape, SI units; all weights of a projection, since the largest may set the scale. Computed in float64.
    transform : WeightTransform
    """
    if not transform.quantises:
        return asked
    scale = transform.scale_of(asked.detach().cpu().double().numpy())
    bounds = (transform.low, transform.high)
    got: Tensor = _Quantised.apply(asked.double(), scale, bounds, transform.rounds, transform.gradient == "clipped")
    return got.to(asked.dtype)


def with_factors(weights: Tensor, transform: WeightTransform) -> Tensor:
    """Return the weights of single synapses (n_synapses,) times their factors, of one device or (device, synapse)."""
    assert transform.factor is not None
    return (weights.double() * _alone(_tensor(transform.factor, weights))).to(weights.dtype)


def injected(model: Tensor, observed: Tensor) -> Tensor:
    """Return what was observed; the derivative passes to what the model computed (hardware in the loop).

    Parameters
    ----------
    model, observed : Tensor
        Of the same shape. Where an observation is NaN, the model's value stays.
    """
    found: Tensor = _Injected.apply(model, observed.to(model))
    return found


def _tensor(array: Any, like: Tensor) -> Tensor:
    return torch.as_tensor(array, dtype=torch.float64, device=like.device)


def _alone(values: Tensor) -> Tensor:
    """Return values without an axis of devices where there is one device."""
    return values[0] if values.ndim == 2 and values.shape[0] == 1 else values


class _Quantised(torch.autograd.Function):
    """clip(round(s w)) / s, with the derivative 1, or 0 where it was clipped."""

    @staticmethod
    def forward(
        ctx: Any, asked: Tensor, scale: float, bounds: tuple[float, float], rounds: bool, clipped: bool
    ) -> Tensor:
        scaled = asked * scale
        levels = scaled.round() if rounds else scaled
        if clipped:
            ctx.save_for_backward((levels >= bounds[0]) & (levels <= bounds[1]))
        return levels.clamp(*bounds) / scale

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        for inside in ctx.saved_tensors:
            gradient = gradient * inside
        return gradient, None, None, None, None


class _Injected(torch.autograd.Function):
    """The observed value; the derivative is the model's."""

    @staticmethod
    def forward(_ctx: Any, model: Tensor, observed: Tensor) -> Tensor:
        return torch.where(observed.isnan(), model, observed)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return gradients[0], None
