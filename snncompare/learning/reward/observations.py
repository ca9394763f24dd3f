"""What an environment shows, as spikes of a network's input."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.codes.feature_code import FeatureCode
from snncompare.encoding.codes.population import PopulationCode
from snncompare.encoding.codes.rate import RateCode
from snncompare.encoding.stimuli import Features
from snncompare.errors import InputError
from snncompare.units import QuantityLike, seconds

__all__ = ["EncodedObservations", "Observations", "SpikeObservations", "whole_number"]


class Observations(ABC):
    """How observations become spikes; the network runs for `n_steps` steps between two decisions."""

    @abstractmethod
    def n_steps(self, dt: float) -> int:
        """Return the time steps of `dt` seconds between two decisions."""

    @abstractmethod
    def raster(self, seen: NDArray[Any], dt: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return spike counts, shape (step, trial, unit), for observations of several trials, shape (trial, ...)."""


@dataclass(frozen=True)
class SpikeObservations(Observations):
    """Observations that are spikes already, shape (step, unit), of an environment that knows of time.

    Parameters
    ----------
    window : time
        What one observation lasts.
    """

    window: QuantityLike

    def n_steps(self, dt: float) -> int:
        """Return the steps of a window."""
        return whole_number(seconds(self.window, "window") / dt, self.window, dt)

    def raster(self, seen: NDArray[Any], dt: float, rng: np.random.Generator) -> NDArray[np.float64]:  # noqa: ARG002
        """Return the observations, trials second.

        Raises
        ------
        InputError
            If they are no spikes, or of another length.
        """
        if seen.ndim != 3 or seen.shape[1] != self.n_steps(dt):
            raise InputError(
                f"observations that are spikes must have the shape ({self.n_steps(dt)}, unit) for a window of "
                f"{self.window} in steps of {dt:g} s, got {seen.shape[1:]}."
            )
        if (seen < 0).any() or (seen != np.round(seen)).any():
            raise InputError("observations must be whole numbers of spikes; use EncodedObservations for other values.")
        return np.ascontiguousarray(seen.transpose(1, 0, 2), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class EncodedObservations(Observations):
    """Vectors of numbers, each by several units with overlapping receptive fields.

    Numbers are mapped from `low` to `high` onto 0 to 1, what lies outside onto the nearest end.

    Parameters
    ----------
    low, high : tuple of float
        Range of each number of the observation.
    code : FeatureCode
        What fires for numbers from 0 to 1; its window is what the network runs for between two decisions. Default: 8
        units each, at rates up to 200 Hz for 20 ms; with ``PopulationCode(code=LatencyCode(...))``, by latency.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    code: FeatureCode = field(
        default_factory=lambda: PopulationCode(code=RateCode(highest_rate="200 Hz", window="20 ms"))
    )

    def __post_init__(self) -> None:
        if len(self.low) != len(self.high) or not all(a < b for a, b in zip(self.low, self.high, strict=True)):
            raise InputError(f"low must be below high for every number, got {self.low} and {self.high}.")

    def n_steps(self, dt: float) -> int:
        """Return the steps of the code's window."""
        return whole_number(self.code.window.value / dt, self.code.window, dt)

    @property
    def n_units(self) -> int:
        """Units that fire."""
        return len(self.code.units(Features(np.zeros(len(self.low)))))

    def raster(self, seen: NDArray[Any], dt: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the spikes of the code.

        Raises
        ------
        InputError
            If observations are no vectors of the right length.
        """
        if seen.shape[1:] != (len(self.low),):
            raise InputError(f"low and high are of {len(self.low)} numbers, observations of {seen.shape[1:]}.")
        low, high = np.asarray(self.low), np.asarray(self.high)
        features = np.clip((seen.astype(np.float64) - low) / (high - low), 0.0, 1.0)
        n_steps = self.n_steps(dt)
        rasters = np.zeros((n_steps, len(seen), self.n_units))
        for trial, row in enumerate(features):
            fired = self.code.fire(Features(row), np.random.SeedSequence(int(rng.integers(2**63))))
            unit = np.repeat(np.arange(rasters.shape[2]), fired.counts)
            # A spike at a step's start may lie below it by rounding; one at the window's end falls into its last step.
            step = np.minimum((fired.times / dt + 1e-6).astype(np.int64), n_steps - 1)
            np.add.at(rasters[:, trial], (step, unit), 1.0)
        return rasters


def whole_number(steps: float, window: object, dt: float) -> int:
    """Return a number of steps that should be whole.

    Raises
    ------
    InputError
        If it is not.
    """
    if steps < 0.5 or abs(steps - round(steps)) > 1e-6:
        raise InputError(f"the window {window} between decisions must be a whole number of time steps of {dt:g} s.")
    return round(steps)
