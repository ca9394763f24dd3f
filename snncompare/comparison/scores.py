"""Scores of dissimilarity vectors: what makes the similarity of two RDMs an inner product.

A bootstrap sample of conditions draws condition a ``c_a`` times, so the pair (a, b) occurs ``w_ab = c_a c_b``
times in the resampled RDM. Pairs of a condition with itself are left out, as rsatoolbox does. Every measure of
a resampled RDM is therefore the weighted measure of the original vector with weights ``w``.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["centred_scores", "plain_scores", "rank_scores", "standard_scores", "weighted_ranks"]

Array = NDArray[np.float64]

# A vector whose spread is this small a part of its size is constant up to rounding.
ROUNDING = 1e-12


def plain_scores(x: Array, weights: Array) -> Array:
    r"""Return x scaled to unit weighted length: :math:`x / \sqrt{\sum_p w_p x_p^2}`.

    Parameters
    ----------
    x : array (n_pairs,)
        Dissimilarities.
    weights : array (n_resamples, n_pairs)
        How often each pair occurs.

    Returns
    -------
    array (n_resamples, n_pairs)
        Zero where x is zero.
    """
    length = np.sqrt(weights @ (x * x))
    return x * _inverse(length, 0.0)[:, None]


def centred_scores(x: Array, weights: Array) -> Array:
    r"""Return x with its weighted mean removed, scaled to unit weighted length.

    .. math:: (x - \bar x_w) / \sqrt{\sum_p w_p (x_p - \bar x_w)^2}

    Parameters and shapes as in `plain_scores`; zero where x is constant.
    """
    mean = weights @ x / weights.sum(axis=1)
    centred = x - mean[:, None]
    length = np.sqrt(np.einsum("np,np,np->n", weights, centred, centred))
    smallest = ROUNDING * np.sqrt(weights @ (x * x))
    return centred * _inverse(length, smallest)[:, None]


def standard_scores(x: Array) -> Array:
    """Return every row of x with mean 0 and standard deviation 1; zeros for a constant row."""
    centred = x - x.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1)
    return centred * _inverse(spread, ROUNDING * np.sqrt(np.mean(x * x, axis=1)))[:, None]


def rank_scores(x: Array, weights: Array, *, tie_corrected: bool) -> Array:
    r"""Return the centred weighted ranks of x, scaled so that inner products are rank correlations.

    With :math:`n = \sum_p w_p` the scale is :math:`\sqrt{\sum_p w_p (R_p - (n + 1) / 2)^2}` (Spearman's rho, ties
    corrected) or :math:`\sqrt{(n^3 - n) / 12}` (rho-a: the expected value under random breaking of ties).

    Parameters and shapes as in `plain_scores`.
    """
    n = weights.sum(axis=1)
    centred = weighted_ranks(x, weights) - (n[:, None] + 1) / 2
    if tie_corrected:
        length = np.sqrt(np.einsum("np,np,np->n", weights, centred, centred))
    else:
        length = np.sqrt((n**3 - n) / 12)
    return centred * _inverse(length, 0.0)[:, None]


def weighted_ranks(x: Array, weights: Array) -> Array:
    r"""Return the mid-ranks that the entries of x have when entry p occurs :math:`w_p` times.

    .. math:: R_p = \sum_{q: x_q < x_p} w_q + \tfrac{1}{2} \Big(1 + \sum_{q: x_q = x_p} w_q\Big)

    Parameters
    ----------
    x : array (n_pairs,)
    weights : array (n_resamples, n_pairs)

    Returns
    -------
    array (n_resamples, n_pairs)
        Of an entry with weight 0, the rank is of no consequence.
    """
    order = np.argsort(x, kind="stable")
    ascending = x[order]
    starts = np.flatnonzero(np.r_[True, ascending[1:] != ascending[:-1]])
    occurrences = np.add.reduceat(weights[:, order], starts, axis=1)
    ranks = np.cumsum(occurrences, axis=1) - occurrences / 2 + 0.5
    group = np.empty(len(x), dtype=np.intp)
    group[order] = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(x)]))
    return ranks[:, group]


def _inverse(length: Array, smallest: Array | float) -> Array:
    usable = length > smallest
    return np.where(usable, 1 / np.where(usable, length, 1.0), 0.0)
