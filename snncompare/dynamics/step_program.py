"""One time step of a network as ordered assignments, taken from the code Brian2 itself would run.

Brian2's state updaters turn the equations into statements, and its optimiser pulls what does not change during a run
out of them; both are kept here in order. Whoever carries out these assignments with float64 arithmetic does exactly
what Brian2 does.
"""

import ast
import warnings
from functools import lru_cache
from typing import Any

import brian2
import numpy as np
from brian2.core.variables import ArrayVariable
from brian2.parsing.expressions import parse_expression_dimensions

from snncompare.dynamics.blocks import block_of, variables_of
from snncompare.dynamics.brian_objects import brian2_errors, from_brian2, neuron_group, spike_source, synapses
from snncompare.dynamics.program import (
    NOTHING,
    Assignment,
    Block,
    NetworkProgram,
    PopulationProgram,
    SynapseProgram,
    SynapticSum,
    Threshold,
)
from snncompare.dynamics.separation import renamed
from snncompare.errors import UnsupportedError
from snncompare.network.amount import is_drawn
from snncompare.network.composition import compose_synapse, weight_name
from snncompare.network.network import Network
from snncompare.network.neuron import SpikeSource
from snncompare.network.time_constants import check_time_step

__all__ = ["check_network", "network_program"]

_CONDITION, _SUMMAND = "_cond", "_synaptic_var"


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
    groups, connected = _built(network, dt)
    populations = {
        name: _population(name, groups[name])
        for name, population in network.populations.items()
        if not isinstance(population.neuron, SpikeSource)
    }
    projections = {name: _projection(network, name, connected[name]) for name in network.projections}
    return NetworkProgram(populations, projections)


def check_network(network: Network, dt: float) -> None:
    """Refuse a network that Brian2 would refuse; nothing of its size is allocated.

    Raises
    ------
    DescriptionError
        What Brian2 says of the description (dimensions, unknown names, syntax), with the population's name.
    """
    _made(network, dt)


def _made(network: Network, dt: float) -> tuple[dict[str, Any], dict[str, brian2.Synapses]]:
    """Return the groups and synapses of a network of single neurons."""
    check_time_step(network, dt)
    groups: dict[str, Any] = {}
    for name, population in network.populations.items():
        make = spike_source if isinstance(population.neuron, SpikeSource) else neuron_group
        groups[name] = make(network, name, dt, 1)
    connected = {}
    for name, projection in network.projections.items():
        connected[name] = synapses(network, name, groups[projection.source], groups[projection.target], dt)
    return groups, connected


def _built(network: Network, dt: float) -> tuple[dict[str, Any], dict[str, brian2.Synapses]]:
    """Return the groups and synapses of a network of single neurons, after Brian2 has prepared a run of them."""
    groups, connected = _made(network, dt)
    for made in connected.values():
        made.connect(i=[0], j=[0])
    with brian2_errors(f"network '{network.name}'"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        brian2.Network(*groups.values(), *connected.values()).run(0 * brian2.second, namespace={})
    return groups, connected


def _population(name: str, group: brian2.NeuronGroup) -> PopulationProgram:
    where = f"population '{name}'"
    variables = {v: var for v, var in group.variables.items() if _is_own(v, var)}
    threshold, reset = None, NOTHING
    if "spike" in group.thresholder:
        threshold = _threshold(where, group)
        if "spike" in group.resetter:
            reset = block_of(where, group.resetter["spike"].abstract_code, group)
    return PopulationProgram(
        states=tuple(v for v, var in variables.items() if not (var.scalar or var.constant)),
        fixed=tuple(v for v, var in variables.items() if var.constant and not var.scalar),
        shared=tuple(v for v, var in variables.items() if var.scalar),
        initial=_initial(variables),
        dtypes=_dtypes(variables),
        update=block_of(where, _update_code(group), group),
        threshold=threshold,
        reset=reset,
        refractory="lastspike" in group.variables,
        held=frozenset(v for v, var in variables.items() if var.conditional_write is not None),
    )


def _update_code(group: brian2.NeuronGroup) -> str:
    """Return the code of a state update, with what is constant over a time step set before it."""
    updaters = (group.subexpression_updater, group.state_updater)
    return "\n".join(updater.abstract_code for updater in updaters if updater)


def _is_own(name: str, variable: Any) -> bool:
    internal = name.startswith("_") or name in (
        "i",
        "j",
        "N",
        "t",
        "dt",
        "t_in_timesteps",
        "lastspike",
        "not_refractory",
    )
    return isinstance(variable, ArrayVariable) and not internal and not variable.read_only


def _initial(variables: dict[str, Any]) -> dict[str, float]:
    return {name: float(np.asarray(variable.get_value()).ravel()[0]) for name, variable in variables.items()}


def _dtypes(variables: dict[str, Any]) -> dict[str, str]:
    kinds = {name: np.dtype(variable.dtype).kind for name, variable in variables.items()}
    return {name: "boolean" if kind == "b" else "integer" for name, kind in kinds.items() if kind != "f"}


def _threshold(where: str, group: brian2.NeuronGroup) -> Threshold:
    code = group.events["spike"]
    block = block_of(where, f"{_CONDITION} = {code}", group, by_case=False)
    once, condition = _without_comparisons(block.once, {})
    each, condition = _without_comparisons(block.assignments, condition)
    compared = [node for node in ast.walk(ast.parse(code.strip(), mode="eval")) if isinstance(node, ast.Compare)]
    kept = [node for node in ast.walk(condition[_CONDITION]) if isinstance(node, ast.Compare)]
    if len(kept) != len(compared):
        raise UnsupportedError(f"{where}: the threshold '{code}' does not depend on the neuron's state in a known way.")
    variables = variables_of(f"{_CONDITION} = {code}", group)
    dimensions = [from_brian2(parse_expression_dimensions(ast.unparse(node.left), variables)) for node in compared]
    return Threshold(Block(block.constants, once, each), ast.unparse(condition[_CONDITION]), tuple(dimensions))


def _without_comparisons(
    assignments: tuple[Assignment, ...], known: dict[str, ast.expr]
) -> tuple[tuple[Assignment, ...], dict[str, ast.expr]]:
    """Return the assignments that are no condition, and the conditions with those before them written out."""
    conditions, others = dict(known), []
    for assignment in assignments:
        tree = renamed(assignment.expression, conditions)
        if assignment.target == _CONDITION or any(isinstance(node, ast.Compare) for node in ast.walk(tree)):
            conditions[assignment.target] = tree
        else:
            others.append(assignment)
    return tuple(others), conditions


def _projection(network: Network, name: str, made: brian2.Synapses) -> SynapseProgram:
    where, described = f"projection '{name}'", network.projections[name]
    own = {v: var for v, var in made.variables.items() if _is_own(v, var) and var.owner.name == name}
    own = {v: var for v, var in own.items() if not v.endswith(("_pre", "_post")) and v not in ("delay", "lastupdate")}
    if any(variable.scalar for variable in own.values()):
        shared = next(v for v, variable in own.items() if variable.scalar)
        raise UnsupportedError(f"{where}: '{shared}' is shared by all synapses; make it a parameter.")
    pathways = {p.prepost: block_of(where, p.abstract_code, made) for p in made._pathways}
    changed = {a.target for block in pathways.values() for a in block.assignments}
    update = block_of(where, made.state_updater.abstract_code, made) if made.state_updater else None
    changed |= {a.target for a in update.assignments} if update else set()
    states = tuple(v for v in own if v in changed)
    target = made.target.variables
    return SynapseProgram(
        source=described.source,
        target=described.target,
        weight=weight_name(name),
        states=states,
        fixed=tuple(v for v in own if v not in states),
        initial={v: x for v, x in _initial(own).items() if v != weight_name(name)} | _synapse_initial(network, name),
        update=update,
        sums=tuple(_sum(where, updater, made) for updater in made.summed_updaters.values()),
        on_pre=pathways.get("pre"),
        on_post=pathways.get("post"),
        held=frozenset(v for v, var in target.items() if getattr(var, "conditional_write", None) is not None),
        event_driven="lastupdate" in made.variables,
    )


def _synapse_initial(network: Network, projection: str) -> dict[str, float]:
    """Return what the states of a synapse start from; where it is drawn, a parameter of the distribution."""
    amounts = compose_synapse(network, projection).initial
    return {name: (amount.unit_of if is_drawn(amount) else amount).value for name, amount in amounts.items()}


def _sum(where: str, updater: Any, made: brian2.Synapses) -> SynapticSum:
    block = block_of(where, updater.abstract_code, made)
    last = next(a for a in block.assignments if a.target == _SUMMAND)
    before = tuple(a for a in block.assignments if a.target != _SUMMAND)
    return SynapticSum(updater.target_var.name, Block(block.constants, block.once, before), last.expression)
