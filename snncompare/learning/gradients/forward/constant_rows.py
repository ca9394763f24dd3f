"""Which rows of a Jacobian stay the same during a run, and what they are: found in symbols, from the step program."""

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from torch import Tensor

from snncompare.backends.torch.functions import FUNCTIONS, NUMBERS
from snncompare.dynamics.expressions import Evaluate, compile_expression
from snncompare.dynamics.jacobians import jacobian
from snncompare.dynamics.program import Threshold
from snncompare.dynamics.symbolic import as_sympy, as_text
from snncompare.errors import UnsupportedError

__all__ = ["Entry", "Row", "Settled", "evaluated", "reads", "row_of_threshold"]

Entry = float | Tensor
"""One number for all neurons and steps, or a tensor of shape (), (n_neurons,) or (batch, n_neurons)."""

Row = Mapping[str, Evaluate]
"""Input to what computes the derivative by it from what stays during a run."""


@dataclass(frozen=True)
class Settled:
    """Names of what stays during a run: of numbers, and of tensors."""

    numbers: Collection[str]
    tensors: Collection[str]

    def compiled(self, expression: sympy.Expr) -> Evaluate | None:
        """Return what computes an expression at the beginning of a run; None if it does not stay during the run."""
        names = {symbol.name for symbol in expression.free_symbols}
        if not names <= {*self.numbers, *self.tensors}:
            return None
        try:
            return compile_expression(as_text(expression), NUMBERS if names.isdisjoint(self.tensors) else FUNCTIONS)
        except UnsupportedError:
            return None

    def row(self, expression: sympy.Expr, inputs: Sequence[str]) -> Row | None:
        """Return the derivatives of an expression that are not zero, or None if they change during a run.

        Parameters
        ----------
        expression : sympy expression
            Of states, parameters and constants.
        inputs : sequence of str
            What it is differentiated by.
        """
        found = {}
        for (_, name), derivative in jacobian({"": expression}, inputs).entries.items():
            value = self.compiled(derivative)
            if value is None:
                return None
            found[name] = value
        return found


def evaluated(row: Row, known: Mapping[str, Any]) -> dict[str, Entry]:
    """Return what a row is worth, without what turns out to be zero."""
    found: dict[str, Entry] = {}
    for name, evaluate in row.items():
        value = evaluate(known)
        value = value if isinstance(value, Tensor) else float(value)
        if isinstance(value, Tensor) or value != 0:
            found[name] = value
    return found


def reads(expression: sympy.Expr, name: str) -> bool:
    """Return whether the derivative of an expression by a name is anything but zero."""
    return bool(jacobian({"": expression}, [name]).entries)


def row_of_threshold(threshold: Threshold, inputs: Sequence[str], settled: Settled) -> Row | None:
    """Return the derivatives of what a threshold compares, where it is a single comparison of sums, else None.

    In ``v > theta + beta*a`` that is 1 for ``v`` and minus ``beta`` for ``a``.
    """
    match ast.parse(threshold.condition.strip(), mode="eval").body:
        case ast.Compare(left=left, ops=[ast.Gt() | ast.GtE()], comparators=[right]):
            sides = left, right
        case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE()], comparators=[right]):
            sides = right, left
        case _:
            return None
    symbols: dict[str, sympy.Basic] = {}
    for assignment in (*threshold.block.once, *threshold.block.assignments):
        if assignment.operator not in ("=", ":=") or assignment.condition is not None:
            return None
        symbols[assignment.target] = as_sympy(assignment.expression, symbols)
    upper, lower = (as_sympy(ast.unparse(side), symbols) for side in sides)
    return settled.row(upper - lower, inputs)
