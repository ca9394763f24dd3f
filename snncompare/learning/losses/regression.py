"""Losses that ask for a course over time."""

from dataclasses import dataclass

from torch import Tensor

from snncompare.learning.losses.loss import Form, Loss, Reads
from snncompare.units import quantity

__all__ = ["Regression"]


@dataclass(frozen=True)
class Regression(Loss):
    r"""Half the squared error of a readout, summed over steps and neurons, mean over trials.

    .. math::
        L = \frac{1}{2} \sum_t \sum_k (v_k(t)/s - y^*_k(t))^2

    Parameters
    ----------
    readout : str
        Population that never fires.
    scale : str
        Membrane potential :math:`s` that counts as one.
    variable : str
    """

    readout: str
    scale: str
    variable: str = "v"
    form = Form.EACH_STEP

    @property
    def reads(self) -> Reads:
        """The readout's membrane."""
        return Reads(self.readout, self.variable)

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the loss for answers of shape (step, batch, neuron)."""
        return 0.5 * (values / quantity(self.scale).value - target).square().sum() / values.shape[1]

    def at_step(self, values: Tensor, target: Tensor, step: int, n_steps: int) -> Tensor:  # noqa: ARG002
        """Return the part of one step."""
        return 0.5 * (values / quantity(self.scale).value - target).square().sum() / values.shape[0]
