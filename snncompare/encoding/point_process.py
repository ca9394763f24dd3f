"""Spikes of neurons that fire at random with a given rate, in compiled code."""

from math import exp

import numpy as np
from numba import njit
from numpy.typing import NDArray

from snncompare.encoding.encoder import Spikes

__all__ = ["fire_at_rates"]


def fire_at_rates(
    rates: NDArray[np.float64],
    dt: float,
    rng: np.random.Generator,
    *,
    refractory: float = 0.0,
    recovery: float = 0.0,
) -> Spikes:
    r"""Return spikes of independent neurons whose firing rates are constant within each sample.

    The hazard of a spike at time t, the last spike having been at :math:`t_l`, is

    .. math::

        h(t) = r(t)\, w(t - t_l), \qquad
        w(s) = \begin{cases} 0 & s < t_a \\ 1 - e^{-(s - t_a) / \tau_r} & s \ge t_a \end{cases}

    A spike is where the integral of the hazard since the last spike reaches an exponential random number of mean 1
    (time rescaling), so that spike times are not bound to samples. :math:`w` is held at its value in the middle of the
    sample. Without refractoriness the trains are Poisson processes.

    Parameters
    ----------
    rates : array, shape (n_units, n_samples)
        :math:`r`, spikes per second, not negative.
    dt : float
        Length of a sample, seconds.
    rng : numpy.random.Generator
    refractory, recovery : float
        :math:`t_a` and :math:`\tau_r`, absolute and relative refractoriness, seconds.

    Returns
    -------
    Spikes
        Times from 0 to ``n_samples * dt``; counts of shape (n_units,).

    References
    ----------
    Brown, Barbieri, Ventura, Kass & Frank (2002) Neural Comput 14:325-346 (time rescaling).
    """
    expected = rates.sum() * dt
    buffer = np.empty(int(expected + 6.0 * np.sqrt(expected) + 64.0))
    counts = np.empty(len(rates), dtype=np.int64)
    n_spikes = 0
    for unit, rate in enumerate(np.ascontiguousarray(rates)):
        # The integral of the rate bounds the number of spikes only on average: room is made where it does not last.
        carry = np.array([rng.standard_exponential(), -np.inf, 0.0])
        before = n_spikes
        while True:
            n_spikes = _fire(rate, dt, refractory, recovery, rng, carry, buffer, n_spikes)
            if carry[2] >= rate.size:
                break
            buffer = np.concatenate([buffer, np.empty(buffer.size)])
        counts[unit] = n_spikes - before
    return Spikes(buffer[:n_spikes].copy(), counts)


@njit(cache=True)
def _fire(rate, dt, refractory, recovery, rng, carry, found, n_found):  # type: ignore[no-untyped-def] # pragma: no cover
    """Write spike times of one neuron from sample ``carry[2]`` on; stop early, state kept, where `found` is full.

    ``carry``: what is left of the exponential random number, time of the last spike, where to go on (in samples).
    """
    left, last, position = carry[0], carry[1], carry[2]
    n_samples = rate.size
    while position < n_samples:
        k = int(position)
        now, end = position * dt, (k + 1) * dt
        free = last + refractory
        if free >= end:
            position = k + 1.0
            continue
        now = max(now, free)
        hazard = rate[k]
        if recovery > 0.0:
            hazard *= 1.0 - exp(-(max((k + 0.5) * dt, now) - free) / recovery)
        if hazard * (end - now) < left:
            left -= hazard * (end - now)
            position = k + 1.0
            continue
        if n_found == found.size:
            break
        last = min(now + left / hazard, end)
        found[n_found] = last
        n_found += 1
        left = rng.standard_exponential()
        position = max(last / dt, position)
        if int(position) > k:
            position = k + 1.0
    carry[0], carry[1], carry[2] = left, last, position
    return n_found
