"""The assignments of a block, each part of them computed as seldom as possible."""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from snncompare.backends.torch.partial import Scope, parsed
from snncompare.backends.torch.sums import Evaluate, Known, Once, Part, Sum, Variable
from snncompare.dynamics.program import Assignment, Block

__all__ = ["Statement", "settled", "statements"]

_OPERATORS: dict[str, ast.operator] = {"+=": ast.Add(), "-=": ast.Sub(), "*=": ast.Mult(), "/=": ast.Div()}


@dataclass(frozen=True, eq=False)
class Statement:
    """The target becomes the value, or with another operator than ``=`` is changed by it.

    A target that is `intermediate` is read within the block only. `evaluate` computes the value from the state.
    """

    target: str
    value: Part
    evaluate: Evaluate
    intermediate: bool
    operator: str = "="


def settled(block: Block, scope: Scope, known: Mapping[str, Known | Once]) -> Scope:
    """Return the scope of a block: its constants and what is computed once from them.

    Parameters
    ----------
    block : Block
    scope : Scope
    known : mapping
        What has another value than the block says: trained parameters, sizes of populations.
    """
    constants = {name: known.get(name, Known(value)) for name, value in block.constants.items()}
    inner = scope.inner(constants)
    for assignment in block.once:
        part = inner.part(parsed(assignment.expression))
        assert isinstance(part, Known | Once)
        inner.known[assignment.target] = inner.kept(part)
    return inner


def statements(
    assignments: tuple[Assignment, ...],
    scope: Scope,
    *,
    elsewhere: Collection[str] = (),
    written_out: bool = True,
) -> list[Statement]:
    """Return what remains to be done in every step, in order; the scope learns what is settled.

    Parameters
    ----------
    assignments : tuple of Assignment
    scope : Scope
        Of the block.
    elsewhere : collection of str
        Targets that are not part of the state, so that they can only be changed: their operators are kept.
    written_out : bool
        Whether intermediate values may be left out that are written out where they are read.
    """
    remaining = []
    for position, assignment in enumerate(assignments):
        kept, intermediate = assignment.target in elsewhere, assignment.operator == ":="
        value = _value_of(assignment, scope, in_place=not kept)
        if intermediate and isinstance(value, Known | Once):
            scope.known[assignment.target] = scope.kept(value)
        elif intermediate and written_out and scope.simplify and _inlines(value, assignments[position:]):
            scope.inlined[assignment.target] = value
        else:
            operator = assignment.operator if kept else "="
            remaining.append(Statement(assignment.target, value, scope.compiled(value), intermediate, operator))
    return remaining


def _value_of(assignment: Assignment, scope: Scope, *, in_place: bool) -> Part:
    """Return the new value of the target of an assignment; without `in_place`, only what stands to its right."""
    value = scope.part(parsed(assignment.expression))
    if assignment.condition is not None and assignment.otherwise is not None:
        condition, otherwise = scope.part(parsed(assignment.condition)), scope.part(parsed(assignment.otherwise))
        key = f"where({assignment.condition}, {assignment.expression}, {assignment.otherwise})"
        if not isinstance(condition, Known):
            value = scope.applied(key, "where_", condition, value, otherwise)
        elif not condition.value:
            value = otherwise
    if not in_place or assignment.operator in ("=", ":="):
        return value
    key = f"{assignment.target} {assignment.operator} {assignment.expression}"
    return scope.combined(key, _OPERATORS[assignment.operator], scope.part(parsed(assignment.target)), value)


def _inlines(value: Part, assignments: tuple[Assignment, ...]) -> bool:
    """Return whether the first of some assignments can be written out where it is read.

    It can if its value is a sum of variables that do not change before it is read for the last time.
    """
    variables = [variable for _, variable in value.terms.values()] if isinstance(value, Sum) else [value]
    if not all(isinstance(variable, Variable) and variable.plain for variable in variables):
        return False
    first, *later = assignments
    reads = {variable.key for variable in variables if isinstance(variable, Variable)}
    last = max((k for k, a in enumerate(later) if first.target in _names(a)), default=0)
    return not any(a.target in reads for a in later[:last])


def _names(assignment: Assignment) -> set[str]:
    texts = (assignment.expression, assignment.condition, assignment.otherwise)
    trees = [parsed(text) for text in texts if text is not None]
    return {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
