"""Similarities of RDMs whose conditions or subjects are drawn anew."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned
from snncompare.comparison.measures import Measure

__all__ = ["blocks", "over_both", "over_conditions", "over_subjects"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

# Resamples are taken in blocks of about this many numbers, to bound memory.
BLOCK = 4_000_000


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
    array (n_metrics, n_subjects, n_models, n_resamples)
        nan for a sample with fewer than 3 different conditions, as in rsatoolbox.
    """
    n_metrics, n_subjects, n_pairs = aligned.data.shape
    n_models = aligned.models.shape[1]
    result = np.empty((n_metrics, n_subjects, n_models, len(drawn)))
    first, second = np.triu_indices(len(aligned.conditions), 1)
    for part in blocks(len(drawn), n_pairs * (n_models + 2)):
        times = np.stack([np.bincount(row, minlength=len(aligned.conditions)) for row in drawn[part]]).astype(float)
        times[(times > 0).sum(axis=1) < 3] = np.nan
        usable = np.isfinite(times[:, 0])
        weights = times[usable][:, first] * times[usable][:, second]
        block = np.full((len(times), n_subjects, n_models), np.nan)
        for k, (data, models) in enumerate(zip(aligned.data, aligned.models, strict=True)):
            block[usable] = measure.resampled(data, models, weights)
            result[k, :, :, part] = np.moveaxis(block, 0, -1)
    return result


def over_subjects(aligned: Aligned, measure: Measure, drawn: Integers) -> Array:
    """Return mean similarities over bootstrap samples of the subjects.

    Parameters
    ----------
    drawn : integer array (n_resamples, n_subjects)

    Returns
    -------
    array (n_metrics, n_models, n_resamples)
    """
    each = [measure.between(data, models) for data, models in zip(aligned.data, aligned.models, strict=True)]
    return np.stack([np.moveaxis(similarity[drawn].mean(axis=1), 0, -1) for similarity in each])


def over_both(aligned: Aligned, measure: Measure, drawn: Integers, subjects: Integers) -> tuple[Array, Array, Array]:
    """Return similarities over samples of both factors, of subjects only and of conditions only.

    Parameters
    ----------
    drawn : integer array (n_resamples, n_conditions)
    subjects : integer array (n_resamples, n_subjects)

    Returns
    -------
    three arrays (n_metrics, n_models, n_resamples)
    """
    each = over_conditions(aligned, measure, drawn)
    chosen = np.stack([each[..., n][:, row] for n, row in enumerate(subjects)], axis=-1)
    return chosen.mean(axis=1), over_subjects(aligned, measure, subjects), each.mean(axis=1)


def blocks(n: int, size: int) -> Iterator[slice]:
    """Yield slices that cover n rows of the given size, each of a bounded number of entries."""
    step = max(1, BLOCK // size)
    for first in range(0, n, step):
        yield slice(first, min(n, first + step))
