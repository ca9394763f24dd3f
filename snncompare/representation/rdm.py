"""A recording into representational dissimilarity matrices (RDMs), labelled by condition."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions, Label
from snncompare.representation.distances import distances
from snncompare.representation.estimators import Estimator, default_estimator
from snncompare.representation.metrics import Metric

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs as RDM  # noqa: N817 - the name the contracts use

__all__ = ["RDM", "labelled_rdms", "rdm", "rdm_from_distances", "stacked"]


def __getattr__(name: str) -> Any:
    if name == "RDM":
        from rsatoolbox.rdm import RDMs

        return RDMs
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def rdm(
    recording: Recording,
    metric: Metric | Sequence[Metric],
    by: str,
    estimator: Estimator | None = None,
    name: str | None = None,
) -> "RDM":
    """Return the RDM of a recording for each metric.

    Parameters
    ----------
    recording : Recording
        With trials of one common window.
    metric : Metric or sequence of Metric
    by : str
        Column of the trials table that names the condition.
    estimator : Estimator, optional
        By default `BetweenMinusWithin` if every condition has two trials or more, else `MeanDistance`.
    name : str, optional
        Goes to ``rdm_descriptors["name"]``; by default the label of the metric.

    Returns
    -------
    rsatoolbox.rdm.RDMs
        One RDM per metric. ``pattern_descriptors["condition"]`` has the labels in order of first appearance;
        ``rdm_descriptors`` has ``metric``, ``time_scale`` (seconds), ``name`` and ``estimator``.

    Raises
    ------
    InputError
        If the column does not exist, has missing labels or names fewer than two conditions, if a condition has too few
        trials for the estimator, or as in `distances`.
    """
    conditions = Conditions.of(recording, by)
    if estimator is not None:
        conditions.require_trials(estimator.trials_needed, type(estimator).__name__)
    return rdm_from_distances(distances(recording, metric), conditions, estimator, name)


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
        One label per trial.
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
    if of.index.size != values.shape[1]:
        raise InputError(f"{of.index.size} condition labels for {values.shape[1]} trials; give one label per trial.")
    chosen = default_estimator(of) if estimator is None else estimator
    vectors = chosen.estimate(values, euclidean, of, np.ones((1, of.index.size)))[:, 0]
    labels = [str(label) for label in np.atleast_1d(distances["label"].to_numpy())]
    return labelled_rdms(
        vectors,
        of.labels,
        metric=labels,
        time_scale=np.atleast_1d(distances["time_scale"].to_numpy()).tolist(),
        name=labels if name is None else [name] * len(labels),
        estimator=repr(chosen),
    )


def labelled_rdms(
    vectors: NDArray[np.float64],
    conditions: Iterable[Label],
    *,
    metric: Iterable[str],
    time_scale: Iterable[float],
    name: Iterable[str],
    estimator: str,
) -> "RDM":
    """Return RDMs with the labels that every RDM of this package has.

    Parameters
    ----------
    vectors : array (n_rdms, n_pairs)
        Dissimilarities in the order of the upper triangle.
    conditions : labels (n_conditions,)
    metric, time_scale, name : sequences (n_rdms,)
    estimator : str
        How the dissimilarities were made, the same for all.
    """
    from rsatoolbox.rdm import RDMs

    measured = list(metric)
    return RDMs(
        np.array(vectors, dtype=np.float64),
        dissimilarity_measure=", ".join(dict.fromkeys(measured)),
        descriptors={},
        rdm_descriptors={
            "metric": measured,
            "time_scale": list(time_scale),
            "name": list(name),
            "estimator": [estimator] * len(measured),
        },
        pattern_descriptors={"condition": list(conditions)},
    )


def stacked(distances: xr.DataArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the values ``(n_metrics, n_trials, n_trials)`` of distances, and which metrics are Euclidean.

    Raises
    ------
    InputError
        If ``distances`` does not come from `snncompare.representation.distances.distances`.
    """
    if not isinstance(distances, xr.DataArray) or not {"trial", "trial_"} <= set(distances.dims):
        raise InputError(f"expected what distances(recording, metric) returns, got {type(distances).__name__}.")
    if not {"label", "time_scale", "euclidean"} <= set(distances.coords):
        raise InputError(
            "the distances lost their coordinates 'label', 'time_scale' and 'euclidean'; compute them anew."
        )
    full = distances if "metric" in distances.dims else distances.expand_dims("metric")
    values = full.transpose("metric", "trial", "trial_").to_numpy()
    return values, np.atleast_1d(distances["euclidean"].to_numpy())
