"""One time step of a population as ordered assignments, taken from the code Brian2 itself would run.

Brian2's state updaters turn the equations into statements, and its optimiser pulls what does not change during a run
out of them; both are kept here in order. Whoever carries out these assignments with float64 arithmetic does exactly
what Brian2 does.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import brian2
import numpy as np
from brian2.codegen.translation import analyse_identifiers, make_statements
from brian2.parsing.expressions import parse_expression_dimensions

from snncompare.dynamics.brian_objects import brian2_errors, from_brian2, neuron_group, spike_source, synapses
from snncompare.dynamics.constants import constants_of
from snncompare.dynamics.expressions import names_in
from snncompare.errors import UnsupportedError
from snncompare.network.composition import weight_name
from snncompare.network.network import Network
from snncompare.network.neuron import SpikeSource
from snncompare.units import Dimension

__all__ = [
    "Assignment",
    "Block",
    "NetworkProgram",
    "PopulationProgram",
    "SynapticEffect",
    "Threshold",
    "network_program",
]


@dataclass(frozen=True)
class Assignment:
    """``target operator expression``; with a `condition`, `expression` holds where it is true, else `otherwise`."""

    target: str
    operator: str
    expression: str
    condition: str | None = None
    otherwise: str | None = None


@dataclass(frozen=True)
class Block:
    """Assignments in order, with the constants they read: parameters and what does not change during a run."""

    constants: Mapping[str, float]
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True)
class Threshold:
    """The condition for a spike, a comparison ``left > right`` of membrane and threshold, with their dimension."""

    constants: Mapping[str, float]
    left: str
    right: str
    dimension: Dimension


@dataclass(frozen=True)
class PopulationProgram:
    """What a population does in one step.

    Attributes
    ----------
    initial : mapping
        State variable to its value before the first step, in SI units.
    update, reset : Block
        The state update of all neurons, and the statements for those that fired.
    threshold : Threshold or None
        None for a population that never fires.
    refractory : bool
        Whether neurons pause after a spike; then `held` names the variables that do not change meanwhile.
    """

    initial: Mapping[str, float]
    update: Block
    threshold: Threshold | None
    reset: Block
    refractory: bool
    held: frozenset[str]


@dataclass(frozen=True)
class SynapticEffect:
    """``variable += effect`` on the target neuron at a presynaptic spike; `effect` is an expression in `weight`.

    Where the target neuron is refractory, a variable that is `held` does not change.
    """

    variable: str
    effect: str
    weight: str
    held: bool
    constants: Mapping[str, float]


@dataclass(frozen=True)
class NetworkProgram:
    """The step programs of all populations that have equations, and the effects of all projections, by name."""

    populations: Mapping[str, PopulationProgram]
    projections: Mapping[str, tuple[SynapticEffect, ...]]


@lru_cache(maxsize=64)
def network_program(network: Network, dt: float) -> NetworkProgram:
    """Return the step program of a network for a time step of `dt` seconds.

    Raises
    ------
    DescriptionError
        What Brian2 says of the description (dimensions, unknown names, syntax), with the population's name.
    UnsupportedError
        For constructs that a step program cannot express; the message names them.
    """
    groups: dict[str, Any] = {}
    for name, population in network.populations.items():
        make = spike_source if isinstance(population.neuron, SpikeSource) else neuron_group
        groups[name] = make(network, name, dt, 1)
    connected = {}
    for name, projection in network.projections.items():
        connected[name] = synapses(network, name, groups[projection.source], groups[projection.target], dt)
        connected[name].connect(i=[0], j=[0])
    with brian2_errors(f"network '{network.name}'"):
        brian2.Network(*groups.values(), *connected.values()).run(0 * brian2.second, namespace={})
    populations = {
        name: _population(name, groups[name])
        for name, population in network.populations.items()
        if not isinstance(population.neuron, SpikeSource)
    }
    return NetworkProgram(populations, {name: _effects(name, synapse) for name, synapse in connected.items()})


def _population(name: str, group: brian2.NeuronGroup) -> PopulationProgram:
    states = [v for v, var in group.variables.items() if _is_state(v, var)]
    initial = {v: float(np.asarray(group.variables[v].get_value()).ravel()[0]) for v in states}
    held = frozenset(v for v in states if group.variables[v].conditional_write is not None)
    reset = Block({}, ())
    threshold = None
    if "spike" in group.thresholder:
        threshold = _threshold(name, group)
        if "spike" in group.resetter:
            reset = _block(name, group.resetter["spike"].abstract_code, group)
    return PopulationProgram(
        initial=initial,
        update=_block(name, group.state_updater.abstract_code, group),
        threshold=threshold,
        reset=reset,
        refractory="lastspike" in group.variables,
        held=held,
    )


def _is_state(name: str, variable: Any) -> bool:
    is_array = isinstance(variable, brian2.core.variables.ArrayVariable) and not variable.scalar
    internal = name.startswith("_") or name in ("i", "lastspike", "not_refractory")
    return is_array and not internal and not variable.read_only


def _variables(code: str, owner: Any) -> dict[str, Any]:
    _, known, unknown = analyse_identifiers(code, owner.variables, recursive=True)
    resolved: dict[str, Any] = dict(owner.resolve_all(known | unknown | {"dt"}, {}, user_identifiers=set()))
    return resolved


def _block(name: str, code: str, owner: Any) -> Block:
    variables = _variables(code, owner)
    once, each = make_statements(code, variables, np.float64, optimise=True)
    assignments = tuple(_assignment(name, statement) for statement in each)
    return Block(constants_of(once, variables, owner), _without_unused_cases(assignments, owner))


def _without_unused_cases(assignments: tuple[Assignment, ...], owner: Any) -> tuple[Assignment, ...]:
    """Leave out what an intermediate value would be in a refractory neuron where nothing but held variables reads it.

    Brian2 writes held variables only where the neuron is not refractory, so the other case is never used; without it
    there is also no ``0/0`` in the way of a gradient.
    """
    held = {
        name for name, variable in owner.variables.items() if getattr(variable, "conditional_write", None) is not None
    }
    unused, simplified = set(held), []
    for assignment in reversed(assignments):
        readers = [a for a in assignments if assignment.target in names_in(a.expression) and a is not assignment]
        if assignment.operator == ":=" and readers and all(a.target in unused for a in readers):
            unused.add(assignment.target)
        only_held = assignment.condition == "not_refractory" and assignment.target in unused
        simplified.append(replace(assignment, condition=None, otherwise=None) if only_held else assignment)
    return tuple(reversed(simplified))


def _assignment(name: str, statement: Any) -> Assignment:
    cases = dict(statement.boolean_simplified_expressions or {}) if statement.used_boolean_variables else {}
    if not cases:
        return Assignment(statement.var, statement.op, statement.expr)
    if len(statement.used_boolean_variables) > 1:
        raise UnsupportedError(
            f"population '{name}': '{statement.expr}' depends on more than one true-or-false variable at once; split "
            "it."
        )
    by_value = {dict(key)[statement.used_boolean_variables[0]]: text for key, text in cases.items()}
    condition = statement.used_boolean_variables[0]
    return Assignment(statement.var, statement.op, by_value[True], condition, by_value[False])


def _threshold(name: str, group: brian2.NeuronGroup) -> Threshold:
    code = group.events["spike"]
    match = re.fullmatch(r"\s*([^<>=]+?)\s*(>=?|<=?)\s*([^<>=]+?)\s*", code)
    if match is None or match[2] not in ("<", ">") or re.search(r"\b(and|or|not)\b", code):
        raise UnsupportedError(
            f"population '{name}': the threshold '{code}' is not one comparison with '>' or '<'; write for example 'v "
            "> v_threshold'."
        )
    left, right = (match[1], match[3]) if match[2] == ">" else (match[3], match[1])
    block = _block(name, f"_left = {left}\n_right = {right}", group)
    written = {a.target: a.expression for a in block.assignments}
    constants = {k: v for k, v in block.constants.items() if k not in ("_left", "_right")}
    sides = {side: written.get(side, repr(block.constants.get(side))) for side in ("_left", "_right")}
    inner = _subexpressions(block.assignments)
    if inner:
        raise UnsupportedError(
            f"population '{name}': the threshold reads '{inner[0]}', a subexpression; write its expression there."
        )
    dimension = parse_expression_dimensions(left, _variables(f"_left = {left}", group))
    return Threshold(constants, sides["_left"], sides["_right"], from_brian2(dimension))


def _subexpressions(assignments: Iterable[Assignment]) -> list[str]:
    return [a.target for a in assignments if a.target not in ("_left", "_right")]


def _effects(name: str, synapse: brian2.Synapses) -> tuple[SynapticEffect, ...]:
    code = synapse.pre.abstract_code
    effects = []
    for line in filter(None, (part.strip() for part in re.split(r"[;\n]", code))):
        match = re.fullmatch(r"(?P<variable>\w+)_post\s*(?P<sign>[-+])=\s*(?P<effect>.+)", line)
        if match is None or re.search(r"_(post|pre)\b", match["effect"]):
            raise UnsupportedError(
                f"projection '{name}': only statements that add to a variable of the target, such as 'x_post += w', "
                f"are supported so far; got '{line}'."
            )
        effect = match["effect"] if match["sign"] == "+" else f"-({match['effect']})"
        variables = _variables(f"_effect = {effect}", synapse)
        held = synapse.target.variables[match["variable"]].conditional_write is not None
        constants = constants_of((), variables, synapse)
        effects.append(SynapticEffect(match["variable"], effect, weight_name(name), held, constants))
    return tuple(effects)
