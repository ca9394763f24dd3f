"""How large an expression becomes once the subexpressions it names stand written out in it.

Brian2 puts subexpressions into each other and hands the result to sympy, which folds powers of numbers. A few short
lines can so ask for more memory than a machine has; the sizes are bounded here, without writing anything out.
"""

import ast
import math
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from snncompare.errors import DescriptionError

__all__ = ["MAX_DEPTH", "MAX_EXPONENT", "MAX_SIZE", "Extent", "check_extents", "names_read"]

MAX_DEPTH = 100
MAX_SIZE = 20_000
MAX_EXPONENT = 16


class Extent(NamedTuple):
    """Number of terms and levels, largest exponent that powers multiply up to, and largest value as an exponent."""

    size: int = 1
    depth: int = 1
    degree: float = 1.0
    largest: float = 1.0


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
    reads = {name: names_read(tree) & set(subexpressions) for name, tree in subexpressions.items()}
    try:
        order = list(TopologicalSorter(reads).static_order())
    except CycleError as error:
        raise DescriptionError(f"'{error.args[1][0]}' is defined through itself.") from error
    known: dict[str, Extent] = {}
    for name in order:
        known[name] = _checked(name, subexpressions[name], known)
    for name, tree in others.items():
        _checked(name, tree, known)


def _checked(name: str, tree: ast.expr, known: Mapping[str, Extent]) -> Extent:
    found = _extent(tree, known)
    if found.degree > MAX_EXPONENT:
        raise DescriptionError(
            f"'{name}': exponents hold only numbers, names and + - * /, and multiply up to {MAX_EXPONENT} at most."
        )
    if found.size > MAX_SIZE or found.depth > MAX_DEPTH:
        raise DescriptionError(
            f"'{name}' grows to {found.size} terms in {found.depth} levels when its subexpressions are put in; "
            f"at most {MAX_SIZE} terms and {MAX_DEPTH} levels are read."
        )
    return found


def _extent(node: ast.expr, known: Mapping[str, Extent]) -> Extent:
    match node:
        case ast.Constant(value=int() | float() as value):
            return Extent(largest=abs(value))
        case ast.Name(id=name):
            return known.get(name, Extent())
    inner = [_extent(child, known) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    size, depth = 1 + sum(part.size for part in inner), 1 + max(part.depth for part in inner)
    degree, largest = max(part.degree for part in inner), math.inf
    match node:
        case ast.UnaryOp():
            largest = inner[0].largest
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            largest = inner[0].largest + inner[1].largest
        case ast.BinOp(op=ast.Mult()):
            largest = inner[0].largest * inner[1].largest
        case ast.BinOp(op=ast.Div(), right=ast.Constant(value=int() | float() as divisor)) if divisor:
            largest = inner[0].largest / abs(divisor)
        case ast.BinOp(op=ast.Div(), right=ast.Name(id=name)) if name not in known:
            largest = inner[0].largest
        case ast.BinOp(op=ast.Pow()):
            degree = max(degree, inner[0].degree * max(1.0, inner[1].largest))
    return Extent(size, depth, degree, largest)
