"""Data and models brought to the same order of conditions and time scales, by their labels.

rsatoolbox compares RDMs entry by entry and never looks at the labels, so this happens before anything else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.wording import listed, metric_words
from snncompare.errors import InputError

__all__ = ["Aligned", "MetricKey", "align", "condition_labels", "pair_numbers", "pair_order"]

Array = NDArray[np.float64]


class MetricKey(NamedTuple):
    """A spike-train metric at one time scale (seconds; nan where the metric has none)."""

    label: str
    time_scale: float

    def matches(self, other: "MetricKey") -> bool:
        """Return whether both name the same metric at the same time scale, up to rounding."""
        return self.label == other.label and bool(
            np.isclose(self.time_scale, other.time_scale, rtol=1e-9, atol=0, equal_nan=True)
        )

    def __str__(self) -> str:
        return metric_words(self.label, self.time_scale)


@dataclass(frozen=True, eq=False)
class Aligned:
    """Dissimilarities of data and models in one order of conditions.

    Attributes
    ----------
    conditions : tuple
        Labels, in the order of the data.
    metrics : tuple of MetricKey
        In the order of the data.
    subjects : tuple
        Labels; ``("",)`` where the data name none.
    names : tuple of str
        The models.
    data : array (n_metrics, n_subjects, n_pairs)
    models : array (n_metrics, n_models, n_pairs)
    """

    conditions: tuple[Any, ...]
    metrics: tuple[MetricKey, ...]
    subjects: tuple[Any, ...]
    names: tuple[str, ...]
    data: Array
    models: Array


def align(data: Any, models: Mapping[str, Any]) -> Aligned:
    """Return data and models in the data's order of conditions and of (metric, time scale).

    Parameters
    ----------
    data : rsatoolbox.rdm.RDMs
        One RDM per metric, time scale and subject.
    models : mapping of name to rsatoolbox.rdm.RDMs
        Per model one RDM for every (metric, time scale) of the data, or a single RDM without a time scale, which
        is then used throughout.

    Raises
    ------
    InputError
        For conditions that are missing, repeated or in excess, for undefined entries, and for time scales of the
        data that a model lacks.
    """
    _check_kinds(data, models)
    conditions = condition_labels(data, "the data")
    if len(conditions) < 3:
        raise InputError(f"the data have {len(conditions)} conditions; RDMs can be compared from 3 on, so add stimuli.")
    metrics, subjects, rows = _metrics_and_subjects(data)
    vectors = _vectors(data, conditions, "the data")
    aligned = [_model_vectors(str(name), rdms, conditions, metrics) for name, rdms in models.items()]
    return Aligned(
        conditions=tuple(conditions),
        metrics=tuple(metrics),
        subjects=tuple(subjects),
        names=tuple(str(name) for name in models),
        data=vectors[rows],
        models=np.stack(aligned, axis=1),
    )


def condition_labels(rdms: Any, whose: str) -> list[Any]:
    """Return the condition labels of RDMs; refuse RDMs without labels or with the same label twice."""
    if "condition" not in rdms.pattern_descriptors:
        raise InputError(
            f"the RDMs of {whose} name no conditions; set pattern_descriptors={{'condition': [...]}} "
            f"(there are {listed(rdms.pattern_descriptors)})."
        )
    labels = _plain(rdms.pattern_descriptors["condition"])
    repeated = [label for k, label in enumerate(labels) if label in labels[:k]]
    if repeated:
        raise InputError(f"the RDMs of {whose} contain the condition {listed(repeated)} twice; average them first.")
    return labels


def pair_order(given: Sequence[Any], wanted: Sequence[Any], whose: str) -> NDArray[np.intp]:
    """Return, for each pair of ``wanted`` conditions, its place in the vector over the ``given`` conditions.

    Raises
    ------
    InputError
        If the two are not the same set of labels.
    """
    missing = [label for label in wanted if label not in given]
    extra = [label for label in given if label not in wanted]
    if missing or extra:
        lacks = f"lack the condition {listed(missing)}" if missing else ""
        more = f"have the condition {listed(extra)}, which the data lack" if extra else ""
        raise InputError(
            f"the RDMs of {whose} {' and '.join(filter(None, [lacks, more]))}; "
            "compare RDMs over the same conditions (rdms.subset_pattern('condition', [...]) drops some)."
        )
    place = np.array([given.index(label) for label in wanted])
    return pair_numbers(len(place))[place[:, None], place][np.triu_indices(len(place), 1)]


def pair_numbers(n: int) -> NDArray[np.intp]:
    """Return the (n, n) table of the place of every pair in the upper-triangle vector; -1 on the diagonal."""
    table = np.full((n, n), -1)
    first, second = np.triu_indices(n, 1)
    table[first, second] = table[second, first] = np.arange(len(first))
    return table


def _plain(labels: Iterable[Any]) -> list[Any]:
    return [label.item() if isinstance(label, np.generic) else label for label in labels]


def _check_kinds(data: Any, models: Any) -> None:
    from rsatoolbox.rdm import RDMs

    if not isinstance(data, RDMs):
        raise InputError(f"data must be rsatoolbox RDMs, as sc.rdm(...) returns; got {type(data).__name__}.")
    if not isinstance(models, Mapping) or not models:
        raise InputError(f"models must be a mapping such as {{'my model': rdms}}, got {type(models).__name__}.")
    for name, rdms in models.items():
        if not isinstance(rdms, RDMs):
            raise InputError(f"model '{name}' must be rsatoolbox RDMs, got {type(rdms).__name__}.")


def _metric_keys(rdms: Any) -> list[MetricKey]:
    labels = rdms.rdm_descriptors.get("metric", [str(rdms.dissimilarity_measure or "")] * rdms.n_rdm)
    scales = rdms.rdm_descriptors.get("time_scale", [np.nan] * rdms.n_rdm)
    return [
        MetricKey(str(label), np.nan if scale is None else float(scale))
        for label, scale in zip(labels, scales, strict=True)
    ]


def _metrics_and_subjects(data: Any) -> tuple[list[MetricKey], list[Any], NDArray[np.intp]]:
    """Return the metrics, the subjects and the row of each (metric, subject)."""
    keys = _metric_keys(data)
    names = _plain(data.rdm_descriptors.get("subject", [""] * data.n_rdm))
    metrics = _distinct(keys)
    subjects = list(dict.fromkeys(names))
    rows = np.full((len(metrics), len(subjects)), -1)
    for row, (key, name) in enumerate(zip(keys, names, strict=True)):
        place = next(k for k, metric in enumerate(metrics) if metric.matches(key)), subjects.index(name)
        if rows[place] >= 0:
            who = f" of subject '{name}'" if name else ""
            raise InputError(
                f"the data hold two RDMs for {key}{who}; give one, or tell animals apart by rdm_descriptors['subject']."
            )
        rows[place] = row
    for m, s in np.argwhere(rows < 0):
        raise InputError(f"the data of subject '{subjects[s]}' lack {metrics[m]}; give every subject the same metrics.")
    return metrics, subjects, rows


def _distinct(keys: Iterable[MetricKey]) -> list[MetricKey]:
    found: list[MetricKey] = []
    for key in keys:
        if not any(key.matches(other) for other in found):
            found.append(key)
    return found


def _model_vectors(name: str, rdms: Any, conditions: list[Any], metrics: list[MetricKey]) -> Array:
    whose = f"model '{name}'"
    vectors = _vectors(rdms, condition_labels(rdms, whose), whose)
    vectors = vectors[:, pair_order(condition_labels(rdms, whose), conditions, whose)]
    keys = _metric_keys(rdms)
    if len(keys) == 1 and np.isnan(keys[0].time_scale):
        return np.repeat(vectors, len(metrics), axis=0)
    rows = []
    for metric in metrics:
        same = [row for row, key in enumerate(keys) if key.matches(metric)]
        if len(same) != 1:
            fault = "has no RDM" if not same else f"has {len(same)} RDMs"
            raise InputError(
                f"{whose} {fault} for {metric}, which the data have; it has {listed(keys)}. "
                "Give one RDM per metric and time scale of the data, or a single one without a time scale."
            )
        rows.append(same[0])
    return vectors[rows]


def _vectors(rdms: Any, conditions: list[Any], whose: str) -> Array:
    """Return a copy of the dissimilarity vectors; refuse undefined entries, naming their conditions."""
    vectors = np.array(rdms.get_vectors(), dtype=np.float64)
    undefined = ~np.isfinite(vectors)
    for row in np.flatnonzero(undefined.any(axis=1)):
        n = len(conditions)
        matrix = np.zeros((n, n), dtype=bool)
        matrix[np.triu_indices(n, 1)] = undefined[row]
        faults = (matrix | matrix.T).sum(axis=0)
        worst = [label for label, count in zip(conditions, faults, strict=True) if count == n - 1]
        named = worst or [label for label, count in zip(conditions, faults, strict=True) if count]
        raise InputError(
            f"the RDM of {whose} for {_metric_keys(rdms)[row]} is undefined for the condition {listed(named)}; was it "
            "silent? Leave it out, or use a metric that is defined for empty trains."
        )
    return vectors
