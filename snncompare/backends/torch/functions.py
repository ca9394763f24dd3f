"""The functions of equations, for tensors and for numbers.

There are two tables for tensors. The exact one hands the memory of a float64 tensor to numpy, so that even the last bit
is that of Brian2's numpy target; the other one is differentiable and runs on any device.
"""

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["FUNCTIONS", "NUMBERS", "RANDOM", "Draws", "Functions", "exprel", "tensor_functions"]

Functions = Mapping[str, Callable[..., Any]]
"""Name to implementation; operators and the like end in an underscore: ``pow_``, ``mod_``, ``and_``, ``where_``."""

RANDOM = ("rand", "randn", "poisson")

_ELEMENTWISE = (
    *("exp", "log", "log10", "log1p", "expm1", "sqrt", "abs", "sign", "floor", "ceil"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan"),
)
_SMALL = 0.1
_SERIES = (1 / 2, 1 / 3, 1 / 8, 1 / 30, 1 / 144, 1 / 840, 1 / 5760, 1 / 45360, 1 / 403200)


class Draws:
    """Random numbers of one run, from a generator of its own.

    Parameters
    ----------
    generator : torch.Generator
    like : Tensor
        Whose data type and device the numbers have.
    """

    def __init__(self, generator: torch.Generator, like: Tensor) -> None:
        self.generator, self._dtype, self._device = generator, like.dtype, like.device

    def draw(self, name: str, shape: tuple[int, ...], *arguments: Any) -> Tensor:
        """Return numbers of the distribution that equations call ``rand``, ``randn`` or ``poisson``."""
        match name:
            case "rand":
                return torch.rand(shape, generator=self.generator, dtype=self._dtype, device=self._device)
            case "randn":
                return torch.randn(shape, generator=self.generator, dtype=self._dtype, device=self._device)
            case _:
                rate = torch.as_tensor(arguments[0], dtype=self._dtype, device=self._device).detach().expand(shape)
                return torch.poisson(rate, generator=self.generator)


class _Exprel(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        value = torch.where(x.abs() < 1e-16, 1.0, torch.expm1(x) / x)
        ctx.save_for_backward(x, value)
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        x, value = ctx.saved_tensors
        near = torch.zeros_like(x)
        for coefficient in reversed(_SERIES):
            near = near * x + coefficient
        return gradients[0] * torch.where(x.abs() < _SMALL, near, (x.exp() - value) / x)


def exprel(x: Tensor) -> Tensor:
    r"""Return :math:`(e^x - 1)/x`, which is 1 at zero with the derivative 1/2.

    Near zero the derivative is its Taylor series :math:`\sum_{n \ge 1} n x^{n-1} / (n+1)!`: there the closed form
    :math:`(e^x - \mathrm{exprel}(x))/x` loses all digits.
    """
    result: Tensor = _Exprel.apply(x)
    return result


def _numbers_exprel(x: Any) -> Any:
    given = np.asarray(x, dtype=np.float64)
    with np.errstate(all="ignore"):
        return np.where(np.abs(given) < 1e-16, 1.0, np.where(given > 717, np.inf, np.expm1(given) / given))


def _numbers_timestep(t: Any, dt: Any) -> Any:
    return np.trunc((t + 1e-3 * dt) / dt)


NUMBERS: Functions = {name: getattr(np, name) for name in _ELEMENTWISE} | {
    "exprel": _numbers_exprel,
    "clip": np.clip,
    "int": np.trunc,
    "timestep": _numbers_timestep,
    "pow_": operator.pow,
    "mod_": operator.mod,
    "floordiv_": operator.floordiv,
    "div_": operator.truediv,
    "not_": np.logical_not,
    "and_": np.logical_and,
    "or_": np.logical_or,
    "where_": np.where,
}


@lru_cache(maxsize=8)
def tensor_functions(dtype: torch.dtype, *, exact: bool) -> Functions:
    """Return the functions of equations for tensors; where numbers are among the arguments, at least one is a tensor.

    Parameters
    ----------
    dtype : torch.dtype
        Of numbers that are made from true or false.
    exact : bool
        As numpy computes them, to the last bit: for float64 on the processor, without gradients.
    """

    def whole(value: Tensor) -> Tensor:
        return value.trunc() if value.is_floating_point() else value.to(dtype)

    def timestep(t: Any, dt: Any) -> Tensor:
        return torch.trunc((t + 1e-3 * dt) / dt)

    def where(condition: Tensor, value: Any, otherwise: Any) -> Tensor:
        if isinstance(value, float) and not isinstance(otherwise, Tensor):
            value = torch.tensor(value, dtype=dtype, device=condition.device)
        return torch.where(condition, value, otherwise)

    logical: dict[str, Callable[..., Any]] = {
        "not_": torch.logical_not,
        "and_": _logical(torch.logical_and),
        "or_": _logical(torch.logical_or),
    }
    always: dict[str, Callable[..., Any]] = logical | {"int": whole, "timestep": timestep, "where_": where}
    if exact:
        return {name: _by_numpy(function) for name, function in NUMBERS.items()} | always
    differentiable: dict[str, Callable[..., Any]] = {name: getattr(torch, name) for name in _ELEMENTWISE} | {
        "exprel": exprel,
        "clip": _clip,
        "pow_": operator.pow,
        "mod_": operator.mod,
        "floordiv_": operator.floordiv,
        "div_": operator.truediv,
    }
    return {**differentiable, **always}


def _logical(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Any, Any], Tensor]:
    def applied(a: Any, b: Any) -> Tensor:
        known = a if isinstance(a, Tensor) else b
        return function(*(v if isinstance(v, Tensor) else torch.tensor(bool(v), device=known.device) for v in (a, b)))

    return applied


def _clip(x: Any, low: Any, high: Any) -> Tensor:
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        some = next(value for value in (x, low, high) if isinstance(value, Tensor))
        x, low, high = (v if isinstance(v, Tensor) else some.new_tensor(v) for v in (x, low, high))
        return torch.minimum(torch.maximum(x, low), high)
    return torch.clamp(x, low, high)


def _by_numpy(function: Callable[..., Any]) -> Callable[..., Tensor]:
    def applied(*arguments: Any) -> Tensor:
        found: NDArray[Any] = function(*(a.numpy() if isinstance(a, Tensor) else a for a in arguments))
        return torch.from_numpy(np.asarray(found))

    return applied


def _on_any(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def applied(*arguments: Any) -> Any:
        if any(isinstance(argument, Tensor) for argument in arguments):
            return function(*arguments)
        found = NUMBERS[name](*(np.float64(a) if isinstance(a, float) else a for a in arguments))
        return found.item() if isinstance(found, np.generic | np.ndarray) else found

    return applied


FUNCTIONS: Functions = {
    name: _on_any(name, function) for name, function in tensor_functions(torch.float64, exact=False).items()
}
"""Differentiable functions of tensors and numbers alike."""
