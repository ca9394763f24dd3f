"""Gradients computed along with a run: memory does not depend on the number of steps."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from snncompare.backends.torch.module import TorchNetwork
from snncompare.errors import UnsupportedError
from snncompare.learning.gradients.engine import GradientEngine, Learnt
from snncompare.learning.gradients.feedback import Feedback
from snncompare.learning.gradients.forward.errors import Errors
from snncompare.learning.gradients.forward.forward_run import ForwardRun
from snncompare.learning.gradients.forward.influence_run import InfluenceRun
from snncompare.learning.gradients.forward.local_run import LocalRun
from snncompare.learning.gradients.forward.stepper import Stepper
from snncompare.learning.losses import Form, Loss, Penalty, Wants
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import AfterTrials, PerSynapse, Snap

__all__ = ["Forward"]


class Forward(GradientEngine):
    """A learning rule carried out forwards in time.

    Parameters
    ----------
    module : TorchNetwork
        With the rule's surrogate.
    rule : LearningRule
    loss : Loss
    penalties : sequence of Penalty

    Raises
    ------
    UnsupportedError
        For what cannot be known before the end of a run, and for networks that traces cannot follow.
    """

    def __init__(self, module: TorchNetwork, rule: LearningRule, loss: Loss, penalties: Sequence[Penalty] = ()) -> None:
        self.module, self.rule, self.loss = module, rule, loss.for_step(module.dt)
        self.penalties = tuple(penalties)
        self.feedback = Feedback(module, rule.signal, loss)
        self._every = None if isinstance(rule.schedule, AfterTrials) else rule.schedule.steps
        if loss.form is Form.WHOLE_RUN or (loss.form is Form.OF_SUM and self._every is not None):
            raise UnsupportedError(
                "the error of this loss is known only when a trial is over; take a loss of every step, or "
                "Execution.BACKWARD"
                + (" with AfterTrials()." if loss.form is Form.WHOLE_RUN else ", or AfterTrials().")
            )
        needy = next((penalty for penalty in self.penalties if penalty.needs_steps), None)
        if needy is not None:
            raise UnsupportedError(
                f"the penalty {type(needy).__name__} depends on more than spike counts; take Execution.BACKWARD."
            )

    def begin(self, batch: int, *, dropout: Mapping[str, Tensor] | None = None, seed: int = 0) -> ForwardRun:
        """Return a run of trials side by side, before its first step.

        Parameters
        ----------
        batch : int
        dropout : mapping, optional
            See `TorchNetwork.forward`.
        seed : int
            Of what is random in the network.
        """
        feedback = self.feedback
        stepper = Stepper(self.module, batch, feedback=feedback.broadcast, dropout=dropout, seed=seed)
        kernel, rule, like = getattr(self.loss, "kernel", None), self.rule, stepper.like
        taught = {name: torch.eye(n, dtype=like.dtype, device=like.device) for name, n in feedback.taught.items()}
        local = {**feedback.local(), **taught}
        if isinstance(rule.storage, PerSynapse):
            return LocalRun(stepper, rule.paths, self.loss.reads, local, kernel=kernel)
        within = rule.storage.steps if isinstance(rule.storage, Snap) else None
        return InfluenceRun(stepper, rule.paths, self.loss.reads, local, kernel=kernel, within=within)

    def trials(
        self,
        inputs: Mapping[str, Tensor],
        target: Tensor,
        *,
        dropout: Mapping[str, Tensor] | None = None,
        seed: int = 0,
    ) -> Iterator[Learnt]:
        """Run trials side by side, see `GradientEngine.trials`."""
        n_steps, batch = next(iter(inputs.values())).shape[:2]
        run = self.begin(batch, dropout=dropout, seed=seed)
        errors, asked = (
            Errors(self.loss, self.penalties, run, n_steps, feedback=self.feedback),
            self.loss.prepared(target),
        )
        every = n_steps if self._every is None else self._every
        for first in range(0, n_steps, every):
            last = min(first + every, n_steps)
            for step in range(first, last):
                shown = run.advance({name: raster[step] for name, raster in inputs.items()})
                errors.step(step, shown, asked if self.loss.wants is Wants.LABELS else asked[step])
            learnt = errors.block(last - first, target if last == n_steps else None)
            self.feedback.follow_()
            yield learnt
            if last < n_steps:
                self.feedback.decay_()
                run.refresh()
        self.feedback.decay_()
