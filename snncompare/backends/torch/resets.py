r"""What a spike does to the neuron that fires it.

The statements of a reset are carried out as if every neuron fired; what becomes of each variable is taken where there
was a spike. With :math:`z` the spike and :math:`R(x)` the variable after a reset, the new value is
:math:`x + z\,(R(x) - x)`, and so its derivative by the spike is :math:`R(x) - x`.
"""

from collections.abc import Callable, Sequence

import torch

from snncompare.backends.torch.partial import Scope
from snncompare.backends.torch.statements import Statement
from snncompare.backends.torch.sums import Known, Once, State, Sum

__all__ = ["FIRED", "NOW", "resets"]

FIRED = "_fired"
NOW = "_now"
"""Where the state has the spikes of this step: as numbers, with their derivative, and as true or false."""

Reset = Callable[[State, State], None]
"""Changes the state of all neurons, and the state as if every neuron fired."""


def resets(
    each: Sequence[tuple[Statement, Callable[[State], None]]],
    scope: Scope,
    detached: Callable[[str], bool],
    *,
    smooth: bool,
) -> list[Reset]:
    """Return what is to be done, in order.

    Parameters
    ----------
    each : sequence of (Statement, function)
        The statements of the reset, each with what carries it out for all neurons.
    scope : Scope
        Of the reset's block.
    detached : function
        Whether the derivative by the spike is left out for a variable.
    smooth : bool
        Whether spikes are numbers between 0 and 1.
    """
    last = {statement.target: k for k, (statement, _) in enumerate(each)}
    statements = [statement for statement, _ in each]
    found = []
    for k, (statement, action) in enumerate(each):
        target = statement.target
        jump = _jump_of(statement, statements)
        if jump is not None:
            found.append(_jump(target, scope.kept(jump), detached=detached(target)))
        elif statement.intermediate or last[target] != k:
            found.append(_only_as_if(action))
        else:
            found.append(_reset(target, action, detached=detached(target), smooth=smooth))
    return found


def _only_as_if(action: Callable[[State], None]) -> Reset:
    return lambda _state, after: action(after)


def _reset(target: str, action: Callable[[State], None], *, detached: bool, smooth: bool) -> Reset:
    def switched(state: State, after: State) -> None:
        action(after)
        state[target] = torch.where(state[NOW], after[target], state[target])

    def blended(state: State, after: State) -> None:
        action(after)
        fired = state[FIRED].detach() if detached else state[FIRED]
        state[target] = torch.lerp(state[target], after[target], fired.to(state[target].dtype))

    return switched if detached and not smooth else blended


def _jump_of(statement: Statement, others: Sequence[Statement]) -> Known | Once | None:
    """Return what a statement adds to its target, if it does just that and no other statement changes or reads it."""
    target, value = statement.target, statement.value
    alone = sum(target == other.target or _may_read(other, target) for other in others) == 1
    if not alone or statement.intermediate or not isinstance(value, Sum) or len(value.terms) != 1:
        return None
    ((key, (factor, _)),) = value.terms.items()
    return value.constant if key == target and isinstance(factor, Known) and factor.value == 1.0 else None


def _jump(target: str, constant: Known | Once, *, detached: bool) -> Reset:
    def jump(state: State, after: State) -> None:
        fired = state[FIRED].detach() if detached else state[FIRED]
        if isinstance(constant, Known):
            state[target] = after[target] = torch.add(state[target], fired, alpha=constant.value)
        else:
            state[target] = after[target] = torch.addcmul(state[target], fired, constant.evaluate(state))

    return jump


def _may_read(statement: Statement, name: str) -> bool:
    """Return whether a statement may read a variable: only sums and names say what they read."""
    value = statement.value
    if isinstance(value, Known | Once):
        return False
    variables = [variable for _, variable in value.terms.values()] if isinstance(value, Sum) else [value]
    return any(variable.key == name or not variable.plain for variable in variables)
