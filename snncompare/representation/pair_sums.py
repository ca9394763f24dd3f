"""Sums over pairs of trials, by condition: of weighted samples at once, or block by block in a fixed order."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.conditions import Conditions

__all__ = ["apart", "ordered_sums", "pair_counts", "weighted_sums"]


def apart(conditions: Conditions, rows: range, columns: range) -> NDArray[np.bool_]:
    """Return which trials of a block are of different groups, array (n_rows, n_columns)."""
    group = conditions.group
    assert group is not None, "asked of grouped trials only"
    return group[rows, None] != group[None, columns]


def pair_counts(weights: NDArray[np.float64], conditions: Conditions) -> NDArray[np.float64]:
    """Return how many ordered pairs of trials enter, ``(n_samples, n_conditions, n_conditions)``.

    Of grouped trials the pairs of different groups; else all pairs of different trials. ``weights (n_samples,
    n_trials)`` say how often each trial occurs; copies of a trial form no pair.
    """
    size = weights @ np.eye(conditions.n_conditions)[conditions.index]
    counts = size[:, :, None] * size[:, None, :]
    if conditions.group is None:
        diagonal = np.arange(conditions.n_conditions)
        counts[:, diagonal, diagonal] -= (weights**2) @ np.eye(conditions.n_conditions)[conditions.index]
    else:
        for group in range(int(conditions.group.max()) + 1):
            here = np.flatnonzero(conditions.group == group)
            part = weights[:, here] @ np.eye(conditions.n_conditions)[conditions.index[here]]
            counts -= part[:, :, None] * part[:, None, :]
    return counts


def weighted_sums(
    matrix: NDArray[np.float64], conditions: Conditions, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add ``w_i w_j matrix_ij`` over the trials of each two conditions: ``(n_samples, n_conditions, n_conditions)``.

    Trials are first put in the order of their conditions; ``matrix`` is symmetric, so half of the blocks is computed.
    """
    order = np.argsort(conditions.index, kind="stable")
    starts = np.concatenate([[0], np.cumsum(conditions.n_trials)])
    matrix, weights = matrix[np.ix_(order, order)], np.ascontiguousarray(weights[:, order])
    sums = np.empty((len(weights), conditions.n_conditions, conditions.n_conditions))
    for c in range(conditions.n_conditions):
        begin, end = starts[c], starts[c + 1]
        products = weights[:, begin:end] @ matrix[begin:end, begin:]
        products *= weights[:, begin:]
        sums[:, c, c:] = np.add.reduceat(products, starts[c:-1] - begin, axis=1)
        sums[:, c:, c] = sums[:, c, c:]
    return sums


def ordered_sums(
    blocks: Iterable[tuple[range, range, NDArray[np.float64]]], n_values: int, conditions: Conditions
) -> NDArray[np.float64]:
    """Add the blocks of symmetric matrices over the trials of each two conditions.

    Every trial adds up its row from the first trial to the last, one by one, whatever the blocks: the sums do not
    depend on how the matrices were cut. What is held is ``n_values * n_trials * n_conditions`` numbers.

    Parameters
    ----------
    blocks : iterable of (rows, columns, array (n_values, n_rows, n_columns))
        The blocks on and above the diagonal, row by row.
    n_values : int
    conditions : Conditions

    Returns
    -------
    array (n_values, n_conditions, n_conditions)
    """
    index = conditions.index
    to_condition = np.zeros((n_values, conditions.n_conditions, index.size))
    for rows, columns, values in blocks:
        here, there = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
        for i in rows:
            to_condition[:, index[i], there] += values[:, i - rows.start, :]
        if rows != columns:
            for j in columns:
                to_condition[:, index[j], here] += values[:, :, j - columns.start]
    sums = np.zeros((n_values, conditions.n_conditions, conditions.n_conditions))
    for trial, condition in enumerate(index):
        sums[:, condition] += to_condition[:, :, trial]
    return sums
