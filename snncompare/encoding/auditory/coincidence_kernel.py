"""Leaky integration of arriving spikes up to a threshold, in compiled code."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["coincidences"]


@njit(cache=True, nogil=True)
def coincidences(  # pragma: no cover
    arriving: NDArray[np.float64], weight: float, time_constant: float, refractory: float
) -> NDArray[np.float64]:
    """Return when a leaky integrate-and-fire cell fires.

    Parameters
    ----------
    arriving : array, shape (n_arriving,)
        Times of input spikes, ascending, seconds; each raises the potential by the weight.
    weight : float
        Relative to the distance from rest to threshold.
    time_constant, refractory : float
        Seconds. In the refractory period, inputs are lost.

    Returns
    -------
    array, shape (n_spikes,)
    """
    fired = np.empty(arriving.size)
    n, v, last, free = 0, 0.0, 0.0, -1.0
    for now in arriving:
        if now < free:
            continue
        v = v * math.exp((last - now) / time_constant) + weight
        last = now
        if v >= 1.0 - 1e-12:
            fired[n] = now
            n += 1
            v = 0.0
            free = now + refractory
            last = free
    return fired[:n].copy()
