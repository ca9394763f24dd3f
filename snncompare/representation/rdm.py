"""A recording into representational dissimilarity matrices (RDMs), labelled by condition."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.blocks.execution import Execution
from snncompare.representation.conditions import Conditions, Label
from snncompare.representation.distances import several_metrics
from snncompare.representation.estimators import Estimator, PairEstimator, checked_estimator, default_estimator
from snncompare.representation.labelled import labelled_rdms, rdms_of_metrics, stacked
from snncompare.representation.metrics import Metric
from snncompare.representation.sessions import gathered

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs as RDM  # noqa: N817 - the name the contracts use

__all__ = ["RDM", "rdm", "rdm_from_distances"]


def __getattr__(name: str) -> Any:
    if name == "RDM":
        from rsatoolbox.rdm import RDMs

        return RDMs
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def rdm(
    recording: Recording | Mapping[Label, Recording],
    metric: Metric | Sequence[Metric],
    by: str,
    estimator: Estimator | None = None,
    name: str | None = None,
    join: str | None = None,
    *,
    conditions: Sequence[Label] | Literal["common"] | None = None,
    execution: Execution | None = None,
) -> "RDM":
    """Return the RDM of a recording for each metric.

    Parameters
    ----------
    recording : Recording, or mapping of sessions to recordings
        With trials of one common window. A mapping holds sessions that share no trials, joined as with ``join``.
    metric : Metric or sequence of Metric
    by : str
        Column of the trials table that names the condition.
    estimator : Estimator, optional
        By default `BetweenMinusWithin` if every condition has two trials or more, else `MeanDistance`.
    name : str, optional
        Goes to ``rdm_descriptors["name"]``; by default the label of the metric.
    join : str, optional
        Column of the units table *and* of the trials table, such as ``"session"``: the units of a session were
        recorded in the trials of that session only. Sessions are joined by condition, never by trial: the
        dissimilarity is the sum over sessions of each session's own estimate; see `sessions.join_sessions`.
    conditions : sequence of labels, or "common", optional
        The conditions that the RDM has, in this order; trials of others (and without label) are left out, and a
        condition that no trial has is refused. ``"common"``, for joined sessions: those that every session has.
    execution : Execution, optional
        How the work is cut into blocks and who does it. The blocks are added up one after the other, so that the
        distances between all trials are never in memory at once; the RDM does not depend on them.

    Returns
    -------
    rsatoolbox.rdm.RDMs
        One RDM per metric. ``pattern_descriptors["condition"]`` has the labels in order of first appearance;
        ``rdm_descriptors`` has ``metric``, ``time_scale`` (seconds), ``name``, ``estimator`` and
        ``duration`` (of the trials, seconds). A condition without a spike has dissimilarities like any other.

    Raises
    ------
    InputError
        If the column does not exist, has missing labels or names fewer than two conditions, if a condition has too few
        trials for the estimator, or as in `distances` and `sessions.join_sessions`.
    """
    metrics = several_metrics(metric)
    population = gathered(recording, metrics, by, estimator, join, conditions)
    vectors = population.dissimilarities(metrics, execution)
    trains = population.parts[0][0]
    shared = {**population.more, "duration": trains.stop - trains.start}
    more = {key: [value] * len(metrics) for key, value in shared.items()}
    return rdms_of_metrics(vectors, metrics, population.labels, population.estimator, name, more)


def rdm_from_distances(
    distances: xr.DataArray,
    conditions: Conditions | Iterable[Label],
    estimator: Estimator | None = None,
    name: str | None = None,
) -> "RDM":
    """Return the RDMs of distances that were computed before, for example to group the trials in another way.

    Parameters
    ----------
    distances : xarray.DataArray
        From `distances`.
    conditions : Conditions or sequence of labels
        One label per trial. `Conditions.of(recording, by, across="session")` for estimators that pair across sessions.
    estimator, name
        As in `rdm`.

    Returns
    -------
    rsatoolbox.rdm.RDMs

    Raises
    ------
    InputError
        If the labels do not fit the trials, or as in `rdm`.
    """
    values, euclidean = stacked(distances)
    of = conditions if isinstance(conditions, Conditions) else Conditions.from_labels(conditions)
    if of.n_all != values.shape[1]:
        raise InputError(f"{of.n_all} condition labels for {values.shape[1]} trials; give one label per trial.")
    chosen = checked_estimator(estimator) or default_estimator(of)
    if isinstance(chosen, PairEstimator):
        every = range(of.n_all)
        vectors = chosen.from_blocks([(every, every, values)], euclidean, of)
    else:
        vectors = chosen.estimate(values, euclidean, of, np.ones((1, of.n_all)))[:, 0]
    labels = [str(label) for label in np.atleast_1d(distances["label"].to_numpy())]
    return labelled_rdms(
        vectors,
        of.labels,
        metric=labels,
        time_scale=np.atleast_1d(distances["time_scale"].to_numpy()).tolist(),
        name=labels if name is None else [name] * len(labels),
        estimator=repr(chosen),
        more={"duration": [float(distances.attrs.get("duration", np.nan))] * len(labels)},
    )
