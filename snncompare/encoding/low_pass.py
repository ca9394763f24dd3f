"""Filters of signals over time that start at rest."""

from math import exp

import numpy as np
from numpy.typing import NDArray

__all__ = ["low_pass"]


def low_pass(values: NDArray[np.float64], time_constant: float, dt: float, order: int = 1) -> NDArray[np.float64]:
    r"""Return signals behind a cascade of leaky integrators, :math:`\tau \dot y = x - y`, at rest at the first sample.

    Parameters
    ----------
    values : array, shape (n_signals, n_samples)
        :math:`x`, constant within a sample.
    time_constant, dt : float
        :math:`\tau` and the length of a sample, seconds.
    order : int
        Number of integrators in a row.

    Returns
    -------
    array, shape (n_signals, n_samples)
        :math:`y` at the end of each sample.
    """
    from scipy.signal import lfilter

    decay = exp(-dt / time_constant)
    filtered = values
    for _ in range(order):
        filtered, _ = lfilter([1.0 - decay], [1.0, -decay], filtered, axis=1, zi=decay * filtered[:, :1])
    return np.asarray(filtered)
