"""Objectives without labels for surrogate gradients: predict the input, reconstruct it, or predict oneself.

Values that `snncompare.fit` takes as its loss, on any dataset.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import log
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import softplus

from snncompare.errors import InputError
from snncompare.learning.losses.loss import Form, Loss, Reads, Wants
from snncompare.learning.losses.spike_trains import DoubleExponential
from snncompare.learning.unsupervised.latent_prediction import LatentPrediction
from snncompare.units import hertz, quantity, seconds
from snncompare.values import check_fields

__all__ = ["InputPrediction", "InputReconstruction", "SelfPrediction"]

_KERNEL = DoubleExponential("5 ms", "20 ms")
_RULE = LatentPrediction(floor=0.01)


@dataclass(frozen=True, kw_only=True)
class _OnGrid(Loss):
    """A loss with times in it, which wants the input itself."""

    dt: float | None = None
    wants = Wants.INPUT

    def __post_init__(self) -> None:
        check_fields(self)

    def for_step(self, dt: float) -> Self:
        """Return this loss for a time step in seconds."""
        return replace(self, dt=dt)

    def _in_steps(self, time: str, what: str, least: int) -> int:
        if self.dt is None:
            raise InputError(f"{type(self).__name__} needs the time step first: loss.for_step(dt).")
        steps = round(seconds(time, what) / self.dt)
        if steps < least or abs(steps * self.dt - seconds(time, what)) > 1e-6 * self.dt:
            raise InputError(
                f"{what} must be a whole number of at least {least} time steps of {self.dt:g} s, got {time}."
            )
        return steps


@dataclass(frozen=True, kw_only=True)
class InputPrediction(_OnGrid):
    r"""Predict how often each input fires next.

    .. math::
        L = \left\langle \lambda_k(t) - n_k(t) \log \lambda_k(t) \right\rangle_{t,k}, \qquad
        \lambda_k(t) = r_0 h \, \frac{\log(1 + e^{v_k(t)/s})}{\log 2}, \qquad n_k(t) = \sum_{t' = t+1}^{t+h} x_k(t')

    the negative logarithm of a Poisson likelihood (up to a constant) of the spikes :math:`x_k` in the next :math:`h`
    steps, given the readout now; mean over steps that have all of them, inputs and trials. Neurons that do well at it
    know what in the past tells of the future: predictive information (Bialek, Nemenman & Tishby 2001, Neural
    Computation 13:2409).

    Parameters
    ----------
    readout : str
        Population with one neuron per input that never fires.
    scale : str
        Membrane potential :math:`s` that counts as one.
    horizon : str
        :math:`h`, a whole number of steps.
    base_rate : str
        :math:`r_0`, what a readout at rest predicts; best the mean rate of an input.
    variable : str
    dt : float, optional
        Seconds; `for_step` sets it.
    """

    readout: str
    scale: str
    horizon: str = "20 ms"
    base_rate: str = "10 Hz"
    variable: str = "v"
    form = Form.EACH_STEP

    @property
    def reads(self) -> Reads:
        """The readout's membrane."""
        return Reads(self.readout, self.variable)

    def steps(self, n_steps: int) -> range:
        """Return the steps whose future lies in the trial."""
        last = n_steps - self._in_steps(self.horizon, "horizon", 1)
        if last < 1:
            raise InputError(f"trials must be longer than the horizon {self.horizon}.")
        return range(last)

    def prepared(self, target: Tensor) -> Tensor:
        """Return the spikes in the next steps, not a number where the trial ends before."""
        horizon = self._in_steps(self.horizon, "horizon", 1)
        total = torch.cat([torch.zeros_like(target[:1]), target.cumsum(dim=0)])
        future = torch.full_like(target, torch.nan)
        future[: target.shape[0] - horizon] = total[horizon + 1 :] - total[1:-horizon]
        return future

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the loss for readouts and input spikes, both of shape (step, batch, input)."""
        counted = self.steps(values.shape[0])
        return self._cost(values[: len(counted)], self.prepared(target)[: len(counted)]).mean()

    def at_step(self, values: Tensor, target: Tensor, step: int, n_steps: int) -> Tensor:
        """Return the part of one step, with a `prepared` target."""
        counted = self.steps(n_steps)
        if step not in counted:
            return values.sum() * 0.0
        return self._cost(values, target).mean() / len(counted)

    def _cost(self, values: Tensor, count: Tensor) -> Tensor:
        drive = values / quantity(self.scale).value
        at_rest = hertz(self.base_rate, "base_rate") * seconds(self.horizon) / log(2.0)
        log_drive = torch.where(drive < -30, drive, torch.log(softplus(drive).clamp(min=1e-30)))
        return at_rest * softplus(drive) - count * (log_drive + log(at_rest))


@dataclass(frozen=True, kw_only=True)
class InputReconstruction(_OnGrid):
    r"""Give the filtered input back, if wished only some time later: an autoencoder.

    .. math::
        L = \frac{1}{2} \left\langle \left( v_k(t)/s - (k * x_k)(t - \ell) \right)^2 \right\rangle_{t,k}

    mean over steps, inputs and trials, in units of the squared peak of the kernel :math:`k`; the first :math:`\ell` of
    every trial does not count. With a lag, neurons have to remember; with fewer neurons than inputs, to compress.

    Parameters
    ----------
    readout : str
        Population with one neuron per input that never fires.
    scale : str
        Membrane potential :math:`s` that counts as the peak of the kernel.
    kernel : DoubleExponential
    lag : str
        :math:`\ell`, a whole number of steps.
    variable : str
    dt : float, optional
        Seconds; `for_step` sets it.
    """

    readout: str
    scale: str
    kernel: DoubleExponential = _KERNEL
    lag: str = "0 ms"
    variable: str = "v"
    form = Form.EACH_STEP

    @property
    def reads(self) -> Reads:
        """The readout's membrane."""
        return Reads(self.readout, self.variable)

    @cached_property
    def _shift(self) -> int:
        return self._in_steps(self.lag, "lag", 0)

    def steps(self, n_steps: int) -> range:
        """Return the steps that show an input of the trial."""
        if self._shift >= n_steps:
            raise InputError(f"trials must be longer than the lag {self.lag}.")
        return range(self._shift, n_steps)

    def prepared(self, target: Tensor) -> Tensor:
        """Return the filtered input of a lag before; zero in the first steps."""
        counted = self.steps(target.shape[0])
        impulse = torch.zeros(target.shape[0], dtype=target.dtype, device=target.device)
        impulse[0] = 1.0
        peak = self.kernel.filtered(impulse, self.dt or 0.0).max()
        shifted = torch.zeros_like(target)
        shifted[counted.start :] = (self.kernel.filtered(target, self.dt or 0.0) / peak)[: len(counted)]
        return shifted

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the loss for readouts and input spikes, both of shape (step, batch, input)."""
        start = self.steps(values.shape[0]).start
        return self._cost(values[start:], self.prepared(target)[start:]).mean()

    def at_step(self, values: Tensor, target: Tensor, step: int, n_steps: int) -> Tensor:
        """Return the part of one step, with a `prepared` target."""
        counted = self.steps(n_steps)
        if step not in counted:
            return values.sum() * 0.0
        return self._cost(values, target).mean() / len(counted)

    def _cost(self, values: Tensor, answer: Tensor) -> Tensor:
        return 0.5 * (values / quantity(self.scale).value - answer).square()


@dataclass(frozen=True, kw_only=True)
class SelfPrediction(_OnGrid):
    """Latent predictive learning of a population's spike counts in successive bins; the input is not looked at.

    Samples are all bins of all trials but the first of each, each compared with the bin before it, in units of spikes
    per bin; see `LatentPrediction`.

    Parameters
    ----------
    population : str
        One that fires.
    bin : str
        A whole number of steps.
    rule : LatentPrediction
        Its floor should be about the variance of a neuron that fires once in a hundred bins, so that silence does not
        cost without bounds.
    dt : float, optional
        Seconds; `for_step` sets it.
    """

    population: str
    bin: str = "20 ms"
    rule: LatentPrediction = _RULE
    form = Form.WHOLE_RUN

    @property
    def reads(self) -> Reads:
        """The population's spikes."""
        return Reads(self.population, None)

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - of the interface
        """Return the loss for spikes of shape (step, batch, neuron)."""
        width = self._in_steps(self.bin, "bin", 1)
        n_bins = values.shape[0] // width
        if n_bins < 3:
            raise InputError(f"trials must hold at least three bins of {self.bin}.")
        counts = values[: n_bins * width].unflatten(0, (n_bins, width)).sum(dim=1)
        return self.rule.loss(counts[1:].flatten(0, 1), counts[:-1].flatten(0, 1))
