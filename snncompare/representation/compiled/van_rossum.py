"""Van Rossum distances between all pairs of trials, for several time constants at once."""

import math

import numpy as np
from numba import njit, void
from numba.types import float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.cross_intensity import laplacian_norms, laplacian_products
from snncompare.representation.compiled.pairs import FLOATS, INTEGERS
from snncompare.representation.compiled.threads import in_threads, n_threads
from snncompare.representation.compiled.trains import Trains

__all__ = ["van_rossum_squared"]

NEAR = 1e-3
"""Share of the norms below which the distance of two trains is integrated instead of expanded."""
PIECES_PER_THREAD = 8
DOUBLINGS = 10
SERIES = tuple(1.0 / math.factorial(k) for k in range(5, 10))
LONGEST_GAP = 40.0  # in units of tau: exp(-40) is below the rounding of 1


def van_rossum_squared(trains: Trains, taus: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    r"""Return the squared van Rossum distances between trials, added over units.

    Expanded, the distance is a difference of kernels (in Elephant's normalisation: one spike against an empty train is
    1; the paper's squared distance is half of it):

    .. math:: D_{ij}^2 = K_{ii} + K_{jj} - 2 K_{ij}, \qquad K_{ij} = \sum_{s \in i} \sum_{r \in j} e^{-|t_s - t_r|/\tau}

    which one sweep over the spikes of all trials gives for all pairs (`laplacian_products`). Similar trains lose digits
    in that difference. Where :math:`D_{ij}^2 < \theta (K_{ii} + K_{jj})`, :math:`\theta` = ``NEAR``, the filtered
    difference is therefore integrated: over the merged spike times :math:`t_k` it starts at
    :math:`g_k = g_{k-1} e^{-(t_k - t_{k-1})/\tau} + s_k`, :math:`s_k = \pm 1` in the one and the other train, and
    decays, which is the markage recursion of Houghton & Kreuz applied to the difference of the trains:

    .. math:: D^2 = \sum_k g_k^2 \left( 1 - e^{-2 (t_{k+1} - t_k)/\tau} \right), \qquad t_{K+1} = \infty

    There no term is negative, and identical trains give exactly 0. A value depends on the two trials alone, to the last
    digit; its relative error is at most :math:`6 (n_i + n_j + 8) \, 2^{-53} / \theta` for :math:`n_i + n_j` spikes, and
    in practice grows with the root of that number.

    Parameters
    ----------
    trains : Trains
    taus : array (n_taus,)
        Time constants in seconds, above zero.
    rows, columns : range
        Trials: either the same range, or the columns lie after the rows.

    Returns
    -------
    array (n_taus, n_rows, n_columns)

    References
    ----------
    van Rossum 2001, Neural Comput. 13:751. Houghton & Kreuz 2012, Network 23:48 (the markage).
    """
    result = laplacian_products(trains, taus, rows, columns)
    of_rows = laplacian_norms(trains, taus, rows)
    of_columns = of_rows if rows == columns else laplacian_norms(trains, taus, columns)
    for squared, tau, a, b in zip(result, taus, of_rows, of_columns, strict=True):
        norms = a[:, None] + b[None, :]
        np.subtract(norms, 2.0 * squared, out=squared)
        near = squared < NEAR * norms
        if rows == columns:
            np.fill_diagonal(squared, 0.0)
            np.fill_diagonal(near, False)
        if not near.any():
            continue
        i, j = np.nonzero(np.triu(near) if rows == columns else near)
        squared[i, j] = _integrated(trains, tau, i + rows.start, j + columns.start)
        if rows == columns:
            squared[j, i] = squared[i, j]
    return result


def _integrated(trains: Trains, tau: float, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the squared distances of the pairs of trials as integrals of the filtered difference."""
    squared = np.empty((first.size, 1))
    n_pieces = max(1, min(first.size, n_threads() * PIECES_PER_THREAD))

    def work(piece: int) -> None:
        part = slice(piece * first.size // n_pieces, (piece + 1) * first.size // n_pieces)
        rate = np.array([1.0 / tau])
        _fill(trains.times, trains.offsets, trains.n_units, first[part], second[part], rate, squared[part])

    in_threads(work, range(n_pieces))
    return squared[:, 0]


@njit(int64(FLOATS, FLOATS, float64[::1], float64[::1]), cache=True, nogil=True)
def _merge(a, b, merged, sign):  # type: ignore[no-untyped-def]
    """Write the spike times of two trains in order, with +1 for spikes of ``a`` and -1 for ``b``; return how many.

    As many spikes as the shorter train has are taken from the front and as many from the back: two independent chains
    that the processor overlaps, neither of which can run past the other's end.
    """
    i, i_end, j, j_end = 0, a.size, 0, b.size
    n, n_end = 0, a.size + b.size
    for _ in range(min(a.size, b.size)):
        of_a = 1 if a[i] <= b[j] else 0  # arithmetic, no branch: which train is next is a coin flip
        merged[n] = a[i] if of_a else b[j]
        sign[n] = 2.0 * of_a - 1.0
        n, i, j = n + 1, i + of_a, j + 1 - of_a
        of_a = 1 if a[i_end - 1] > b[j_end - 1] else 0
        n_end -= 1
        merged[n_end] = a[i_end - 1] if of_a else b[j_end - 1]
        sign[n_end] = 2.0 * of_a - 1.0
        i_end, j_end = i_end - of_a, j_end - 1 + of_a
    while n < n_end:
        of_a = 1 if j == j_end or (i < i_end and a[i] <= b[j]) else 0
        merged[n] = a[i] if of_a else b[j]
        sign[n] = 2.0 * of_a - 1.0
        n, i, j = n + 1, i + of_a, j + 1 - of_a
    return a.size + b.size


@njit(void(float64[::1], int64, float64, float64[::1]), cache=True, nogil=True)
def _decay_minus_one(merged, n, rate, lost):  # type: ignore[no-untyped-def]
    """Write ``expm1(-gap * rate)`` for the gap after each spike but the last, in plain arithmetic.

    The series of ``expm1`` at the argument divided by ``2**DOUBLINGS``, then ``expm1(2 x) = u (2 + u)`` with
    ``u = expm1(x)``, which keeps full relative accuracy for negative ``x``; without a branch or a call it fills the
    processor's vector units.
    """
    shrink = 0.5**DOUBLINGS
    for k in range(n - 1):
        x = max((merged[k] - merged[k + 1]) * rate, -LONGEST_GAP) * shrink
        u = x * (SERIES[0] + x * (SERIES[1] + x * (SERIES[2] + x * (SERIES[3] + x * SERIES[4]))))
        u = x * (1.0 + x * (1.0 / 2.0 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + u))))
        for _ in range(DOUBLINGS):
            u *= 2.0 + u
        lost[k] = u
    lost[n - 1] = -1.0


@njit(float64(float64[::1], float64[::1], int64), cache=True, nogil=True)
def _integral(sign, lost, n):  # type: ignore[no-untyped-def]
    """Return the squared norm of the filtered difference, with ``level`` its value just after each spike."""
    level = total = 0.0
    kept = 1.0
    for k in range(n):
        level = level * kept + sign[k]
        total -= level * level * lost[k] * (2.0 + lost[k])
        kept = 1.0 + lost[k]
    return total


@njit(void(FLOATS, INTEGERS, int64, INTEGERS, INTEGERS, FLOATS, float64[:, ::1]), cache=True, nogil=True)
def _fill(times, offsets, n_units, first, second, rates, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, n_taus)`` with the squared distances of the trials ``first`` and ``second``."""
    longest = 1
    for k in range(offsets.size - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    merged, sign, lost = np.empty(2 * longest), np.empty(2 * longest), np.empty(2 * longest)
    out[:] = 0.0
    for pair in range(first.size):
        for unit in range(n_units):
            k, m = first[pair] * n_units + unit, second[pair] * n_units + unit
            a, b = times[offsets[k] : offsets[k + 1]], times[offsets[m] : offsets[m + 1]]
            n = _merge(a, b, merged, sign)
            for r in range(rates.size if n > 0 else 0):
                _decay_minus_one(merged, n, rates[r], lost)
                out[pair, r] += _integral(sign, lost, n)
