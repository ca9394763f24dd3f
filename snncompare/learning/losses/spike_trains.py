"""Losses of when the neurons of a population fire."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from snncompare.errors import InputError
from snncompare.learning.losses.loss import Form, Reads, Wants
from snncompare.learning.losses.regression import squared_where_asked
from snncompare.learning.losses.window import Windowed
from snncompare.units import seconds
from snncompare.values import check_fields

__all__ = ["DoubleExponential", "VanRossum"]


@dataclass(frozen=True)
class DoubleExponential:
    r"""A causal kernel that rises and decays.

    .. math::
        k(n) = c\,(a^n - b^n), \quad a = e^{-\Delta t/\tau_{decay}}, \quad b = e^{-\Delta t/\tau_{rise}}, \quad n \ge 0

    with c such that :math:`\sum_n k(n)^2 = 1`, hence
    :math:`c^{-2} = \frac{1}{1-a^2} + \frac{1}{1-b^2} - \frac{2}{1-ab}`.

    Parameters
    ----------
    rise, decay : str
        Time constants, the rise being the shorter one.
    """

    rise: str = "5 ms"
    decay: str = "10 ms"

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < seconds(self.rise, "rise") < seconds(self.decay, "decay"):
            raise InputError(f"rise must be positive and shorter than decay, got '{self.rise}' and '{self.decay}'.")

    def decays(self, dt: float) -> tuple[float, float, float]:
        """Return a, b and c for a time step in seconds."""
        steps = torch.tensor([seconds(self.decay), seconds(self.rise)], dtype=torch.float64) / dt
        a, b = torch.exp(-1.0 / steps).tolist()
        return a, b, (1 / (1 - a * a) + 1 / (1 - b * b) - 2 / (1 - a * b)) ** -0.5

    def filtered(self, values: Tensor, dt: float) -> Tensor:
        """Return values of shape (step, ...) convolved with the kernel along the steps."""
        a, b, c = self.decays(dt)
        n_steps = values.shape[0]
        number = torch.arange(n_steps, dtype=values.dtype, device=values.device)
        kernel = c * (a**number - b**number)
        length = 2 * n_steps
        spectrum = torch.fft.rfft(kernel, length).reshape(-1, *[1] * (values.dim() - 1))
        return torch.fft.irfft(torch.fft.rfft(values, length, dim=0) * spectrum, length, dim=0)[:n_steps]


@dataclass(frozen=True)
class VanRossum(Windowed):
    r"""Half the squared distance of filtered spike trains, summed over steps and neurons, mean over trials.

    .. math::
        L = \frac{1}{2} \sum_t \sum_i \left[ (k * (z_i - z^*_i))(t) \right]^2

    The kernel's squares add up to one, so a spike too many or one missing costs 1/2, one that is far from its target 1,
    one at its target 0. Van Rossum (2001) Neural Computation 13:751, with the double exponential of Zenke and Ganguli
    (2018) Neural Computation 30:1514, equation 1.

    Parameters
    ----------
    population : str
        Population that fires; the dataset's answers are its spikes, 1 in a step with a spike and otherwise 0. Steps
        whose answer is not a number cost nothing.
    kernel : DoubleExponential
    window, dt
        See `Windowed`.
    """

    population: str
    kernel: DoubleExponential = DoubleExponential()
    form = Form.EACH_STEP
    wants = Wants.ANSWERS

    @property
    def reads(self) -> Reads:
        """The population's spikes."""
        return Reads(self.population, None)

    @cached_property
    def _dt(self) -> float:
        if self.dt is None:
            raise InputError("the van Rossum loss needs the time step first: loss.for_step(dt).")
        return self.dt

    def prepared(self, target: Tensor) -> Tensor:
        """Return target spike trains filtered, not a number where they are none."""
        unasked = target.isnan()
        return torch.where(unasked, torch.nan, self.kernel.filtered(torch.where(unasked, 0.0, target), self._dt))

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the loss for spikes and target spikes of shape (step, batch, neuron)."""
        difference = self.kernel.filtered(values, self._dt) - self.prepared(target)
        return squared_where_asked(self.inside(difference)) / values.shape[1]

    def at_step(self, values: Tensor, target: Tensor, step: int, n_steps: int) -> Tensor:
        """Return the part of one step, for filtered spikes and a filtered target."""
        if step not in self.steps(n_steps):
            return values.sum() * 0.0
        return squared_where_asked(values - target) / values.shape[0]
