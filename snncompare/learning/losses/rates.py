"""Penalties on firing rates."""

from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.errors import InputError
from snncompare.learning.losses.loss import Penalty
from snncompare.units import hertz, seconds
from snncompare.values import check_fields

__all__ = ["RateLimit", "RateTarget"]


@dataclass(frozen=True)
class RateLimit(Penalty):
    r"""Penalty for populations that fire outside a band.

    .. math::
        L = \frac{\lambda}{n} \sum_i [\max(0, r_i - r_{high}) + \max(0, r_{low} - r_i)]^2

    The rates :math:`r_i` are means over a batch, in units of the band's upper edge.

    Parameters
    ----------
    low, high : str
        Edges of the band.
    strength : float
        :math:`\lambda`.
    populations : tuple of str, optional
        All that spike by default.
    """

    low: str = "1 Hz"
    high: str = "50 Hz"
    strength: float = 1.0
    populations: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 <= hertz(self.low, "low") < hertz(self.high, "high"):
            raise InputError(f"low must lie below high, from 0 Hz on; got '{self.low}' and '{self.high}'.")
        if not self.strength > 0:
            raise InputError(f"strength must be positive, got {self.strength}.")

    def of_counts(self, counts: Tensor, duration: float) -> Tensor:
        """Return the penalty for spike counts (batch, neuron) in a time in seconds."""
        low, high = hertz(self.low, "low"), hertz(self.high, "high")
        rate = counts.mean(dim=0) / duration
        outside = (torch.relu(rate - high) + torch.relu(low - rate)) / high
        return self.strength * outside.square().mean()


@dataclass(frozen=True)
class RateTarget(Penalty):
    r"""Penalty for neurons that fire more or less often than asked for.

    .. math::
        L = \frac{c}{2} \sum_j (f_j - f^*)^2

    with :math:`f_j` the spikes of neuron j per `step`, mean over a batch (Bellec et al. 2020, Nature Communications
    11:3625, Methods, firing rate regularization).

    Parameters
    ----------
    rate : str
        :math:`f^*`.
    strength : float
        c, for rates in spikes per `step`.
    step : str
        The time in which spikes are counted; published strengths are for the time step of their simulation.
    populations : tuple of str, optional
        All that spike by default.
    each_trial : bool
        Take :math:`f_j` of each trial, and the mean of the penalty over trials (NEST's e-prop).
    """

    rate: str = "10 Hz"
    strength: float = 1.0
    step: str = "1 ms"
    populations: tuple[str, ...] | None = None
    each_trial: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        if not hertz(self.rate, "rate") >= 0 or not seconds(self.step, "step") > 0:
            raise InputError(f"rate must be at least 0 Hz and step above 0 s, got '{self.rate}' and '{self.step}'.")
        if not self.strength > 0:
            raise InputError(f"strength must be positive, got {self.strength}.")

    def of_counts(self, counts: Tensor, duration: float) -> Tensor:
        """Return the penalty for spike counts (batch, neuron) in a time in seconds."""
        step = seconds(self.step, "step")
        found = counts if self.each_trial else counts.mean(dim=0, keepdim=True)
        difference = found * (step / duration) - hertz(self.rate, "rate") * step
        return 0.5 * self.strength * difference.square().sum() / found.shape[0]
