"""Two halves of the trials, compared: correlations of RDMs and of responses, averaged over splits."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from snncompare.representation.conditions import Conditions
from snncompare.representation.estimators import Estimator
from snncompare.representation.labelled import stacked

__all__ = ["half_correlations", "response_correlation", "spearman", "spearman_brown"]


def half_correlations(
    between: xr.DataArray,
    conditions: Conditions,
    orders: NDArray[np.int64],
    estimator: Estimator,
    n_splits: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return the mean Spearman correlation of the RDMs of two halves of the trials, for several orders of the trials.

    All orders share the splits, which are drawn within the conditions.

    Parameters
    ----------
    between : xarray.DataArray
        Distances of one metric, from `distances`.
    conditions : Conditions
    orders : array of shape (n_orders, n_trials)
        Which trial stands where: the trials as they are, or a permutation, which gives them other labels.
    estimator : Estimator
    n_splits, seed : int

    Returns
    -------
    array (n_orders,)
        NaN where the RDMs are constant.
    """
    values, euclidean = stacked(between)
    first = _halves(conditions, n_splits, seed)
    weights = np.concatenate([first, 1.0 - first])
    found = np.empty(len(orders))
    for k, order in enumerate(orders):
        vectors = estimator.estimate(values[:, order[:, None], order], euclidean, conditions, weights)[0]
        found[k] = _mean_correlation(_ranks(vectors[:n_splits]), _ranks(vectors[n_splits:]))
    return found


def _halves(conditions: Conditions, n_splits: int, seed: int) -> NDArray[np.float64]:
    """Draw which trials form the first half in each split, as ones: ``(n_splits, n_trials)``."""
    rng = np.random.default_rng(seed)
    first = np.zeros((n_splits, conditions.index.size))
    for condition in range(conditions.n_conditions):
        of = np.flatnonzero(conditions.index == condition)
        rank = rng.permuted(np.tile(np.arange(of.size), (n_splits, 1)), axis=1)
        size = of.size // 2 + rng.integers(0, of.size % 2 + 1, size=(n_splits, 1))
        first[:, of] = rank < size
    return first


def response_correlation(counts: NDArray[np.float64], conditions: Conditions, n_splits: int, seed: int) -> float:
    """Return the mean Pearson correlation of the mean counts per condition of two halves of the trials.

    Parameters
    ----------
    counts : array of shape (n_trials,)
    conditions : Conditions
    n_splits, seed : int
    """
    return _mean_correlation(*_half_means(counts, conditions, n_splits, seed))


def _half_means(
    counts: NDArray[np.float64], conditions: Conditions, n_splits: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean counts per condition of two halves of the trials, shape (n_splits, n_conditions) each."""
    rng = np.random.default_rng(seed)
    halves = np.empty((2, n_splits, conditions.n_conditions))
    for condition in range(conditions.n_conditions):
        of = counts[conditions.index == condition]
        shuffled = rng.permuted(np.tile(of, (n_splits, 1)), axis=1)
        halves[0, :, condition] = shuffled[:, : of.size // 2].mean(axis=1)
        halves[1, :, condition] = shuffled[:, of.size // 2 :].mean(axis=1)
    return halves[0], halves[1]


def _mean_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the mean over rows of the Pearson correlation; rows without variance count as 0, NaN if all are."""
    a, b = (values - values.mean(axis=1, keepdims=True) for values in (a, b))
    norm = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    if not norm.any():
        return float("nan")
    product = (a * b).sum(axis=1)
    return float(np.divide(product, norm, out=np.zeros_like(norm), where=norm > 0).mean())


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=1), dtype=np.float64)


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return Spearman's correlation of two vectors of one length; NaN where one is constant."""
    return _mean_correlation(_ranks(a[None]), _ranks(b[None]))


def spearman_brown(correlation: float) -> float:
    """Return the reliability of all trials from that of halves, ``2 r / (1 + r)``; NaN for r of -1 or NaN."""
    return 2 * correlation / (1 + correlation) if correlation > -1 else float("nan")
