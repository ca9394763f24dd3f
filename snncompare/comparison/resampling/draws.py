"""Similarities of RDMs, as they are and with conditions or subjects drawn anew.

Similarities are linear in subjects, sessions and network instances: the similarity of a model is the mean over its
instances and over the animals, of an animal the mean over its sessions. Sessions are averaged here, instances later.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned
from snncompare.comparison.measures import Measure

__all__ = ["blocks", "over_both", "over_conditions", "over_subjects", "similarities"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Resamples are taken in blocks of about this many numbers, to bound memory.
BLOCK = 4_000_000


def similarities(aligned: Aligned, measure: Measure) -> Array:
    """Return the similarity of every animal (mean over its sessions) to every network instance.

    Returns
    -------
    array (n_metrics, n_subjects, n_instances)
    """
    recordings = aligned.recordings
    pairs = zip(recordings.vectors, aligned.instances.vectors, strict=True)
    return recordings.averaged(np.stack([measure.between(data, models) for data, models in pairs]), axis=1)


def over_conditions(aligned: Aligned, measure: Measure, drawn: Integers) -> Array:
    """Return similarities for bootstrap samples of the conditions.

    Parameters
    ----------
    aligned : Aligned
    measure : Measure
    drawn : integer array (n_resamples, n_conditions)
        Positions of the conditions of every sample.

    Returns
    -------
    array (n_metrics, n_subjects, n_instances, n_resamples)
        nan for a sample with fewer than 3 different conditions, as in rsatoolbox.
    """
    recordings, instances = aligned.recordings, aligned.instances
    n_metrics, _, n_pairs = recordings.vectors.shape
    result = np.empty((n_metrics, len(aligned.subjects), instances.n_members, len(drawn)))
    first, second = np.triu_indices(len(aligned.conditions), 1)
    for part in blocks(len(drawn), n_pairs * (instances.n_members + 2)):
        times = np.stack([np.bincount(row, minlength=len(aligned.conditions)) for row in drawn[part]]).astype(float)
        times[(times > 0).sum(axis=1) < 3] = np.nan
        usable = np.isfinite(times[:, 0])
        weights = times[usable][:, first] * times[usable][:, second]
        block = np.full((len(times), *result.shape[1:3]), np.nan)
        for k, (data, models) in enumerate(zip(recordings.vectors, instances.vectors, strict=True)):
            block[usable] = recordings.averaged(measure.resampled(data, models, weights), axis=1)
            result[k, :, :, part] = np.moveaxis(block, 0, -1)
    return result


def over_subjects(aligned: Aligned, measure: Measure, drawn: Integers) -> Array:
    """Return mean similarities over bootstrap samples of the subjects.

    Parameters
    ----------
    drawn : integer array (n_resamples, n_subjects)

    Returns
    -------
    array (n_metrics, n_instances, n_resamples)
    """
    each = similarities(aligned, measure)
    return np.stack([np.moveaxis(similarity[drawn].mean(axis=1), 0, -1) for similarity in each])


def over_both(aligned: Aligned, measure: Measure, each: Array, subjects: Integers) -> tuple[Array, Array, Array]:
    """Return similarities over samples of both factors, of subjects only and of conditions only.

    Parameters
    ----------
    each : array (n_metrics, n_subjects, n_instances, n_resamples)
        From `over_conditions`.
    subjects : integer array (n_resamples, n_subjects)

    Returns
    -------
    three arrays (n_metrics, n_instances, n_resamples)
    """
    chosen = np.stack([each[..., n][:, row] for n, row in enumerate(subjects)], axis=-1)
    return chosen.mean(axis=1), over_subjects(aligned, measure, subjects), each.mean(axis=1)


def blocks(n: int, size: int) -> Iterator[slice]:
    """Yield slices that cover n rows of the given size, each of a bounded number of entries."""
    step = max(1, BLOCK // size)
    for first in range(0, n, step):
        yield slice(first, min(n, first + step))
