"""Errors of a loss and of penalties, step by step, and what they add to the gradient of a run."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from snncompare.backends.activity import spiking
from snncompare.learning.gradients.engine import Learnt
from snncompare.learning.gradients.feedback import Feedback
from snncompare.learning.gradients.forward.forward_run import ForwardRun
from snncompare.learning.losses import Form, Loss, Penalty

__all__ = ["Errors"]


class Errors:
    """The loss of a run of trials, as its steps go by.

    Parameters
    ----------
    loss : Loss
    penalties : sequence of Penalty
    run : ForwardRun
    n_steps : int
        Of the trials.
    keep : bool
        Whether what is read is kept until the end of the trials, where the loss has evidence for classes.
    feedback : Feedback, optional
        What bursts tell populations of errors, for a signal where they do.
    """

    def __init__(
        self,
        loss: Loss,
        penalties: Sequence[Penalty],
        run: ForwardRun,
        n_steps: int,
        *,
        keep: bool = True,
        feedback: Feedback | None = None,
    ) -> None:
        self._feedback, self._share = feedback, loss.step_share(n_steps)
        self._taught = frozenset(() if feedback is None else feedback.taught)
        self._loss, self._penalties, self._run, self._n_steps = loss, penalties, run, n_steps
        kernel = getattr(loss, "kernel", None)
        self._decays = None if kernel is None else kernel.decays(run.module.dt)
        self._filtered: list[Tensor] = []
        self._totals: dict[str, Tensor] = {}
        self._kept: list[Tensor] = []
        self._keeps = keep and type(loss).evidence is not Loss.evidence
        self._firing = spiking(run.module.network)
        self._value = 0.0
        self._counts: dict[str, Tensor] = {}
        run.count([name for name in self._firing if any(_applies(penalty, name) for penalty in penalties)])

    def step(self, step: int, shown: Mapping[str, Tensor], target: Tensor | None) -> None:
        """Take what a step shows (see `ForwardRun.advance`) and add to the gradient what it costs.

        Parameters
        ----------
        step : int
        shown : mapping
        target : Tensor or None
            Labels, shape (batch,), or the answer, shape (batch, neuron); None if nothing is asked.
        """
        for name in self._firing:
            spikes = self._run.spikes[name]
            self._counts[name] = self._counts[name] + spikes if name in self._counts else spikes
        values = self._through_kernel(shown)
        if self._keeps:
            self._kept.append(values[""])
        if self._loss.form is Form.OF_SUM:
            if step in self._loss.steps(self._n_steps):
                self._run.sum_up()
                for name, each in values.items():
                    self._totals[name] = self._totals[name] + each if name in self._totals else each
            return
        if target is None:
            return
        found = {}
        for name, each in values.items():
            leaf = each.detach().requires_grad_()
            with torch.enable_grad():
                value = self._loss.at_step(leaf, target, step, self._n_steps)
            if value.requires_grad:
                self._value += float(value.detach())
                (error,) = torch.autograd.grad(value, leaf)
                if bool((error != 0).any()):
                    found[name] = error
        self._run.accumulate(self._with_bursts(found))

    def _with_bursts(self, errors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return errors together with what bursts tell of that at the readout."""
        if self._feedback is None or "" not in errors:
            return errors
        return errors | self._feedback.by_bursts(errors[""], self._share)

    def _through_kernel(self, shown: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what the loss sees: what is shown, or what its kernel makes of spikes."""
        values = {name: each for name, each in shown.items() if name not in self._taught}
        if self._decays is not None:
            decay, rise, scale = self._decays
            spikes = values[""]
            before = self._filtered or [torch.zeros_like(spikes), torch.zeros_like(spikes)]
            self._filtered = [before[0] * decay + spikes, before[1] * rise + spikes]
            values[""] = scale * (self._filtered[0] - self._filtered[1])
        return values

    def block(self, n_steps: int, target: Tensor | None = None) -> Learnt:
        """Give the gradient of the latest steps to the parameters and return what happened in them.

        Parameters
        ----------
        n_steps : int
        target : Tensor, optional
            What was asked, if the trials are over.
        """
        over = target is not None
        if target is not None and self._loss.form is Form.OF_SUM:
            errors = {}
            for name, total in self._totals.items():
                leaf = total.detach().requires_grad_()
                with torch.enable_grad():
                    value = self._loss.of_sum(leaf, target, self._n_steps)
                self._value += float(value.detach())
                (errors[name],) = torch.autograd.grad(value, leaf)
            self._run.accumulate_sums(self._with_bursts(errors))
        for name, counts in self._counts.items():
            self._penalise(name, counts, n_steps)
        self._run.give()
        evidence = self._loss.evidence(torch.stack(self._kept)) if over and self._keeps else None
        learnt = Learnt(self._value, evidence, self._counts, n_steps)
        self._value, self._counts = 0.0, {}
        return learnt

    def _penalise(self, name: str, counts: Tensor, n_steps: int) -> None:
        each = [penalty for penalty in self._penalties if _applies(penalty, name)]
        if not each:
            return
        leaf = counts.detach().requires_grad_()
        with torch.enable_grad():
            value = torch.stack([penalty.of_counts(leaf, n_steps * self._run.module.dt) for penalty in each]).sum()
        self._value += float(value.detach())
        if value.requires_grad:
            self._run.accumulate_counts(name, torch.autograd.grad(value, leaf)[0])


def _applies(penalty: Penalty, population: str) -> bool:
    return penalty.populations is None or population in penalty.populations
