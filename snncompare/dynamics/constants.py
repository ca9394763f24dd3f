"""What stays the same during a run, computed once with numpy as Brian2's numpy target computes it every step."""

from collections.abc import Mapping

import numpy as np
from brian2.core.functions import DEFAULT_FUNCTIONS

from snncompare.dynamics.expressions import compile_expression
from snncompare.dynamics.program import Block

__all__ = ["FUNCTIONS", "constants_of"]

FUNCTIONS = {
    name: function.pyfunc for name, function in DEFAULT_FUNCTIONS.items() if name not in ("rand", "randn", "poisson")
} | {
    "not_": np.logical_not,
    "and_": np.logical_and,
    "or_": np.logical_or,
    "abs": np.abs,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "log": np.log,
    "int": np.int64,
}
"""Brian2's functions, but those of chance, as its numpy target computes them."""


def constants_of(block: Block) -> dict[str, float]:
    """Return the constants of a block and the values of what is computed once from them, by name.

    A division by zero gives what floating-point numbers have for it; `check_first_step` says where it comes from.
    """
    values: dict[str, np.float64] = {name: np.float64(value) for name, value in block.constants.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        for assignment in block.once:
            values[assignment.target] = compile_expression(assignment.expression, FUNCTIONS)(values)
    return _floats(values)


def _floats(values: Mapping[str, np.float64]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}
