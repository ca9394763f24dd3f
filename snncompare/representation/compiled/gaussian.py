r"""Inner products of spike trains after Gaussian filtering, and the angle between them.

.. math:: K_{ab} = \sum_{s \in a} \sum_{r \in b} e^{-(t_s - t_r)^2 / (4 \sigma^2)}

is the inner product of the trains filtered with a Gaussian of standard deviation :math:`\sigma`, up to a factor that
makes a single spike's 1. The sum is exact; only terms below :math:`e^{-60} \approx 10^{-26}` are left out.
"""

import math

import numpy as np
from numba import njit, void
from numba.types import float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import FLOATS, INTEGERS, over_pairs
from snncompare.representation.compiled.trains import Trains

__all__ = ["gaussian_products", "schreiber"]

SMALLEST_EXPONENT = 60.0


def gaussian_products(trains: Trains, sigmas: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    """Return the kernel between trials, added over units, ``(n_sigmas, n_rows, n_columns)``.

    Parameters
    ----------
    trains : Trains
    sigmas : array (n_sigmas,)
        Standard deviations in seconds, above zero.
    rows, columns : range
        Trials, as in `over_pairs`.
    """

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill_products(trains.times, trains.offsets, trains.n_units, first, second, 0.5 / sigmas, out)

    result = over_pairs(kernel, rows, columns, sigmas.size)
    if rows == columns:
        trials = np.array(rows, dtype=np.int64)
        norms = np.empty((trials.size, sigmas.size))
        kernel(trials, trials, norms)
        result[:, np.arange(trials.size), np.arange(trials.size)] = norms.T
    return result


def schreiber(trains: Trains, sigmas: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    """Return one minus the cosine of the filtered trains, the mean over units, ``(n_sigmas, n_rows, n_columns)``.

    Two empty trains have the cosine 1, an empty and another train 0. Parameters as in `gaussian_products`.
    """
    norms = np.empty((sigmas.size, trains.offsets.size - 1))
    for roots, sigma in zip(norms, sigmas, strict=True):
        _fill_norms(trains.times, trains.offsets, 0.5 / sigma, roots)

    def kernel(first: NDArray[np.int64], second: NDArray[np.int64], out: NDArray[np.float64]) -> None:
        _fill_angles(trains.times, trains.offsets, trains.n_units, first, second, 0.5 / sigmas, norms, out)

    return over_pairs(kernel, rows, columns, sigmas.size)


@njit(float64(FLOATS, FLOATS, float64), cache=True, nogil=True)
def _product(a, b, scale):  # type: ignore[no-untyped-def]
    """Return the kernel of two trains; ``scale`` is ``1 / (2 sigma)``, squared only with the time difference."""
    farthest = math.sqrt(SMALLEST_EXPONENT) / scale
    total = 0.0
    low = 0
    for s in a:
        while low < b.size and b[low] < s - farthest:
            low += 1
        k = low
        while k < b.size and b[k] <= s + farthest:
            apart = (s - b[k]) * scale
            total += math.exp(-apart * apart)
            k += 1
    return total


@njit(void(FLOATS, INTEGERS, int64, INTEGERS, INTEGERS, FLOATS, float64[:, ::1]), cache=True, nogil=True)
def _fill_products(times, offsets, n_units, first, second, scales, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, n_sigmas)`` with the kernels of the trials ``first`` and ``second``."""
    out[:] = 0.0
    for pair in range(first.size):
        for unit in range(n_units):
            k, m = first[pair] * n_units + unit, second[pair] * n_units + unit
            a, b = times[offsets[k] : offsets[k + 1]], times[offsets[m] : offsets[m + 1]]
            for r in range(scales.size):
                out[pair, r] += _product(a, b, scales[r])


@njit(void(FLOATS, INTEGERS, float64, float64[::1]), cache=True, nogil=True)
def _fill_norms(times, offsets, scale, out):  # type: ignore[no-untyped-def]
    """Write the kernel of every train with itself."""
    for k in range(out.size):
        a = times[offsets[k] : offsets[k + 1]]
        out[k] = _product(a, a, scale)


@njit(
    void(FLOATS, INTEGERS, int64, INTEGERS, INTEGERS, FLOATS, float64[:, ::1], float64[:, ::1]),
    cache=True,
    nogil=True,
)
def _fill_angles(times, offsets, n_units, first, second, scales, norms, out):  # type: ignore[no-untyped-def]
    """Fill ``out (n_pairs, n_sigmas)`` with one minus the mean cosine of the units of two trials."""
    out[:] = 0.0
    for pair in range(first.size):
        for unit in range(n_units):
            k, m = first[pair] * n_units + unit, second[pair] * n_units + unit
            a, b = times[offsets[k] : offsets[k + 1]], times[offsets[m] : offsets[m + 1]]
            for r in range(scales.size):
                if a.size > 0 and b.size > 0:
                    cosine = _product(a, b, scales[r]) / math.sqrt(norms[r, k] * norms[r, m])
                    out[pair, r] += 1.0 - min(1.0, cosine)
                elif a.size != b.size:
                    out[pair, r] += 1.0
        for r in range(scales.size):
            out[pair, r] /= n_units
