"""What generated tasks share: parts that are drawn from seeds of their own, trials that do not depend on each other."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.source import SpikeSource
from snncompare.encoding.encoder import Spikes
from snncompare.errors import InputError
from snncompare.units import QuantityLike, hertz, seconds

__all__ = [
    "MOST_TRIALS",
    "PARTS",
    "STEP",
    "GeneratedTrials",
    "checked_rate",
    "checked_sizes",
    "outputs_over_time",
    "spikes_in_steps",
    "whole_steps",
]

PARTS = ("train", "validation", "test")
"""Parts of a generated dataset; the position of a part is in the key of its randomness."""

STEP = 1e-3
"""Seconds between two samples of tasks that are defined in time steps, as in their publications."""

MOST_TRIALS = 1_000_000
"""Of a part."""

_TRIALS = 1
"""First number of the keys of trials; 0 is left to what all trials share."""


class GeneratedTrials(SpikeSource):
    """Trials that are generated one by one, in three parts.

    The randomness of trial i of a part depends on the seed, the part and i, not on how many trials there are.

    Parameters
    ----------
    sizes : mapping of str to int
        Number of trials of each of `PARTS`.
    seed : int
    settings : mapping
        Everything else that the spikes depend on, for the provenance.
    """

    def __init__(self, sizes: Mapping[str, int], seed: int, settings: Mapping[str, Any]) -> None:
        self._sizes = checked_sizes(sizes, seed)
        self._seed = seed
        self._settings = dict(settings)

    @cached_property
    def places(self) -> Sequence[tuple[int, int]]:
        """Part and number within the part, of every trial."""
        return [(k, i) for k, part in enumerate(PARTS) for i in range(self._sizes[part])]

    def randomness(self, position: int, purpose: int) -> np.random.Generator:
        """Return the randomness of a trial, one stream for each purpose."""
        key = (_TRIALS, *self.places[position], purpose)
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=key))

    @property
    def provenance(self) -> dict[str, Any]:
        """Generator, its settings and its seed."""
        return {"generator": type(self).__name__, "settings": self._settings, "sizes": self._sizes, "seed": self._seed}

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row per trial: ``start``, ``stop`` (s), ``split`` and the labels."""
        rows = []
        for position, (k, _) in enumerate(self.places):
            duration, labels = self._described(position)
            rows.append({"start": 0.0, "stop": duration, "split": PARTS[k]} | labels)
        return pd.DataFrame(rows, index=[f"{PARTS[k]} {i}" for k, i in self.places])

    def spikes(self, positions: NDArray[np.int64]) -> Spikes:
        """Return the spikes of some trials."""
        if len(positions) == 0:
            return Spikes(np.empty(0), np.empty((0, len(self.units)), dtype=np.int64))
        fired = [self._fired(int(position)) for position in positions]
        return Spikes(np.concatenate([one.times for one in fired]), np.stack([one.counts for one in fired]))

    @abstractmethod
    def _described(self, position: int) -> tuple[float, dict[str, Any]]:
        """Return duration (s) and labels of a trial."""

    @abstractmethod
    def _fired(self, position: int) -> Spikes:
        """Return the spikes of a trial, counts of shape (n_units,)."""


def checked_sizes(sizes: Mapping[str, int], seed: int) -> dict[str, int]:
    """Return the sizes of the parts.

    Raises
    ------
    InputError
        For sizes that are no whole numbers from 0 to `MOST_TRIALS`, if all are 0, and for a negative seed.
    """
    for part, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MOST_TRIALS:
            raise InputError(
                f"the number of trials for '{part}' must be a whole number of 0 or more, at most {MOST_TRIALS}; got "
                f"{size!r}."
            )
    if sum(sizes.values()) == 0:
        raise InputError("the dataset would be empty; ask for at least one trial in one of its parts.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed must be a whole number of 0 or more, got {seed!r}.")
    return dict(sizes)


def whole_steps(time: QuantityLike, name: str) -> int:
    """Return a time as a number of steps of `STEP`.

    Raises
    ------
    InputError
        If it is not positive or no whole number of steps.
    """
    value = seconds(time, name) / STEP
    if not np.isfinite(value) or value < 0.5 or abs(value - round(value)) > 1e-6:
        raise InputError(f"{name} must be a whole number of milliseconds, at least 1; got {time}.")
    return round(value)


def checked_rate(rate: QuantityLike, name: str) -> float:
    """Return a firing rate in hertz.

    Raises
    ------
    InputError
        If it is negative, or more than one spike per step of `STEP`.
    """
    value = hertz(rate, name)
    if not 0 <= value <= 1 / STEP:
        raise InputError(f"{name} must lie from 0 to {1 / STEP:g} Hz, one spike per step; got {rate}.")
    return value


def spikes_in_steps(rates: NDArray[np.float64], rng: np.random.Generator) -> Spikes:
    """Return spikes that fall into each step of `STEP` with the probability rate * `STEP`, at the start of the step.

    Parameters
    ----------
    rates : array, shape (n_units, n_steps)
        Hertz.
    rng : numpy.random.Generator
    """
    unit, step = np.nonzero(rng.random(rates.shape) < rates * STEP)
    return Spikes(np.asarray(step * STEP, dtype=np.float64), np.bincount(unit, minlength=len(rates)).astype(np.int64))


def outputs_over_time(values: NDArray[np.float64], outputs: Sequence[str]) -> xr.DataArray:
    """Return a target, dimensions ``time`` (s, every `STEP`) and ``output``; NaN where no answer is asked for."""
    time = np.arange(len(values)) * STEP
    return xr.DataArray(values, dims=("time", "output"), coords={"time": time, "output": list(outputs)}, name="target")
