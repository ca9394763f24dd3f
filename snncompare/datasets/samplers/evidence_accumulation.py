"""Evidence accumulation: cues from left and right, a delay, and the question on which side there were more."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

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

__all__ = ["GROUPS", "SIDES", "EvidenceAccumulation", "evidence_accumulation"]

GROUPS = ("left", "right", "recall", "noise")
"""Groups of input neurons, in this order."""

SIDES = ("left", "right")
"""The two answers."""

_CUES, _FIRING = 0, 1
"""Purposes of the randomness of a trial."""


class _Steps(NamedTuple):
    """Durations as numbers of time steps."""

    cue: int
    pause: int
    shortest_delay: int
    longest_delay: int
    recall: int


def evidence_accumulation(
    files: Mapping[str, Path],  # noqa: ARG001 (nothing is read)
    *,
    n_cues: int = 7,
    probability: float = 0.7,
    cue: QuantityLike = "100 ms",
    pause: QuantityLike = "50 ms",
    shortest_delay: QuantityLike = "500 ms",
    longest_delay: QuantityLike = "1500 ms",
    recall: QuantityLike = "150 ms",
    n_per_group: int = 10,
    cue_rate: QuantityLike = "40 Hz",
    noise_rate: QuantityLike = "10 Hz",
    n_train: int = 640,
    n_validation: int = 64,
    n_test: int = 64,
    seed: int = 0,
) -> "EvidenceAccumulation":
    """Return trials of the task of a mouse that runs along cues and turns to the side that had more of them.

    Every cue follows a pause; after the last one comes the delay, whose length is uniform from shortest to longest,
    then the recall cue, during which the answer is asked for. Each trial prefers a side, at random; each of its cues is
    on that side with the given probability. Neurons of the groups ``left``, ``right`` and ``recall`` fire only during
    their cues, those of ``noise`` all the time; all fire in steps of 1 ms, independently.

    Parameters
    ----------
    files : mapping
        Empty.
    n_cues : int
        Odd, so that there is always an answer.
    probability : float
        Of a cue being on the preferred side, from 0.5 to 1.
    cue, pause, shortest_delay, longest_delay, recall : time
        Whole milliseconds. Trials are equally long if the shortest delay is the longest.
    n_per_group : int
        Neurons in each of the four groups.
    cue_rate, noise_rate : rate
    n_train, n_validation, n_test : int
        Sizes of the parts; trial i of a part is the same for any size.
    seed : int

    Returns
    -------
    EvidenceAccumulation
        Labels ``side`` (the right answer), ``n_left``, ``n_right``, ``delay`` (s), ``split``. Targets have the
        outputs `SIDES`: 1 for the right answer and 0 for the other during recall, NaN before.

    Raises
    ------
    InputError
        For an even number of cues, times that are no whole milliseconds, rates above 1 per step, and numbers below one.

    References
    ----------
    Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein & Maass (2020) Nat Commun 11:3625, Methods; after
    Morcos & Harvey (2016) Nat Neurosci 19:1672-1681.
    """
    if isinstance(n_cues, bool) or not isinstance(n_cues, int) or n_cues < 1 or n_cues % 2 == 0:
        raise InputError(f"n_cues must be an odd number of at least 1, so that there is an answer; got {n_cues!r}.")
    if not 0.5 <= probability <= 1 or not isinstance(n_per_group, int) or n_per_group < 1:
        raise InputError(
            "probability must lie from 0.5 to 1 and n_per_group be at least 1, got "
            f"{probability!r} and {n_per_group!r}."
        )
    rates = (checked_rate(cue_rate, "cue_rate"), checked_rate(noise_rate, "noise_rate"))
    steps = _Steps(
        cue=whole_steps(cue, "cue"),
        pause=whole_steps(pause, "pause"),
        shortest_delay=whole_steps(shortest_delay, "shortest_delay"),
        longest_delay=whole_steps(longest_delay, "longest_delay"),
        recall=whole_steps(recall, "recall"),
    )
    if steps.shortest_delay > steps.longest_delay:
        raise InputError(f"shortest_delay {shortest_delay} is longer than longest_delay {longest_delay}.")
    sizes = {"train": n_train, "validation": n_validation, "test": n_test}
    return EvidenceAccumulation(n_cues, probability, steps, n_per_group, rates, sizes, seed)


class EvidenceAccumulation(GeneratedTrials):
    """Trials of the task; see `evidence_accumulation`."""

    def __init__(
        self,
        n_cues: int,
        probability: float,
        steps: _Steps,
        n_per_group: int,
        rates: tuple[float, float],
        sizes: Mapping[str, int],
        seed: int,
    ) -> None:
        settings: dict[str, Any] = {"n_cues": n_cues, "probability": probability, "steps": steps._asdict()}
        super().__init__(sizes, seed, settings | {"n_per_group": n_per_group, "rates": list(rates)})
        self._n_cues = n_cues
        self._probability = probability
        self._steps = steps
        self._n_per_group = n_per_group
        self._cue_rate, self._noise_rate = rates

    @cached_property
    def units(self) -> pd.DataFrame:
        """One row per neuron, with its ``group``."""
        group = np.repeat(GROUPS, self._n_per_group)
        names = [f"{name} {i}" for name in GROUPS for i in range(self._n_per_group)]
        return pd.DataFrame({"group": group}, index=names)

    def target(self, position: int) -> xr.DataArray:
        """Return 1 for the right answer and 0 for the other during recall, NaN before."""
        is_right, delay = self._drawn(position)
        n_steps = self._n_steps(delay)
        values = np.full((n_steps, len(SIDES)), np.nan)
        values[n_steps - self._steps.recall :] = np.arange(len(SIDES)) == self._answer(is_right)
        return outputs_over_time(values, SIDES)

    def _described(self, position: int) -> tuple[float, dict[str, Any]]:
        is_right, delay = self._drawn(position)
        n_right = int(is_right.sum())
        labels = {"side": SIDES[self._answer(is_right)], "n_left": self._n_cues - n_right, "n_right": n_right}
        return self._n_steps(delay) * STEP, labels | {"delay": delay * STEP}

    def _drawn(self, position: int) -> tuple[NDArray[np.bool_], int]:
        """Return which cues are on the right, and the delay in steps."""
        rng = self.randomness(position, _CUES)
        prefers_right = rng.random() < 0.5
        delay = int(rng.integers(self._steps.shortest_delay, self._steps.longest_delay, endpoint=True))
        return (rng.random(self._n_cues) < self._probability) == prefers_right, delay

    def _answer(self, is_right: NDArray[np.bool_]) -> int:
        return int(is_right.sum() > self._n_cues // 2)

    def _n_steps(self, delay: int) -> int:
        return self._n_cues * (self._steps.pause + self._steps.cue) + delay + self._steps.recall

    def _fired(self, position: int) -> Spikes:
        is_right, delay = self._drawn(position)
        rates = np.zeros((len(GROUPS), self._n_steps(delay)))
        period = self._steps.pause + self._steps.cue
        for number, side in enumerate(is_right.astype(int)):
            rates[side, number * period + self._steps.pause : (number + 1) * period] = self._cue_rate
        rates[GROUPS.index("recall"), -self._steps.recall :] = self._cue_rate
        rates[GROUPS.index("noise")] = self._noise_rate
        return spikes_in_steps(np.repeat(rates, self._n_per_group, axis=0), self.randomness(position, _FIRING))
