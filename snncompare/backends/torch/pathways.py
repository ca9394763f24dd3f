"""What the spikes of one end of a projection do: statements for the synapses that they reach.

As in Brian2's numpy target, a statement is carried out for all synapses that a spike reached before the next one is:
their own state becomes the new value, what they add to a neuron is summed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from snncompare.backends.torch.delays import DelayPlan
from snncompare.backends.torch.ends import Ends, Side
from snncompare.backends.torch.partial import SHAPE, Scope
from snncompare.backends.torch.sparse import synapse_rows
from snncompare.backends.torch.statements import Statement, settled, statements
from snncompare.backends.torch.sums import Known, Once, State
from snncompare.dynamics.expressions import names_in
from snncompare.dynamics.program import Assignment, Block

__all__ = ["LAST", "Pathway", "advancing", "blended", "fitted"]

LAST = "lastupdate"
"""What the time of the latest event of an event-driven synapse is called."""


class Pathway:
    """Carries out a block for the synapses that spikes reach.

    Parameters
    ----------
    block : Block
    side : Side
        Whose spikes they are.
    plan : DelayPlan
    batch : int
    ends : Ends
    of_all, of_events : Scope
        What stays during a run, for every synapse and where only some are reached.
    known : mapping
        What the block's constants are worth, where that is not what it says.
    """

    def __init__(
        self,
        block: Block,
        side: Side,
        plan: DelayPlan,
        *,
        batch: int,
        ends: Ends,
        of_all: Scope,
        of_events: Scope,
        known: Mapping[str, Known | Once],
    ) -> None:
        self._ends, self._plan, self._graded = ends, plan, side.graded
        assignments, first = block.assignments, advancing(block.assignments)
        elsewhere = {a.target for a in assignments if a.operator != ":=" and ends.is_of_neuron(a.target)}
        scope = settled(block, of_all, known)
        parts = (assignments[:first], assignments[first:])
        self._advance, self._act = (statements(part, scope, elsewhere=elsewhere) for part in parts)
        self._each = statements(assignments, settled(block, of_events, known), elsewhere=elsewhere)
        group = np.zeros(ends.n_synapses, dtype=np.int64) if plan.group is None else plan.group
        rows = group * side.size + side.index.cpu().numpy()
        self._rows = synapse_rows(rows, plan.n_groups * side.size, side.index.device)
        self._row_of_synapse = torch.from_numpy(rows).to(side.index.device)
        self._trials = torch.arange(batch, device=side.index.device)[:, None]

    @property
    def longest(self) -> int:
        """Steps that a spike must be remembered."""
        return self._plan.steps[0]

    def __call__(
        self, populations: Mapping[str, State], own: State, past: Sequence[Tensor | None], there: State
    ) -> None:
        """Carry out what arrives now.

        Parameters
        ----------
        populations : mapping
            Population to state; replaced, never changed in place.
        own : dict
            State of the synapses, each of shape (batch, n_synapses).
        past : sequence of Tensor or None
            ``past[-1 - k]`` are the spikes k steps ago, shape (batch, n_neurons); None before the run.
        there : dict
            What stays during the run, and the time.
        """
        blocks = [past[-1 - steps] for steps in self._plan.steps]
        known = next((block for block in blocks if block is not None), None)
        if known is None:
            return
        fired = torch.cat([torch.zeros_like(known) if block is None else block for block in blocks], dim=1)
        if self._graded or fired.requires_grad:
            self._reach_all(populations, own, fired[:, self._row_of_synapse], there)
            return
        trial, row = fired.nonzero(as_tuple=True)
        if row.numel():
            synapse, event = self._rows.of_events(row)
            self._reach(populations, own, trial[event], synapse, there)

    def _reach(
        self, populations: Mapping[str, State], own: State, trial: Tensor, synapse: Tensor, there: State
    ) -> None:
        """Carry out the statements for single synapses in single trials."""
        local = self._ends.of_events(populations, own, there, trial, synapse)
        local[SHAPE] = shape = (synapse.numel(),)

        def write(side: Side, before: Tensor, operator: str, change: Tensor) -> Tensor:
            return _changed(before, operator, trial * side.size + side.index[synapse], change)

        for name in self._carry_out(self._each, populations, own, local, shape, write):
            if torch.is_grad_enabled():
                own[name] = own[name].index_put((trial, synapse), local[name])
            else:
                own[name].index_put_((trial, synapse), local[name])

    def _reach_all(self, populations: Mapping[str, State], own: State, fired: Tensor, there: State) -> None:
        """Carry out the statements for all synapses, `fired` of each; the state changes where it is one.

        What event-driven state has become since its latest event does not depend on this one, so it is brought up to
        date in all synapses: the derivative by the spike is that of what the spike does.
        """
        local = self._ends.of_every_synapse(populations, own, there)
        local[SHAPE] = shape = tuple(fired.shape)

        def write(side: Side, before: Tensor, operator: str, change: Tensor) -> Tensor:
            return _changed_where(before, operator, self._trials * side.size + side.index, change, fired)

        for name in self._carry_out(self._advance, populations, own, local, shape, write):
            own[name] = local[name]
        for name in self._carry_out(self._act, populations, own, local, shape, write):
            own[name] = local[name] if name == LAST else blended(own[name], local[name], fired)

    def _carry_out(
        self,
        each: list[Statement],
        populations: Mapping[str, State],
        own: State,
        local: State,
        shape: tuple[int, ...],
        write: Callable[[Side, Tensor, str, Tensor], Tensor],
    ) -> list[str]:
        """Carry out statements one after the other; return which variables of the synapses they gave a new value."""
        changed = []
        for statement in each:
            value, target = statement.evaluate(local), statement.target
            if statement.intermediate:
                local[target] = value
            elif target in own:
                local[target] = fitted(value, shape, own[target])
                changed.append(target)
            else:
                side, variable = self._ends.side(target)
                state = populations[side.population]
                after = write(side, state[variable], statement.operator, fitted(value, shape, state[variable]))
                if variable in side.held:
                    after = torch.where(state["not_refractory"], after, state[variable])
                state[variable] = after
                for name in (variable, f"{variable}_pre", f"{variable}_post"):  # to be looked up again
                    local.pop(name, None)
        return list(dict.fromkeys(changed))


def advancing(assignments: Sequence[Assignment]) -> int:
    """Return how many statements at the beginning only bring event-driven state up to date.

    They are those up to the last ``x = _x`` in which ``_x`` follows from the time of the latest event.
    """
    since: set[str] = {LAST}
    last = 0
    for k, assignment in enumerate(assignments):
        if names_in(assignment.expression) & since and assignment.operator == ":=":
            since.add(assignment.target)
        elif assignment.operator == "=" and assignment.expression.strip() in since and assignment.target != LAST:
            last = k + 1
        elif assignment.operator != "=" or names_in(assignment.expression) & {assignment.target}:
            break
    return last


def fitted(value: Any, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Return a value as a tensor of some shape, with the data type of another."""
    found = value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=like.dtype, device=like.device)
    return found.to(like.dtype).expand(shape)


def blended(before: Tensor, after: Tensor, fired: Tensor) -> Tensor:
    """Return `after` where there was a spike, else `before`; the derivative by the spike is their difference."""
    if before.is_floating_point() and before.dtype == fired.dtype:
        return torch.lerp(before, after, fired)
    return torch.where(fired.detach() > 0.5, after, before)


def _changed(before: Tensor, operator: str, place: Tensor, change: Tensor) -> Tensor:
    """Return a variable of neurons (batch, n_neurons) after changes of single neurons, one by one."""
    flat = before.flatten()
    match operator:
        case "+=":
            after = flat.index_add(0, place, change)
        case "-=":
            after = flat.index_add(0, place, change, alpha=-1)
        case "=":
            after = flat.index_put((place,), change)
        case _:
            factor = torch.ones_like(flat).scatter_reduce(0, place, change, "prod")
            after = flat * factor if operator == "*=" else flat / factor
    return after.view_as(before)


def _changed_where(before: Tensor, operator: str, place: Tensor, change: Tensor, fired: Tensor) -> Tensor:
    """Return a variable of neurons after changes by all synapses, each as far as it fired."""
    match operator:
        case "+=" | "-=":
            change = change * fired
        case "=":
            reached = fired.detach() > 0.5
            place, change = place[reached], change[reached]
        case _:
            change = torch.lerp(torch.ones_like(change), change, fired)
    return _changed(before, operator, place.flatten(), change.flatten())
