"""The Bures geometry of positive semidefinite matrices: how well two sets of points can be rotated onto each other."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["bures_cosine", "bures_squared", "fidelity", "root"]

Array = NDArray[np.float64]

ROUNDING = 1e-14
"""An eigenvalue below this part of the largest is zero: centring makes one, and its root would be noise of 1e-7."""


def root(matrices: Array) -> Array:
    """Return the symmetric square roots (..., n, n); negative eigenvalues count as zero."""
    values, vectors = np.linalg.eigh(matrices)
    return (vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def fidelity(root_a: Array, b: Array) -> Array:
    r"""Return :math:`F(A, B) = \mathrm{tr}\,(A^{1/2} B A^{1/2})^{1/2}`, the nuclear norm of :math:`X^T Y`.

    For Gram matrices :math:`A = X X^T, B = Y Y^T` it is the largest :math:`\mathrm{tr}\, X Q Y^T` over rotations Q. A
    matrix that is not positive semidefinite, such as the Gram matrix of an unbiased RDM, loses its negative part, for B
    after the product with the root of A.

    Parameters
    ----------
    root_a : array (..., n, n)
        From `root`.
    b : array (..., n, n)

    Returns
    -------
    array (...)
    """
    values = np.linalg.eigvalsh(root_a @ b @ root_a)
    smallest = ROUNDING * values.shape[-1] * np.abs(values).max(axis=-1, keepdims=True)
    return np.sqrt(np.where(values > smallest, values, 0.0)).sum(axis=-1)


def bures_squared(root_a: Array, a: Array, b: Array) -> Array:
    r"""Return the squared Bures distance :math:`\mathrm{tr} A + \mathrm{tr} B - 2 F(A, B)`."""
    return _trace(a) + _trace(b) - 2 * fidelity(root_a, b)


def bures_cosine(root_a: Array, a: Array, b: Array) -> Array:
    r"""Return :math:`F(A, B) / \sqrt{\mathrm{tr} A \, \mathrm{tr} B}`; 0 where a trace is not positive."""
    size = np.maximum(_trace(a), 0.0) * np.maximum(_trace(b), 0.0)
    return np.where(size > 0, fidelity(root_a, b) / np.sqrt(np.where(size > 0, size, 1.0)), 0.0)


def _trace(matrices: Array) -> Array:
    return np.trace(matrices, axis1=-2, axis2=-1)
