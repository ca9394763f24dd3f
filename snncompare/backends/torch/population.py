"""One population's step program carried out on tensors of shape (batch, neuron)."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.torch.functions import FUNCTIONS
from snncompare.backends.torch.surrogates import Surrogate, spike
from snncompare.dynamics.expressions import Evaluate, compile_expression, names_in
from snncompare.dynamics.step_program import Assignment, Block, PopulationProgram

__all__ = ["NEVER", "PopulationStep", "State"]

State = dict[str, Any]
"""Variable name to tensor (batch, neuron); also the spikes being fired and the time."""

NEVER = -1e4
"""Time of the last spike of a neuron that has not fired yet, as in Brian2 (seconds)."""

Action = Callable[[State], None]


class PopulationStep:
    """Advances a population by one time step: `update`, then `threshold`, then `reset`.

    Parameters
    ----------
    program : PopulationProgram
    surrogate : Surrogate or None
        Derivative of the spike; None where no gradient is wanted.
    detach_reset : bool
        Whether the reset of the membrane is left out of the gradient (spike-triggered jumps of other variables never
        are).
    """

    def __init__(self, program: PopulationProgram, surrogate: Surrogate | None, *, detach_reset: bool) -> None:
        self.program, self.surrogate, self.detach_reset = program, surrogate, detach_reset
        self._membrane = names_in(program.threshold.left) if program.threshold is not None else set()
        self._constants = dict(program.update.constants)
        self._update = self._actions(program.update, self._assign)
        self._reset_constants = dict(program.reset.constants)
        self._reset = self._actions(program.reset, self._assign_where_fired)
        if program.threshold is not None:
            self._threshold_constants = dict(program.threshold.constants)
            self._left = compile_expression(program.threshold.left, FUNCTIONS)
            self._right = compile_expression(program.threshold.right, FUNCTIONS)

    def initial(self, batch: int, size: int, like: Tensor) -> State:
        """Return the state before the first step."""
        state: State = {name: like.new_full((batch, size), value) for name, value in self.program.initial.items()}
        if self.program.refractory:
            state["lastspike"] = like.new_full((batch, size), NEVER)
            state["not_refractory"] = torch.ones((batch, size), dtype=torch.bool, device=like.device)
        return state

    def update(self, state: State, t: float) -> None:
        """Carry out the state update at time `t` (seconds)."""
        state.update(self._constants)
        state["t"] = t
        for action in self._update:
            action(state)

    def threshold(self, state: State) -> Tensor:
        """Return who fires, 1.0 or 0.0, of shape (batch, neuron)."""
        state.update(self._threshold_constants)
        u = self._left(state) - self._right(state)
        fired = (u > 0).to(u.dtype) if self.surrogate is None else spike(u, self.surrogate)
        if self.program.refractory:
            fired = fired * state["not_refractory"]
            now = fired.detach() > 0
            state["lastspike"] = torch.where(now, state["t"], state["lastspike"])
            state["not_refractory"] = state["not_refractory"] & ~now
        return fired

    def reset(self, state: State, fired: Tensor) -> None:
        """Carry out the reset statements for those that fired."""
        state.update(self._reset_constants)
        state["_fired"], state["_now"] = fired, fired.detach() > 0
        for action in self._reset:
            action(state)

    def _actions(self, block: Block, make: Callable[[Assignment], Action]) -> Sequence[Action]:
        return [make(assignment) for assignment in block.assignments]

    def _value(self, assignment: Assignment) -> Evaluate:
        value = compile_expression(assignment.expression, FUNCTIONS)
        if assignment.condition is None or assignment.otherwise is None:
            return value
        condition, otherwise = assignment.condition, compile_expression(assignment.otherwise, FUNCTIONS)
        return lambda state: torch.where(state[condition], value(state), otherwise(state))

    def _assign(self, assignment: Assignment) -> Action:
        target, value = assignment.target, _combined(assignment, self._value(assignment))
        if target in self.program.held:
            return lambda state: state.__setitem__(
                target, torch.where(state["not_refractory"], value(state), state[target])
            )
        return lambda state: state.__setitem__(target, value(state))

    def _assign_where_fired(self, assignment: Assignment) -> Action:
        target, value = assignment.target, _combined(assignment, self._value(assignment))
        if target.startswith("_") or assignment.operator == ":=":
            return lambda state: state.__setitem__(target, value(state))
        detached = self.surrogate is None or (self.detach_reset and target in self._membrane)

        def assign(state: State) -> None:
            before, after = state[target], value(state)
            changed = torch.where(state["_now"], after, before)
            if not detached:  # adds zero, but carries the derivative of the spike
                changed = changed + (state["_fired"] - state["_fired"].detach()) * (after - before).detach()
            state[target] = changed

        return assign


def _combined(assignment: Assignment, value: Evaluate) -> Evaluate:
    """Return the new value of the target: ``=`` and ``:=`` replace it, ``+=`` and the like work on it."""
    target = assignment.target
    match assignment.operator:
        case "=" | ":=":
            return value
        case "+=":
            return lambda state: state[target] + value(state)
        case "-=":
            return lambda state: state[target] - value(state)
        case "*=":
            return lambda state: state[target] * value(state)
        case "/=":
            return lambda state: state[target] / value(state)
        case _:
            raise ValueError(f"unknown operator '{assignment.operator}'")
