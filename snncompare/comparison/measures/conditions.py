"""What a measure of conditions, rather than of pairs, needs: matrices, noise covariances, resampled conditions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import number_array

__all__ = [
    "Covariance",
    "as_covariance",
    "centred_grams",
    "condition_counts",
    "n_conditions",
    "noise_covariance",
    "square",
]

Array = NDArray[np.float64]

Covariance = tuple[float, ...] | tuple[tuple[float, ...], ...]
"""A noise covariance of conditions as a value that can be compared and hashed: variances, or rows of a matrix."""

TOLERANCE = 1e-9
"""Relative; multiplicities of pairs are products of whole numbers, so rounding is far below."""


def square(vectors: Array) -> Array:
    """Return the symmetric matrices (..., n, n) with zero diagonal of upper triangles (..., n_pairs)."""
    n = n_conditions(vectors.shape[-1])
    first, second = np.triu_indices(n, 1)
    matrices = np.zeros((*vectors.shape[:-1], n, n))
    matrices[..., first, second] = matrices[..., second, first] = vectors
    return matrices


def n_conditions(n_pairs: int) -> int:
    """Return the number of conditions that have this many pairs.

    Raises
    ------
    InputError
        If there is none.
    """
    n = round((1 + np.sqrt(1 + 8 * n_pairs)) / 2)
    if n * (n - 1) // 2 != n_pairs:
        raise InputError(f"{n_pairs} dissimilarities are not the pairs of any number of conditions.")
    return n


def condition_counts(weights: Array) -> Array:
    r"""Return how often each condition was drawn, from how often each pair of two conditions occurs.

    With :math:`w_{ab} = c_a c_b` and three conditions a, b, d that occur, :math:`c_a = \sqrt{w_{ab} w_{ad} / w_{bd}}`
    and :math:`c_k = w_{ak} / c_a` for all others.

    Parameters
    ----------
    weights : array (n_resamples, n_pairs)

    Returns
    -------
    array (n_resamples, n_conditions)

    Raises
    ------
    InputError
        If fewer than three conditions occur, or if the weights are no such products.
    """
    table = square(np.asarray(weights, dtype=np.float64))
    rows = np.arange(len(table))
    a = table.sum(axis=2).argmax(axis=1)
    with_a = table[rows, a]
    b, d = np.argsort(with_a, axis=1)[:, [-1, -2]].T
    if not ((with_a[rows, d] > 0) & (table[rows, b, d] > 0)).all():
        raise InputError("a resample holds fewer than three different conditions; its RDM cannot be compared.")
    of_a = np.sqrt(with_a[rows, b] * with_a[rows, d] / table[rows, b, d])
    counts = with_a / of_a[:, None]
    counts[rows, a] = of_a
    first, second = np.triu_indices(table.shape[1], 1)
    if not np.allclose(counts[:, first] * counts[:, second], weights, rtol=TOLERANCE, atol=TOLERANCE):
        raise InputError("this measure weights conditions; the weights of the pairs must be products of their counts.")
    return counts


def centred_grams(vectors: Array, counts: Array) -> Array:
    r"""Return the Gram matrices of the conditions about their weighted mean, each weighted by its multiplicity.

    .. math:: A = C^{1/2} H \left(-\tfrac12 D\right) H^T C^{1/2}, \qquad H = I - 1 c^T / N, \quad N = \sum_a c_a

    It has the eigenvalues (but for zeros) of the Gram matrix in which condition a stands :math:`c_a` times.

    Parameters
    ----------
    vectors : array (n_rdms, n_pairs)
        Squared Euclidean distances.
    counts : array (n_resamples, n_conditions)

    Returns
    -------
    array (n_resamples, n_rdms, n_conditions, n_conditions)
    """
    grams = square(vectors) / -2
    share = counts / counts.sum(axis=1, keepdims=True)
    means = np.einsum("ra,kab->rkb", share, grams)
    grand = np.einsum("rkb,rb->rk", means, share)
    centred = grams - means[..., :, None] - means[..., None, :] + grand[..., None, None]
    root = np.sqrt(counts)[:, None]
    return centred * root[..., :, None] * root[..., None, :]


def noise_covariance(given: Any, name: str) -> Covariance | None:
    """Return variances or a covariance matrix of the conditions as a plain value.

    Raises
    ------
    InputError
        If it is no positive definite symmetric matrix and no vector of positive numbers.
    """
    if given is None:
        return None
    values = number_array(given, name)
    if values.ndim == 1 and values.size > 1 and np.isfinite(values).all() and (values > 0).all():
        return tuple(values.tolist())
    if values.ndim == 2 and values.shape[0] == values.shape[1] and np.isfinite(values).all():
        symmetric = np.allclose(values, values.T, rtol=TOLERANCE, atol=0)
        if symmetric and np.linalg.eigvalsh(values)[0] > TOLERANCE * np.trace(values):
            return tuple(tuple(row) for row in values.tolist())
    raise InputError(
        f"{name} must hold the positive noise variance of each condition, or their symmetric, positive definite "
        f"covariance matrix; got an array of shape {values.shape}."
    )


def as_covariance(value: Covariance | None, n: int, name: str) -> Array | None:
    """Return the noise covariance as an array: (n,) variances, an (n, n) matrix, or None for equal, independent noise.

    Raises
    ------
    InputError
        If it is for another number of conditions.
    """
    if value is None:
        return None
    covariance = np.array(value)
    if len(covariance) != n:
        raise InputError(f"{name} is for {len(covariance)} conditions, the RDMs have {n}; give one row per condition.")
    return covariance
