"""Random numbers inside kernels: one xoshiro256++ generator for each population and projection of a run.

The generator is that of Blackman and Vigna (2021) ACM Trans. Math. Softw. 47:36. A generator is four words of an array,
beginning at an offset.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from snncompare.backends.draw_values import generator

__all__ = [
    "DRAWS",
    "WORDS",
    "exponential",
    "fill_counts",
    "fill_hits",
    "fill_normal",
    "fill_uniform",
    "gap_after_hit",
    "hit_scale",
    "normal",
    "poisson",
    "seeded_words",
    "uniform",
]

WORDS = 4
"""Words of a generator."""
_SMALL, _LARGE = 1.0, 20.0
_LAYERS, _TAIL, _AREA = 256, 7.69711747013104972, 0.0039496598225815571993
"""Layers of the ziggurat under exp(-x), where its tail begins, and the area of a layer."""


def _edges() -> NDArray[np.float64]:
    """Return the right edge of each layer, the widest (with the tail) first."""
    edges = [_AREA * math.exp(_TAIL), _TAIL]
    while len(edges) < _LAYERS:
        edges.append(-math.log(_AREA / edges[-1] + math.exp(-edges[-1])))
    return np.array([*edges, 0.0])


_EDGES = _edges()
_HEIGHTS = np.exp(-_EDGES)


def seeded_words(seed: int, trial: int, name: str) -> NDArray[np.uint64]:
    """Return the first state of a generator; it depends on seed, trial and name only.

    Raises
    ------
    InputError
        If the seed is not a whole number from 0 on.
    """
    return generator(seed, f"{name} of trial {trial}").integers(1, 1 << 63, WORDS, dtype=np.uint64)


@njit(cache=True, error_model="numpy")
def _rotated(x: Any, k: Any) -> Any:
    return (x << np.uint64(k)) | (x >> np.uint64(64 - k))


@njit(cache=True, error_model="numpy")
def _word(U: Any, o: Any) -> Any:
    a, b, c, d = U[o], U[o + 1], U[o + 2], U[o + 3]
    word = _rotated(a + d, 23) + a
    c ^= a
    d ^= b
    U[o] = a ^ d
    U[o + 1] = b ^ c
    U[o + 2] = c ^ (b << np.uint64(17))
    U[o + 3] = _rotated(d, 45)
    return word


@njit(cache=True, error_model="numpy")
def uniform(U: Any, o: Any) -> Any:
    """Return a number from [0, 1), with 53 random bits."""
    return (_word(U, o) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, error_model="numpy")
def normal(U: Any, o: Any) -> Any:
    """Return a standard normal number, by the polar method (Marsaglia & Bray 1964 SIAM Review 6:260)."""
    while True:
        x = 2.0 * uniform(U, o) - 1.0
        y = 2.0 * uniform(U, o) - 1.0
        r = x * x + y * y
        if 0.0 < r < 1.0:
            return x * math.sqrt(-2.0 * math.log(r) / r)


@njit(cache=True, error_model="numpy")
def exponential(U: Any, o: Any) -> Any:
    """Return a number from the density exp(-x), by the ziggurat of Marsaglia and Tsang (2000) J. Stat. Softw. 5(8)."""
    beyond = 0.0
    while True:
        word = _word(U, o)
        layer = np.int64(word & np.uint64(_LAYERS - 1))
        x = (word >> np.uint64(11)) * (1.0 / 9007199254740992.0) * _EDGES[layer]
        if x < _EDGES[layer + 1]:
            return beyond + x
        if layer == 0:
            beyond += _TAIL
        elif _HEIGHTS[layer] + uniform(U, o) * (_HEIGHTS[layer + 1] - _HEIGHTS[layer]) < math.exp(-x):
            return beyond + x


@njit(cache=True, error_model="numpy")
def poisson(U: Any, o: Any, rate: Any) -> Any:
    """Return a Poisson number: products of uniform numbers (Knuth), large rates in parts that add up."""
    if not rate > 0.0:
        return 0.0
    count, left = 0.0, rate
    while left > 0.0:
        limit, left = math.exp(-min(left, _LARGE)), left - _LARGE
        product = uniform(U, o)
        while product > limit:
            count += 1.0
            product *= uniform(U, o)
    return count


@njit(cache=True, error_model="numpy")
def fill_uniform(F: Any, o: Any, n: Any, U: Any, u: Any) -> None:
    """Write n uniform numbers from F[o] on."""
    a, b, c, d = U[u], U[u + 1], U[u + 2], U[u + 3]
    for k in range(n):
        word = _rotated(a + d, 23) + a
        shifted = b << np.uint64(17)
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = _rotated(d, 45)
        F[o + k] = (word >> np.uint64(11)) * (1.0 / 9007199254740992.0)
    U[u], U[u + 1], U[u + 2], U[u + 3] = a, b, c, d


@njit(cache=True, error_model="numpy")
def fill_normal(F: Any, o: Any, n: Any, U: Any, u: Any) -> None:
    """Write n standard normal numbers from F[o] on, two by two."""
    k = 0
    while k < n:
        x = 2.0 * uniform(U, u) - 1.0
        y = 2.0 * uniform(U, u) - 1.0
        r = x * x + y * y
        if 0.0 < r < 1.0:
            factor = math.sqrt(-2.0 * math.log(r) / r)
            F[o + k] = x * factor
            if k + 1 < n:
                F[o + k + 1] = y * factor
            k += 2


@njit(cache=True, error_model="numpy")
def gap_after_hit(U: Any, u: Any, scale: Any) -> Any:
    """Return how many trials fail before the next one succeeds, where ``scale = -1/log(1 - p)`` (zero for p = 1)."""
    gap = exponential(U, u) * scale
    return np.int64(gap) if gap < 1e15 else np.int64(1e15)


@njit(cache=True, error_model="numpy")
def hit_scale(p: Any) -> Any:
    """Return ``-1/log(1 - p)`` for a probability, zero from p = 1 on."""
    return 0.0 if p >= 1.0 else -1.0 / math.log1p(-max(p, 0.0))


@njit(cache=True, error_model="numpy")
def fill_hits(F: Any, o: Any, n: Any, U: Any, u: Any, G: Any, g: Any, scale: Any) -> None:
    """Write n trials from F[o] on, 1 where ``rand() < p``: the gaps between them are geometric, so few are drawn.

    G[g] is the number of trials before the next success, minus one if it was not drawn yet.
    """
    for k in range(n):
        F[o + k] = 0.0
    gap = G[g] if G[g] >= 0 else gap_after_hit(U, u, scale)
    while gap < n:
        F[o + gap] = 1.0
        gap += 1 + gap_after_hit(U, u, scale)
    G[g] = gap - n


@njit(cache=True, error_model="numpy")
def fill_counts(F: Any, o: Any, n: Any, U: Any, u: Any, G: Any, g: Any, rate: Any) -> None:
    """Write n Poisson numbers of one rate from F[o] on; where a small rate gives zero, nothing is drawn."""
    small = rate < _SMALL
    for k in range(n):
        F[o + k] = 0.0 if small else poisson(U, u, rate)
    if not (small and rate > 0.0):
        return
    scale = 1.0 / rate  # the probability of zero is exp(-rate)
    gap = G[g] if G[g] >= 0 else gap_after_hit(U, u, scale)
    while gap < n:
        first = math.exp(-rate) * rate / -math.expm1(-rate)  # probability of one, given at least one
        left, count, term = uniform(U, u), 1.0, first
        while left >= term > 0.0:
            left -= term
            count += 1.0
            term *= rate / count
        F[o + gap] = count
        gap += 1 + gap_after_hit(U, u, scale)
    G[g] = gap - n


DRAWS = {
    "uniform": uniform,
    "normal": normal,
    "poisson": poisson,
    "hit_scale": hit_scale,
    "fill_uniform": fill_uniform,
    "fill_normal": fill_normal,
    "fill_hits": fill_hits,
    "fill_counts": fill_counts,
}
"""Name in the text of a kernel to function."""
