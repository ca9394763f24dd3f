"""What training makes small, as values over the activity of a network."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from snncompare.backends.torch.module import Activity
from snncompare.units import hertz, quantity

__all__ = ["MeanMembraneClassification", "RateLimit"]


@dataclass(frozen=True)
class MeanMembraneClassification:
    r"""Cross-entropy of the class with the readout's mean membrane potential.

    .. math::
        L = -\log \frac{e^{y_c}}{\sum_k e^{y_k}}, \qquad y_k = \frac{1}{T} \sum_t v_k(t) / s

    Parameters
    ----------
    readout : str
        Population with one neuron per class that never fires.
    scale : str
        Membrane potential :math:`s` that counts as one, e.g. ``"1 mV"``.
    variable : str
        The readout's membrane.
    """

    readout: str
    scale: str
    variable: str = "v"

    @property
    def trace(self) -> tuple[str, str]:
        """The state variable the loss reads."""
        return self.readout, self.variable

    def logits(self, activity: Activity) -> Tensor:
        """Return the evidence for every class, shape (batch, class)."""
        return activity.traces[self.trace].mean(dim=0) / quantity(self.scale).value

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, a scalar."""
        return cross_entropy(logits, labels)


@dataclass(frozen=True)
class RateLimit:
    r"""Penalty for populations that fire outside a band.

    .. math::
        L = \frac{\lambda}{n} \sum_i [\max(0, r_i - r_{high}) + \max(0, r_{low} - r_i)]^2

    The rates :math:`r_i` are means over a batch, in units of the band's upper edge.
    """

    low: str = "1 Hz"
    high: str = "50 Hz"
    strength: float = 1.0

    def __call__(self, spikes: Tensor, dt: float) -> Tensor:
        """Return the penalty for spikes of shape (step, batch, neuron)."""
        low, high = hertz(self.low, "low"), hertz(self.high, "high")
        rate = spikes.mean(dim=(0, 1)) / dt
        outside = (torch.relu(rate - high) + torch.relu(low - rate)) / high
        return self.strength * outside.square().mean()
