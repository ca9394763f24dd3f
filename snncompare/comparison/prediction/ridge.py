"""Ridge regression from a Gram matrix, for all penalties at once, with nested cross-validation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["choose_penalties", "ridge_predictions", "split_into_folds"]

Array = NDArray[np.float64]
Integers = NDArray[np.intp]


def ridge_predictions(gram: Array, responses: Array, train: Integers, test: Integers, penalties: Array) -> Array:
    r"""Return what kernel ridge regression with an intercept predicts for each penalty.

    .. math::

        \hat Y = \bar Y + K_c^{test} (K_c + \lambda I)^{-1} (Y - \bar Y), \qquad
        \lambda = p \, \mathrm{tr}(K_c) / n

    with all means, and the centring of K, from the training rows (the coefficients sum to 0, so what is common to a row
    of the test matrix drops out). For a linear kernel this is ridge regression.

    Parameters
    ----------
    gram : array (n, n)
    responses : array (n, n_units)
    train, test : integer arrays
        Rows.
    penalties : array (n_penalties,)
        p, relative to the mean squared length of the centred training points.

    Returns
    -------
    array (n_penalties, n_test, n_units)
    """
    own, cross = gram[np.ix_(train, train)], gram[np.ix_(test, train)]
    means = own.mean(axis=0)
    centred = own - means[:, None] - means[None, :] + means.mean()
    intercept = responses[train].mean(axis=0)
    values, vectors = np.linalg.eigh(centred)
    scale = np.trace(centred) / len(train)
    if scale <= 0:  # the predictors do not differ: nothing but the mean can be predicted
        return np.broadcast_to(intercept, (len(penalties), len(test), responses.shape[1]))
    loads = vectors.T @ (responses[train] - intercept)
    shrunk = loads / (np.maximum(values, 0.0) + scale * penalties[:, None])[..., None]
    return intercept + ((cross - means) @ vectors) @ shrunk


def choose_penalties(gram: Array, responses: Array, folds: Sequence[Integers], penalties: Array) -> Integers:
    """Return, per unit, the place of the penalty with the smallest squared error over held-out folds.

    Parameters
    ----------
    folds : sequence of integer arrays
        Rows of each fold; each is predicted from the others.
    """
    error = np.zeros((len(penalties), responses.shape[1]))
    for k, test in enumerate(folds):
        train = np.concatenate([fold for j, fold in enumerate(folds) if j != k])
        predicted = ridge_predictions(gram, responses, train, test, penalties)
        error += ((predicted - responses[test]) ** 2).sum(axis=1)
    return error.argmin(axis=0)


def split_into_folds(groups: NDArray[np.int64], n_folds: int, generator: np.random.Generator) -> list[Integers]:
    """Return the rows of each fold; rows of one group stay together, groups are dealt at random.

    Parameters
    ----------
    groups : integer array (n,)
        Group of each row.
    """
    different = generator.permutation(np.unique(groups))
    return [np.flatnonzero(np.isin(groups, different[k::n_folds])) for k in range(n_folds)]
