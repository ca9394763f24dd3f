"""Sums of multiples of variables, collected so that a linear update costs one operation for each variable.

``-(-c*x) + a*(-c*x + v)`` is ``a*v + (c - a*c)*x``: a multiplication and an addition, forwards and backwards.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

__all__ = [
    "Evaluate",
    "Known",
    "Once",
    "Part",
    "State",
    "Sum",
    "Variable",
    "added",
    "compiled_sum",
    "constant",
    "named",
]

State = dict[str, Any]
"""Variable name to tensor (batch, neuron); also the time, intermediate values and what is computed once per run."""

Evaluate = Callable[[State], Any]


def constant(state: Mapping[str, Any]) -> State:
    """Return a state as a constant: gradients do not reach back beyond it."""
    return {name: value.detach() if isinstance(value, torch.Tensor) else value for name, value in state.items()}


@dataclass(frozen=True, eq=False)
class Known:
    """A number."""

    value: Any


@dataclass(frozen=True, eq=False)
class Once:
    """A value that stays during a run; `slot` is its name in the state, if it has one."""

    evaluate: Evaluate
    slot: str | None = None


@dataclass(frozen=True, eq=False)
class Variable:
    """What may differ from step to step; `key` is the same for the same text, `plain` says that it is just a name."""

    key: str
    evaluate: Evaluate
    plain: bool = False


@dataclass(frozen=True, eq=False)
class Sum:
    """A constant and multiples of variables."""

    terms: Mapping[str, tuple[Known | Once, Variable]]
    constant: Known | Once


Part = Known | Once | Variable | Sum


def named(name: str) -> Once:
    """Return what the state holds under a name during the whole run."""
    return Once((lambda state: state[name]), name)


def added(a: Part, b: Part, value: Callable[..., Known | Once]) -> Sum:
    """Return the sum of two parts; `value` applies an operator to two settled values."""
    one, two = _as_sum(a), _as_sum(b)
    terms = dict(one.terms)
    for key, (factor, variable) in two.terms.items():
        there = terms.get(key)
        terms[key] = (factor if there is None else value(operator.add, there[0], factor), variable)
    return Sum(terms, value(operator.add, one.constant, two.constant))


def compiled_sum(part: Sum) -> Evaluate:
    """Return the function of the state that computes a sum; everything settled in it has a slot."""
    terms = [(factor, variable.evaluate) for factor, variable in part.terms.values() if not _is(factor, 0.0)]
    if not terms:
        return _reader(part.constant)
    terms.sort(key=lambda term: not _is(term[0], 1.0))
    result = _multiple(*terms[0])
    for factor, evaluate in terms[1:]:
        result = _with_term(result, factor, evaluate)
    return result if _is(part.constant, 0.0) else _with_constant(result, part.constant)


def _as_sum(part: Part) -> Sum:
    match part:
        case Known() | Once():
            return Sum({}, part)
        case Variable():
            return Sum({part.key: (Known(1.0), part)}, Known(0.0))
    return part


def _is(part: Known | Once, number: float) -> bool:
    return isinstance(part, Known) and part.value == number


def _reader(part: Known | Once) -> Evaluate:
    if isinstance(part, Once):
        return part.evaluate
    value = part.value
    return lambda _state: value


def _multiple(factor: Known | Once, evaluate: Evaluate) -> Evaluate:
    if _is(factor, 1.0):
        return evaluate
    if isinstance(factor, Known):
        number = factor.value
        return lambda state: evaluate(state) * number
    value = factor.evaluate
    return lambda state: evaluate(state) * value(state)


def _with_term(result: Evaluate, factor: Known | Once, evaluate: Evaluate) -> Evaluate:
    if _is(factor, 1.0):
        return lambda state: result(state) + evaluate(state)
    if isinstance(factor, Known):
        number = factor.value
        return lambda state: torch.add(result(state), evaluate(state), alpha=number)
    value = factor.evaluate
    return lambda state: torch.addcmul(result(state), evaluate(state), value(state))


def _with_constant(result: Evaluate, constant: Known | Once) -> Evaluate:
    if isinstance(constant, Known):
        number = constant.value
        return lambda state: result(state) + number
    value = constant.evaluate
    return lambda state: result(state) + value(state)
