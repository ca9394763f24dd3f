"""Relay of spikes by a neuron of the lateral geniculate nucleus: summation of synaptic potentials, in compiled code."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["relay_spikes"]


@njit(cache=True)
def relay_spikes(  # type: ignore[no-untyped-def] # pragma: no cover
    arrivals, sizes, duration, step, rise, reset, recovery, noise, noise_time, rng
) -> NDArray[np.float64]:
    """Return the times at which the sum of synaptic potentials, after-potential and noise reaches 1.

    Potentials are advanced exactly from step to step; a crossing lies between samples, where a straight line puts it.

    Parameters
    ----------
    arrivals : array, shape (n_arrivals,)
        When spikes arrive, seconds, sorted.
    sizes : array, shape (n_arrivals,)
        Peak of the potential that each evokes, in thresholds.
    duration, step : float
        Seconds.
    rise : float
        Time to peak of a potential, seconds.
    reset, recovery : float
        Size (thresholds) and time constant (seconds) of the after-potential.
    noise, noise_time : float
        Standard deviation (thresholds) and correlation time (seconds) of the noise.
    rng : numpy.random.Generator
    """
    keep, forget = np.exp(-step / rise), np.exp(-step / recovery)
    hold = np.exp(-step / noise_time)
    spread = noise * np.sqrt(1.0 - hold * hold)
    n_steps = int(np.ceil(duration / step - 1e-9))
    found = np.empty(n_steps + 1)
    n_found, next_arrival = 0, 0
    slope, potential, after = 0.0, 0.0, 0.0
    wander = noise * rng.standard_normal()
    before = potential + wander
    for k in range(n_steps):
        end = (k + 1) * step
        potential = (potential + slope * step / rise) * keep
        slope *= keep
        after *= forget
        wander = hold * wander + spread * rng.standard_normal()
        while next_arrival < arrivals.size and arrivals[next_arrival] <= end:
            since = end - arrivals[next_arrival]
            size = sizes[next_arrival] * np.e * np.exp(-since / rise)
            slope += size
            potential += size * since / rise
            next_arrival += 1
        total = potential - after + wander
        if total >= 1.0:
            part = 1.0 if before >= 1.0 else (1.0 - before) / (total - before)
            found[n_found] = min(end - (1.0 - part) * step, duration)
            n_found += 1
            after += reset * np.exp(-(1.0 - part) * step / recovery)
            total = potential - after + wander
        before = total
    return found[:n_found]
