"""Pattern generation: a frozen noise input, at which a smooth curve is to be drawn."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.samplers.generated_trials import (
    STEP,
    GeneratedTrials,
    checked_rate,
    outputs_over_time,
    spikes_in_steps,
    whole_steps,
)
from snncompare.encoding.encoder import Spikes
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["PatternGeneration", "pattern_generation"]

_CYCLES = (1, 2, 3, 5)
"""Cycles of the sines in a trial: 1, 2, 3 and 5 Hz where it lasts a second."""

_LEAST_AMPLITUDE, _LARGEST_AMPLITUDE = 0.5, 2.0

_CURVE, _FIRING = 0, 1
"""Purposes of the randomness of a trial."""


def pattern_generation(
    files: Mapping[str, Path],  # noqa: ARG001 (nothing is read)
    *,
    n_patterns: int = 1,
    n_outputs: int = 1,
    n_units: int = 100,
    rate: QuantityLike = "50 Hz",
    duration: QuantityLike = "1 s",
    seed: int = 0,
) -> "PatternGeneration":
    r"""Return patterns, one trial each: frozen spikes, and the curves that belong to them.

    .. math:: y(t) \propto \sum_{k \in \{1, 2, 3, 5\}} A_k \sin \left( \frac{2 \pi k t}{T} + \varphi_k \right) - y_0

    with :math:`A` uniform from 0.5 to 2 and :math:`\varphi` from 0 to :math:`2 \pi`; :math:`y_0` makes the curve start
    at 0, and its largest absolute value is 1. The input spikes of a pattern are drawn once, in steps of 1 ms; the same
    trial is presented again and again, so there is one part only, called ``train``.

    Parameters
    ----------
    files : mapping
        Empty.
    n_patterns : int
        Pairs of an input and its curves.
    n_outputs : int
        Curves of a pattern, independent of each other.
    n_units : int
        Input neurons.
    rate : rate
        Of each of them.
    duration : time
        :math:`T`, whole milliseconds.
    seed : int
        Pattern i is the same for any number of patterns.

    Returns
    -------
    PatternGeneration
        Labels ``pattern``, ``split``; targets have the outputs ``"0"``, ``"1"``, ...

    Raises
    ------
    InputError
        For numbers below one, and a duration that is no whole number of milliseconds.

    References
    ----------
    Bellec et al. (2020) Nat Commun 11:3625, Methods; numbers as in the authors' tutorial, whose input (each neuron
    fires with probability 0.05 in a step of 1 ms) and normalisation these are.
    """
    for name, number in (("n_patterns", n_patterns), ("n_outputs", n_outputs), ("n_units", n_units)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InputError(f"{name} must be a whole number of at least 1, got {number!r}.")
    steps, hz = whole_steps(duration, "duration"), checked_rate(rate, "rate")
    if steps <= 2 * max(_CYCLES):
        raise InputError(f"duration must be longer than {2 * max(_CYCLES)} ms to hold the curve, got {duration}.")
    return PatternGeneration(n_patterns, n_outputs, n_units, hz, steps, seed)


class PatternGeneration(GeneratedTrials):
    """Patterns of the task; see `pattern_generation`."""

    def __init__(self, n_patterns: int, n_outputs: int, n_units: int, rate: float, steps: int, seed: int) -> None:
        settings: dict[str, Any] = {"n_outputs": n_outputs, "n_units": n_units, "rate": rate, "steps": steps}
        super().__init__({"train": n_patterns, "validation": 0, "test": 0}, seed, settings)
        self._n_outputs = n_outputs
        self._n_units = n_units
        self._rate = rate
        self._steps = steps

    @cached_property
    def units(self) -> pd.DataFrame:
        """One row per input neuron."""
        return pd.DataFrame(index=[f"input {j}" for j in range(self._n_units)])

    def target(self, position: int) -> xr.DataArray:
        """Return the curves of a pattern."""
        rng = self.randomness(position, _CURVE)
        curves = [self._curve(rng) for _ in range(self._n_outputs)]
        return outputs_over_time(np.stack(curves, axis=1), [str(k) for k in range(self._n_outputs)])

    def _curve(self, rng: np.random.Generator) -> NDArray[np.float64]:
        amplitude = rng.uniform(_LEAST_AMPLITUDE, _LARGEST_AMPLITUDE, len(_CYCLES))
        phase = rng.uniform(0.0, 2.0 * np.pi, len(_CYCLES))
        turns = np.outer(np.arange(self._steps) / self._steps, _CYCLES)
        curve = np.sin(2.0 * np.pi * turns + phase) @ amplitude
        curve -= curve[0]
        return np.asarray(curve / np.abs(curve).max())

    def _described(self, position: int) -> tuple[float, dict[str, Any]]:
        return self._steps * STEP, {"pattern": self.places[position][1]}

    def _fired(self, position: int) -> Spikes:
        rates = np.full((self._n_units, self._steps), self._rate)
        return spikes_in_steps(rates, self.randomness(position, _FIRING))
