"""Conditions for a spike that carry a derivative: comparisons become spikes, and, or and not become arithmetic."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.torch.partial import DRAWS, Scope, parsed
from snncompare.backends.torch.sums import Evaluate, Part, State
from snncompare.backends.torch.surrogates import Surrogate
from snncompare.dynamics.program import NetworkProgram
from snncompare.errors import InputError, unknown
from snncompare.units import Dimension

__all__ = ["firing", "has_slope", "membrane", "surrogates_of"]


def has_slope(condition: str, dimensions: Sequence[Dimension], surrogate: Surrogate) -> bool:
    """Return whether a spike has a derivative: whether something of the surrogate's dimension is compared."""
    return bool(_sloped(condition, dimensions, surrogate))


def membrane(condition: str, dimensions: Sequence[Dimension], surrogate: Surrogate) -> set[str]:
    """Return the variables that make a spike more likely when they rise, so that a reset is theirs.

    In ``v > theta`` and in ``v - theta > 0*mV`` this is ``v``; the threshold ``theta`` is not.
    """
    found = set()
    for node in _sloped(condition, dimensions, surrogate):
        rises = isinstance(node.ops[0], ast.Gt | ast.GtE)
        found |= _of_sign(node.left, positive=rises) | _of_sign(node.comparators[0], positive=not rises)
    return found


def firing(
    condition: str, dimensions: Sequence[Dimension], surrogate: Surrogate, scope: Scope, dtype: torch.dtype
) -> Evaluate:
    r"""Return the function of the state that says who fires, 1 or 0.

    The forward pass is the condition itself. Where what is compared has the dimension of the surrogate, ``a > b`` is a
    spike with the surrogate as its derivative; other comparisons have no derivative. With :math:`x, y` for two sides,
    ``and`` is :math:`xy`, ``or`` is :math:`x + y - xy`, ``not`` is :math:`1 - x`.

    Parameters
    ----------
    condition : str
        Of a `Threshold`, as are the dimensions of its comparisons.
    scope : Scope
        Of the threshold's block.
    """
    sloped = {id(node) for node in _sloped(condition, dimensions, surrogate)}

    def number(part: Part) -> Evaluate:
        evaluate = scope.compiled(part)
        return lambda state: _as_number(evaluate(state), dtype)

    def spike_of(node: ast.Compare) -> Evaluate:
        left, right, op = node.left, node.comparators[0], node.ops[0]
        if isinstance(op, ast.Lt | ast.LtE):
            left, right = right, left
        above = scope.compiled(scope.combined("above threshold", ast.Sub(), scope.part(left), scope.part(right)))
        at_zero = isinstance(op, ast.GtE | ast.LtE)
        return lambda state: surrogate.fire(above(state), at_zero=at_zero, draws=state[DRAWS])

    def build(node: ast.expr) -> Evaluate:
        match node:
            case ast.Compare() if id(node) in sloped:
                return spike_of(node)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return _after(build(inner), lambda x: 1.0 - x)
            case ast.BoolOp(op=op, values=[first, *others]):
                result = build(first)
                for other in others:
                    result = _joined(result, build(other), both=isinstance(op, ast.And))
                return result
        return number(scope.part(node))

    return build(parsed(condition))


def surrogates_of(program: NetworkProgram, given: Surrogate | Mapping[str, Surrogate] | None) -> dict[str, Surrogate]:
    """Return the surrogate of each population, after checking that its threshold has the same unit."""
    if given is None:
        return {}
    spiking = {name: step.threshold for name, step in program.populations.items() if step.threshold is not None}
    each = dict.fromkeys(spiking, given) if isinstance(given, Surrogate) else dict(given)
    for name, surrogate in each.items():
        threshold = spiking.get(name)
        if threshold is None:
            raise InputError("surrogate: " + unknown("population that spikes", name, spiking))
        if threshold.dimensions and not has_slope(threshold.condition, threshold.dimensions, surrogate):
            raise InputError(
                f"the surrogate's width '{surrogate.width}' has not the unit of the threshold of '{name}'."
            )
    return each


def _sloped(condition: str, dimensions: Sequence[Dimension], surrogate: Surrogate) -> list[ast.Compare]:
    """Return the comparisons that have a derivative: those joined by and, or, not, of the surrogate's dimension."""
    compared = [node for node in ast.walk(parsed(condition)) if isinstance(node, ast.Compare)]
    reached = {id(node) for node in _joined_by_logic(parsed(condition))}
    pairs = zip(compared, dimensions, strict=True)
    inequality = ast.Lt | ast.LtE | ast.Gt | ast.GtE
    return [
        node
        for node, dimension in pairs
        if id(node) in reached and dimension == surrogate.dimension and isinstance(node.ops[0], inequality)
    ]


def _joined_by_logic(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BoolOp(values=values):
            return [inner for value in values for inner in _joined_by_logic(value)]
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _joined_by_logic(inner)
    return [node]


def _of_sign(node: ast.expr, *, positive: bool) -> set[str]:
    """Return the names that an expression adds (or subtracts, where it is not positive itself)."""
    match node:
        case ast.BinOp(left=left, op=ast.Sub() | ast.Div(), right=right):
            return _of_sign(left, positive=positive) | _of_sign(right, positive=not positive)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _of_sign(inner, positive=not positive)
        case ast.Name(id=name):
            return {name} if positive else set()
        case ast.Call(args=arguments):
            return {name for argument in arguments for name in _of_sign(argument, positive=positive)}
    inner_nodes = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
    return {name for inner in inner_nodes for name in _of_sign(inner, positive=positive)}


def _as_number(value: Any, dtype: torch.dtype) -> Any:
    return value.to(dtype) if isinstance(value, Tensor) else float(value)


def _after(inner: Evaluate, function: Callable[[Any], Any]) -> Evaluate:
    return lambda state: function(inner(state))


def _joined(one: Evaluate, two: Evaluate, *, both: bool) -> Evaluate:
    def conjunction(state: State) -> Any:
        return one(state) * two(state)

    def disjunction(state: State) -> Any:
        x, y = one(state), two(state)
        return x + y - x * y

    return conjunction if both else disjunction
