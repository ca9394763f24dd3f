"""Families of tasks to be learnt from one example, and how a target is shown as spikes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.units import QuantityLike, hertz, seconds
from snncompare.values import check_fields

__all__ = ["Clock", "Sines", "TuningCurves"]


@dataclass(frozen=True, kw_only=True)
class Sines:
    r"""Targets :math:`y^*(t) = A \sin(2 \pi t / P + \varphi)` with amplitude, period and phase drawn for every task.

    Parameters
    ----------
    shortest, longest : time
        Bounds of the period :math:`P`, uniform.
    low, high : float
        Bounds of the amplitude :math:`A`, uniform.
    """

    shortest: QuantityLike = "200 ms"
    longest: QuantityLike = "300 ms"
    low: float = 0.5
    high: float = 1.5

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < seconds(self.shortest, "shortest") <= seconds(self.longest, "longest"):
            raise InputError(f"shortest must be positive and at most longest, got {self.shortest} and {self.longest}.")
        if self.low > self.high:
            raise InputError(f"low must be at most high, got {self.low} and {self.high}.")

    def draw(self, n_tasks: int, n_steps: int, dt: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return targets, shape (step, task, 1)."""
        amplitude = rng.uniform(self.low, self.high, n_tasks)
        period = rng.uniform(seconds(self.shortest, "shortest"), seconds(self.longest, "longest"), n_tasks)
        phase = rng.uniform(0, 2 * np.pi, n_tasks)
        time = np.arange(n_steps)[:, np.newaxis] * dt
        return np.asarray(amplitude * np.sin(2 * np.pi * time / period + phase))[..., np.newaxis]


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Groups of neurons that fire one group after the other, the same in every run.

    Parameters
    ----------
    n_groups, n_per_group : int
    hand : time
        How long each group fires; after the last one the first is next.
    rate : rate
    seed : int
        Of the spikes, which are drawn once, step by step.
    """

    n_groups: int = 5
    n_per_group: int = 4
    hand: QuantityLike = "50 ms"
    rate: QuantityLike = "100 Hz"
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if min(self.n_groups, self.n_per_group) < 1 or seconds(self.hand, "hand") <= 0 or hertz(self.rate, "rate") < 0:
            raise InputError(
                "n_groups and n_per_group must be at least 1, hand longer than zero and rate not negative, got "
                f"{self.n_groups}, {self.n_per_group}, {self.hand} and {self.rate}."
            )

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.n_groups * self.n_per_group

    def raster(self, n_steps: int, dt: float) -> NDArray[np.float64]:
        """Return spikes, shape (step, neuron)."""
        group = np.floor(np.arange(n_steps) * dt / seconds(self.hand, "hand") + 1e-9).astype(int) % self.n_groups
        active = np.repeat(group[:, np.newaxis] == np.arange(self.n_groups), self.n_per_group, axis=1)
        rng = np.random.default_rng(self.seed)
        return np.asarray(active & (rng.random(active.shape) < hertz(self.rate, "rate") * dt), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class TuningCurves:
    r"""Neurons that fire at the rate :math:`r \exp(-(y - c_i)^2 / 2 \sigma^2)` while a target has the value :math:`y`.

    Parameters
    ----------
    low, high : float
        First and last centre :math:`c_i`; :math:`\sigma` is their distance from each other.
    n : int
        Number of neurons for each output, at least 2.
    rate : rate
        :math:`r`
    """

    low: float = -1.5
    high: float = 1.5
    n: int = 16
    rate: QuantityLike = "200 Hz"

    def __post_init__(self) -> None:
        check_fields(self)
        if self.n < 2 or self.low >= self.high:
            raise InputError(f"n must be at least 2 and low below high, got {self.n}, {self.low} and {self.high}.")

    def raster(self, target: NDArray[np.float64], dt: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return spikes, shape (step, task, output * n), for targets of shape (step, task, output)."""
        centres = np.linspace(self.low, self.high, self.n)
        width = centres[1] - centres[0]
        rates = hertz(self.rate, "rate") * np.exp(-0.5 * ((target[..., np.newaxis] - centres) / width) ** 2)
        fired = rng.random(rates.shape) < rates * dt
        return fired.reshape(*target.shape[:2], -1).astype(np.float64)
