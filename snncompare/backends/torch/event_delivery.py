"""One run of a linear projection, spike by spike in Brian2's order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.torch.delays import DelayPlan
from snncompare.backends.torch.delivery import Delivery
from snncompare.backends.torch.effects import CompiledEffect
from snncompare.backends.torch.sparse import SynapseRows

__all__ = ["EventDelivery", "EventEffect"]

_Events = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class EventEffect:
    """An effect with what its synapses add: the same at every spike, or computed from `environment` when they deliver.

    Attributes
    ----------
    effect : CompiledEffect
    environment : mapping
        Name to a number or to a tensor (n_synapses,); the weight among them.
    value : Tensor (n_synapses,) or None
        What each synapse adds, if that does not depend on the source neuron's state.
    matrix : Tensor (n_source, n_target) or None
        The same as a matrix where that is faster and all delays are the same; zero where there is no synapse.

    All these tensors may have an axis of devices before.
    """

    effect: CompiledEffect
    environment: Mapping[str, Any]
    value: Tensor | None
    matrix: Tensor | None

    def of_events(
        self, synapse: Tensor, trial: Tensor, n_trials: int, source: Tensor, released: Mapping[str, Any]
    ) -> Tensor:
        """Return what synapses add in their trials.

        Parameters
        ----------
        synapse, trial, source : Tensor (n_events,)
        n_trials : int
            Trials of each device.
        released : mapping
            Values of source neurons, (batch, n_source).
        """
        if self.value is not None:
            return _of_events(self.value, synapse, trial, n_trials)
        own = {
            name: _of_events(value, synapse, trial, n_trials) if _is_list(value) else value
            for name, value in self.environment.items()
        }
        sent = {name: released[name][trial, source] for name in self.effect.description.per_source}
        return self.effect.whole({**own, **sent}, own[self.effect.description.weight])


class EventDelivery(Delivery):
    """Delivers spike by spike in Brian2's order, so that not even rounding differs.

    Within a projection the longest delay comes first, then the source neuron, then the target neuron; each effect is
    carried out for all synapses before the next.

    Parameters
    ----------
    plan : DelayPlan
    rows : SynapseRows
        Of the synapses sorted by delay, then source neuron.
    source, target : Tensor (n_synapses,)
    effects : sequence of EventEffect
    trials : int
        Trials of each device, where effects differ between devices.
    """

    def __init__(
        self,
        plan: DelayPlan,
        rows: SynapseRows,
        source: Tensor,
        target: Tensor,
        effects: Sequence[EventEffect],
        trials: int = 1,
    ) -> None:
        super().__init__([each.effect for each in effects])
        self._trials = trials
        self._plan, self._rows, self._source, self._target, self._effects = plan, rows, source, target, effects
        self._n_source = rows.first.numel() // plan.n_groups
        self._known: dict[int, tuple[Tensor, _Events]] = {}

    def add(
        self,
        state: dict[str, Tensor],
        past: Sequence[Tensor | None],
        released: Mapping[str, Tensor] | None = None,
        awake: Tensor | None = None,
    ) -> None:
        """Add what arrives in this step."""
        events = synapse = event = None
        for each in self._effects:
            before = state[each.effect.variable]
            if each.matrix is not None:
                spikes = past[-1 - self._plan.steps[0]]
                if spikes is None:
                    return
                after = _with_rows(before, spikes, each.matrix, self._trials)
            else:
                events = self._arriving(past) if events is None else events
                if events is None or not events[0].numel():
                    return
                trial, row = events
                if synapse is None or event is None:
                    synapse, event = self._rows.of_events(row)
                where = trial[event]
                value = each.of_events(synapse, where, self._trials, self._source[synapse], released or {})
                place = where * before.shape[1] + self._target[synapse]
                after = before.flatten().index_add(0, place, value).view_as(before)
            self._put(state, each.effect, after, awake)

    def _arriving(self, past: Sequence[Tensor | None]) -> _Events | None:
        """Return trial and row of the events that arrive now; a row is a source neuron in the block of its delay."""
        if len(self._plan.steps) == 1:
            spikes = past[-1 - self._plan.steps[0]]
            return None if spikes is None else _events(spikes)
        blocks = [(k, spikes) for k, step in enumerate(self._plan.steps) if (spikes := past[-1 - step]) is not None]
        known = self._known
        self._known = {id(spikes): known.get(id(spikes)) or (spikes, _events(spikes)) for _, spikes in blocks}
        found = [(k, events) for k, spikes in blocks if (events := self._known[id(spikes)][1])[0].numel()]
        if not found:
            return None
        first = torch.tensor([k * self._n_source for k, _ in found], device=self._target.device)
        count = torch.tensor([trial.numel() for _, (trial, _) in found], device=self._target.device)
        row = torch.cat([neuron for _, (_, neuron) in found]) + first.repeat_interleave(count)
        return torch.cat([trial for _, (trial, _) in found]), row


def _events(spikes: Tensor) -> _Events:
    trial, neuron = spikes.nonzero(as_tuple=True)
    return trial, neuron


def _with_rows(before: Tensor, spikes: Tensor, matrix: Tensor, n_trials: int) -> Tensor:
    """Return the state after the rows of a matrix (n_source, n_target), or of each device's, were added."""
    from snncompare.backends.torch.compiled_rows import add_rows

    after = before.clone(memory_format=torch.contiguous_format)
    matrices, trials = (matrix[None], len(spikes)) if matrix.ndim == 2 else (matrix, n_trials)
    add_rows(after.numpy(), spikes.contiguous().numpy(), matrices.contiguous().numpy(), trials)
    return after


def _of_events(values: Tensor, index: Tensor, trial: Tensor, n_trials: int) -> Tensor:
    """Return what values (n,) or (n_devices, n) have at an index."""
    return values[index] if values.ndim == 1 else values[trial // n_trials, index]


def _is_list(value: Any) -> bool:
    return isinstance(value, Tensor) and value.ndim > 0
