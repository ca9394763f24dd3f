"""Is the time step short enough? The time constants of a network are found in its equations and compared with it."""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from snncompare.errors import InputError
from snncompare.network.amount import is_drawn
from snncompare.network.equations import Definition, definitions
from snncompare.network.expressions import parsed
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.units import TIME

__all__ = ["check_time_step", "divisors", "time_step_warnings"]


def check_time_step(network: Network, dt: float) -> None:
    """Refuse a time step (seconds) that is longer than a neuron model allows.

    Raises
    ------
    InputError
        With the population and its `NeuronModel.longest_step`.
    """
    for name, population in network.populations.items():
        longest = population.neuron.longest_step if isinstance(population.neuron, NeuronModel) else None
        if longest is not None and dt > longest.value * (1 + 1e-9):
            raise InputError(
                f"population '{name}': its neurons are not defined at a time step of {dt * 1e3:g} ms; "
                f"choose dt of at most {longest.value * 1e3:g} ms."
            )


def time_step_warnings(network: Network, dt: float) -> list[str]:
    r"""Return a sentence for every time constant that is shorter than a time step.

    A time constant is a parameter, measured in time, that divides the right-hand side of a differential equation or a
    term of it, such as :math:`\tau` in :math:`\dot v = (E - v)/\tau`. Event-driven equations are integrated exactly and
    left out. Of a distribution, `unit_of` is compared: the mean, or the lowest value where there is one.

    Parameters
    ----------
    network : Network
    dt : float
        Time step in seconds.
    """
    found: list[str] = []
    for name, population in network.populations.items():
        if isinstance(population.neuron, NeuronModel):
            plain = population.neuron.written_out()
            values = {state: population.initial_state(state) for state in plain.states()}
            values |= {parameter: population.parameter(parameter) for parameter in plain.parameters}
            found += _too_short(f"population '{name}'", definitions(plain.equations), values, dt)
            for projection, described in network.incoming(name).items():
                synapse = described.synapse.written_out()
                lines = definitions(synapse.equations) | definitions(synapse.synapse_equations)
                own = {**values, **synapse.parameters, **{key: synapse.initial_state(key) for key in synapse.initial}}
                found += _too_short(f"projection '{projection}'", lines, own, dt)
    return found


def _too_short(where: str, lines: Mapping[str, Definition], values: Mapping[str, Any], dt: float) -> Iterator[str]:
    for variable, line in lines.items():
        if line.kind != "differential" or "event-driven" in line.flags:
            continue
        for name in sorted(divisors(line.expression or "", lines)):
            amount = values.get(name)
            if amount is None:
                continue
            given = amount.unit_of if is_drawn(amount) else amount
            if given.dimension == TIME and given.value < dt:
                yield (
                    f"{where}: dt ({dt * 1e3:g} ms) is longer than the time constant '{name}' ({given}) of "
                    f"d{variable}/dt; take a shorter dt."
                )


def divisors(expression: str, lines: Mapping[str, Definition]) -> set[str]:
    """Return the names that divide an expression or one of its terms, the subexpressions in `lines` looked into."""
    return _divisors(parsed(expression), lines)


def _divisors(node: ast.expr, lines: Mapping[str, Definition]) -> set[str]:
    match node:
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _divisors(left, lines) | _factors(right)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult(), right=right):
            return _divisors(left, lines) | _divisors(right, lines)
        case ast.UnaryOp(operand=inner):
            return _divisors(inner, lines)
        case ast.Name(id=name) if name in lines and lines[name].kind == "subexpression":
            return _divisors(parsed(lines[name].expression or ""), lines)
    return set()


def _factors(node: ast.expr) -> set[str]:
    match node:
        case ast.Name(id=name):
            return {name}
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _factors(left) | _factors(right)
        case ast.BinOp(left=left, op=ast.Div()):
            return _factors(left)
    return set()
