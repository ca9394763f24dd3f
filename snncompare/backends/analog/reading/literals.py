"""Numbers that equations hold without a name: found, evaluated without executing anything, and given a name."""

import ast
import math
import operator
from collections.abc import Callable, Mapping

from snncompare.errors import UnitError
from snncompare.network.unit_names import UNITS
from snncompare.units import NONE, Quantity, parse_unit

__all__ = ["literal", "replaced", "tree_of"]

_CONSTANTS = {"pi": math.pi, "e": math.e}
_PRODUCTS: Mapping[type[ast.operator], tuple[Callable[[float, float], float], int]] = {
    ast.Mult: (operator.mul, 1),
    ast.Div: (operator.truediv, -1),
}
_SUMS: Mapping[type[ast.operator], Callable[[float, float], float]] = {ast.Add: operator.add, ast.Sub: operator.sub}


def literal(node: ast.expr) -> Quantity | None:
    """Return the value of an expression of numbers and units such as ``-65*mV``, or None if there is a name in it.

    It is computed in the order in which the expression stands, in float64, as Brian2 does.
    """
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return Quantity(float(value), NONE)
        case ast.Name(id=name) if name in _CONSTANTS:
            return Quantity(_CONSTANTS[name], NONE)
        case ast.Name(id=name) if name in UNITS:
            try:
                size, dimension = parse_unit(name)
            except UnitError:
                return None
            return Quantity(size, dimension)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            found = literal(inner)
            return None if found is None else Quantity(-found.value, found.dimension)
        case ast.BinOp(left=left, op=op, right=right):
            first, second = literal(left), literal(right)
            return None if first is None or second is None else _combined(first, op, second)
    return None


def _combined(first: Quantity, op: ast.operator, second: Quantity) -> Quantity | None:
    if type(op) in _SUMS and first.dimension == second.dimension:
        return Quantity(_SUMS[type(op)](first.value, second.value), first.dimension)
    if type(op) not in _PRODUCTS:
        return None
    compute, times = _PRODUCTS[type(op)]
    dimension = tuple(a + times * b for a, b in zip(first.dimension, second.dimension, strict=True))
    return Quantity(compute(first.value, second.value), dimension)  # type: ignore[arg-type] # of the same length


def tree_of(text: str) -> ast.expr:
    """Return a syntax tree of a checked expression that may be changed."""
    return ast.parse(" ".join(text.split()), mode="eval").body


def replaced(tree: ast.expr, node: ast.expr, by: ast.expr) -> str:
    """Return the text of a tree with one of its nodes replaced."""

    class Replace(ast.NodeTransformer):
        def visit(self, found: ast.AST) -> ast.AST:
            return by if found is node else super().visit(found)

    return ast.unparse(Replace().visit(tree))
