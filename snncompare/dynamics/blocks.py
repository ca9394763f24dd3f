"""Brian2's abstract code as a `Block`: its optimised statements, sorted into what is computed once and every step."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import brian2
import numpy as np
from brian2.codegen.translation import analyse_identifiers, make_statements
from brian2.core.variables import ArrayVariable, Constant

from snncompare.dynamics.expressions import names_in
from snncompare.dynamics.program import Assignment, Block
from snncompare.errors import UnsupportedError
from snncompare.network.equations import renamed_expression

__all__ = ["block_of", "variables_of"]

_RANDOM = ("rand", "randn", "poisson")


def variables_of(code: str, owner: Any) -> dict[str, Any]:
    """Return what the names in a piece of abstract code mean to Brian2."""
    _, known, unknown = analyse_identifiers(code, owner.variables, recursive=True)
    resolved: dict[str, Any] = dict(owner.resolve_all(known | unknown | {"dt"}, {}, user_identifiers=set()))
    return resolved


def block_of(where: str, code: str, owner: Any, *, by_case: bool = True) -> Block:
    """Return the statements of a piece of abstract code of a Brian2 group or of synapses.

    With `by_case`, what depends on one true-or-false variable is kept as its two simplified cases.

    Raises
    ------
    UnsupportedError
        For a function of which only an implementation is known.
    """
    variables = variables_of(code, owner)
    with np.errstate(all="ignore"):  # Brian2 works out constant parts, log(0) too
        scalar, vector = make_statements(code, variables, np.float64, optimise=True)
    constants = {"dt": float(np.asarray(owner.dt_).ravel()[0])}
    constants |= {
        name: float(variable.get_value()) for name, variable in variables.items() if isinstance(variable, Constant)
    }
    once: list[Assignment] = []
    each: list[Assignment] = []
    fixed = set(constants)
    names = _names_of_ends(variables, owner)
    for statement in scalar:
        assignment = _assignment(statement, names, by_case=by_case)
        settled = names_in(assignment.expression) <= fixed and not _draws(assignment)
        (once if settled and assignment.condition is None else each).append(assignment)
        fixed |= {assignment.target} if settled else set()
    each += [_assignment(statement, names, by_case=by_case) for statement in vector]
    _refuse_unknown_functions(where, variables)
    return Block(constants, tuple(once), _without_unused_cases(_computed_once(each), owner))


def _names_of_ends(variables: dict[str, Any], owner: Any) -> dict[str, str]:
    """Return ``x_pre``, ``x_post``, ``t`` and ``dt`` for what Brian2 calls otherwise in subexpressions of neurons."""
    ends = {"_presynaptic_idx": "_pre", "_postsynaptic_idx": "_post"}
    found = {}
    for name, variable in variables.items():
        if isinstance(owner, brian2.Synapses) and name.startswith("_") and isinstance(variable, ArrayVariable):
            if variable.name in ("t", "dt"):
                found[name] = variable.name
            elif (index := owner.variables.indices[name]) in ends:
                found[name] = f"{variable.name}{ends[index]}"
    return found


def _computed_once(assignments: Sequence[Assignment]) -> tuple[Assignment, ...]:
    """Return assignments in which intermediate values are computed anew only where something they read has changed.

    Brian2 computes a subexpression anew after every statement that could have changed it.
    """
    kept: list[Assignment] = []
    values: set[str] = set()
    known: dict[str, Assignment] = {}
    for given in assignments:
        values |= {given.target} if given.operator == ":=" else set()
        assignment = replace(given, operator=":=") if given.target in values else given
        if known.get(given.target) == assignment and not _draws(assignment):
            continue
        known = {name: before for name, before in known.items() if given.target not in {name, *_reads(before)}}
        if given.target in values:
            known[given.target] = assignment
        kept.append(assignment)
    return tuple(kept)


def _reads(assignment: Assignment) -> set[str]:
    texts = (assignment.expression, assignment.condition, assignment.otherwise)
    return {name for text in texts if text is not None for name in names_in(text)}


def _draws(assignment: Assignment) -> bool:
    return any(f"{function}(" in assignment.expression for function in _RANDOM)


def _refuse_unknown_functions(where: str, variables: dict[str, Any]) -> None:
    for name, variable in variables.items():
        if isinstance(variable, brian2.core.functions.Function) and name not in brian2.core.functions.DEFAULT_FUNCTIONS:
            raise UnsupportedError(f"{where}: the function '{name}' is known by its code only; give it in 'functions'.")


def _assignment(statement: Any, names: Mapping[str, str], *, by_case: bool) -> Assignment:
    simplified = by_case and statement.used_boolean_variables
    cases = dict(statement.boolean_simplified_expressions or {}) if simplified else {}
    target = names.get(statement.var, statement.var)
    if not cases or len(statement.used_boolean_variables) > 1:
        return Assignment(target, statement.op, renamed_expression(statement.expr, names))
    case = statement.used_boolean_variables[0]
    by_value = {dict(key)[case]: renamed_expression(text, names) for key, text in cases.items()}
    return Assignment(target, statement.op, by_value[True], names.get(case, case), by_value[False])


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
