"""Which synapses only add to their targets, so that all of them together are one matrix.

A synapse is linear here if a presynaptic spike does nothing but add to variables of the target neuron what follows from
values of the synapse that stay (its weight, say) and from values that all synapses of a source neuron have in common:
variables of the source neuron, and states of the synapse that depend on nothing but the spikes of the source neuron.
Short-term plasticity is of that kind (Tsodyks & Markram 1997, PNAS 94:719): its states are kept once for each source
neuron.
"""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from snncompare.dynamics.constants import constants_of
from snncompare.dynamics.expressions import names_in
from snncompare.dynamics.program import Assignment, Block, SynapseProgram
from snncompare.dynamics.separation import Term, functions_in, renamed, separated

__all__ = ["SourceProgram", "SynapticEffect", "linear_effects", "source_states"]

_RANDOM = frozenset({"rand", "randn", "poisson"})
_TIME = frozenset({"t", "dt"})
_LAST = "lastupdate"


@dataclass(frozen=True)
class SynapticEffect:
    """``variable += effect`` on the target neuron at a presynaptic spike.

    Attributes
    ----------
    variable : str
        Of the target neuron, without ``_post``.
    effect : str
        The expression, its operations in Brian2's order.
    weight : str
        What the weight is called in it.
    held : bool
        Whether the variable does not change in a refractory neuron.
    constants : mapping
        Constants and what follows from them, name to value in SI units; the expression may read any of them.
    fixed : mapping
        Further values of each synapse that the expression reads: name to the value where none is given for each.
    per_source : frozenset of str
        What it reads of the source neuron: its variables ``name_pre``, or names that a `SourceProgram` leaves behind.
    per_target : frozenset of str
        What it reads of the target neuron that stays.
    terms : tuple of Term
        The same effect as a sum of products of a factor of the source neuron and a factor of the synapse.
    """

    variable: str
    effect: str
    weight: str
    held: bool
    constants: Mapping[str, float]
    fixed: Mapping[str, float]
    per_source: frozenset[str]
    per_target: frozenset[str]
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class SourceProgram:
    """State that the synapses of one source neuron have in common, kept for each source neuron.

    Attributes
    ----------
    states : tuple of str
        ``lastupdate`` among them where the block reads it.
    initial : mapping
        State to value before the first step, SI units.
    block : Block
        Carried out for the source neurons whose spike arrives, when it arrives, before it is delivered; reads ``t``.
    """

    states: tuple[str, ...]
    initial: Mapping[str, float]
    block: Block


def linear_effects(
    program: SynapseProgram, *, one_delay: bool = True, drawn: Collection[str] = (), target_fixed: Collection[str] = ()
) -> tuple[SynapticEffect, ...] | None:
    """Return what a presynaptic spike adds to the target neuron, or None if the synapses are not linear.

    Parameters
    ----------
    program : SynapseProgram
    one_delay : bool
        Whether all synapses have the same delay; otherwise no state can be kept for each source neuron.
    drawn : collection of str
        States that do not start from the same value in all synapses.
    target_fixed : collection of str
        Variables of the target population that stay during a run.
    """
    found = _Reading.of(program, one_delay, drawn, target_fixed)
    return None if found is None else found.effects


def source_states(
    program: SynapseProgram, *, one_delay: bool = True, drawn: Collection[str] = (), target_fixed: Collection[str] = ()
) -> SourceProgram | None:
    """Return the state that linear synapses keep for each source neuron, or None if there is none.

    Parameters as for `linear_effects`; None also where that returns None.
    """
    found = _Reading.of(program, one_delay, drawn, target_fixed)
    if found is None or program.on_pre is None:
        return None
    read = {name for effect in found.effects for name in effect.per_source if not name.endswith("_pre")}
    if not read:
        return None
    assigned = {assignment.target for assignment in found.block}
    states = tuple(name for name in (*program.states, _LAST) if name in assigned)
    initial = {name: program.initial.get(name, 0.0) for name in states}
    return SourceProgram(states, initial, Block(program.on_pre.constants, program.on_pre.once, tuple(found.block)))


class _Reading:
    """Goes through the statements of `on_pre` in order and sorts them into effects and what belongs to the source."""

    def __init__(self, program: SynapseProgram, of_source: frozenset[str], target_fixed: Collection[str]) -> None:
        assert program.on_pre is not None
        self._program, self._of_source = program, of_source
        self._constants = constants_of(program.on_pre)
        self._of_target = {name for fixed in target_fixed for name in (fixed, f"{fixed}_post")}
        self._last_change = {a.target: k for k, a in enumerate(program.on_pre.assignments)}
        self._written: dict[str, ast.expr] = {}
        self.effects: tuple[SynapticEffect, ...] = ()
        self.block: list[Assignment] = []

    @classmethod
    def of(
        cls, program: SynapseProgram, one_delay: bool, drawn: Collection[str], target_fixed: Collection[str]
    ) -> "_Reading | None":
        if program.sums or program.on_post or program.update or program.on_pre is None:
            return None
        of_source = _of_source(program, drawn) if one_delay else frozenset()
        if not set(program.states) <= of_source:
            return None
        reading = cls(program, of_source, target_fixed)
        return reading if all(reading._take(k, a) for k, a in enumerate(program.on_pre.assignments)) else None

    def _take(self, position: int, assignment: Assignment) -> bool:
        """Sort one statement in; False if linear synapses have no such statement."""
        if assignment.target in self._of_source:
            self.block.append(assignment)
            if assignment.operator == ":=" and names_in(assignment.expression) <= {*self._constants, *self._written}:
                self._written[assignment.target] = renamed(assignment.expression, self._written)
            return True
        if assignment.target == _LAST:  # every event-driven synapse notes the time; nothing that is left reads it
            return True
        if assignment.condition is not None or functions_in(assignment.expression) & _RANDOM:
            return False
        expression = self._resolved(position, assignment.expression)
        if assignment.operator == ":=":
            self._written[assignment.target] = expression
            return True
        if assignment.operator not in ("+=", "-=") or not assignment.target.endswith("_post"):
            return False
        if assignment.operator == "-=":
            expression = ast.UnaryOp(ast.USub(), expression)
        effect = self._effect(assignment.target.removesuffix("_post"), expression)
        if effect is None:
            return False
        self.effects += (effect,)
        return True

    def _resolved(self, position: int, expression: str) -> ast.expr:
        """Return the expression with intermediate values written out and values of the source as they are here."""
        replaced: dict[str, ast.expr] = dict(self._written)
        for name in sorted(names_in(expression) & self._of_source - set(self._written)):
            if self._last_change[name] > position:
                sent = f"_{name}_{position}"
                self.block.append(Assignment(sent, ":=", name))
                replaced[name] = ast.Name(sent, ast.Load())
        return renamed(expression, replaced)

    def _effect(self, variable: str, expression: ast.expr) -> SynapticEffect | None:
        program, text = self._program, ast.unparse(expression)
        names = names_in(text) - set(self._constants)
        sent = {a.target for a in self.block}
        per_source = {n for n in names - set(program.fixed) if n in sent or n.endswith("_pre")}
        per_target = {n for n in names - per_source if n in self._of_target}
        own = names - per_source - per_target
        changed = {f"{effect.variable}_pre" for effect in self.effects} | {f"{variable}_pre"}
        if not own <= set(program.fixed) or (program.source == program.target and per_source & changed):
            return None
        terms = separated(expression, per_source, own | per_target)
        if terms is None:
            return None
        return SynapticEffect(
            variable=variable,
            effect=text,
            weight=program.weight,
            held=variable in program.held,
            constants=self._constants,
            fixed={name: program.initial.get(name, 0.0) for name in sorted(own - {program.weight})},
            per_source=frozenset(per_source),
            per_target=frozenset(per_target),
            terms=terms,
        )


def _of_source(program: SynapseProgram, drawn: Collection[str]) -> frozenset[str]:
    """Return the states and intermediate values that depend only on when the source neuron fired.

    Start from all states that nothing but `on_pre` changes, and drop what reads anything else, until nothing is left to
    drop.
    """
    assert program.on_pre is not None
    assignments = program.on_pre.assignments
    known = {*constants_of(program.on_pre), *_TIME}
    found = {a.target for a in assignments if a.target in {*program.states, _LAST} or a.operator == ":="}
    found -= {*drawn, program.weight}
    while True:
        dropped = {a.target for a in assignments if a.target in found and not _reads_only(a, found | known)}
        if not dropped:
            return frozenset(found)
        found -= dropped


def _reads_only(assignment: Assignment, allowed: set[str]) -> bool:
    plain = assignment.condition is None and not functions_in(assignment.expression) & _RANDOM
    return plain and names_in(assignment.expression) <= allowed
