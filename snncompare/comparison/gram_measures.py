"""Similarity of two Gram matrices over the same conditions or trials: CKA, Procrustes and Bures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.fidelity import bures_cosine, bures_squared, root
from snncompare.comparison.labelled_arrays import aligned_grams
from snncompare.representation.metrics.codings import require_truth_value

__all__ = ["bures", "cka", "procrustes"]

Array = NDArray[np.float64]

ROUNDING = 1e-12
"""A centred matrix smaller than this part of the matrix is zero up to rounding."""

FEWEST = 4
"""The unbiased estimate divides by n - 3."""


def cka(x: Any, y: Any, *, debiased: bool = True) -> float:
    r"""Return the centred kernel alignment (CKA) of two Gram matrices.

    .. math::

        \mathrm{CKA}(K, L) = \frac{h(K, L)}{\sqrt{h(K, K) \, h(L, L)}}

    Biased: :math:`h(K, L) = \mathrm{tr}(K H L H)`, :math:`H = I - 11^T / n`. Debiased, with :math:`\tilde K, \tilde L`
    the matrices with a zero diagonal:

    .. math::

        h(K, L) = \frac{1}{n (n - 3)} \left( \mathrm{tr}(\tilde K \tilde L)
        + \frac{1^T \tilde K 1 \; 1^T \tilde L 1}{(n - 1)(n - 2)} - \frac{2}{n - 2} 1^T \tilde K \tilde L 1 \right)

    which is 0 on average for unrelated representations, whereas the biased one is far above 0 where there are more
    units than conditions. The diagonal does not enter, so noise that is independent between conditions does not raise
    it; it lowers it, as noise lowers any correlation. The debiased value may be negative. The biased one equals the
    whitened cosine similarity (`WhitenedCosine`) of the RDMs of squared distances.

    Parameters
    ----------
    x, y : xarray.DataArray or array (n, n)
        Gram matrices over the same conditions, or over the same trials (for trials that were paired by the experiment).
        Labelled ones are aligned by label.
    debiased : bool

    Returns
    -------
    float
        At most 1; 0 where one of the two has no structure at all.

    Raises
    ------
    InputError
        If the matrices are not square, symmetric and finite, differ in their labels, or are smaller than 4 by 4
        (debiased) or 2 by 2.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton 2019, arXiv 1905.00414. Song, Smola, Gretton, Bedo & Borgwardt 2012, J. Mach.
    Learn. Res. 13:1393, eq. 5. Murphy, Zylberberg & Fyshe 2024, arXiv 2405.01012 (why debiased).
    """
    require_truth_value(debiased, "debiased")
    grams = aligned_grams(x, y, FEWEST if debiased else 2)
    k, other = (_u_centred(gram) if debiased else _centred(gram) for gram in grams)
    size = np.sum(k * k) * np.sum(other * other)
    return float(np.sum(k * other) / np.sqrt(size)) if size > 0 else 0.0


def procrustes(x: Any, y: Any, *, angular: bool = False) -> float:
    r"""Return the Procrustes distance of the points that two Gram matrices stand for.

    For :math:`K = X X^T, L = Y Y^T` (centred) and orthogonal Q:

    .. math::

        \min_Q \lVert X - Y Q \rVert_F^2 = \mathrm{tr} K + \mathrm{tr} L - 2 F, \qquad
        F = \mathrm{tr}\,(K^{1/2} L K^{1/2})^{1/2}

    the squared Procrustes, or Bures, distance; angular: :math:`\arccos(F / \sqrt{\mathrm{tr} K \, \mathrm{tr} L})`, a
    metric that does not depend on scale. Both are 0 for equal matrices.

    Parameters
    ----------
    x, y : xarray.DataArray or array (n, n)
        As in `cka`. The negative part of a matrix that is not positive semidefinite is dropped.
    angular : bool
        Return the angle (radians) instead of the squared distance.

    Returns
    -------
    float

    Raises
    ------
    InputError
        As in `cka`.

    References
    ----------
    Williams, Kunz, Kornblith & Linderman 2021, arXiv 2110.14739, eq. 5 to 7.
    """
    require_truth_value(angular, "angular")
    if angular:
        return float(np.arccos(np.clip(bures(x, y), -1.0, 1.0)))
    k, other = (_positive_part(_centred(gram)) for gram in aligned_grams(x, y, 2))
    return max(float(bures_squared(root(k), k, other)), 0.0)


def bures(x: Any, y: Any) -> float:
    r"""Return the Bures similarity :math:`F / \sqrt{\mathrm{tr} K \, \mathrm{tr} L}`, F as in `procrustes`.

    The cosine of the angular Procrustes distance: between 0 and 1, and above 0 for unrelated matrices.

    Parameters
    ----------
    x, y : xarray.DataArray or array (n, n)
        As in `procrustes`.

    Returns
    -------
    float

    Raises
    ------
    InputError
        As in `cka`.
    """
    k, other = (_positive_part(_centred(gram)) for gram in aligned_grams(x, y, 2))
    return float(bures_cosine(root(k), k, other))


def _centred(gram: Array) -> Array:
    means = gram.mean(axis=0)
    return _zero_if_rounding(gram - means[:, None] - means[None, :] + means.mean(), gram)


def _u_centred(gram: Array) -> Array:
    """Return the matrix whose inner products are the unbiased estimate, up to a factor (Szekely & Rizzo 2014)."""
    n = len(gram)
    hollow = gram - np.diag(np.diagonal(gram))
    sums = hollow.sum(axis=0)
    centred = hollow - (sums[:, None] + sums[None, :]) / (n - 2) + sums.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0.0)
    return _zero_if_rounding(centred, hollow)


def _zero_if_rounding(centred: Array, gram: Array) -> Array:
    return centred if np.linalg.norm(centred) > ROUNDING * np.linalg.norm(gram) else np.zeros_like(centred)


def _positive_part(gram: Array) -> Array:
    values, vectors = np.linalg.eigh(gram)
    return (vectors * np.maximum(values, 0.0)) @ vectors.T
