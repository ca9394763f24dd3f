"""Kendall's concordance of weighted vectors, counted in n log n steps."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["net_concordance", "relabelled_concordance", "untied_pairs"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@njit(cache=True)
def _below(tree: Array, rank: int) -> float:
    total = 0.0
    while rank > 0:
        total += tree[rank]
        rank -= rank & -rank
    return total


@njit(cache=True)
def _add(tree: Array, rank: int, weight: float) -> None:
    while rank < len(tree):
        tree[rank] += weight
        rank += rank & -rank


@njit(cache=True)
def _concordance(order: Integers, x: Integers, y: Integers, weights: Array, tree: Array) -> float:
    """Walk x upwards; a Fenwick tree over the ranks of y holds the weight of all entries with smaller x."""
    tree[:] = 0.0
    total, seen, start = 0.0, 0.0, 0
    while start < len(order):
        stop = start
        while stop < len(order) and x[order[stop]] == x[order[start]]:
            p = order[stop]
            if weights[p] > 0:
                below = _below(tree, y[p] - 1)
                above = seen - _below(tree, y[p])
                total += weights[p] * (below - above)
            stop += 1
        for k in range(start, stop):
            _add(tree, y[order[k]], weights[order[k]])
            seen += weights[order[k]]
        start = stop
    return total


@njit(cache=True)
def _over_weights(order: Integers, x: Integers, y: Integers, weights: Array) -> Array:
    result = np.empty(len(weights))
    tree = np.empty(len(x) + 1)
    for n in range(len(weights)):
        result[n] = _concordance(order, x, y, weights[n], tree)
    return result


@njit(cache=True)
def _over_labels(order: Integers, x: Integers, y: Integers, pairs: Integers) -> Array:
    result = np.empty(len(pairs))
    ones, tree = np.ones(len(x)), np.empty(len(x) + 1)
    for n in range(len(pairs)):
        result[n] = _concordance(order, x, y[pairs[n]], ones, tree)
    return result


def _ranks(x: Array) -> Integers:
    return np.unique(x, return_inverse=True)[1].astype(np.int64) + 1


def net_concordance(x: Array, y: Array, weights: Array) -> Array:
    r"""Return :math:`\sum_{p<q} w_p w_q\,\mathrm{sgn}(x_p - x_q)\,\mathrm{sgn}(y_p - y_q)` per row of weights.

    Parameters
    ----------
    x, y : array (n_pairs,)
    weights : array (n_resamples, n_pairs)

    Returns
    -------
    array (n_resamples,)
    """
    ranks = _ranks(x)
    order = np.argsort(ranks, kind="stable").astype(np.int64)
    return _over_weights(order, ranks, _ranks(y), np.ascontiguousarray(weights))


def relabelled_concordance(x: Array, y: Array, pairs: Integers) -> Array:
    """Return the net concordance of ``x[pairs[n]]`` with y, for every n.

    Parameters
    ----------
    x, y : array (n_pairs,)
    pairs : integer array (n_relabellings, n_pairs)

    Returns
    -------
    array (n_relabellings,)
    """
    ranks = _ranks(y)
    order = np.argsort(ranks, kind="stable").astype(np.int64)
    return _over_labels(order, ranks, _ranks(x), np.ascontiguousarray(pairs, dtype=np.int64))


def untied_pairs(x: Array, weights: Array) -> Array:
    r"""Return the number of pairs of entries of x that differ, :math:`\sum_{p<q} w_p w_q [x_p \neq x_q]`.

    Parameters
    ----------
    x : array (n_pairs,)
    weights : array (n_resamples, n_pairs)

    Returns
    -------
    array (n_resamples,)
    """
    order = np.argsort(x, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(x[order]) != 0])
    tied = np.add.reduceat(weights[:, order], starts, axis=1)
    return (weights.sum(axis=1) ** 2 - (tied**2).sum(axis=1)) / 2
