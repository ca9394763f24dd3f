"""Expressions of which every part is computed as seldom as possible: at once, once per run, or in every step.

Nothing is evaluated as code: syntax trees are turned into Python functions. What follows from numbers alone is computed
at once; what follows from values that stay during a run (trained parameters, parameters of single neurons) is computed
once per run and kept in a slot; what remains reads the state. Exact evaluation keeps every operation in Brian2's order;
otherwise sums of multiples are collected, see `Sum`.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from snncompare.backends.torch.functions import NUMBERS, RANDOM, Functions
from snncompare.backends.torch.sums import Evaluate, Known, Once, Part, Sum, Variable, added, compiled_sum
from snncompare.errors import UnsupportedError, unknown

__all__ = ["DRAWS", "SHAPE", "Scope", "parsed"]

SHAPE = "_shape"
DRAWS = "_draws"
"""Where the state says how many random numbers ``rand()`` means, and where they come from (`Draws`)."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any] | str] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: "div_",
    ast.FloorDiv: "floordiv_",
    ast.Mod: "mod_",
    ast.Pow: "pow_",
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@lru_cache(maxsize=4096)
def parsed(expression: str) -> ast.expr:
    """Return the syntax tree of an expression; it is shared and must not be changed."""
    return ast.parse(expression.strip(), mode="eval").body


@lru_cache(maxsize=4096)
def _key(node: ast.expr) -> str:
    """Return the text of an expression; with random numbers in it, a text that no other expression has."""
    text = ast.unparse(node)
    return f"{text} {id(node)}" if any(f"{name}(" in text for name in RANDOM) else text


@dataclass(frozen=True)
class Scope:
    """What names mean.

    Parameters
    ----------
    functions : mapping
        For tensors, see `tensor_functions`.
    simplify : bool
        Whether sums are collected; rounding then differs from Brian2's in the last bits.
    known : dict
        Name to what is known of it before the run or at its beginning.
    inlined : dict
        Intermediate values that are written out where they are read.
    slots : dict
        What is to be computed once per run, in order, shared by all scopes of a run.
    """

    functions: Functions
    simplify: bool
    known: dict[str, Known | Once] = field(default_factory=dict)
    inlined: dict[str, Part] = field(default_factory=dict)
    slots: dict[str, Evaluate] = field(default_factory=dict)

    def inner(self, known: Mapping[str, Known | Once]) -> "Scope":
        """Return a scope of its own that knows more."""
        return replace(self, known={**self.known, **known}, inlined={})

    def alone(self, known: Mapping[str, Known | Once]) -> "Scope":
        """Return a scope beside this one, which knows other things; slots are common."""
        return replace(self, known=dict(known), inlined={})

    def kept(self, part: Known | Once) -> Known | Once:
        """Return the same value; what is computed once per run gets a slot, so that it is not computed again."""
        if isinstance(part, Known) or part.slot is not None:
            return part
        slot = f"_once_{len(self.slots)}"
        self.slots[slot] = part.evaluate
        return Once((lambda state: state[slot]), slot)

    def compiled(self, part: Part) -> Evaluate:
        """Return the function of the state that computes a part in every step."""
        match part:
            case Known(value=value):
                return lambda _state: value
            case Once():
                kept = self.kept(part)
                assert isinstance(kept, Once)
                return kept.evaluate
            case Variable(evaluate=evaluate):
                return evaluate
        terms = {key: (self.kept(factor), variable) for key, (factor, variable) in part.terms.items()}
        return compiled_sum(Sum(terms, self.kept(part.constant)))

    def part(self, node: ast.expr) -> Part:
        """Return what a syntax tree is worth.

        Raises
        ------
        UnsupportedError
            For functions and operators that equations do not have.
        """
        match node:
            case ast.Constant(value=value):
                return Known(value)
            case ast.Name(id=name):
                return self._named(name)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                part = self.part(inner)
                return self._scaled(part, Known(-1.0)) if self.simplify else self.applied("", operator.neg, part)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.part(inner)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return self.applied(_key(node), "not_", self.part(inner))
            case ast.BinOp(left=left, op=op, right=right):
                return self.combined(_key(node), op, self.part(left), self.part(right))
            case ast.BoolOp(op=op, values=[first, *others]):
                return self._boolean(node, op, first, others)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.applied(_key(node), _COMPARE[type(op)], self.part(left), self.part(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(node, name, [self.part(argument) for argument in arguments])
        raise UnsupportedError(f"'{ast.unparse(node)}' cannot be computed here; write it with plain arithmetic.")

    def combined(self, key: str, op: ast.operator, a: Part, b: Part) -> Part:
        """Return what an arithmetic operator makes of two parts; `key` is the text of both together."""
        settled_a, settled_b = isinstance(a, Known | Once), isinstance(b, Known | Once)
        if self.simplify and not (settled_a and settled_b):
            if isinstance(op, ast.Add):
                return added(a, b, self._value)
            if isinstance(op, ast.Sub):
                return added(a, self._scaled(b, Known(-1.0)), self._value)
            if isinstance(op, ast.Mult) and isinstance(a, Known | Once):
                return self._scaled(b, a)
            if isinstance(op, ast.Mult) and isinstance(b, Known | Once):
                return self._scaled(a, b)
            if isinstance(op, ast.Div) and isinstance(b, Known | Once):
                return self._scaled(a, self._value("div_", Known(1.0), b))
        return self.applied(key, _BINARY[type(op)], a, b)

    def applied(self, key: str, function: Callable[..., Any] | str, *parts: Part) -> Part:
        """Return a function of parts; `key` is its text."""
        settled = [part for part in parts if isinstance(part, Known | Once)]
        if len(settled) == len(parts):
            return self._value(function, *settled)
        implementation = self.functions[function] if isinstance(function, str) else function
        return Variable(key, _closure(implementation, [_argument(part, self.compiled) for part in parts]))

    def _named(self, name: str) -> Part:
        if name in self.known:
            return self.known[name]
        return self.inlined.get(name, Variable(name, (lambda state: state[name]), plain=True))

    def _boolean(self, node: ast.expr, op: ast.boolop, first: ast.expr, others: list[ast.expr]) -> Part:
        name, decided = ("and_", False) if isinstance(op, ast.And) else ("or_", True)
        result = self.part(first)
        for other in others:
            part = self.part(other)
            sides = [side for side in (result, part) if isinstance(side, Known)]
            if any(bool(side.value) is decided for side in sides):
                result = Known(decided)
            elif sides:
                result = part if sides[0] is result else result
            else:
                result = self.applied(_key(node), name, result, part)
        return result

    def _call(self, node: ast.expr, name: str, arguments: list[Part]) -> Part:
        if name in RANDOM:
            parts = [self.compiled(argument) for argument in arguments]
            return Variable(_key(node), lambda s: s[DRAWS].draw(name, s[SHAPE], *(part(s) for part in parts)))
        if name not in self.functions or name.endswith("_"):
            there = sorted(n for n in self.functions if not n.endswith("_"))
            raise UnsupportedError(unknown("function", name, there))
        return self.applied(_key(node), name, *arguments)

    def _value(self, function: Callable[..., Any] | str, *parts: Known | Once) -> Known | Once:
        """Return a function of settled values: of numbers as numpy computes it, at once; otherwise once per run."""
        numbers = [part.value for part in parts if isinstance(part, Known)]
        if len(numbers) < len(parts):
            implementation = self.functions[function] if isinstance(function, str) else function
            return Once(_closure(implementation, [_argument(part, lambda once: once.evaluate) for part in parts]))
        with np.errstate(all="ignore"):
            given = (np.float64(number) if isinstance(number, float) else number for number in numbers)
            found = (NUMBERS[function] if isinstance(function, str) else function)(*given)
        return Known(found.item() if isinstance(found, np.generic | np.ndarray) else found)

    def _scaled(self, part: Part, factor: Known | Once) -> Part:
        match part:
            case Known() | Once():
                return self._value(operator.mul, part, factor)
            case Variable():
                return Sum({part.key: (factor, part)}, Known(0.0))
        terms = {key: (self._value(operator.mul, own, factor), v) for key, (own, v) in part.terms.items()}
        return Sum(terms, self._value(operator.mul, part.constant, factor))


_Argument = tuple[bool, Any]


def _argument(part: Part, compiled: Callable[[Any], Evaluate]) -> _Argument:
    """Return whether an argument is a number, and the number or the function that computes it."""
    return (True, part.value) if isinstance(part, Known) else (False, compiled(part))


def _closure(function: Callable[..., Any], arguments: list[_Argument]) -> Evaluate:
    match arguments:
        case [(True, a), (False, right)]:
            return lambda state: function(a, right(state))
        case [(False, left), (True, b)]:
            return lambda state: function(left(state), b)
        case [(False, inner)]:
            return lambda state: function(inner(state))
        case [(False, left), (False, right)]:
            return lambda state: function(left(state), right(state))
    return lambda state: function(*(value if number else value(state) for number, value in arguments))
