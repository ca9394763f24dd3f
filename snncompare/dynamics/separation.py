"""An expression as a sum of products, each of a factor of the source neuron and a factor of the synapse."""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from snncompare.dynamics.expressions import names_in

__all__ = ["Term", "functions_in", "renamed", "separated"]

_Factors = tuple[ast.expr | None, ast.expr | None]


@dataclass(frozen=True)
class Term:
    """A product of two factors.

    Attributes
    ----------
    of_source : str or None
        Expression in values of the source neuron; None for the factor 1.
    of_synapse : str
        Expression in values of the synapse and the target neuron, and in constants.
    """

    of_source: str | None
    of_synapse: str


def separated(expression: ast.expr, of_source: Collection[str], of_synapse: Collection[str]) -> tuple[Term, ...] | None:
    """Return terms whose sum is the expression, or None if it is no such sum.

    Parameters
    ----------
    expression : ast.expr
    of_source, of_synapse : collection of str
        Names of the two kinds; all other names are constants.
    """
    parts = _separated(expression, set(of_source), set(of_synapse))
    if parts is None:
        return None
    return tuple(Term(None if s is None else ast.unparse(s), "1.0" if w is None else ast.unparse(w)) for s, w in parts)


def renamed(expression: str, replacements: Mapping[str, ast.expr]) -> ast.expr:
    """Return the tree of an expression in which names are replaced by other trees."""
    tree = ast.parse(expression.strip(), mode="eval")
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}

    class Replace(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return node if id(node) in functions else replacements.get(node.id, node)

    found: ast.Expression = Replace().visit(tree)
    return found.body


def functions_in(expression: str) -> set[str]:
    """Return the names of the functions that an expression calls."""
    calls = (node.func for node in ast.walk(ast.parse(expression.strip(), mode="eval")) if isinstance(node, ast.Call))
    return {function.id for function in calls if isinstance(function, ast.Name)}


def _separated(node: ast.expr, of_source: set[str], of_synapse: set[str]) -> list[_Factors] | None:
    names = names_in(ast.unparse(node))
    if not names & of_source:
        return [(None, node)]
    if not names & of_synapse:
        return [(node, None)]
    match node:
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=inner):
            parts = _separated(inner, of_source, of_synapse)
            return parts and [_signed(part, sign) for part in parts]
        case ast.BinOp(left=left, op=op, right=right):
            parts, others = _separated(left, of_source, of_synapse), _separated(right, of_source, of_synapse)
            return None if parts is None or others is None else _combined(parts, op, others)
    return None


def _combined(parts: list[_Factors], op: ast.operator, others: list[_Factors]) -> list[_Factors] | None:
    match op:
        case ast.Add():
            return parts + others
        case ast.Sub():
            return parts + [_signed(part, ast.USub()) for part in others]
        case ast.Mult():
            return [(_times(a, op, c), _times(b, op, d)) for a, b in parts for c, d in others]
        case ast.Div() if len(others) == 1:
            ((c, d),) = others
            return [(_times(a, op, c), _times(b, op, d)) for a, b in parts]
    return None


def _times(left: ast.expr | None, op: ast.operator, right: ast.expr | None) -> ast.expr | None:
    if right is None:
        return left
    if left is None:
        return right if isinstance(op, ast.Mult) else ast.BinOp(ast.Constant(1.0), op, right)
    return ast.BinOp(left, op, right)


def _signed(part: _Factors, sign: ast.unaryop) -> _Factors:
    of_source, of_synapse = part
    if of_synapse is None:
        return (ast.UnaryOp(sign, of_source) if of_source is not None else None), None
    return of_source, ast.UnaryOp(sign, of_synapse)
