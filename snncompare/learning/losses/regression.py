"""Losses that ask for a course over time."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from snncompare.errors import InputError
from snncompare.learning.losses.loss import Form, Reads, Wants
from snncompare.learning.losses.window import Windowed
from snncompare.units import quantity

__all__ = ["Regression", "positive_scale", "squared_where_asked"]


def positive_scale(scale: str) -> float:
    """Return what counts as one, in SI units.

    Raises
    ------
    InputError
        If it is not positive.
    """
    value = quantity(scale).value
    if not value > 0:
        raise InputError(f"scale must be positive, got '{scale}'.")
    return value


def squared_where_asked(difference: Tensor) -> Tensor:
    """Return half the sum of squares, without what is not a number."""
    return 0.5 * torch.where(difference.isnan(), 0.0, difference).square().sum()


@dataclass(frozen=True)
class Regression(Windowed):
    r"""Half the squared error of a readout, summed over steps and neurons, mean over trials.

    .. math::
        L = \frac{1}{2} \sum_t \sum_k (v_k(t)/s - y^*_k(t))^2

    Steps whose answer is not a number cost nothing (Bellec et al. 2020, Nature Communications 11:3625, equation 3).

    Parameters
    ----------
    readout : str
        Population that never fires.
    scale : str
        Membrane potential :math:`s` that counts as one.
    variable : str
    window, dt
        See `Windowed`.
    """

    readout: str
    scale: str
    variable: str = "v"
    form = Form.EACH_STEP
    wants = Wants.ANSWERS

    def __post_init__(self) -> None:
        super().__post_init__()
        positive_scale(self.scale)

    @property
    def reads(self) -> Reads:
        """The readout's membrane."""
        return Reads(self.readout, self.variable)

    @cached_property
    def _one(self) -> float:
        return positive_scale(self.scale)

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the loss for answers of shape (step, batch, neuron)."""
        return squared_where_asked(self.inside(values) / self._one - self.inside(target)) / values.shape[1]

    def at_step(self, values: Tensor, target: Tensor, step: int, n_steps: int) -> Tensor:
        """Return the part of one step."""
        if step not in self.steps(n_steps):
            return values.sum() * 0.0
        return squared_where_asked(values / self._one - target) / values.shape[0]
