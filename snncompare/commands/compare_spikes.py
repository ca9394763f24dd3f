"""Spikes whose conditions, estimator and sessions fit together, and the RDMs that are made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from snncompare.commands.compare_parts import FromNetwork, RecordingConfig
from snncompare.errors import InputError, unknown

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

    from snncompare.recording.recording import Recording
    from snncompare.representation.blocks.execution import Execution
    from snncompare.representation.estimators import Estimator
    from snncompare.representation.metrics import Metric
    from snncompare.representation.repeats.replicates import Replicates

__all__ = ["Spikes", "check_across", "spikes_of"]


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes from which RDMs can be made.

    Attributes
    ----------
    recording : Recording
    by : str
        Label of the trials that names the condition.
    conditions : tuple of labels
        In order of first appearance.
    estimator : Estimator
    join : str or None
        Label of units and trials that tells the sessions which are joined by condition.
    left_out : str
        Conditions that not every session has, in words.
    """

    recording: "Recording"
    by: str
    conditions: tuple[Any, ...]
    estimator: "Estimator"
    join: str | None
    wanted: Literal["common"] | None
    left_out: str

    @property
    def sessions(self) -> "dict[Any, Recording]":
        """The recordings whose units were recorded together: of each session, or the only one, named None."""
        from snncompare.representation.sessions import split_sessions

        return {None: self.recording} if self.join is None else dict(split_sessions(self.recording, self.join))

    @property
    def of_sessions(self) -> str:
        """How many sessions are joined, in words; empty where none are."""
        return "" if self.join is None else f" of {len(self.sessions)} sessions, each unit in the trials of its own,"

    @property
    def words(self) -> str:
        """Numbers of units, sessions and trials."""
        return f"{self.recording.n_units} units{self.of_sessions} in {self.recording.n_trials} trials"

    def rdms(
        self, metrics: "Sequence[Metric]", execution: "Execution | None" = None, name: str | None = None
    ) -> "RDMs":
        """Return one RDM per metric."""
        from snncompare.representation.rdm import rdm

        given = self.recording if self.join is None else self.sessions
        return rdm(given, metrics, self.by, self.estimator, name, conditions=self.wanted, execution=execution)

    def rdms_and_replicates(
        self,
        metrics: "Sequence[Metric]",
        n_resamples: int,
        seed: int,
        execution: "Execution | None" = None,
        name: str | None = None,
    ) -> "tuple[RDMs, Replicates]":
        """Return one RDM per metric, and RDMs of resampled trials and of split halves."""
        from snncompare.representation.conditions import Conditions
        from snncompare.representation.distances import distances
        from snncompare.representation.rdm import rdm_from_distances
        from snncompare.representation.repeats.replicates import replicates
        from snncompare.representation.sessions import join_replicates

        drawn: dict[str, Any] = {"n_resamples": n_resamples, "seed": seed}
        if self.join is not None:
            drawn |= {"conditions": self.wanted, "execution": execution}
            repeated = join_replicates(self.sessions, metrics, self.by, self.estimator, **drawn)
            return self.rdms(metrics, execution, name), repeated
        between = distances(self.recording, metrics, execution=execution)
        of = Conditions.of(self.recording, self.by, self.estimator.across)
        data = rdm_from_distances(between, of, self.estimator, name)
        return data, replicates(between, of, self.estimator, **drawn)


def spikes_of(
    recording: "Recording",
    config: RecordingConfig | FromNetwork,
    estimator: "Estimator | None",
    metrics: "Sequence[Metric]",
) -> Spikes:
    """Return spikes as a configuration asks for them, by default with the estimator that fits.

    Raises
    ------
    InputError
        If there are too few conditions, too few trials for the estimator, or the sessions do not fit together.
    UnsupportedError
        If sessions cannot be joined with a metric or the estimator.
    """
    from snncompare.representation.sessions import gathered

    check_across(recording, estimator)
    found = gathered(recording, metrics, config.by, estimator, config.join, config.conditions)
    left_out = found.more.get("left_out", "")
    return Spikes(recording, config.by, found.labels, found.estimator, config.join, config.conditions, left_out)


def check_across(recording: "Recording", estimator: "Estimator | None") -> None:
    """Refuse an estimator that pairs trials across a label that the trials do not have."""
    if estimator is None or estimator.across is None:
        return
    labels = [name for name in recording.trials if name not in {"start", "stop"}]
    if estimator.across not in labels:
        raise InputError(f"estimator.across: {unknown('label of the trials', estimator.across, labels)}")
