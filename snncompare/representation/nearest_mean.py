"""Leave-one-out decoding of the condition by the nearest mean response: whether trials tell conditions apart at all."""

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = ["accuracy", "root_counts"]


def root_counts(recording: Recording, bins: QuantityLike | None) -> NDArray[np.float64]:
    """Return the square roots of the spike counts of every trial, shape (n_trials, n_units * n_bins).

    The square root makes the variance of a Poisson count nearly the same (1/4) at every mean (Anscombe 1948).

    Parameters
    ----------
    recording : Recording
        With trials of one common window.
    bins : time or None
        Width of the bins; the last one may be shorter than the others. None: one count per unit.

    Raises
    ------
    InputError
        For a width that is not positive.
    """
    start, stop = float(recording.trials["start"].iloc[0]), float(recording.trials["stop"].iloc[0])
    width = stop - start if bins is None else seconds(bins, "bins")
    if width <= 0:
        raise InputError(f"the bins must have a positive width, got {bins}.")
    n_bins = max(int(np.ceil((stop - start) / width * (1 - 1e-9))), 1)
    trial, unit = recording.spike_index()
    position = np.clip(((recording.times - start) / width).astype(np.int64), 0, n_bins - 1)
    cell = (trial * recording.n_units + unit) * n_bins + position
    counts = np.bincount(cell, minlength=recording.n_trials * recording.n_units * n_bins)
    return np.sqrt(counts.reshape(recording.n_trials, -1))


def accuracy(features: NDArray[np.float64], condition: NDArray[np.int64]) -> float:
    """Return the share of trials that lie nearest to the mean of their own condition, themselves left out of it.

    With ``x_i`` the features of trial i, ``n_c`` trials and mean ``m_c`` of condition c, trial i is decoded as the c
    with the smallest ``|x_i - m_c|^2``, where for its own condition ``m_c`` becomes ``(n_c m_c - x_i) / (n_c - 1)``.
    Ties go to the condition that comes first.

    Parameters
    ----------
    features : array of shape (n_trials, n_features)
    condition : array of shape (n_trials,)
        Numbers from 0; every condition needs two trials.
    """
    number = np.bincount(condition).astype(np.float64)
    sums = np.zeros((number.size, features.shape[1]))
    np.add.at(sums, condition, features)
    own = (np.arange(condition.size), condition)
    square = (features**2).sum(axis=1)
    product = features @ sums.T
    size = np.broadcast_to(number, product.shape).copy()
    norm = np.broadcast_to((sums**2).sum(axis=1), product.shape).copy()
    norm[own] += square - 2 * product[own]
    product[own] -= square
    size[own] -= 1
    decoded = (norm / size**2 - 2 * product / size).argmin(axis=1)
    return float((decoded == condition).mean())
