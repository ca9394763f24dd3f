"""Losses that ask for a class."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax

from snncompare.errors import InputError
from snncompare.learning.losses.loss import Form, Reads, Wants
from snncompare.learning.losses.regression import positive_scale
from snncompare.learning.losses.window import Windowed

__all__ = ["Classification", "Over"]


class Over(Enum):
    """What of a readout's course over time is the evidence for a class."""

    MEAN = "mean"
    SUM = "sum"
    MAX = "max"
    LAST = "last"
    EACH_STEP = "each step"
    """A cross-entropy at every step, their mean is the loss; the evidence is the mean over steps."""


@dataclass(frozen=True)
class Classification(Windowed):
    r"""Cross-entropy of the class with the evidence for it.

    .. math::
        L = -\log \frac{e^{y_c}}{\sum_k e^{y_k}}, \qquad y_k = \frac{1}{T} \sum_t v_k(t) / s

    or with the sum, the largest or the last value instead of the mean. With `answers`, which class is right may change
    from step to step, and the loss is :math:`-\frac{1}{T} \sum_t \sum_k y^*_k(t) \log p_k(t)` with the probabilities
    :math:`p(t)` of the softmax at each of the T steps that count.

    Parameters
    ----------
    readout : str
        Population with one neuron per class that never fires.
    scale : str
        Membrane potential :math:`s` that counts as one, e.g. ``"1 mV"``.
    variable : str
        The readout's membrane.
    over : Over
    answers : bool
        Take the dataset's answers over time (1 for the right class) instead of one class per trial; with
        `Over.EACH_STEP` only. Steps whose answer is not a number, or 0 for all classes, cost nothing.
    window, dt
        See `Windowed`.
    """

    readout: str
    scale: str
    variable: str = "v"
    over: Over = Over.MEAN
    answers: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        positive_scale(self.scale)
        if self.answers and self.over is not Over.EACH_STEP:
            raise InputError(f"answers at every step need over=Over.EACH_STEP, got {self.over}.")

    @property
    def form(self) -> Form:  # type: ignore[override]
        """How the loss follows from single steps."""
        forms = {Over.MEAN: Form.OF_SUM, Over.SUM: Form.OF_SUM, Over.EACH_STEP: Form.EACH_STEP}
        return forms.get(self.over, Form.WHOLE_RUN)

    @property
    def wants(self) -> Wants:  # type: ignore[override]
        """One class per trial, or answers over time."""
        return Wants.ANSWERS if self.answers else Wants.LABELS

    @property
    def reads(self) -> Reads:
        """The readout's membrane."""
        return Reads(self.readout, self.variable)

    @cached_property
    def _one(self) -> float:
        return positive_scale(self.scale)

    def step_share(self, n_steps: int) -> float:
        """Return one over the number of steps that count where the loss is a mean over them, else one."""
        return 1 / len(self.steps(n_steps)) if self.over in (Over.MEAN, Over.EACH_STEP) else 1.0

    def evidence(self, values: Tensor) -> Tensor:
        """Return the evidence for every class, shape (batch, class)."""
        scaled = self.inside(values) / self._one
        match self.over:
            case Over.MAX:
                return scaled.amax(dim=0)
            case Over.LAST:
                return scaled[-1]
            case Over.SUM:
                return scaled.sum(dim=0)
        return scaled.mean(dim=0)

    def accuracy(self, values: Tensor, target: Tensor) -> Tensor | None:
        """Return whether each trial is right or, with answers, in which fraction of the steps that ask for a class."""
        if not self.answers:
            return super().accuracy(values, target)
        said = self.inside(target)
        asked = said.sum(dim=2) > 0  # neither NaN nor 0 for all classes
        right = (self.inside(values).argmax(dim=2) == said.nan_to_num().argmax(dim=2)) & asked
        return right.double().sum(dim=0) / asked.double().sum(dim=0)

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy, mean over trials."""
        if self.over is not Over.EACH_STEP:
            return cross_entropy(self.evidence(values), target)
        scaled = self.inside(values) / self._one
        if self.answers:
            return _said(scaled, self.inside(target)).sum() / (scaled.shape[0] * scaled.shape[1])
        return cross_entropy(scaled.flatten(0, 1), target.repeat(scaled.shape[0]))

    def at_step(self, values: Tensor, target: Tensor, step: int, n_steps: int) -> Tensor:
        """Return the part of one step."""
        counted = self.steps(n_steps)
        if step not in counted:
            return values.sum() * 0.0
        scaled = values / self._one
        if self.answers:
            return _said(scaled, target).sum() / (len(counted) * values.shape[0])
        return cross_entropy(scaled, target) / len(counted)

    def of_sum(self, total: Tensor, target: Tensor, n_steps: int) -> Tensor:
        """Return the loss of the membrane summed over the steps that count."""
        scaled = total / self._one
        return cross_entropy(scaled / len(self.steps(n_steps)) if self.over is Over.MEAN else scaled, target)


def _said(scaled: Tensor, answer: Tensor) -> Tensor:
    """Return the cross-entropy of each class with an answer, 0 where the answer is not a number."""
    return -torch.where(answer.isnan(), 0.0, answer) * log_softmax(scaled, dim=-1)
