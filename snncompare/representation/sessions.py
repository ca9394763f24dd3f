"""Units of different sessions, which share no trials, joined into one population by condition."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.recording.arguments import a_recording, column_name, whole_number
from snncompare.recording.recording import Recording
from snncompare.representation.blocks.execution import Execution
from snncompare.representation.conditions import Conditions, Label, label_column, unique_labels
from snncompare.representation.distances import WINDOW_TOLERANCE, aligned_trains, distances, several_metrics
from snncompare.representation.estimation import Population, conditions_and_estimator, population_of
from snncompare.representation.estimators import BetweenMinusWithin, Estimator, MeanDistance, checked_estimator
from snncompare.representation.metrics import Metric
from snncompare.representation.repeats.replicates import Replicates, replicates

__all__ = ["gathered", "join_replicates", "join_sessions", "split_sessions"]


def split_sessions(recording: Recording, join: str) -> dict[Label, Recording]:
    """Return the recording of each session: its units in its trials.

    Parameters
    ----------
    recording : Recording
    join : str
        Column of the units table and of the trials table, such as ``"session"``. Each unit was recorded in the trials
        of its own session.

    Raises
    ------
    InputError
        If a table lacks the column or a label, if a session has units without trials or trials without units, or if a
        unit fired in a trial of another session.
    """
    column_name(join, "join")
    if join not in a_recording(recording).units.columns:
        raise InputError(unknown("column in the units table", join, recording.units.columns))
    if join not in recording.trials.columns:
        raise InputError(
            f"the trials table has no column '{join}' to tell in which trials the units of a session were recorded; "
            f"add it with recording.with_trials({join}=...), or give a mapping of sessions to recordings."
        )
    of_unit, of_trial = recording.units[join], label_column(recording, join)
    for what, column in (("units", of_unit), ("trials", of_trial)):
        if column.isna().any():
            raise InputError(f"{int(column.isna().sum())} {what} have no '{join}'; label them or select the others.")
    alone = sorted(set(of_unit) ^ set(of_trial), key=str)
    if alone:
        lacks = "units" if alone[0] in set(of_trial) else "trials"
        raise InputError(f"'{join}' {alone[0]!r} has no {lacks} ({len(alone)} such); the columns must name the same.")
    trial, unit = recording.spike_index()
    strange = of_unit.to_numpy()[unit] != of_trial.to_numpy()[trial]
    if strange.any():
        k = int(strange.argmax())
        raise InputError(
            f"unit {recording.units.index[unit[k]]!r} of '{join}' {of_unit.iloc[unit[k]]!r} fired in trial "
            f"{recording.trials.index[trial[k]]!r} of {of_trial.iloc[trial[k]]!r} ({int(strange.sum())} such spikes); "
            "a unit is recorded in the trials of its own session only."
        )
    plain = replace(recording, marks={}, traces={})
    return {
        session: plain.select(trials=(of_trial == session).to_numpy(), units=(of_unit == session).to_numpy())
        for session in dict.fromkeys(of_unit)
    }


def join_sessions(
    recordings: Mapping[Label, Recording],
    metrics: Sequence[Metric],
    by: str,
    estimator: Estimator | None = None,
    conditions: Sequence[Label] | str | None = None,
) -> Population:
    r"""Return a population whose units were recorded in different sessions, joined by condition.

    .. math:: d(a, b) = \sum_s d_s(a, b)

    with :math:`d_s` the estimate from the trials of session s. A labelled-line (``additive``) metric adds over units,
    so the sum is what the units would have given in common trials, without the correlation of their noise: with
    `BetweenMinusWithin` an unbiased estimate of the population's dissimilarity. Every unit counts once, so a session
    counts by its number of units; divide by that in ``rdm_descriptors["joined"]`` for a mean per unit.

    Parameters
    ----------
    recordings : mapping of sessions to recordings
        From `split_sessions`, or one recording per session. Numbers of trials and their order may differ.
    metrics, by, estimator
        As in `snncompare.representation.rdm.rdm`. The default estimator is the same for all sessions.
    conditions : sequence of labels, or "common", optional
        By default every session must have every condition. ``"common"`` keeps the conditions that all sessions have
        and says in ``rdm_descriptors["left_out"]`` which were left out.

    Returns
    -------
    Population
        With the conditions in order of first appearance; what was joined stands in ``rdm_descriptors["joined"]``.

    Raises
    ------
    InputError
        If a session lacks a condition (both are named), or the sessions have unlike windows.
    UnsupportedError
        If a metric is not additive, or the estimator averages Euclidean distances, which add only when squared.
    """
    labels, left_out = _joint_conditions(recordings, by, conditions)
    chosen = _joint_estimator(recordings, by, estimator, labels)
    _refuse_what_does_not_add(metrics, chosen)
    parts = []
    for recording in recordings.values():
        kept, of, _ = conditions_and_estimator(recording, by, chosen, labels)
        parts.append((aligned_trains(kept), of))
    n_units = sum(recording.n_units for recording in recordings.values())
    more = {"joined": f"sum over {len(recordings)} sessions, {n_units} units"}
    if isinstance(conditions, str):
        more["left_out"] = ", ".join(left_out)
    return Population(tuple(parts), chosen, more)


def gathered(
    recording: Recording | Mapping[Label, Recording],
    metrics: Sequence[Metric],
    by: str,
    estimator: Estimator | None,
    join: str | None,
    conditions: Sequence[Label] | str | None,
) -> Population:
    """Return what an RDM is made from, in one session or in several; see `snncompare.representation.rdm.rdm`."""
    if isinstance(recording, Mapping):
        if join is not None:
            raise InputError(f"sessions are given one by one, so join={join!r} has nothing to split; leave it out.")
        return join_sessions(recording, metrics, by, estimator, conditions)
    if join is not None:
        return join_sessions(split_sessions(recording, join), metrics, by, estimator, conditions)
    return population_of(recording, by, estimator, conditions)


def join_replicates(
    recordings: Mapping[Label, Recording],
    metric: Metric | Sequence[Metric],
    by: str,
    estimator: Estimator | None = None,
    *,
    conditions: Sequence[Label] | str | None = None,
    n_resamples: int = 1000,
    n_splits: int = 100,
    seed: int = 0,
    execution: Execution | None = None,
) -> Replicates:
    """Resample the trials of every session by themselves and join the sessions as in `join_sessions`.

    Parameters
    ----------
    recordings, metric, by, estimator, conditions
        As in `join_sessions`.
    n_resamples, n_splits, seed
        As in `replicates`; every session draws from its own stream.
    execution : Execution, optional
        As in `distances`; nothing that is returned depends on it.

    Returns
    -------
    Replicates
        With, as ``n_trials``, the smallest number of trials that a session has of each condition. There is no
        bootstrap, or there are no halves, where one session does not allow them; the reason names it.

    Raises
    ------
    InputError, UnsupportedError
        As in `join_sessions` and `replicates`.
    """
    metrics = several_metrics(metric)
    whole_number("seed", seed, 0)
    labels, _ = _joint_conditions(recordings, by, conditions)
    chosen = _joint_estimator(recordings, by, estimator, labels)
    _refuse_what_does_not_add(metrics, chosen)
    seeds = np.random.default_rng(seed).integers(2**63, size=len(recordings))
    parts = []
    for recording, own in zip(recordings.values(), seeds, strict=True):
        kept, of, _ = conditions_and_estimator(recording, by, chosen, labels)
        between = distances(kept, metrics, execution=execution)
        parts.append(replicates(between, of, chosen, n_resamples=n_resamples, n_splits=n_splits, seed=int(own)))
    no_bootstrap, no_halves = (_first_reason(recordings, parts, what) for what in ("no_bootstrap", "no_halves"))
    return Replicates(
        conditions=labels,
        n_trials=np.min([part.n_trials for part in parts], axis=0),
        metric=parts[0].metric,
        time_scale=parts[0].time_scale,
        bootstrap=None if no_bootstrap else _summed(parts, "bootstrap"),
        half_a=None if no_halves else _summed(parts, "half_a"),
        half_b=None if no_halves else _summed(parts, "half_b"),
        no_bootstrap=no_bootstrap,
        no_halves=no_halves,
        estimator=chosen,
        seed=seed,
    )


def _summed(parts: Sequence[Replicates], what: str) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.sum([getattr(part, what) for part in parts], axis=0)
    return total


def _first_reason(recordings: Mapping[Label, Recording], parts: Sequence[Replicates], what: str) -> str:
    named = zip(recordings, (getattr(part, what) for part in parts), strict=True)
    return next((f"session {session!r}: {reason}" for session, reason in named if reason), "")


def _joint_conditions(
    recordings: Mapping[Label, Recording], by: str, conditions: Sequence[Label] | str | None
) -> tuple[tuple[Label, ...], list[str]]:
    """Return the conditions of the joint population in order, and which were left out, in words."""
    _refuse_unlike_sessions(recordings)
    if isinstance(conditions, str) and conditions != "common":
        raise InputError(f"conditions must be a list of labels or 'common', got {conditions!r}.")
    present = {session: set(label_column(recording, by).dropna()) for session, recording in recordings.items()}
    if conditions is None or isinstance(conditions, str):
        columns = [label_column(recording, by) for recording in recordings.values()]
        wanted = Conditions.from_labels(pd.concat(columns), f"the labels in column '{by}'").labels
    else:
        wanted = unique_labels(conditions)
    missing = {label: [session for session, labels in present.items() if label not in labels] for label in wanted}
    missing = {label: sessions for label, sessions in missing.items() if sessions}
    words = [f"{label!r} (not in {_listed(sessions)})" for label, sessions in missing.items()]
    if missing and not isinstance(conditions, str):
        raise InputError(
            f"{len(missing)} of {len(wanted)} conditions are missing in a session: {', '.join(words[:5])}"
            f"{' and more' if len(words) > 5 else ''}. Give conditions='common' to keep those that every session has."
        )
    common = tuple(label for label in wanted if label not in missing)
    if len(common) < 2:
        raise InputError(f"the sessions have {len(common)} conditions in common, {list(common)}; an RDM needs two.")
    return common, words


def _listed(sessions: list[Label]) -> str:
    shown = ", ".join(repr(session) for session in sessions[:3])
    return shown + (f" and {len(sessions) - 3} more sessions" if len(sessions) > 3 else "")


def _joint_estimator(
    recordings: Mapping[Label, Recording], by: str, estimator: Estimator | None, labels: Sequence[Label]
) -> Estimator:
    given = checked_estimator(estimator)
    if given is not None:
        return given
    defaults = [conditions_and_estimator(recording, by, None, labels)[2] for recording in recordings.values()]
    return MeanDistance() if MeanDistance() in defaults else BetweenMinusWithin()


def _refuse_what_does_not_add(metrics: Sequence[Metric], estimator: Estimator) -> None:
    for metric in metrics:
        if not metric.additive:
            raise UnsupportedError(
                f"sessions cannot be joined with {metric!r}: its distance of a population is not a sum over units, so "
                "it needs units that share trials. Use a labelled-line metric, such as VanRossum(tau='10 ms')."
            )
        if metric.euclidean and isinstance(estimator, MeanDistance):
            raise UnsupportedError(
                f"sessions cannot be joined with MeanDistance and {metric!r}: Euclidean distances add over units only "
                "when squared. Use BetweenMinusWithin (two trials per condition) or VictorPurpura."
            )


def _refuse_unlike_sessions(recordings: Mapping[Label, Recording]) -> None:
    if not isinstance(recordings, Mapping):
        raise InputError(f"sessions must be a mapping of names to recordings, got {type(recordings).__name__}.")
    for session, recording in recordings.items():
        a_recording(recording, f"session {session!r}")
    if not recordings:
        raise InputError("there are no sessions to join; give at least one recording.")
    first, *others = recordings
    leading = recordings[first].trials[["start", "stop"]].to_numpy(dtype=np.float64)[0]
    for session in others:
        window = recordings[session].trials[["start", "stop"]].to_numpy(dtype=np.float64)[0]
        if (np.abs(window - leading) > WINDOW_TOLERANCE).any():
            raise InputError(
                f"session {first!r} has trials of {leading[0]:g} to {leading[1]:g} s, session {session!r} of "
                f"{window[0]:g} to {window[1]:g} s; cut them to one window first."
            )
