r"""Variance of an RDM explained by component RDMs: alone, uniquely, in common, in their order; with tests.

Explained variance is that of a regression with a constant and non-negative weights, because dissimilarities add and do
not subtract. With few components the best non-negative weights are those of the subset of components whose ordinary
weights are all non-negative and explain most, which is exact and vectorises over responses.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["commonality", "explained", "increment_p", "increments", "subsets"]

Array = NDArray[np.float64]
Integers = NDArray[np.intp]
Subset = tuple[int, ...]

ROUNDING = 1e-10
"""A vector whose spread is this small a part of its size is constant; variances closer than this are equal."""


def subsets(n: int) -> list[Subset]:
    """Return all subsets of n components but the empty one, small ones first."""
    return [subset for size in range(1, n + 1) for subset in itertools.combinations(range(n), size)]


def explained(responses: Array, components: Array) -> dict[Subset, Array]:
    r"""Return :math:`R^2` of every subset of the components, with non-negative weights and a constant.

    Parameters
    ----------
    responses : array (n_responses, n_pairs)
    components : array (n_components, n_pairs)

    Returns
    -------
    dict of subset to array (n_responses,)
        Zero for a constant response; the empty subset explains nothing.
    """
    centred = _centred(responses)
    scaled = _scaled(components)
    total = (centred**2).sum(axis=1)
    usable = total > (ROUNDING * np.abs(responses).max(axis=1, initial=0.0)) ** 2 * responses.shape[1]
    feasible: dict[Subset, Array] = {(): np.zeros(len(responses))}
    for subset in subsets(len(components)):
        x = scaled[list(subset)]
        weights = centred @ np.linalg.pinv(x)
        share = np.where(usable, (weights * (centred @ x.T)).sum(axis=1) / np.where(usable, total, 1.0), 0.0)
        feasible[subset] = np.where((weights >= -ROUNDING).all(axis=1), share, 0.0)
    parts = {subset: [small for small in feasible if set(small) <= set(subset)] for subset in feasible}
    return {subset: np.max([feasible[small] for small in smaller], axis=0) for subset, smaller in parts.items()}


def commonality(shares: dict[Subset, Array]) -> dict[Subset, Array]:
    r"""Return what each subset of components explains in common and no other component does.

    By inclusion and exclusion of the :math:`R^2` of the subsets; the parts add up to the :math:`R^2` of all
    components. A part that is shared may be negative: then the components explain more together than apart.

    .. math:: c(S) = \sum_{T \subseteq S} (-1)^{|T| + 1} R^2(\bar S \cup T)

    with :math:`\bar S` the components that are not in S. Nimon, Lewis, Kane & Haynes 2008, Behav. Res. Methods 40:457.
    """
    n = max(len(subset) for subset in shares)
    found = {}
    for subset in subsets(n):
        rest = tuple(k for k in range(n) if k not in subset)
        parts = [part for size in range(len(subset) + 1) for part in itertools.combinations(subset, size)]
        terms = [(-1) ** (len(part) + 1) * shares[tuple(sorted(rest + part))] for part in parts]
        found[subset] = np.sum(terms, axis=0)
    return found


def increments(shares: dict[Subset, Array]) -> Array:
    """Return what every component explains beyond those before it, ``(n_components, n_responses)``; sums to all."""
    n = max(len(subset) for subset in shares)
    levels = [shares[tuple(range(k))] for k in range(n + 1)]
    return np.diff(np.stack(levels), axis=0)


def increment_p(cases: Sequence[tuple[Array, Array]], pairs: Integers) -> Array:
    r"""Return the p of every component beyond the components before it, array (n_components,); one-sided.

    The statistic is the correlation :math:`r_k` of response and component after the components before it were taken
    out of both. Under the null hypothesis the conditions of what is left of the response may be renamed (Freedman &
    Lane 1983; for matrices Dekker, Krackhardt & Snijders 2007, Psychometrika 72:563):

    .. math:: p = \frac{1 + \#\{\pi: r_k^\pi \ge r_k\}}{1 + n}

    Of several cases (splits of the trials) the mean of r counts, under the same renamings. The sign matters: noise that
    is larger for some conditions raises the mean of squares, and of what non-negative weights explain, but not of r.

    Parameters
    ----------
    cases : sequence of (response (n_pairs,), components (n_components, n_pairs))
    pairs : integer array (n_renamings, n_pairs)
        Pairs of conditions after renaming.
    """
    every = np.concatenate([np.arange(pairs.shape[1])[None], pairs])
    p = np.empty(len(cases[0][1]))
    for k in range(p.size):
        r = np.mean([_partial(response, components, k, every) for response, components in cases], axis=0)
        p[k] = (r >= r[0] - ROUNDING).sum() / len(every)
    return p


def _partial(response: Array, components: Array, k: int, pairs: Integers) -> Array:
    """Return the correlation of the renamed rest of the response with component k beyond those before it."""
    before = _scaled(components[:k])
    basis = np.linalg.svd(before, full_matrices=False)[2][np.linalg.svd(before, compute_uv=False) > ROUNDING]

    def rest(vectors: Array) -> Array:
        centred = _centred(vectors)
        return centred - centred @ basis.T @ basis

    renamed = rest(rest(response[None])[0][pairs])
    component = rest(_scaled(components[k : k + 1]))[0]
    length = np.linalg.norm(renamed, axis=1) * np.linalg.norm(component)
    usable = length > ROUNDING * np.linalg.norm(response)
    return np.where(usable, renamed @ component / np.where(usable, length, 1.0), 0.0)


def _centred(vectors: Array) -> Array:
    return vectors - vectors.mean(axis=1, keepdims=True)


def _scaled(vectors: Array) -> Array:
    """Return the vectors centred and scaled to unit length; zero where they are constant up to rounding."""
    centred = _centred(vectors)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    usable = length > ROUNDING * np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(usable, centred / np.where(usable, length, 1.0), 0.0)
