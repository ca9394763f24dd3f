r"""Derivatives of a step, in symbols: of each state after the step by each state, parameter and input before it.

The step is the map :math:`s' = F(s, \theta)` that the assignments of a step program make up; its Jacobians
:math:`\partial F/\partial s` and :math:`\partial F/\partial\theta` are what online learning rules propagate (Zenke
and Neftci 2021, Proceedings of the IEEE 109:935). The spike itself is not differentiated here: its surrogate derivative
is a choice of the rule.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy

from snncompare.dynamics.program import Assignment, Block, PopulationProgram, SynapseProgram
from snncompare.dynamics.symbolic import as_sympy, as_text

__all__ = ["Jacobian", "effect_jacobian", "effects_of", "jacobian", "reset_map", "update_map"]


@dataclass(frozen=True)
class Jacobian:
    """Derivatives that are not zero everywhere.

    Attributes
    ----------
    entries : mapping
        (output, input) to sympy expression of the variables before the step, of shared constants and of
        ``not_refractory`` (after the step's own refractory rule).
    """

    entries: Mapping[tuple[str, str], sympy.Expr]

    def texts(self) -> dict[tuple[str, str], str]:
        """Return the entries as expression text, for `compile_expression`; cases are ``where(condition, a, b)``."""
        return {key: as_text(expression) for key, expression in self.entries.items()}


def update_map(program: PopulationProgram) -> dict[str, sympy.Expr]:
    """Return every state of a population after the state update, as an expression of what there is before it."""
    return _mapped(program.update, program.states, program.held)


def reset_map(program: PopulationProgram) -> dict[str, sympy.Expr]:
    """Return every state of a neuron that fired after the reset, as an expression of what there is before it."""
    return _mapped(program.reset, program.states, frozenset())


def effects_of(program: SynapseProgram) -> dict[str, sympy.Expr]:
    """Return what a presynaptic spike adds to each variable of the target neuron."""
    if program.on_pre is None:
        return {}
    posts = {a.target for a in program.on_pre.assignments if a.target.endswith("_post")}
    after = _mapped(program.on_pre, tuple(sorted(posts)), frozenset())
    return {name.removesuffix("_post"): sympy.expand(after[name] - _symbol(name)) for name in sorted(posts)}


def jacobian(mapped: Mapping[str, sympy.Expr], inputs: Iterable[str]) -> Jacobian:
    """Return the derivatives of a map by some of its inputs.

    Parameters
    ----------
    mapped : mapping
        From `update_map`, `reset_map` or `effects_of`.
    inputs : iterable of str
        States, per-neuron parameters or shared constants.
    """
    entries = {}
    for output, expression in mapped.items():
        for name in inputs:
            derivative = sympy.diff(expression, _symbol(name))
            if derivative != 0:
                entries[output, name] = derivative
    return Jacobian(entries)


def effect_jacobian(program: SynapseProgram) -> Jacobian:
    """Return the derivatives of what a presynaptic spike adds, by the weight and by the variables of the synapse."""
    return jacobian(effects_of(program), [program.weight, *(n for n in program.states if n != program.weight)])


def _symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


def _mapped(block: Block, states: tuple[str, ...], held: frozenset[str]) -> dict[str, sympy.Expr]:
    known: dict[str, sympy.Basic] = {name: _symbol(name) for name in states}
    for assignment in (*block.once, *block.assignments):
        if assignment.target == "not_refractory":
            continue
        after = _combined(assignment, known)
        if assignment.target in held:
            after = sympy.Piecewise((after, _awake()), (known[assignment.target], True))
        known[assignment.target] = after
    return {name: known[name] for name in states}


def _awake() -> sympy.Basic:
    return sympy.Ne(_symbol("not_refractory"), 0)


def _combined(assignment: Assignment, known: Mapping[str, sympy.Basic]) -> sympy.Basic:
    value = as_sympy(assignment.expression, known)
    if assignment.condition is not None and assignment.otherwise is not None:
        condition = as_sympy(assignment.condition, known)
        holds = sympy.Ne(condition, 0) if isinstance(condition, sympy.Symbol) else condition
        value = sympy.Piecewise((value, holds), (as_sympy(assignment.otherwise, known), True))
    before = known.get(assignment.target, _symbol(assignment.target))
    match assignment.operator:
        case "+=":
            return before + value
        case "-=":
            return before - value
        case "*=":
            return before * value
        case "/=":
            return before / value
        case _:
            return value
