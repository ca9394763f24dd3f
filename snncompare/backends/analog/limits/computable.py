"""Can a chip compute these equations? Leaky integration, exponential upstroke, adaptation, and kinds of synapses."""

import ast

from snncompare.backends.analog.profiles.abilities import Equations
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.reading.roles import Reading, Role, reading
from snncompare.backends.analog.reading.trees import written_out
from snncompare.errors import InputError
from snncompare.network.equations import (
    assigned_names,
    definitions,
    names_in_expression,
    names_in_statements,
)
from snncompare.network.expressions import parsed
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel

__all__ = ["check_computable"]

_RANDOM = {"rand", "randn", "xi", "poisson", "binomial"}
_TOO_HIGH = 99


def check_computable(network: Network, profile: ChipProfile) -> None:
    """Refuse neurons and synapses that the chip has no circuits for.

    Raises
    ------
    InputError
        With the population or projection, what its equations do, and what the chip can do instead.
    """
    can = profile.equations
    for name, population in network.populations.items():
        if isinstance(population.neuron, NeuronModel):
            fault = _fault_of_neuron(population.neuron.written_out(), reading(network, name), can)
            if fault:
                raise InputError(f"population '{name}': {fault}; '{profile.name}' {_abilities(can)}.")
    for name, projection in network.projections.items():
        fault = _fault_of_synapse(network, name, can)
        if fault:
            raise InputError(f"projection '{name}' onto '{projection.target}': {fault} ('{profile.name}').")


def _abilities(can: Equations) -> str:
    more = [("an exponential upstroke", can.exponential), ("one linear adaptation variable", can.adaptation)]
    words = [
        "leaky integration" if can.leak else "integration without a leak",
        *(word for word, there in more if there),
    ]
    joined = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    simplest = "leaky_integrate_and_fire()" if can.leak else "dv/dt = I*rate"
    return f"computes {joined}; the nearest neuron is {simplest}"


def _fault_of_neuron(model: NeuronModel, read: Reading, can: Equations) -> str | None:
    lines = definitions(model.equations)
    states = [name for name, line in lines.items() if line.kind == "differential"]
    times = [name for name, role in read.roles.items() if role is Role.MEMBRANE_TIME_CONSTANT]
    slopes = {name: written_out(lines[name].expression or "0", lines) for name in states}
    if not can.leak and times and any(_degree(slopes[membrane], [membrane]) for membrane in read.membranes):
        return f"its membrane leaks with '{times[0]}'"
    if not can.adaptation and "adaptation" in read.states.values():
        return f"'{_of_kind(read, 'adaptation')}' is a state of adaptation"
    exponential = [name for name in states if _exponentials(slopes[name], states)]
    if exponential and not can.exponential:
        return f"d{exponential[0]}/dt has an exponential upstroke"
    if not can.only:
        return None
    if len(read.membranes) > 1:
        return f"it has {len(read.membranes)} membrane potentials ({', '.join(read.membranes)})"
    if "other" in read.states.values():
        return f"'{_of_kind(read, 'other')}' is neither membrane, synapse nor adaptation"
    if sum(kind == "adaptation" for kind in read.states.values()) > 1:
        return "it has more than one state of adaptation"
    for name in states:
        if _degree(slopes[name], states) > 1:
            return f"d{name}/dt is not linear in its states"
    texts = [model.threshold or "True", *(line.expression or "0" for line in lines.values())]
    drawn = {name for text in texts for name in _names(parsed(text))} | names_in_statements(model.reset)
    if drawn & _RANDOM:
        return f"its equations draw random numbers ({', '.join(sorted(drawn & _RANDOM))})"
    return None


def _of_kind(read: Reading, kind: str) -> str:
    return next(name for name, there in read.states.items() if there == kind)


def _names(tree: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _exponentials(tree: ast.expr, states: list[str]) -> bool:
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func) == "exp" and _degree(node.args[0], states) == 1
        for node in ast.walk(tree)
    )


def _degree(node: ast.expr, states: list[str]) -> int:
    """Return the degree of an expression as a polynomial in the states; an exponential of a state counts as linear."""
    match node:
        case ast.Name(id=name):
            return int(name in states)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return max(_degree(left, states), _degree(right, states))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _degree(left, states) + _degree(right, states)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _TOO_HIGH if _degree(right, states) else _degree(left, states)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
            return _degree(left, states) * power
        case ast.UnaryOp(operand=inner):
            return _degree(inner, states)
        case ast.Call(func=ast.Name(id="exp"), args=[argument]) if _degree(argument, states) <= 1:
            return _degree(argument, states)
        case ast.Constant():
            return 0
    read = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    return _TOO_HIGH if read & set(states) else 0


def _fault_of_synapse(network: Network, name: str, can: Equations) -> str | None:
    projection = network.projections[name]
    synapse, read = projection.synapse.written_out(), reading(network, projection.target)
    changed = assigned_names(synapse.on_pre) | assigned_names(synapse.on_post)
    if not can.plasticity and "w" in changed:
        return "its weights change while the network runs; train it before and give the weights"
    if not can.short_term and synapse.synapse_equations:
        return "each synapse has a state of its own; use a synapse without, such as exponential()"
    current = names_in_expression(synapse.current) if synapse.current else set()
    if not can.conductances and current & set(read.membranes):
        return "its current depends on the membrane potential; use a current such as exponential()"
    if not can.synaptic_time and any(line.kind == "differential" for line in definitions(synapse.equations).values()):
        return "its synapses have a time constant; use delta(), a spike moves the membrane at once"
    return None
