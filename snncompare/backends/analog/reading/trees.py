"""Sums, products and comparisons in the syntax tree of an expression."""

import ast
from collections.abc import Container, Iterator, Mapping

from snncompare.network.equations import Definition
from snncompare.network.expressions import parsed

__all__ = [
    "comparisons",
    "decay_times",
    "divides_all",
    "factors",
    "factors_of_terms",
    "plain_names",
    "sign_of",
    "signed_terms",
    "sums",
    "without_sign",
    "written_out",
]


def written_out(text: str, lines: Mapping[str, Definition], keep: Container[str] = ()) -> ast.expr:
    """Return the tree of an expression, the subexpressions in `lines` written out but for those to keep."""

    class WriteOut(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            line = lines.get(node.id)
            if line is not None and line.kind == "subexpression" and node.id not in keep:
                return self.visit(ast.parse(line.expression or "0", mode="eval").body)
            return node

    return WriteOut().visit(ast.parse(ast.unparse(parsed(text)), mode="eval").body)


def signed_terms(node: ast.expr, sign: int = 1) -> Iterator[tuple[int, ast.expr]]:
    """Return the terms of a sum, each with +1 or -1."""
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from signed_terms(left, sign)
            yield from signed_terms(right, sign)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            yield from signed_terms(left, sign)
            yield from signed_terms(right, -sign)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            yield from signed_terms(inner, -sign)
        case _:
            yield sign, node


def sums(node: ast.expr, states: set[str], sign: int = 1) -> Iterator[list[tuple[int, ast.expr]]]:
    """Return every sum in an expression, but not those that are multiplied by a state (a conductance).

    The sign of a term is that with which it adds to the whole expression: of -g*(v - E), that of E is +1.
    """
    terms = list(signed_terms(node, sign))
    if len(terms) > 1:
        yield terms
    for inner, term in terms:
        match term:
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                for part, other in ((left, right), (right, left)):
                    if not {n.id for n in ast.walk(other) if isinstance(n, ast.Name)} & states:
                        yield from sums(part, states, inner * sign_of(other))
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                yield from sums(left, states, inner * sign_of(right))


def sign_of(node: ast.expr) -> int:
    """Return the sign that stands before the factors of a product, -1 or 1."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -sign_of(inner)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            return sign_of(left) * sign_of(right)
    return 1


def comparisons(node: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Return the two sides of every comparison in a condition."""
    for part in ast.walk(node):
        match part:
            case ast.Compare(left=left, comparators=[right]):
                yield left, right


def plain_names(node: ast.expr) -> list[str]:
    """Return the names that are terms of a sum anywhere in an expression."""
    return [term.id for terms in sums(node, set()) for sign, term in terms if isinstance(term, ast.Name) and sign > 0]


def decay_times(node: ast.expr) -> set[str]:
    """Return the names P of exp(-dt/P): time constants of decays that are written for one time step."""
    found: set[str] = set()
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Name(id="exp"), args=[argument]):
                sign, inner = without_sign(argument)
                match inner:
                    case ast.BinOp(left=ast.Name(id="dt"), op=ast.Div(), right=ast.Name(id=name)) if sign < 0:
                        found.add(name)
    return found


def without_sign(node: ast.expr) -> tuple[int, ast.expr]:
    """Return -1 and what stands behind a leading minus, or 1 and the expression."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -1, inner
        case ast.BinOp(left=ast.UnaryOp(op=ast.USub(), operand=inner), op=ast.Div() as op, right=right):
            return -1, ast.BinOp(left=inner, op=op, right=right)
    return 1, node


def divides_all(node: ast.expr, name: str) -> bool:
    """Return whether a name divides the whole expression."""
    match node:
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            inside = [n.id for n in ast.walk(right) if isinstance(n, ast.Name)]
            return name in inside or divides_all(left, name)
    return False


def factors(node: ast.expr) -> set[str]:
    """Return the names that multiply a whole expression."""
    match node:
        case ast.Name(id=name):
            return {name}
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return factors(left) | factors(right)
        case ast.BinOp(left=left, op=ast.Div()):
            return factors(left)
    return set()


def factors_of_terms(node: ast.expr) -> set[str]:
    """Return the names that multiply a term of the sum that an expression is."""
    found: set[str] = set()
    match node:
        case ast.BinOp(left=left, op=ast.Div()):
            return factors_of_terms(left)
    for _, term in signed_terms(node):
        match term:
            case ast.BinOp(op=ast.Mult()):
                found |= factors(term)
    return found
