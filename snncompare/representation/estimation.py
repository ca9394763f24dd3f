"""From spike trains to numbers between conditions: which trials enter, by which estimator, block by block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.blocks.execution import Execution, assembled, blocks_of
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.conditions import Conditions, Label, only_conditions
from snncompare.representation.distances import aligned_trains
from snncompare.representation.estimators import Estimator, PairEstimator, checked_estimator, default_estimator
from snncompare.representation.metrics import Metric

__all__ = ["Population", "conditions_and_estimator", "population_of"]


@dataclass(frozen=True, eq=False)
class Population:
    """Spike trains whose conditions and estimator are settled: of one set of trials, or of one per session.

    Attributes
    ----------
    parts : tuple of (Trains, Conditions)
        One, or one per session; all with the same labels.
    estimator : Estimator
    more : mapping of str to str
        Further descriptors of its RDMs.
    """

    parts: tuple[tuple[Trains, Conditions], ...]
    estimator: Estimator
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The conditions, in the order of the RDM."""
        return self.parts[0][1].labels

    def dissimilarities(self, metrics: Sequence[Metric], execution: Execution | None = None) -> NDArray[np.float64]:
        """Return dissimilarities ``(n_metrics, n_pairs)``, summed over the parts."""
        first, *others = (self._of_part(trains, of, metrics, execution) for trains, of in self.parts)
        for one in others:
            first += one
        return first

    def during(self, start: float, stop: float, closed: bool) -> "Population":
        """Return the spikes from ``start`` to ``stop`` (seconds), with ``stop`` itself only if ``closed``."""
        return replace(self, parts=tuple((_during(trains, start, stop, closed), of) for trains, of in self.parts))

    def _of_part(
        self, trains: Trains, conditions: Conditions, metrics: Sequence[Metric], execution: Execution | None
    ) -> NDArray[np.float64]:
        euclidean = np.array([metric.euclidean for metric in metrics])
        if isinstance(self.estimator, PairEstimator):
            blocks = blocks_of(metrics, "between_trials", trains, execution)
            return self.estimator.from_blocks(blocks, euclidean, conditions)
        values = assembled(metrics, "between_trials", trains, execution)
        return self.estimator.estimate(values, euclidean, conditions, np.ones((1, conditions.n_all)))[:, 0]


def population_of(
    recording: Recording, by: str, estimator: Estimator | None, conditions: Sequence[Label] | str | None = None
) -> Population:
    """Return the trials of a recording that enter an RDM; refuse what does not fit, see `rdm.rdm`."""
    kept, of, chosen = conditions_and_estimator(recording, by, estimator, conditions)
    return Population(((aligned_trains(kept), of),), chosen)


def conditions_and_estimator(
    recording: Recording, by: str, estimator: Estimator | None, conditions: Sequence[Label] | str | None = None
) -> tuple[Recording, Conditions, Estimator]:
    """Return the trials that enter an RDM, their conditions and the estimator; refuse what does not fit."""
    asked = checked_estimator(estimator)
    across = None if asked is None else asked.across
    if conditions is None:
        of = Conditions.of(recording, by, across)
    elif isinstance(conditions, str):
        raise InputError(
            f"conditions={conditions!r} is for sessions that are joined; give a list of labels, or join='session'."
        )
    else:
        recording, wanted = only_conditions(recording, by, conditions)
        of = Conditions.of(recording, by, across).ordered(wanted)
    chosen = asked or default_estimator(of)
    chosen.check(of)
    return recording, of, chosen


def _during(trains: Trains, start: float, stop: float, closed: bool) -> Trains:
    """Cut spike trains; times on an edge up to rounding lie on it, so that adjoining windows share out all spikes."""
    slack = 8 * np.finfo(float).eps * max(abs(start), abs(stop), 1.0)
    late = trains.times <= stop + slack if closed else trains.times < stop - slack
    kept = (trains.times >= start - slack) & late
    offsets = np.concatenate([[0], np.cumsum(kept)])[trains.offsets]
    return Trains(np.clip(trains.times[kept], start, stop), offsets, trains.n_units, start, stop)
