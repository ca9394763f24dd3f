"""How large an expression becomes once the subexpressions it names stand written out and its products are expanded.

Brian2 puts subexpressions into each other and hands the result to sympy, which folds powers of numbers, multiplies out
sums and asks nested functions for their signs. A few short lines can so ask for more memory than a machine has, or for
days; the sizes are bounded here, without writing anything out.
"""

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from snncompare.errors import DescriptionError

__all__ = [
    "MAX_DEPTH", "MAX_EXPONENT", "MAX_NESTED", "MAX_SIZE", "MAX_TERMS", "Extent", "check_extents", "extents",
    "names_read",
]  # fmt: skip

MAX_DEPTH = 100
MAX_SIZE = 20_000
MAX_EXPONENT = 16
MAX_TERMS = 150
MAX_NESTED = 6

_GROWING = frozenset({"exp", "expm1", "exprel", "cosh", "sinh"})
_TAMING = frozenset({"abs", "log", "log10", "log1p", "sign", "sqrt"})
_LARGE = 100.0


@dataclass(frozen=True)
class Extent:
    """What is bounded.

    Attributes
    ----------
    size, depth : int
        Number of terms and levels as written.
    degree : float
        Largest exponent that powers multiply up to.
    largest : float
        Largest value as an exponent.
    terms, below : float
        Number of terms in numerator and denominator once sums are multiplied out.
    most : float
        The largest such number in any part.
    nested : float
        Levels of function calls; infinite where a function is taken of an exponential that has too many digits.
    constant, huge : bool
        Whether it is made of numbers only, and whether it holds the exponential of a large number.
    """

    size: int = 1
    depth: int = 1
    degree: float = 1.0
    largest: float = 1.0
    terms: float = 1.0
    below: float = 1.0
    most: float = 1.0
    nested: float = 0
    constant: bool = False
    huge: bool = False


def names_read(tree: ast.expr) -> set[str]:
    """Return the names of values, not of functions, that an expression reads."""
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions}


def check_extents(subexpressions: Mapping[str, ast.expr], others: Mapping[str, ast.expr]) -> None:
    """Refuse subexpressions defined through themselves, and expressions that grow too large with them put in.

    Raises
    ------
    DescriptionError
    """
    for name, found in extents(subexpressions, others).items():
        _check(name, found)


def extents(subexpressions: Mapping[str, ast.expr], others: Mapping[str, ast.expr]) -> dict[str, Extent]:
    """Return how large each expression becomes.

    Raises
    ------
    DescriptionError
        For subexpressions defined through themselves.
    """
    reads = {name: names_read(tree) & set(subexpressions) for name, tree in subexpressions.items()}
    try:
        order = list(TopologicalSorter(reads).static_order())
    except CycleError as error:
        raise DescriptionError(f"'{error.args[1][0]}' is defined through itself.") from error
    known: dict[str, Extent] = {}
    for name in order:
        known[name] = _extent(subexpressions[name], known)
    return known | {name: _extent(tree, known) for name, tree in others.items()}


def _check(name: str, found: Extent) -> None:
    if found.degree > MAX_EXPONENT:
        raise DescriptionError(
            f"'{name}': exponents hold only numbers, names and + - * /, and multiply up to {MAX_EXPONENT} at most."
        )
    if found.size > MAX_SIZE or found.depth > MAX_DEPTH:
        raise DescriptionError(
            f"'{name}' grows to {found.size} terms in {found.depth} levels when its subexpressions are put in; "
            f"at most {MAX_SIZE} terms and {MAX_DEPTH} levels are read."
        )
    if found.most > MAX_TERMS:
        raise DescriptionError(
            f"'{name}' grows to more than {MAX_TERMS} terms when its products and powers of sums are multiplied out; "
            "make parameters of some factors."
        )
    if found.nested > MAX_NESTED:
        why = "an exponential of a large number" if math.isinf(found.nested) else f"more than {MAX_NESTED} levels"
        raise DescriptionError(f"'{name}' has functions within functions, with {why}.")


def _extent(node: ast.expr, known: Mapping[str, Extent]) -> Extent:
    match node:
        case ast.Constant(value=int() | float() as value):
            return Extent(largest=abs(value), constant=True)
        case ast.Name(id=name):
            return known.get(name, Extent(constant=name in ("pi", "e")))
    inner = [_extent(child, known) for child in _values(node)]
    together = Extent(
        size=1 + sum(part.size for part in inner),
        depth=1 + max((part.depth for part in inner), default=0),
        degree=max((part.degree for part in inner), default=1.0),
        largest=math.inf,
        most=max((part.most for part in inner), default=1.0),
        nested=max((part.nested for part in inner), default=0),
        constant=bool(inner) and all(part.constant for part in inner),
        huge=any(part.huge for part in inner),
    )
    match node:
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return _multiplied(together, inner[0].terms, inner[0].below, inner[0].largest)
        case ast.BinOp():
            return _operated(node, together, inner[0], inner[1], known)
        case ast.Call(func=ast.Name(id=name)):
            growing = name in _GROWING and together.constant and not inner[0].largest <= _LARGE
            nested = math.inf if together.huge and name not in _TAMING else 1 + together.nested
            return replace(together, nested=nested, huge=together.huge or growing)
    return together


def _values(node: ast.expr) -> list[ast.expr]:
    """Return the expressions inside of one, without the name of the function that is called."""
    called = node.func if isinstance(node, ast.Call) else None
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr) and child is not called]


def _multiplied(together: Extent, terms: float, below: float, largest: float) -> Extent:
    return replace(together, terms=terms, below=below, most=max(together.most, terms, below), largest=largest)


def _operated(node: ast.BinOp, together: Extent, left: Extent, right: Extent, known: Mapping[str, Extent]) -> Extent:
    match node.op:
        case ast.Add() | ast.Sub():
            below, largest = max(left.below, right.below), left.largest + right.largest
            return _multiplied(together, left.terms + right.terms, below, largest)
        case ast.Mult():
            return _multiplied(
                together, left.terms * right.terms, left.below * right.below, left.largest * right.largest
            )
        case ast.Div():
            divided = _divided(node.right, left.largest, known)
            return _multiplied(together, left.terms * right.below, left.below * right.terms, divided)
        case ast.Pow():
            degree = max(together.degree, left.degree * max(1.0, right.largest))
            terms = _powers(max(left.terms, left.below), right.largest)
            return replace(_multiplied(together, terms, terms, math.inf), degree=degree)
    return replace(together, nested=1 + together.nested)


def _divided(divisor: ast.expr, largest: float, known: Mapping[str, Extent]) -> float:
    match divisor:
        case ast.Constant(value=int() | float() as value) if value:
            return largest / abs(value)
        case ast.Name(id=name) if name not in known:
            return largest
    return math.inf


def _powers(terms: float, exponent: float) -> float:
    """Return how many terms a power of a sum has: the ways to draw `exponent` of `terms` with repetition."""
    if exponent > MAX_EXPONENT or terms > MAX_TERMS:
        return math.inf if terms > 1 else 1.0
    times = max(1, math.ceil(exponent))
    return float(math.comb(int(terms) + times - 1, times))
