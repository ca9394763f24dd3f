"""Van Rossum distances on a grid of times: one matrix product per unit, with a bound on the error."""

import math

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.cross_intensity import laplacian_norms
from snncompare.representation.compiled.trains import Trains

__all__ = ["van_rossum_squared_on_grid"]

EXACT_BITS = 52
"""Whole numbers below ``2**52`` are added without rounding."""


def van_rossum_squared_on_grid(
    trains: Trains, tau: float, step: float, rows: range, columns: range
) -> NDArray[np.float64]:
    r"""Return squared van Rossum distances between trials, added over units, with spikes spread over a grid.

    A spike at :math:`x` in a cell of width :math:`h` becomes two weighted spikes on its ends,

    .. math:: w_0 = \frac{\sinh((h - x)/\tau)}{\sinh(h/\tau)}, \qquad w_1 = \frac{\sinh(x/\tau)}{\sinh(h/\tau)}

    which reproduce :math:`e^{\pm t/\tau}`, so that the kernel of spikes in different cells is exact. For two spikes in
    one cell it is too small by :math:`2 \sinh(x/\tau) \sinh((h - y)/\tau) / \sinh(h/\tau)`, :math:`x \le y`, the
    covariance of an Ornstein-Uhlenbeck process between known ends, which is at most :math:`\tanh(h / 2\tau)`. It is
    positive definite; therefore, with :math:`n_c` spikes of both trains in cell c,

    .. math:: 0 \le D^2 - \tilde D^2 \le \tanh \left( \frac{h}{2\tau} \right) \sum_c n_c^2

    The rasters are filtered exponentially and multiplied as whole numbers, :math:`2^k` times as large, so that no sum
    is rounded and a value does not depend on the block; for F cells of all units that changes :math:`\tilde D` by at
    most :math:`2^{-k} \sqrt F`, with k the largest for which :math:`2^{2k} \max_i K_{ii} < 2^{52}`.

    Parameters
    ----------
    trains : Trains
    tau, step : float
        Time constant and width h of a cell in seconds, above zero.
    rows, columns : range
        Trials: either the same range, or the columns lie after the rows.

    Returns
    -------
    array (n_rows, n_columns)
    """
    largest = laplacian_norms(trains, np.array([tau]), range(trains.n_trials)).max(initial=1.0)
    scale = 2.0 ** math.floor((EXACT_BITS - math.log2(1.01 * largest)) / 2)
    n_cells = max(1, math.ceil((trains.stop - trains.start) / step))
    products = np.zeros((len(rows), len(columns)))
    of_rows, of_columns = np.zeros(len(rows)), np.zeros(len(columns))
    for unit in range(trains.n_units):
        here = _features(trains, unit, rows, tau, step, n_cells, scale)
        there = here if rows == columns else _features(trains, unit, columns, tau, step, n_cells, scale)
        products += here @ there.T
        of_rows += (here**2).sum(axis=1)
        of_columns += (there**2).sum(axis=1)
    return (of_rows[:, None] + of_columns[None, :] - 2.0 * products) / scale**2


def _features(
    trains: Trains, unit: int, trials: range, tau: float, step: float, n_cells: int, scale: float
) -> NDArray[np.float64]:
    """Return whole numbers ``(n_trials, n_cells + 1)`` whose inner products are the kernel times ``scale**2``."""
    from scipy.signal import lfilter

    train = np.arange(trials.start, trials.stop) * trains.n_units + unit
    begin, counts = trains.offsets[train], trains.offsets[train + 1] - trains.offsets[train]
    row = np.repeat(np.arange(counts.size), counts)
    spike = np.arange(counts.sum()) + np.repeat(begin - (np.cumsum(counts) - counts), counts)
    after = (trains.times[spike] - trains.start) / step
    cell = np.clip(np.floor(after), 0, n_cells - 1).astype(np.int64)
    within, width = (after - cell) * step / tau, step / tau
    flat, size = row * (n_cells + 1) + cell, len(trials) * (n_cells + 1)
    raster = np.bincount(flat, np.sinh(width - within) / math.sinh(width), minlength=size)
    raster += np.bincount(flat + 1, np.sinh(within) / math.sinh(width), minlength=size)
    filtered = lfilter([1.0], [1.0, -math.exp(-width)], raster.reshape(len(trials), n_cells + 1), axis=1)
    filtered[:, :-1] *= math.sqrt(-math.expm1(-2.0 * width))
    return np.rint(filtered * scale)
