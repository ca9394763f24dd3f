"""Which variables hold a time of the run: they need float64 also where the rest of the state is float32."""

import ast
from collections.abc import Iterable

from snncompare.backends.torch.partial import parsed
from snncompare.dynamics.program import Assignment

__all__ = ["times_in"]


def times_in(assignments: Iterable[Assignment]) -> frozenset[str]:
    """Return the targets that become the time, or the time with something added to it, in order of the assignments.

    A number of seconds in float32 is known to a microsecond after 16 s, so that differences of such numbers would not
    be the intervals that they are.
    """
    found = {"t"}
    for assignment in assignments:
        texts = (assignment.expression, assignment.otherwise)
        if any(_is_time(parsed(text), found) for text in texts if text is not None):
            found.add(assignment.target)
    return frozenset(found - {"t"})


def _is_time(node: ast.expr, times: set[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return name in times
        case ast.UnaryOp(operand=inner):
            return _is_time(inner, times)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult(), right=right):
            return _is_time(left, times) or _is_time(right, times)
    return False
