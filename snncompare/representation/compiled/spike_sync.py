"""SPIKE-synchronisation between all pairs of trials, for several thresholds at once."""

import numpy as np
from numba import njit, void
from numba.types import float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import FLOATS, INTEGERS, over_pairs
from snncompare.representation.compiled.trains import Trains

__all__ = ["spike_sync"]


def spike_sync(trains: Trains, thresholds: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    r"""Return one minus the SPIKE-synchronisation of trials, averaged over units.

    .. math:: D = 1 - \frac{2 c}{n_a + n_b}

    with :math:`c` coincidences: pairs of neighbouring spikes closer than the windows of both. The window of a spike
    towards a gap is half that gap, or half its other gap where that is shorter; the adaptive form widens the latter
    to :math:`\theta / 4`, never beyond half of the gap itself. So no spike has two coincidences. Two silent trains are
    at distance 0, a silent one is at distance 1 from any other.

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
    Kreuz, Mulansky & Bozanic 2015, J. Neurophysiol. 113:3432. Satuvuori et al. 2017, J. Neurosci. Methods 287:25,
    eq. 19.
    """
    back, ahead = np.empty((thresholds.size, trains.times.size)), np.empty((thresholds.size, trains.times.size))
    for r, threshold in enumerate(thresholds):
        _windows(trains.times, trains.offsets, trains.stop - trains.start, threshold / 4.0, back[r], ahead[r])

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill(trains.times, trains.offsets, trains.n_units, first, second, back, ahead, out)

    return over_pairs(kernel, rows, columns, thresholds.size)


@njit(void(FLOATS, INTEGERS, float64, float64, float64[::1], float64[::1]), cache=True, nogil=True)
def _windows(times, offsets, longest, least, back, ahead):  # type: ignore[no-untyped-def]
    """Write the window of each spike towards earlier and later spikes; a missing gap is the whole trial."""
    for train in range(offsets.size - 1):
        for i in range(offsets[train], offsets[train + 1]):
            before = 0.5 * (times[i] - times[i - 1] if i > offsets[train] else longest)
            after = 0.5 * (times[i + 1] - times[i] if i + 1 < offsets[train + 1] else longest)
            shorter = max(least, min(before, after))
            back[i], ahead[i] = min(before, shorter), min(after, shorter)


@njit(int64(FLOATS, FLOATS, float64[::1], float64[::1], float64[::1], float64[::1]), cache=True, nogil=True)
def _coincidences(a, b, back_a, ahead_a, back_b, ahead_b):  # type: ignore[no-untyped-def]
    """Return how many spikes of ``a`` coincide with a spike of ``b``."""
    count = j = 0
    for i in range(a.size):
        while j < b.size and b[j] < a[i]:
            j += 1
        if (
            (j < b.size and b[j] == a[i])
            or (j > 0 and a[i] - b[j - 1] < min(back_a[i], ahead_b[j - 1]))
            or (j < b.size and b[j] - a[i] < min(ahead_a[i], back_b[j]))
        ):
            count += 1
    return count


@njit(
    void(FLOATS, INTEGERS, int64, INTEGERS, INTEGERS, float64[:, ::1], float64[:, ::1], float64[:, ::1]),
    cache=True,
    nogil=True,
)
def _fill(times, offsets, n_units, first, second, back, ahead, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, n_thresholds)`` with the distances of the trials ``first`` and ``second``."""
    out[:] = 0.0
    for pair in range(first.size):
        for unit in range(n_units):
            k, m = first[pair] * n_units + unit, second[pair] * n_units + unit
            k0, k1, m0, m1 = offsets[k], offsets[k + 1], offsets[m], offsets[m + 1]
            spikes = (k1 - k0) + (m1 - m0)
            for r in range(back.shape[0] if spikes > 0 else 0):
                count = _coincidences(
                    times[k0:k1], times[m0:m1], back[r, k0:k1], ahead[r, k0:k1], back[r, m0:m1], ahead[r, m0:m1]
                )
                out[pair, r] += 1.0 - 2.0 * count / spikes
        out[pair] /= n_units
