"""SPIKE-distances between all pairs of trials, for several thresholds at once."""

import numpy as np
from numba import boolean, njit, void
from numba.types import Array, float64, int64, uint64
from numpy.typing import NDArray

from snncompare.representation.compiled.knots import knots_of
from snncompare.representation.compiled.pairs import FLOATS, INTEGERS, over_pairs
from snncompare.representation.compiled.trains import Trains

__all__ = ["spike"]

FLAGS = Array(boolean, 1, "C", readonly=True)
POSITIONS = Array(uint64, 1, "C")
TINY = 1e-300
"""Below it, products of intervals underflow; the pieces they belong to are shorter than 1e-70 s and add nothing."""


def spike(
    trains: Trains, thresholds: NDArray[np.float64], rate_independent: NDArray[np.bool_], rows: range, columns: range
) -> NDArray[np.float64]:
    r"""Return the SPIKE-distances between trials, averaged over units.

    .. math::

        D = \frac{1}{T} \int \frac{S_a(t) \, \nu_b(t) + S_b(t) \, \nu_a(t)}
        {(\nu_a + \nu_b) \max(\bar\nu, \theta)} \, dt \qquad \text{or, independent of rate,} \qquad
        D = \frac{1}{T} \int \frac{S_a(t) + S_b(t)}{2 \max(\bar\nu, \theta)} \, dt

    with the mean interval :math:`\bar\nu = (\nu_a + \nu_b) / 2`, and :math:`S_a(t)` the line between the distances of
    the previous and of the next spike of a to their nearest spikes of b. Between two spikes of either train the
    profile is a line, so its value in the middle times the length is the integral, exactly.

    Parameters
    ----------
    trains : Trains
        Each train with distinct times inside the window.
    thresholds : array (n_parameters,)
        :math:`\theta` in seconds, zero or more.
    rate_independent : array (n_parameters,)
        Which form.
    rows, columns : range
        Trials, as in `over_pairs`.

    Returns
    -------
    array (n_parameters, n_rows, n_columns)

    References
    ----------
    Kreuz et al. 2013, J. Neurophysiol. 109:1457. Satuvuori et al. 2017, J. Neurosci. Methods 287:25.
    """
    knots, sources, offsets = knots_of(trains)

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        window = (trains.n_units, trains.start, trains.stop)
        _fill(knots, sources, offsets, *window, first, second, thresholds, rate_independent, out)

    return over_pairs(kernel, rows, columns, thresholds.size)


@njit(float64(FLOATS, float64), cache=True, nogil=True)
def _from_front(knots, source):  # type: ignore[no-untyped-def]
    """Return how far ``source``, near the start of the window, is from the nearest knot."""
    m = 0
    while knots[m + 1] < source:
        m += 1
    return min(source - knots[m], knots[m + 1] - source)


@njit(float64(FLOATS, float64), cache=True, nogil=True)
def _from_back(knots, source):  # type: ignore[no-untyped-def]
    """Return how far ``source``, near the end of the window, is from the nearest knot."""
    m = knots.size - 2
    while knots[m] > source:
        m -= 1
    return min(source - knots[m], knots[m + 1] - source)


@njit(void(FLOATS, FLOATS, float64, POSITIONS, POSITIONS, float64[::1], float64[::1]), cache=True, nogil=True)
def _merge(a, b, stop, in_a, in_b, ends, nearest):  # type: ignore[no-untyped-def]
    """Write the pieces of the window and how far each knot is from the other train.

    Piece k ends at ``ends[k]`` and lies between the knots ``in_a[k]`` and ``in_a[k] + 1`` of ``a``, likewise ``b``.
    ``nearest`` holds the knots of ``a`` first, then those of ``b``. Half of the knots are merged from the front and
    half from the back: two independent chains that the processor overlaps; unsigned numbers save the check for
    negative positions.
    """
    zero, one, of_b = np.uint64(0), np.uint64(1), np.uint64(a.size)
    i, j, p = zero, zero, zero
    k, m, q = np.uint64(a.size - 2), np.uint64(b.size - 2), np.uint64(a.size + b.size - 4)
    ends[q], in_a[q], in_b[q] = stop, k, m
    n_knots = a.size + b.size - 4  # between the first and the last of each train, which are not inside the window
    for step in range((n_knots + 1) // 2):
        if step < n_knots // 2:
            next_a, next_b = a[i + one], b[j + one]
            from_a = one if next_a <= next_b else zero
            now = min(next_a, next_b)
            behind = b[j] if from_a else a[i]
            nearest[i + one if from_a else of_b + j + one] = min(now - behind, max(next_a, next_b) - now)
            ends[p], in_a[p], in_b[p] = now, i, j
            i, j, p = i + from_a, j + one - from_a, p + one
        from_a = one if a[k] > b[m] else zero
        now = max(a[k], b[m])
        ahead = b[m + one] if from_a else a[k + one]
        nearest[k if from_a else of_b + m] = min(ahead - now, now - min(a[k], b[m]))
        k, m, q = k - from_a, m - (one - from_a), q - one
        ends[q], in_a[q], in_b[q] = now, k, m


@njit(
    float64(FLOATS, FLOATS, POSITIONS, POSITIONS, float64[::1], float64[::1], float64, float64, boolean),
    cache=True,
    nogil=True,
)
def _integral(a, b, in_a, in_b, ends, nearest, start, threshold, rate_independent):  # type: ignore[no-untyped-def]
    """Return the integral of the profile over the pieces that `_merge` wrote."""
    one, of_b = np.uint64(1), np.uint64(a.size)
    total, last = 0.0, start
    for piece in range(a.size + b.size - 3):
        i, j, end = in_a[piece], in_b[piece], ends[piece]
        x, y = a[i + one] - a[i], b[j + one] - b[j]
        middle, longer = 0.5 * (last + end), max(0.5 * (x + y), threshold)
        p, q = nearest[i], nearest[of_b + j]
        at_a = p * x + (nearest[i + one] - p) * (middle - a[i])  # times x
        at_b = q * y + (nearest[of_b + j + one] - q) * (middle - b[j])  # times y
        both = 0.5 * (at_a * y + at_b * x) if rate_independent else at_a * y * y + at_b * x * x
        scale = x * y * longer if rate_independent else x * y * (x + y) * longer
        total += both * (end - last) / max(scale, TINY)
        last = end
    return total


@njit(
    void(FLOATS, FLOATS, INTEGERS, int64, float64, float64, INTEGERS, INTEGERS, FLOATS, FLAGS, float64[:, ::1]),
    cache=True,
    nogil=True,
)
def _fill(  # type: ignore[no-untyped-def]
    knots, sources, offsets, n_units, start, stop, first, second, thresholds, rate_independent, out
):
    """Fill ``out (n_pairs, n_parameters)`` with the distances of the trials ``first`` and ``second``."""
    longest = 1
    for k in range(offsets.size - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    in_a, in_b = np.empty(2 * longest, dtype=np.uint64), np.empty(2 * longest, dtype=np.uint64)
    ends, nearest = np.empty(2 * longest), np.empty(2 * longest)
    out[:] = 0.0
    for pair in range(first.size):
        for unit in range(n_units):
            k, m = first[pair] * n_units + unit, second[pair] * n_units + unit
            k0, k1, m0, m1 = offsets[k], offsets[k + 1], offsets[m], offsets[m + 1]
            a, b = knots[k0:k1], knots[m0:m1]
            _merge(a, b, stop, in_a, in_b, ends, nearest)
            nearest[0], nearest[a.size] = _from_front(b, sources[k0]), _from_front(a, sources[m0])
            nearest[a.size - 1] = _from_back(b, sources[k1 - 1])
            nearest[a.size + b.size - 1] = _from_back(a, sources[m1 - 1])
            for r in range(thresholds.size):
                out[pair, r] += _integral(a, b, in_a, in_b, ends, nearest, start, thresholds[r], rate_independent[r])
        for r in range(thresholds.size):
            out[pair, r] /= n_units * (stop - start)
