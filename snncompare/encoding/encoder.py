"""Encoders: frozen values that turn one stimulus into the spikes of named units."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from snncompare.encoding.description import described
from snncompare.encoding.presentations import checked_presentations, trial_table
from snncompare.errors import InputError
from snncompare.recording.recording import Recording

__all__ = ["Encoder", "Spikes", "presentation_seed"]


class Spikes(NamedTuple):
    """Spike trains of all units in one trial or in several.

    ``times``: seconds from the start of the trial, ordered by trial, then unit, then time, shape (n_spikes,).
    ``counts``: number of spikes of each train, shape (n_units,) or (n_trials, n_units).
    """

    times: NDArray[np.float64]
    counts: NDArray[np.int64]


def presentation_seed(seed: int, presentation: int) -> np.random.SeedSequence:
    """Return the randomness of one presentation: it depends on these two numbers and on nothing else.

    Raises
    ------
    InputError
        For a negative seed.
    """
    if seed < 0:
        raise InputError(f"seed must not be negative, got {seed}.")
    return np.random.SeedSequence(seed, spawn_key=(int(presentation),))


class Encoder(ABC):
    """Turns stimuli into spikes. Subclasses are frozen dataclasses, listed in `snncompare.encoding.catalogue`.

    The spikes of a presentation depend on the encoder, the stimulus, the seed and the number of the presentation:
    neither on the other presentations nor on their order. So they can be made one at a time, anywhere.
    """

    takes: ClassVar[type | tuple[type, ...]]
    """Kind of stimulus, of `snncompare.encoding.stimuli`."""

    @abstractmethod
    def units(self, stimulus: Any) -> pd.DataFrame:
        """Return the table of units that fire to stimuli like this one: index = names, columns = what they are."""

    def duration(self, stimulus: Any) -> float:
        """Return how long a presentation lasts, in seconds, by default as long as the stimulus.

        Spikes lie from 0 to there, both included.
        """
        return float(stimulus.duration)

    @abstractmethod
    def fire(self, stimulus: Any, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of one presentation, counts of shape (n_units,).

        Parameters
        ----------
        stimulus : one of ``takes``
        randomness : numpy.random.SeedSequence
            All the randomness there is; see `presentation_seed`.
        """

    def described(self) -> dict[str, Any]:
        """Return the encoder as plain data, from which `catalogue.encoder` makes it again."""
        return described(self)

    def encode(
        self,
        stimuli: Sequence[Any],
        *,
        seed: int,
        trials: pd.DataFrame | None = None,
        presentations: ArrayLike | None = None,
    ) -> Recording:
        """Return the spikes fired to a sequence of stimuli, one trial each.

        Parameters
        ----------
        stimuli : sequence of one of ``takes``
            They must lead to the same units.
        seed : int
            Of all noise. The spikes of a trial depend on the seed, its stimulus and the number of its presentation.
        trials : pandas.DataFrame, optional
            Names (index) and labels (columns) of the trials; default: numbered, no labels.
        presentations : sequence of int, shape (n_trials,), optional
            Number of each presentation; default 0, 1, 2, ... Give it where stimuli are encoded in several batches.

        Raises
        ------
        InputError
            For stimuli of another kind or none, ones that lead to other units, labels or numbers that are not one each.
        """
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise InputError(f"seed must be a whole number of 0 or more, got {seed!r:.40}.")
        if isinstance(stimuli, self.takes):
            raise InputError(f"{type(self).__name__} encodes a sequence of stimuli, got one; write [stimulus].")
        if len(stimuli) == 0:
            raise InputError("there is nothing to encode; give at least one stimulus.")
        for stimulus in stimuli:
            self.check(stimulus)
        units = self.units(stimuli[0])
        numbers = checked_presentations(presentations, len(stimuli))
        table = trial_table(trials, [self.duration(stimulus) for stimulus in stimuli])
        fired = []
        for position, (stimulus, number) in enumerate(zip(stimuli, numbers, strict=True)):
            one = self.fire(stimulus, presentation_seed(seed, number))
            if one.counts.shape != (len(units),):
                raise InputError(
                    f"stimulus {position} leads to {one.counts.size} units and stimulus 0 to {len(units)}; encode "
                    "stimuli of one shape together."
                )
            fired.append(one)
        counts = np.concatenate([one.counts for one in fired])
        return Recording(
            times=np.concatenate([one.times for one in fired]),
            offsets=np.concatenate([[0], np.cumsum(counts)]),
            units=units,
            trials=table,
            provenance={"encoder": self.described(), "seed": int(seed)},
        )

    def check(self, stimulus: object) -> None:
        """Refuse a stimulus of another kind, and one that this encoder can make nothing of.

        Raises
        ------
        InputError
        """
        if not isinstance(stimulus, self.takes):
            kinds = self.takes if isinstance(self.takes, tuple) else (self.takes,)
            allowed = " or ".join(kind.__name__ for kind in kinds)
            raise InputError(
                f"{type(self).__name__} takes a stimulus of kind {allowed} (snncompare.encoding.stimuli), "
                f"got {type(stimulus).__name__}."
            )
        self._check(stimulus)

    def _check(self, stimulus: Any) -> None:  # noqa: B027 (most encoders refuse nothing else)
        """Refuse a stimulus of the right kind that this encoder can make nothing of: too coarse, too many channels."""
