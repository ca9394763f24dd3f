"""Distances between trials that are vectors of numbers: exact in every block and on any number of threads."""

import numpy as np
from numba import njit, void
from numba.types import Array, float64
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import INTEGERS, over_pairs

__all__ = ["product_of_differences", "rank_disagreement"]

VECTORS = Array(float64, 2, "C", readonly=True)


def product_of_differences(
    x: NDArray[np.float64], y: NDArray[np.float64], rows: range, columns: range
) -> NDArray[np.float64]:
    r"""Return :math:`\sum_f (x_{if} - x_{jf})(y_{if} - y_{jf})`; the squared Euclidean distance if ``y`` is ``x``.

    Parameters
    ----------
    x, y : array (n_trials, n_features)
    rows, columns : range
        Trials, as in `over_pairs`.

    Returns
    -------
    array (n_rows, n_columns)
    """

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill_products(np.ascontiguousarray(x), np.ascontiguousarray(y), first, second, out)

    return over_pairs(kernel, rows, columns, 1)[0]


def rank_disagreement(times: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    r"""Return Kendall's distance of two rankings of the same units, from 0 to 1.

    A pair of units counts 1 if the rankings order it in opposite ways and 1/2 if exactly one of them ties it, divided
    by the number of pairs.

    Parameters
    ----------
    times : array (n_trials, n_units)
        What is ranked; equal values, infinite ones included, are ties. Two units or more.
    rows, columns : range
        Trials, as in `over_pairs`.

    Returns
    -------
    array (n_rows, n_columns)

    References
    ----------
    Fagin, Kumar, Mahdian, Sivakumar & Vee 2006, SIAM J. Discrete Math. 20:628 (the profile metric).
    """

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill_disagreement(np.ascontiguousarray(times), first, second, out)

    return over_pairs(kernel, rows, columns, 1)[0]


@njit(void(VECTORS, VECTORS, INTEGERS, INTEGERS, float64[:, ::1]), cache=True, nogil=True)
def _fill_products(x, y, first, second, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, 1)``, with four sums that the processor overlaps."""
    n = x.shape[1]
    for pair in range(first.size):
        i, j = first[pair], second[pair]
        p = q = r = s = 0.0
        for f in range(0, n - 3, 4):
            p += (x[i, f] - x[j, f]) * (y[i, f] - y[j, f])
            q += (x[i, f + 1] - x[j, f + 1]) * (y[i, f + 1] - y[j, f + 1])
            r += (x[i, f + 2] - x[j, f + 2]) * (y[i, f + 2] - y[j, f + 2])
            s += (x[i, f + 3] - x[j, f + 3]) * (y[i, f + 3] - y[j, f + 3])
        for f in range(n - n % 4, n):
            p += (x[i, f] - x[j, f]) * (y[i, f] - y[j, f])
        out[pair, 0] = (p + q) + (r + s)


@njit(void(VECTORS, INTEGERS, INTEGERS, float64[:, ::1]), cache=True, nogil=True)
def _fill_disagreement(times, first, second, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, 1)``."""
    n = times.shape[1]
    for pair in range(first.size):
        a, b = times[first[pair]], times[second[pair]]
        twice = 0
        for u in range(n):
            for v in range(u):
                of_a = (1 if a[u] > a[v] else 0) - (1 if a[u] < a[v] else 0)
                of_b = (1 if b[u] > b[v] else 0) - (1 if b[u] < b[v] else 0)
                twice += abs(of_a - of_b)
        out[pair, 0] = twice / (n * (n - 1.0))
