"""What stays the same during a run, computed once with numpy as Brian2's numpy target computes it every step."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.core.variables import Constant

from snncompare.dynamics.expressions import compile_expression

__all__ = ["constants_of"]

_FUNCTIONS = {
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


def constants_of(once: Iterable[Any], variables: dict[str, Any], owner: Any) -> dict[str, float]:
    """Return parameters, the time step, and the values of the statements that run once, by name.

    Parameters
    ----------
    once : iterable of Brian2 statements
        Assignments that depend on constants only, in order.
    variables : dict
        What the names mean to Brian2.
    owner : Brian2 group
        Whose time step ``dt`` is.
    """
    values: dict[str, Any] = {"dt": np.float64(owner.dt_[:] if hasattr(owner.dt_, "__getitem__") else owner.dt_)}
    for name, variable in variables.items():
        if isinstance(variable, Constant):
            values[name] = np.float64(variable.get_value())
    for statement in once:
        values[statement.var] = compile_expression(statement.expr, _FUNCTIONS)(values)
    return {name: float(value) for name, value in values.items()}
