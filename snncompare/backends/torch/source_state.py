"""State that all synapses of a source neuron have in common, kept once for each source neuron."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.torch.partial import SHAPE
from snncompare.backends.torch.pathways import LAST, advancing, blended, fitted
from snncompare.backends.torch.run_options import RunOptions
from snncompare.backends.torch.statements import Statement, settled, statements
from snncompare.backends.torch.sums import Known, Once, State
from snncompare.backends.torch.times import times_in
from snncompare.dynamics.linear import SourceProgram

__all__ = ["SourceRun", "initial_source_state"]


def initial_source_state(
    program: SourceProgram, batch: int, size: int, values: Mapping[str, Any], like: Tensor
) -> State:
    """Return the state before the first step, each of shape (batch, n_source).

    Parameters
    ----------
    program : SourceProgram
    batch, size : int
        Numbers of trials and of source neurons.
    values : mapping
        What does not begin as the program says.
    like : Tensor
        Whose data type and device the state has; times are float64.
    """
    state: State = {}
    times = {LAST, *times_in(program.block.assignments)}
    for name, value in program.initial.items():
        kind = torch.float64 if name in times else like.dtype
        state[name] = torch.as_tensor(values.get(name, value), dtype=kind, device=like.device).expand(batch, size)
    return state


class SourceRun:
    """Carries out what arriving spikes do to the state of source neurons.

    Parameters
    ----------
    program : SourceProgram
    size : int
        Number of source neurons.
    known : mapping
        What the block's constants are worth, where that is not what it says.
    options : RunOptions
    """

    def __init__(
        self, program: SourceProgram, size: int, known: Mapping[str, Known | Once], options: RunOptions
    ) -> None:
        self._shape = (options.batch, size)
        root, assignments = options.scope({}), program.block.assignments
        scope, first = settled(program.block, root, known), advancing(assignments)
        parts = (assignments[:first], assignments[first:])
        self._advance, self._act = (statements(part, scope, written_out=False) for part in parts)
        self._settled = [
            (a.target, scope.compiled(scope.known[a.target])) for a in assignments if a.target in scope.known
        ]
        self._slots, self._event_by_event = root.slots, options.exact
        self._like = torch.empty(0, dtype=options.dtype, device=options.device)

    def begin(self, values: Mapping[str, Any]) -> State:
        """Return what stays during a run; `values` holds the trained parameters."""
        there: State = {**values, SHAPE: self._shape}
        for slot, evaluate in self._slots.items():
            there[slot] = evaluate(there)
        return there | {name: fitted(evaluate(there), self._shape, self._like) for name, evaluate in self._settled}

    def release(self, own: State, arriving: Tensor, there: State) -> State:
        """Return what a spike of each source neuron releases now, and advance the state of those whose spike arrives.

        Parameters
        ----------
        own : dict
            State of the source neurons, which is replaced.
        arriving : Tensor (batch, n_source)
            The spikes that arrive.
        there : dict
            What `begin` returned, and the time.
        """
        local: State = {**there, **own}
        advanced = self._carry_out(self._advance, own, local)
        if not self._event_by_event:  # what has become of the state since the latest spike is no effect of this one
            own.update({name: local[name] for name in advanced})
        for name in dict.fromkeys([*advanced, *self._carry_out(self._act, own, local)]):
            if name == LAST and not self._event_by_event:
                own[name] = local[name]
            else:
                own[name] = blended(own[name], local[name], arriving)
        return local

    def _carry_out(self, each: Sequence[Statement], own: State, local: State) -> list[str]:
        changed = []
        for statement in each:
            value = statement.evaluate(local)
            if statement.intermediate:
                value = value.expand(self._shape)
            else:
                value = fitted(value, self._shape, own[statement.target])
                changed.append(statement.target)
            local[statement.target] = value
        return changed
