"""Spike times exchanged between the trials of one condition: rates over time stay, what a single trial does goes."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from snncompare.recording import spike_moves
from snncompare.recording.recording import Recording
from snncompare.recording.surrogates import Surrogate

__all__ = ["ExchangedWithinCondition"]


@final
@dataclass(frozen=True)
class ExchangedWithinCondition(Surrogate):
    """Spike times of a unit exchanged at random between its trials of the same condition.

    Every train keeps its count, and every unit the times at which it fired in each condition. What goes is the order of
    spikes within a train: bursts, refractoriness, regularity. The null hypothesis is exact: given its count, the spikes
    of a train lie independently of each other, with a density of the unit and condition. With n trials of a condition
    two spikes stay together with probability 1/n.

    Parameters
    ----------
    by : str
        Column of the trials table that names the condition.

    Raises
    ------
    InputError
        On use, if there is no such column, or the windows of the trials differ.
    """

    by: str

    keeps: ClassVar[str] = "the count of every train, and the time course of every unit in every condition"
    destroys: ClassVar[str] = "relations between the spikes of a train: bursts, refractoriness"

    def _moved(self, recording: Recording, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        condition = spike_moves.conditions_of(recording, self.by, "ExchangedWithinCondition.by")
        spike_moves.refuse_unlike_windows(recording, "exchanging spike times between trials")
        trial, unit = recording.spike_index()
        group = unit + recording.n_units * condition[trial]
        moved = spike_moves.shuffled_within(recording.times, group, rng)
        return spike_moves.sorted_within(moved, recording.offsets), recording.offsets
