"""Release of transmitter and spikes of one auditory-nerve fibre, in compiled code."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["fibre_spikes"]


@njit(cache=True, nogil=True)
def fibre_spikes(  # pragma: no cover
    potential: NDArray[np.float64],
    dt: float,
    silence: int,
    release: NDArray[np.float64],
    exponent: float,
    refractory: NDArray[np.float64],
    draws: NDArray[np.float64],
    times: NDArray[np.float64],
) -> int:
    """Note the spikes of a fibre; a spike is where the integral of the hazard reaches an exponential random number.

    Parameters
    ----------
    potential : array, shape (n_samples,)
        V, receptor potential of the hair cell.
    dt : float
        Seconds.
    silence : int
        Samples at rest before the first, so that the fibre does not start unrefractory.
    release : array, shape (8,)
        Supply K, local and global permeability, contents of immediate and local store, D0, threshold, half activation.
    exponent : float
        p.
    refractory : array, shape (4,)
        Absolute, fast, slow (seconds), slow part.
    draws : array, shape (n,)
        Exponential random numbers of mean 1, one per spike.
    times : array, shape (n,)
        Is filled, seconds.

    Returns
    -------
    int
        How many entries were filled.
    """
    limit, local, world, immediate, reserve, rest, threshold, half = release
    dead, slow_part = refractory[0], refractory[3]
    fast_decay, slow_decay = np.exp(-dt / refractory[1]), np.exp(-dt / refractory[2])
    permeability = limit * rest**exponent
    middle = 1.0 / (1.0 + permeability * (1.0 / local + 1.0 / world))
    distant = 1.0 - permeability * middle / world
    into_middle, into_distant = dt / immediate, dt / reserve
    fast, slow = 0.0, 0.0
    free = -1e9
    drawn, found = 1, 0
    left = draws[0]
    for t in range(-silence, potential.size):
        v = potential[t] if t >= 0 else 0.0
        drive = max(rest + (v - min(max(v, 0.0), threshold)) / half, 0.0)
        rate = limit * (drive * math.sqrt(math.sqrt(drive)) if exponent == 1.25 else drive**exponent) * middle
        flow = local * (distant - middle)
        middle += into_middle * (flow - rate)
        distant += into_distant * (world * (1.0 - distant) - flow)
        end = (t + 1) * dt
        if free >= end:
            continue
        begin = max(free, t * dt)
        hazard = rate * (1.0 - fast - slow)
        fast *= fast_decay
        slow *= slow_decay
        if hazard * (end - begin) < left:
            left -= hazard * (end - begin)
            continue
        now = begin + left / hazard
        if now >= 0.0:
            times[found] = now
            found += 1
        if drawn == draws.size:
            break
        left = draws[drawn]
        drawn += 1
        free = now + dead
        fast, slow = 1.0 - slow_part, slow_part
    return found
