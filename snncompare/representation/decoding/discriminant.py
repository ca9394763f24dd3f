"""Linear discriminant analysis on a Gram matrix, for the labels and all their permutations at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.decoding.folds import Folds

__all__ = ["linear_decoding"]

Array = NDArray[np.float64]
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Tried penalties, relative to the mean squared distance of the trials from their mean divided by their number."""


class _Fold(NamedTuple):
    """The trained part of one fold in the directions of its principal components.

    ``values`` (n_components,) and ``vectors`` (n_train, n_components): of the centred Gram matrix of what trains;
    ``tested`` (n_test, n_components): inner products of what is tested with the vectors.
    """

    values: Array
    vectors: Array
    tested: Array


def linear_decoding(gram: Array, labels: NDArray[np.int64], folds: Folds) -> NDArray[np.int64]:
    r"""Return the class that regularised linear discriminant analysis gives each trial when it is left out.

    In the space whose inner products the Gram matrix holds, with means :math:`\mu_c` of the classes and their common
    covariance :math:`\Sigma_w`, trial x is decoded as the class with the largest

    .. math:: x^T A \mu_c - \tfrac{1}{2} \mu_c^T A \mu_c, \qquad A = (\Sigma_w + \lambda I)^{-1}

    for equal prior probabilities. With :math:`\Sigma_w = \Sigma_t - B B^T`, where :math:`\Sigma_t` is the covariance of
    all trials, which does not depend on the labels, and the columns of B are :math:`\sqrt{n_c / n} \, (\mu_c - \mu)`,

    .. math:: A B = A_t B (I - B^T A_t B)^{-1}, \qquad A_t = (\Sigma_t + \lambda I)^{-1}

    so that all permutations of the labels share one decomposition. In each fold :math:`\lambda` is the one, of five
    that are factors of ten apart, with the smallest generalised cross-validation error of the penalised regression of
    the class indicators, each divided by the root of the class's size, on the training trials: the tested trials have
    no part in it.

    Parameters
    ----------
    gram : array (n_trials, n_trials) or (n_folds, n_trials, n_trials)
        Inner products, positive semidefinite; the same for all folds or each fold's own.
    labels : array (n_labellings, n_trials)
        Numbers of classes from 0; in every fold all labellings have the same number of trials of each class.
    folds : Folds

    Returns
    -------
    array (n_labellings, n_trials)

    References
    ----------
    Friedman 1989, J. Am. Stat. Assoc. 84:165 (the regularisation). Hastie, Tibshirani & Buja 1994, J. Am. Stat. Assoc.
    89:1255 (discriminant analysis by regression, with the penalty chosen by generalised cross-validation).
    """
    decoded = np.empty_like(labels)
    n_classes = int(labels.max()) + 1
    for k, (train, test) in enumerate(folds):
        part = _fold(gram if gram.ndim == 2 else gram[k], train, test)
        decoded[:, test] = _decoded(part, labels[:, train], n_classes)
    return decoded


def _fold(gram: Array, train: NDArray[np.int64], test: NDArray[np.int64]) -> _Fold:
    trained, tested = gram[np.ix_(train, train)], gram[np.ix_(test, train)]
    column = trained.mean(axis=0)
    centred = trained - column - column[:, None] + column.mean()
    values, vectors = np.linalg.eigh(centred)
    kept = values > 1e-10 * max(float(values[-1]), 0.0)
    away = tested - column - tested.mean(axis=1, keepdims=True) + column.mean()
    return _Fold(values[kept], vectors[:, kept], away @ vectors[:, kept])


def _decoded(part: _Fold, labels: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    n_labellings, n = labels.shape
    sizes = np.bincount(labels[0], minlength=n_classes).astype(np.float64)
    shape = (n_labellings, len(part.tested), n_classes)
    if part.values.size == 0:  # all trials are alike
        return np.zeros(shape[:2], dtype=np.int64)
    indicators = (labels[..., None] == np.arange(n_classes)) / np.sqrt(sizes)
    flat = indicators.transpose(1, 0, 2).reshape(n, -1)
    products = part.vectors.T @ flat
    turned = products.reshape(-1, n_labellings, n_classes).transpose(1, 0, 2)
    ridges = part.values.sum() / n * np.array(PENALTIES)
    errors = [_generalised_error(part, turned, sizes / n, ridge) for ridge in ridges]
    chosen = np.stack(errors).argmin(axis=0)
    scores = np.empty(shape)
    for k, ridge in enumerate(ridges):
        mine = chosen == k
        if mine.any():
            scores[mine] = _scores(part, turned[mine], ridge, sizes / n)
    return scores.argmax(axis=-1)


def _generalised_error(part: _Fold, turned: Array, share: Array, ridge: float) -> Array:
    r"""Return :math:`\sum_i (y_i - \hat y_i)^2 / (1 - \mathrm{tr} H / n)^2` per labelling."""
    n, left = len(part.vectors), ridge / (part.values + ridge)
    outside = np.maximum(1 - share - (turned**2).sum(axis=1), 0.0)  # indicators have norm 1, their means are fitted
    missed: Array = (((left[:, None] * turned) ** 2).sum(axis=1) + outside).sum(axis=1)
    return missed / (1 - (1 + (1 - left).sum()) / n) ** 2


def _scores(part: _Fold, turned: Array, ridge: float, share: Array) -> Array:
    """Return the discriminants (n_labellings, n_test, n_classes) of labels ``turned`` into principal components."""
    weighted = turned / (part.values + ridge)[:, None]
    between = turned.transpose(0, 2, 1) @ (part.values[:, None] * weighted)
    inverse = np.linalg.inv(np.eye(share.size) - between)
    n = len(part.vectors)
    products = np.sqrt(n) * (part.tested @ weighted) @ inverse / np.sqrt(share)
    norms = np.einsum("pcd,pdc->pc", between, inverse) / share
    return products - 0.5 * norms[:, None, :]
