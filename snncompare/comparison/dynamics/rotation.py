"""The orthogonal matrix that brings one operator closest to another, searched for from several starts."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_rotation"]

Array = NDArray[np.float64]

ROUNDS = 3
"""The search is restarted where it ended this often: the map from skew to orthogonal matrices is flat far from 0."""


def best_rotation(a: Array, b: Array, n_starts: int, generator: np.random.Generator) -> Array:
    r"""Return the orthogonal C with the smallest :math:`\lVert A - C B C^T \rVert_F` that was found.

    The same C maximises :math:`f(C) = \mathrm{tr}(A^T C B C^T)`. Each start :math:`C_0` is improved by L-BFGS over
    skew-symmetric S with Cayley's map :math:`C = C_0 (I - S)(I + S)^{-1}`. Starts: the identity, the rotation that
    aligns the eigenvectors of the symmetric parts (exact where B is a rotated A with distinct eigenvalues there), and
    random ones; each in both components of the orthogonal group, rotations and reflections.

    Ten random starts found what twenty found for random operators up to 10 by 10; at 20 by 20 the angle still varied by
    0.001 between seeds.

    Parameters
    ----------
    a, b : array (n, n)
        Of unit length, for the stopping rule.
    n_starts : int
        Number of random starts, at least 0.
    generator : numpy.random.Generator

    Returns
    -------
    array (n, n)
    """
    n = len(a)
    if n == 1:
        return np.eye(1)
    random = [np.linalg.qr(generator.normal(size=(n, n)))[0] for _ in range(n_starts)]
    flip = np.diag(np.r_[np.ones(n - 1), -1.0])
    starts = [start @ other for start in (np.eye(n), _aligned(a, b), *random) for other in (np.eye(n), flip)]
    found = [_improved(a, b, start) for start in starts]
    return max(found, key=lambda c: float(np.sum(a * (c @ b @ c.T))))


def _aligned(a: Array, b: Array) -> Array:
    """Return the map between the eigenvectors of the symmetric parts, signed as the skew parts suggest."""
    of_a, of_b = (np.linalg.eigh(x + x.T)[1] for x in (a, b))
    skew_a, skew_b = (v.T @ (x - x.T) @ v for x, v in ((a, of_a), (b, of_b)))
    agreement = skew_a * skew_b
    signs = np.where(np.linalg.eigh(agreement)[1][:, -1] < 0, -1.0, 1.0)
    return (of_a * signs) @ of_b.T


def _improved(a: Array, b: Array, start: Array) -> Array:
    from scipy.optimize import minimize

    n = len(a)
    upper = np.triu_indices(n, 1)
    identity = np.eye(n)

    def rotation(parameters: Array, base: Array) -> tuple[Array, Array]:
        skew = np.zeros((n, n))
        skew[upper] = parameters
        skew -= skew.T
        inverse: Array = np.asarray(np.linalg.inv(identity + skew), dtype=np.float64)
        return base @ (identity - skew) @ inverse, inverse

    def loss(parameters: Array, base: Array) -> tuple[float, Array]:
        c, inverse = rotation(parameters, base)
        moved = c @ b
        gradient = a @ c @ b.T + a.T @ moved
        by_skew = 2 * inverse.T @ base.T @ gradient @ inverse.T
        return -float(np.sum(a * (moved @ c.T))), (by_skew - by_skew.T)[upper]

    options = {"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-10}
    for _ in range(ROUNDS):
        result = minimize(loss, np.zeros(len(upper[0])), args=(start,), jac=True, method="L-BFGS-B", options=options)
        start = rotation(result.x, start)[0]
    return start
