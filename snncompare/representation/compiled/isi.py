"""ISI-distances between all pairs of trials, for several thresholds at once."""

import numpy as np
from numba import njit, void
from numba.types import float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.knots import knots_of
from snncompare.representation.compiled.pairs import FLOATS, INTEGERS, over_pairs
from snncompare.representation.compiled.trains import Trains

__all__ = ["isi"]


def isi(trains: Trains, thresholds: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    r"""Return the ISI-distances between trials, averaged over units.

    .. math:: D = \frac{1}{T} \int \frac{|\nu_a(t) - \nu_b(t)|}{\max(\nu_a(t), \nu_b(t), \theta)} \, dt

    with the interval :math:`\nu(t)` between the spikes around :math:`t`, constant from spike to spike: one term per
    spike of either train.

    Parameters
    ----------
    trains : Trains
        Each train with distinct times inside the window.
    thresholds : array (n_thresholds,)
        :math:`\theta` in seconds, zero or more.
    rows, columns : range
        Trials, as in `over_pairs`.

    Returns
    -------
    array (n_thresholds, n_rows, n_columns)

    References
    ----------
    Kreuz et al. 2007, J. Neurosci. Methods 165:151. Satuvuori et al. 2017, J. Neurosci. Methods 287:25, eq. 6.
    """
    knots, _, offsets = knots_of(trains)

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill(knots, offsets, trains.n_units, trains.start, trains.stop, first, second, thresholds, out)

    return over_pairs(kernel, rows, columns, thresholds.size)


@njit(float64(FLOATS, FLOATS, float64, float64, float64), cache=True, nogil=True)
def _integral(a, b, start, stop, threshold):  # type: ignore[no-untyped-def]
    """Return the integral of the profile of the knots ``a`` and ``b``.

    Half of the pieces are visited from the front and half from the back: two independent chains that the processor
    overlaps. Which train has the next knot is a coin flip, so it is arithmetic, not a branch; unsigned numbers save
    the check for negative positions.
    """
    zero, one = np.uint64(0), np.uint64(1)
    i, j, left = zero, zero, start
    k, m, right = np.uint64(a.size - 2), np.uint64(b.size - 2), stop
    first, second = 0.0, 0.0
    n_knots = a.size + b.size - 4  # between the first and the last of each train, which are not inside the window
    for _ in range(n_knots // 2):
        x, y = a[i + one] - a[i], b[j + one] - b[j]
        of_a = one if a[i + one] <= b[j + one] else zero
        now = min(a[i + one], b[j + one])
        first += abs(x - y) * (now - left) / max(x, y, threshold)
        left, i, j = now, i + of_a, j + one - of_a
        x, y = a[k + one] - a[k], b[m + one] - b[m]
        of_a = one if a[k] > b[m] else zero
        now = max(a[k], b[m])
        second += abs(x - y) * (right - now) / max(x, y, threshold)
        right, k, m = now, k - of_a, m - (one - of_a)
    if n_knots % 2 == 1:
        x, y = a[k + one] - a[k], b[m + one] - b[m]
        of_a = one if a[k] > b[m] else zero
        now = max(a[k], b[m])
        second += abs(x - y) * (right - now) / max(x, y, threshold)
        right, k, m = now, k - of_a, m - (one - of_a)
    x, y = a[i + one] - a[i], b[j + one] - b[j]
    return first + (second + abs(x - y) * (right - left) / max(x, y, threshold))


@njit(
    void(FLOATS, INTEGERS, int64, float64, float64, INTEGERS, INTEGERS, FLOATS, float64[:, ::1]), cache=True, nogil=True
)
def _fill(knots, offsets, n_units, start, stop, first, second, thresholds, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, n_thresholds)`` with the distances of the trials ``first`` and ``second``."""
    out[:] = 0.0
    for pair in range(first.size):
        for unit in range(n_units):
            k, m = first[pair] * n_units + unit, second[pair] * n_units + unit
            a, b = knots[offsets[k] : offsets[k + 1]], knots[offsets[m] : offsets[m + 1]]
            for r in range(thresholds.size):
                out[pair, r] += _integral(a, b, start, stop, thresholds[r])
        for r in range(thresholds.size):
            out[pair, r] /= n_units * (stop - start)
