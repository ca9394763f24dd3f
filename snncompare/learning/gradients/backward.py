"""Gradients backwards through a recorded run, along the paths that a rule follows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.activity import spiking
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.network_state import Activity, NetworkState
from snncompare.learning.gradients.engine import GradientEngine, Learnt
from snncompare.learning.gradients.feedback import Feedback
from snncompare.learning.losses.loss import Loss, Penalty, Wants
from snncompare.learning.losses.spike_trains import VanRossum
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import EverySteps

__all__ = ["Backward"]


class Backward(GradientEngine):
    """Back-propagation through time, with what the rule's paths leave out taken as constant.

    With `EverySteps` the gradient is cut where weights change, and the state goes on (truncated back-propagation;
    Williams and Peng 1990, Neural Computation 2:490, with h = h').

    Parameters
    ----------
    module : TorchNetwork
        Made with the rule's surrogate, paths and `checkpoint_every`.
    rule : LearningRule
    loss : Loss
    penalties : sequence of Penalty
    """

    def __init__(self, module: TorchNetwork, rule: LearningRule, loss: Loss, penalties: Sequence[Penalty] = ()) -> None:
        self.feedback = Feedback(module, rule.signal, loss)
        self._module, self._rule, self._loss, self._penalties = module, rule, loss.for_step(module.dt), penalties
        self._firing = spiking(module.network)

    def trials(
        self,
        inputs: Mapping[str, Tensor],
        target: Tensor,
        *,
        dropout: Mapping[str, Tensor] | None = None,
        seed: int = 0,
    ) -> Iterator[Learnt]:
        """Run trials side by side, and pause after each window with its gradient; see `GradientEngine`."""
        n_steps = next(iter(inputs.values())).shape[0]
        schedule, loss = self._rule.schedule, self._loss
        every = schedule.steps if isinstance(schedule, EverySteps) else n_steps
        state: NetworkState | None = None
        seen: list[Tensor] = []
        for first in range(0, n_steps, every):
            activity = self._run(
                {name: raster[first : first + every] for name, raster in inputs.items()},
                record=list(dict.fromkeys([*self._firing, *loss.reads.spikes])),
                traces=loss.reads.traces,
                state=state,
                seed=seed,
                dropout=dropout,
                feedback=self.feedback.broadcast(),
            )
            state = activity.state.detach()
            value = self._cost(activity, target, seen, n_steps)
            if value.requires_grad:
                value.backward()
            self.feedback.follow_()
            seen.append(loss.reads.of(activity).detach())
            counts = {name: activity.spikes[name].detach().sum(dim=0) for name in self._firing}
            last = first + every >= n_steps
            yield Learnt(
                float(value.detach()), loss.evidence(torch.cat(seen)) if last else None, counts, seen[-1].shape[0]
            )
            self.feedback.decay_()

    def _run(self, inputs: Mapping[str, Tensor], **options: Any) -> Activity:
        """Carry out the steps of one window, see `TorchNetwork.forward`."""
        activity: Activity = self._module(inputs, **options)
        return activity

    def _cost(self, activity: Activity, target: Tensor, before: Sequence[Tensor], n_steps: int) -> Tensor:
        """Return the loss of one window with the penalties, and what local readouts add."""
        values = self._loss.reads.of(activity)
        total = self._window(values, target, before, n_steps)
        for name, signal in self._by_bursts(values, target, before, n_steps).items():
            taught = (activity.spikes[name] * signal).sum()
            total = total + (taught - taught.detach())
        for name, weights in self.feedback.local().items():
            total = total + self._window(activity.spikes[name] @ weights, target, before, n_steps)
        for penalty in self._penalties:
            for name in self._firing if penalty.populations is None else penalty.populations:
                own = activity.own.get(name, activity.spikes[name])
                total = total + penalty.of_spikes(own, self._module.dt)
        return total

    def _by_bursts(
        self, values: Tensor, target: Tensor, before: Sequence[Tensor], n_steps: int
    ) -> Mapping[str, Tensor]:
        """Return what bursts tell each population of the error in a window, shape (step, batch, neuron)."""
        if not self.feedback.taught:
            return {}
        leaf = values.detach().requires_grad_()
        with torch.enable_grad():
            value = self._window(leaf, target, before, n_steps)
        (error,) = torch.autograd.grad(value, leaf)
        return self.feedback.by_bursts(error, self._loss.step_share(n_steps))

    def _window(self, values: Tensor, target: Tensor, before: Sequence[Tensor], n_steps: int) -> Tensor:
        """Return the loss of the values in one window; `before` are those of the windows that are over."""
        loss, length = self._loss, values.shape[0]
        if length == n_steps:
            return loss(values, target)
        first, asked = sum(window.shape[0] for window in before), loss.prepared(target)
        if isinstance(loss, VanRossum):
            values = loss.kernel.filtered(torch.cat([*before, values]), self._module.dt)[first:]
        each = [
            loss.at_step(values[k], asked if loss.wants is Wants.LABELS else asked[first + k], first + k, n_steps)
            for k in range(length)
        ]
        return torch.stack(each).sum()
