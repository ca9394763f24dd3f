"""The functions of equations, for torch tensors."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["FUNCTIONS"]


def _timestep(t: Any, dt: Any) -> Any:
    """Return the number of the step that a time falls into, by Brian2's rule."""
    return torch.floor((t + 1e-3 * dt) / dt) if isinstance(t, Tensor) else int((t + 1e-3 * dt) / dt)


def _to_number(value: Any) -> Any:
    return value.trunc() if isinstance(value, Tensor) and value.is_floating_point() else value * 1.0


def _on_tensor(function: Callable[[Tensor], Tensor]) -> Callable[[Any], Any]:
    def applied(value: Any) -> Any:
        if isinstance(value, Tensor):
            return function(value)
        return function(torch.as_tensor(value, dtype=torch.float64)).item()

    return applied


_ELEMENTWISE = (
    *("exp", "log", "log10", "log1p", "expm1", "sqrt", "abs", "sign", "floor", "ceil"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan"),
)

FUNCTIONS: dict[str, Callable[..., Any]] = {name: _on_tensor(getattr(torch, name)) for name in _ELEMENTWISE} | {
    "clip": torch.clip,
    "int": _to_number,
    "timestep": _timestep,
    "not_": torch.logical_not,
    "and_": torch.logical_and,
    "or_": torch.logical_or,
}
