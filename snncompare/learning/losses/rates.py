"""Penalties on firing rates."""

from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.learning.losses.loss import Penalty
from snncompare.units import hertz

__all__ = ["RateLimit"]


@dataclass(frozen=True)
class RateLimit(Penalty):
    r"""Penalty for populations that fire outside a band.

    .. math::
        L = \frac{\lambda}{n} \sum_i [\max(0, r_i - r_{high}) + \max(0, r_{low} - r_i)]^2

    The rates :math:`r_i` are means over a batch, in units of the band's upper edge.
    """

    low: str = "1 Hz"
    high: str = "50 Hz"
    strength: float = 1.0

    def of_counts(self, counts: Tensor, duration: float) -> Tensor:
        """Return the penalty for spike counts (batch, neuron) in a time in seconds."""
        low, high = hertz(self.low, "low"), hertz(self.high, "high")
        rate = counts.mean(dim=0) / duration
        outside = (torch.relu(rate - high) + torch.relu(low - rate)) / high
        return self.strength * outside.square().mean()
