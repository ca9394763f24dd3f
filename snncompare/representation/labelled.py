"""What the distances and RDMs of this package carry: values, and the labels that say what they are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import instance
from snncompare.representation.conditions import Label
from snncompare.representation.estimators import Estimator
from snncompare.representation.metrics import Metric

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["labelled_rdms", "rdms_of_metrics", "stacked"]


def labelled_rdms(
    vectors: NDArray[np.float64],
    conditions: Iterable[Label],
    *,
    metric: Iterable[str],
    time_scale: Iterable[float],
    name: Iterable[str],
    estimator: str,
    more: Mapping[str, Sequence[Any]] | None = None,
) -> "RDMs":
    """Return RDMs with the labels that every RDM of this package has.

    Parameters
    ----------
    vectors : array (n_rdms, n_pairs)
        Dissimilarities in the order of the upper triangle.
    conditions : labels (n_conditions,)
    metric, time_scale, name : sequences (n_rdms,)
    estimator : str
        How the dissimilarities were made, the same for all.
    more : mapping of names to sequences (n_rdms,), optional
        Further descriptors of the RDMs, such as the windows of a movie, or the ``duration`` of the trials (seconds; NaN
        where it is not known, as for models without trials).
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
            "duration": [float("nan")] * len(measured),
            **{key: list(values) for key, values in (more or {}).items()},
        },
        pattern_descriptors={"condition": list(conditions)},
    )


def rdms_of_metrics(
    vectors: NDArray[np.float64],
    metrics: Sequence[Metric],
    conditions: Iterable[Label],
    estimator: Estimator,
    name: str | None,
    more: Mapping[str, Sequence[Any]] | None = None,
) -> "RDMs":
    """Return labelled RDMs from dissimilarities ``(n_metrics, n_pairs)``; the name is by default the metric's label."""
    return labelled_rdms(
        vectors,
        conditions,
        metric=[metric.label for metric in metrics],
        time_scale=[metric.time_scale for metric in metrics],
        name=[metric.label if name is None else name for metric in metrics],
        estimator=repr(estimator),
        more=more,
    )


def refuse_unlabelled(rdms: Any, name: str = "rdms") -> None:
    """Refuse what is no rsatoolbox RDMs with the labels of `labelled_rdms`.

    Raises
    ------
    InputError
    """
    from rsatoolbox.rdm import RDMs

    instance(rdms, RDMs, name, "rsatoolbox RDMs, such as sc.rdm(...) returns")
    for kind, key in (("pattern", "condition"), ("rdm", "time_scale")):
        if key not in getattr(rdms, f"{kind}_descriptors"):
            raise InputError(f"{name} has no {kind}_descriptors['{key}']; set it, or make the RDMs with sc.rdm(...).")


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
