"""Dissimilarities of single units, which add up to those of the population, from one number per trial."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["condition_means", "crossed_dissimilarities", "halves_of_trials", "unit_dissimilarities"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def condition_means(values: Array, condition: Integers) -> Array:
    """Return the means over the trials of each condition, array (n_conditions, n_units)."""
    number = np.bincount(condition)
    total = np.zeros((number.size, values.shape[1]))
    np.add.at(total, condition, values)
    return total / number[:, None]


def unit_dissimilarities(values: Array, condition: Integers) -> Array:
    r"""Return the unbiased squared distances between conditions, unit by unit, array (n_units, n_pairs).

    .. math:: d_u(a, b) = (\bar x_{a,u} - \bar x_{b,u})^2 - s_{a,u}^2 / n_a - s_{b,u}^2 / n_b

    with mean and variance over the trials of a condition: `BetweenMinusWithin` of the Euclidean distance, for one unit.
    Summed over units it is the population's.

    Parameters
    ----------
    values : array (n_trials, n_units)
    condition : array (n_trials,)
        Counted from 0, every one at least twice.
    """
    mean, number = condition_means(values, condition), np.bincount(condition)[:, None]
    squares = condition_means((values - mean[condition]) ** 2, condition) / (number - 1)  # variance of the mean
    first, second = np.triu_indices(number.size, 1)
    return np.asarray(((mean[first] - mean[second]) ** 2 - squares[first] - squares[second]).T)


def crossed_dissimilarities(mean_a: Array, mean_b: Array) -> Array:
    r"""Return products of differences in one half of the trials and in the other, array (n_units, n_pairs).

    .. math:: d_u(a, b) = (\bar x^A_{a,u} - \bar x^A_{b,u}) (\bar x^B_{a,u} - \bar x^B_{b,u})

    Unbiased for numbers that share noise between the trials of a half, such as what was estimated from all of them.
    """
    first, second = np.triu_indices(len(mean_a), 1)
    return np.asarray(((mean_a[first] - mean_a[second]) * (mean_b[first] - mean_b[second])).T)


def halves_of_trials(condition: Integers, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return a mask of half of the trials of every condition, drawn at random."""
    chosen = np.zeros(condition.size, dtype=bool)
    for c in np.unique(condition):
        rows = rng.permutation(np.flatnonzero(condition == c))
        chosen[rows[: rows.size // 2]] = True
    return chosen
