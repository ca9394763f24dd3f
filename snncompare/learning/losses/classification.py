"""Losses that ask for a class."""

from dataclasses import dataclass
from enum import Enum

from torch import Tensor
from torch.nn.functional import cross_entropy

from snncompare.learning.losses.loss import Form, Loss, Reads
from snncompare.units import quantity

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
class Classification(Loss):
    r"""Cross-entropy of the class with the evidence for it.

    .. math::
        L = -\log \frac{e^{y_c}}{\sum_k e^{y_k}}, \qquad y_k = \frac{1}{T} \sum_t v_k(t) / s

    or with the sum, the largest or the last value instead of the mean.

    Parameters
    ----------
    readout : str
        Population with one neuron per class that never fires.
    scale : str
        Membrane potential :math:`s` that counts as one, e.g. ``"1 mV"``.
    variable : str
        The readout's membrane.
    over : Over
    """

    readout: str
    scale: str
    variable: str = "v"
    over: Over = Over.MEAN

    @property
    def form(self) -> Form:  # type: ignore[override]
        """How the loss follows from single steps."""
        forms = {Over.MEAN: Form.OF_SUM, Over.SUM: Form.OF_SUM, Over.EACH_STEP: Form.EACH_STEP}
        return forms.get(self.over, Form.WHOLE_RUN)

    @property
    def reads(self) -> Reads:
        """The readout's membrane."""
        return Reads(self.readout, self.variable)

    def evidence(self, values: Tensor) -> Tensor:
        """Return the evidence for every class, shape (batch, class)."""
        scaled = values / quantity(self.scale).value
        match self.over:
            case Over.MAX:
                return scaled.amax(dim=0)
            case Over.LAST:
                return scaled[-1]
            case Over.SUM:
                return scaled.sum(dim=0)
        return scaled.mean(dim=0)

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy, mean over trials."""
        if self.over is Over.EACH_STEP:
            scaled = values / quantity(self.scale).value
            return cross_entropy(scaled.flatten(0, 1), target.repeat(values.shape[0]))
        return cross_entropy(self.evidence(values), target)

    def at_step(self, values: Tensor, target: Tensor, step: int, n_steps: int) -> Tensor:  # noqa: ARG002
        """Return the part of one step."""
        return cross_entropy(values / quantity(self.scale).value, target) / n_steps

    def of_sum(self, total: Tensor, target: Tensor, n_steps: int) -> Tensor:
        """Return the loss of the summed membrane."""
        scaled = total / quantity(self.scale).value
        return cross_entropy(scaled / n_steps if self.over is Over.MEAN else scaled, target)
