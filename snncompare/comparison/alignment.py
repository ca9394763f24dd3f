"""Data and models brought to the same order of conditions and time scales, by their labels.

rsatoolbox compares RDMs entry by entry and never looks at the labels, so this happens before anything else.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.members import Members
from snncompare.comparison.wording import listed, metric_words, time_words
from snncompare.errors import InputError

__all__ = ["Aligned", "MetricKey", "align", "condition_labels", "pair_numbers", "pair_order"]

Array = NDArray[np.float64]


WINDOW_TOLERANCE = 1e-9
"""Seconds; far below any window's length, far above the rounding of a difference of times."""


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
        Of several sessions of an animal, the mean.
    models : array (n_metrics, n_models, n_pairs)
        Of several network instances (seeds) of a model, the mean.
    sessions : Members or None
        The RDMs of the sessions; None where every animal has one RDM and the data name no sessions.
    seeds : Members or None
        The RDMs of the network instances; None where every model has one RDM and none names a seed.
    """

    conditions: tuple[Any, ...]
    metrics: tuple[MetricKey, ...]
    subjects: tuple[Any, ...]
    names: tuple[str, ...]
    data: Array
    models: Array
    sessions: Members | None = None
    seeds: Members | None = None

    @property
    def recordings(self) -> Members:
        """The RDMs that were recorded: one per session, or one per animal."""
        return Members.single(self.data) if self.sessions is None else self.sessions

    @property
    def instances(self) -> Members:
        """The RDMs of the models: one per network instance, or one per model."""
        return Members.single(self.models) if self.seeds is None else self.seeds

    def by_session(self) -> "Aligned":
        """Return the same with every session in the place of an animal."""
        each = self.recordings
        names = tuple(range(each.n_members)) if self.sessions is None else self.sessions.labels
        return replace(self, subjects=names, data=each.vectors, sessions=None)


def align(data: Any, models: Mapping[str, Any]) -> Aligned:
    """Return data and models in the data's order of conditions and of (metric, time scale).

    Parameters
    ----------
    data : rsatoolbox.rdm.RDMs
        One RDM per metric, time scale, subject and session; ``rdm_descriptors["subject"]`` and ``["session"]`` tell
        them apart. Sessions belong to their subject: the same label in two subjects names two sessions.
    models : mapping of name to rsatoolbox.rdm.RDMs
        Per model one RDM for every (metric, time scale) of the data, or one without a time scale, which is then used
        throughout; of several network instances, one per ``rdm_descriptors["seed"]``.

    Raises
    ------
    InputError
        For conditions that are missing, repeated or in excess, for undefined entries, for time scales of the data
        that a model lacks, and for windows of data and models that differ.
    """
    _check_kinds(data, models)
    conditions = condition_labels(data, "the data")
    if len(conditions) < 3:
        number = f"{len(conditions)} condition{'s' * (len(conditions) != 1)}"
        raise InputError(f"the data have {number}; RDMs can be compared from 3 on, so add stimuli.")
    _check_windows(data, models)
    metrics, subjects, sessions = _data_members(data, _vectors(data, conditions, "the data"))
    seeds = Members.joined(
        [_model_members(str(name), rdms, conditions, metrics, k) for k, (name, rdms) in enumerate(models.items())]
    )
    return Aligned(
        conditions=tuple(conditions),
        metrics=tuple(metrics),
        subjects=tuple(subjects),
        names=tuple(str(name) for name in models),
        data=sessions.means(),
        models=seeds.means(),
        sessions=sessions if sessions.named else None,
        seeds=seeds if seeds.named else None,
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
            f"the RDMs of {whose} {' and '.join(filter(None, [lacks, more]))}; the data are over {listed(wanted)}, "
            f"{whose} over {listed(given)}. Compare RDMs over the same conditions "
            "(rdms.subset_pattern('condition', [...]) drops some)."
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
    if isinstance(models, Mapping) and not models:
        raise InputError("there are no models; give at least one, such as {'my model': rdms}.")
    if not isinstance(models, Mapping):
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


def _data_members(data: Any, vectors: Array) -> tuple[list[MetricKey], list[Any], Members]:
    """Return the metrics, the subjects and the RDMs of their sessions."""
    keys, n = _metric_keys(data), data.n_rdm
    subject_of_row = _plain(data.rdm_descriptors.get("subject", [""] * n))
    session_of_row = _plain(data.rdm_descriptors.get("session", [""] * n))
    metrics, subjects = _distinct(keys), list(dict.fromkeys(subject_of_row))
    found = list(dict.fromkeys(zip(subject_of_row, session_of_row, strict=True)))
    recordings = sorted(found, key=lambda recording: subjects.index(recording[0]))
    rows = np.full((len(metrics), len(recordings)), -1)
    for row, (key, *who) in enumerate(zip(keys, subject_of_row, session_of_row, strict=True)):
        place = next(k for k, metric in enumerate(metrics) if metric.matches(key)), recordings.index(tuple(who))
        if rows[place] >= 0:
            raise InputError(
                f"the data hold two RDMs for {key}{_whose(*who)}; give one, or tell animals apart by "
                "rdm_descriptors['subject'] and sessions of one animal by rdm_descriptors['session']."
            )
        rows[place] = row
    for m, r in np.argwhere(rows < 0):
        whose = _whose(*recordings[r])
        raise InputError(f"the data{whose} lack {metrics[m]}; give every subject and session the same metrics.")
    owner = np.array([subjects.index(subject) for subject, _ in recordings])
    labels = tuple(session for _, session in recordings) if "session" in data.rdm_descriptors else ()
    return metrics, subjects, Members(vectors[rows], owner, labels)


def _whose(subject: Any, session: Any) -> str:
    return (f" of subject '{subject}'" if subject != "" else "") + (f" in session '{session}'" if session != "" else "")


def _distinct(keys: Iterable[MetricKey]) -> list[MetricKey]:
    found: list[MetricKey] = []
    for key in keys:
        if not any(key.matches(other) for other in found):
            found.append(key)
    return found


def _model_members(name: str, rdms: Any, conditions: list[Any], metrics: list[MetricKey], owner: int) -> Members:
    """Return the RDMs of a model's network instances at every metric of the data."""
    whose = f"model '{name}'"
    vectors = _vectors(rdms, condition_labels(rdms, whose), whose)
    vectors = vectors[:, pair_order(condition_labels(rdms, whose), conditions, whose)]
    keys, seed_of_row = _metric_keys(rdms), _plain(rdms.rdm_descriptors.get("seed", [""] * rdms.n_rdm))
    seeds = list(dict.fromkeys(seed_of_row))
    found = []
    for seed in seeds:
        mine = [row for row, given in enumerate(seed_of_row) if given == seed]
        who = f"{whose}, seed {seed}," if seed != "" else whose
        places = _rows_of_metrics([keys[row] for row in mine], metrics, who)
        found.append(vectors[np.array(mine)[places]])
    labels = tuple(seeds) if "seed" in rdms.rdm_descriptors else ()
    return Members(np.stack(found, axis=1), np.full(len(seeds), owner), labels)


def _rows_of_metrics(keys: list[MetricKey], metrics: list[MetricKey], whose: str) -> list[int]:
    """Return the row of the model's RDM for every metric of the data."""
    if len(keys) == 1 and np.isnan(keys[0].time_scale):
        return [0] * len(metrics)
    rows = []
    for metric in metrics:
        same = [row for row, key in enumerate(keys) if key.matches(metric)]
        if len(same) != 1:
            fault = "has no RDM" if not same else f"has {len(same)} RDMs"
            raise InputError(
                f"{whose} {fault} for {metric}, which the data have; it has {listed(keys)}. Give one RDM per metric "
                "and time scale of the data, or a single one without a time scale; tell network instances apart by "
                "rdm_descriptors['seed']."
            )
        rows.append(same[0])
    return rows


def _check_windows(data: Any, models: Mapping[str, Any]) -> None:
    """Refuse several windows, and windows of a model that are not those of the data."""
    ours = _window(data, "the data")
    for name, rdms in models.items():
        theirs = _window(rdms, f"model '{name}'")
        if ours and theirs and not np.allclose(ours, theirs, rtol=0, atol=WINDOW_TOLERANCE):
            raise InputError(
                f"the data have the window {_window_words(*ours)}, model '{name}' has {_window_words(*theirs)}; "
                "cut both to the same window after the onset before their RDMs are made."
            )
        for data_length, length in itertools.product(_durations(data), _durations(rdms)):
            if not np.isclose(data_length, length, rtol=0, atol=WINDOW_TOLERANCE):
                raise InputError(
                    f"the trials of the data last {time_words(data_length)}, those of model '{name}' "
                    f"{time_words(length)}; cut both to windows of one length before their RDMs are made."
                )


def _durations(rdms: Any) -> list[float]:
    """Return the lengths of the trials in seconds, none where the RDMs do not name them."""
    given = {float(value) for value in rdms.rdm_descriptors.get("duration", []) if value is not None}
    return sorted(value for value in given if np.isfinite(value))


def _window(rdms: Any, whose: str) -> tuple[float, float] | None:
    """Return start and stop in seconds, None where the RDMs name none."""
    given = rdms.rdm_descriptors
    if "window_start" not in given or "window_stop" not in given:
        return None
    windows = list(dict.fromkeys(zip(map(float, given["window_start"]), map(float, given["window_stop"]), strict=True)))
    if len(windows) > 1:
        raise InputError(
            f"the RDMs of {whose} are of {len(windows)} windows ({_window_words(*windows[0])}, "
            f"{_window_words(*windows[1])}, ...); compare one at a time, for example "
            f"rdms.subset('window_start', {windows[0][0]:g})."
        )
    return windows[0]


def _window_words(start: float, stop: float) -> str:
    return f"{time_words(start)} to {time_words(stop)}"


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
