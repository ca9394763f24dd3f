"""Gradients of a network that chips carry out: through their model, or through the ideal one at what they did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from snncompare.backends.torch.network_state import Activity
from snncompare.errors import UnsupportedError
from snncompare.learning.batches import of_copies
from snncompare.learning.gradients.backward import Backward
from snncompare.learning.gradients.engine import Learnt
from snncompare.learning.legal import check
from snncompare.learning.losses.loss import Loss, Penalty
from snncompare.learning.on_chip.attack import attacked, divergence, worst
from snncompare.learning.on_chip.chips import Chips, Looped
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import EverySteps, Execution

__all__ = ["BackwardOnChip"]


class BackwardOnChip(Backward):
    """Back-propagation through time on chips, see `OnChip`.

    Each trial runs on all devices of `chips.seeds` side by side; loss and gradient are means over them.

    Parameters
    ----------
    chips : Chips
        Made with the rule; `chips.module` is what learns.
    rule : LearningRule
    loss : Loss
    penalties : sequence of Penalty

    Raises
    ------
    UnsupportedError
        For rules that are carried out forwards, and for what needs whole trials where weights change within a trial.
    """

    def __init__(self, chips: Chips, rule: LearningRule, loss: Loss, penalties: Sequence[Penalty] = ()) -> None:
        check(rule, chips.module.network, loss, tuple(penalties))
        _check_rule(rule, chips)
        super().__init__(chips.module, rule, loss, penalties)
        self._chips = chips

    def trials(
        self,
        inputs: Mapping[str, Tensor],
        target: Tensor,
        *,
        dropout: Mapping[str, Tensor] | None = None,
        seed: int = 0,
    ) -> Iterator[Learnt]:
        """Run trials side by side on all devices, see `GradientEngine.trials`; noise is that of `chips.noise_seed`."""
        n_devices = self._chips.n_devices
        if dropout and self._chips.given is not None:
            raise UnsupportedError("a chip that is given drops no spikes: take dropout=None.")
        copied = None if dropout is None else {name: factors.repeat(n_devices, 1) for name, factors in dropout.items()}
        asked = of_copies(target, self._loss.wants, n_devices)
        for learnt in super().trials(inputs, asked, dropout=copied, seed=seed):
            yield replace(learnt, copies=n_devices)

    def _run(self, inputs: Mapping[str, Tensor], **options: Any) -> Activity:
        """Carry out the steps of one window on the chips."""
        chips = self._chips
        if options["state"] is None:
            begun = None
            if chips.given is None:
                begun = chips.begin_batch(next(iter(inputs.values())).shape[1])
            self._now = _Trials(inputs, options, Looped(begun))
        now = self._now.looped
        if chips.on_chip.in_the_loop:
            return chips.in_the_loop(now, inputs, **options)
        assert now.run is not None
        return chips.run(now.run, inputs, **options)

    def _cost(self, activity: Activity, target: Tensor, before: Sequence[Tensor], n_steps: int) -> Tensor:
        """Return the loss of one window, and what an attack makes of it."""
        total = super()._cost(activity, target, before, n_steps)
        chosen, now = self._chips.on_chip.attack, self._now
        if chosen is None:
            return total
        learnt = {name: p for name, p in self._module.named_parameters() if p.requires_grad}
        clean = self._loss.reads.of(activity)

        def changed(asked: Mapping[str, Tensor], values: Tensor) -> Tensor:
            again = self._chips.begin_batch(next(iter(now.inputs.values())).shape[1])
            other = self._chips.run(again, now.inputs, asked, **now.options)
            return divergence(self._loss, values, self._loss.reads.of(other))

        found = worst(chosen, learnt, lambda asked: changed(asked, clean.detach()), self._chips.noise_seed)
        return total + chosen.beta * changed(attacked(learnt, found), clean)


@dataclass(frozen=True)
class _Trials:
    """Trials that are under way.

    Attributes
    ----------
    inputs : mapping
        Of their first window.
    options : mapping
        What else their run began with.
    looped : Looped
    """

    inputs: Mapping[str, Tensor]
    options: Mapping[str, Any]
    looped: Looped


def _check_rule(rule: LearningRule, chips: Chips) -> None:
    """Refuse what cannot be learnt on chips."""
    if rule.execution is Execution.FORWARD:
        raise UnsupportedError(
            "on_chip: chips are followed backwards only; take execution=Execution.BACKWARD, the same gradient, for "
            "example presets.eprop(..., execution=Execution.BACKWARD)."
        )
    if isinstance(rule.schedule, EverySteps) and (chips.on_chip.attack is not None or chips.given is not None):
        what = "an attack" if chips.on_chip.attack is not None else "a chip that is given"
        raise UnsupportedError(
            f"on_chip: {what} needs whole trials, but weights change every {rule.schedule.steps} steps; take "
            "schedule=AfterTrials()."
        )
