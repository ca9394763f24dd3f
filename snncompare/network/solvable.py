"""Can equations be turned into a time step within seconds? What is known to take hours is refused before it begins."""

import ast
import math
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from snncompare.errors import DescriptionError, InputError
from snncompare.network.equations import NEURON_FLAGS, Definition, Flags, check_equations, definitions
from snncompare.network.expressions import parsed
from snncompare.network.extent import extents, names_read

__all__ = ["MAX_BOOLEANS", "MAX_EQUATIONS", "check_complete", "check_solvable"]

MAX_EQUATIONS = 100
"""Differential equations of a population with its synapses; for as many, Runge-Kutta (rk4) takes half a minute."""
MAX_BOOLEANS = 8
"""True-or-false variables; Brian2 writes a statement once for every combination of those that it reads."""
_WITHOUT_NOISE = ("exact", "exponential_euler", "rk2", "rk4")
_MAX_COST, _MAX_TERMS, _MAX_TERMS_OF_TWO = 8, 24, 40


def check_complete(where: str, text: str, method: str, flags: Flags = NEURON_FLAGS) -> None:
    """Refuse the complete equations of a population or projection that grow too large, or that nobody could solve.

    Raises
    ------
    DescriptionError
        Beginning with `where`.
    """
    try:
        check_equations(text, flags)
        check_solvable(text, method)
    except InputError as error:
        raise DescriptionError(f"{where}: {error}") from error


def check_solvable(text: str, method: str) -> None:
    """Refuse complete equations of a population or synapse that no state updater could be made of in reasonable time.

    The exact solution of n linear equations is symbolic, and its size doubles about with each equation: up to 8 that
    are driven by their own state or by states that are driven by nothing else, fewer in a longer chain, 2 that drive
    each other. Measured with Brian2 2.9: 7 equations, 20 s; a chain of 4, 8 s; 3 that drive each other, over a minute.

    Parameters
    ----------
    text : str
        Equations with the synapses put in.
    method : str
        Brian2's state updater. ``"auto"`` tries the exact solution first; event-driven equations have no other.

    Raises
    ------
    DescriptionError
    """
    lines = definitions(text)
    states = [name for name, line in lines.items() if line.kind == "differential"]
    booleans = [name for name, line in lines.items() if line.unit == "boolean"]
    if len(states) > MAX_EQUATIONS:
        raise DescriptionError(
            f"{len(states)} differential equations with those of the synapses; at most {MAX_EQUATIONS}."
        )
    if len(booleans) > MAX_BOOLEANS:
        raise DescriptionError(f"{len(booleans)} true-or-false variables; at most {MAX_BOOLEANS}.")
    if method in _WITHOUT_NOISE and any(_is_noisy(lines[name]) for name in states):
        raise DescriptionError(
            f"the method '{method}' cannot integrate the noise 'xi'; choose 'euler', 'heun' or 'milstein'."
        )
    event_driven = [name for name in states if "event-driven" in lines[name].flags]
    clocked = [name for name in states if name not in event_driven]
    _check_exact(lines, event_driven, "event-driven equations", "write '(clock-driven)' behind them.")
    if method in ("exact", "auto"):
        _check_exact(lines, clocked, f"the method '{method}'", "choose another one, for example 'exponential_euler'.")


def _is_noisy(line: Definition) -> bool:
    return any(name == "xi" or name.startswith("xi_") for name in names_read(parsed(line.expression or "0")))


def _check_exact(lines: Mapping[str, Definition], states: list[str], what: str, instead: str) -> None:
    trees = {name: parsed(line.expression) for name, line in lines.items() if line.expression is not None}
    parts = {name: trees[name] for name in trees if lines[name].kind == "subexpression"}
    chosen = {name: trees[name] for name in states}
    if any(_degree(tree, states, parts) > 1 for tree in chosen.values()):
        return  # no linear equations, which Brian2 sees at once
    size = sum(found.terms + found.below for name, found in extents(parts, chosen).items() if name in chosen)
    size += 4 * sum(isinstance(node, ast.Call) for tree in chosen.values() for node in ast.walk(tree))
    driven = {name: _read(tree, parts) & set(states) - {name} for name, tree in chosen.items()}
    if _cost(driven) > _MAX_COST or size > (_MAX_TERMS_OF_TWO if len(states) <= 2 else _MAX_TERMS):
        listed = ", ".join(f"'{name}'" for name in states[:4]) + (" ..." if len(states) > 4 else "")
        raise DescriptionError(f"{what} would take too long for the linear equations of {listed}; {instead}")


def _cost(driven: Mapping[str, set[str]]) -> float:
    """Return the number of equations, two more for each link beyond one in the longest chain; many for a circle."""
    chain: dict[str, int] = {}
    try:
        for name in TopologicalSorter(driven).static_order():
            chain[name] = 1 + max((chain[other] for other in driven[name]), default=0)
    except CycleError:
        return 0 if len(driven) <= 2 else math.inf
    return len(driven) + 2 * max(0, max(chain.values(), default=0) - 2)


def _read(tree: ast.expr, parts: Mapping[str, ast.expr]) -> set[str]:
    names = names_read(tree)
    return names.union(*(_read(parts[name], parts) for name in names & parts.keys()))


def _degree(node: ast.expr, states: list[str], parts: Mapping[str, ast.expr]) -> float:
    """Return the power with which states stand in an expression; infinite where they stand in a function or divide."""
    match node:
        case ast.Name(id=name):
            return _degree(parts[name], states, parts) if name in parts else float(name in states)
        case ast.BinOp(left=left, op=op, right=right):
            first, second = _degree(left, states, parts), _degree(right, states, parts)
            match op:
                case ast.Add() | ast.Sub():
                    return max(first, second)
                case ast.Mult():
                    return first + second
                case ast.Div() if not second:
                    return first
            return math.inf if first or second else 0.0
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
            return _degree(inner, states, parts)
    return math.inf if _read(node, parts) & set(states) else 0.0
