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
    # The integral of the rates tells the number of spikes only on average: room is made where it does not last.
    found = np.empty(int(expected + 6.0 * np.sqrt(expected) + 64.0))
    counts = np.zeros(len(rates), dtype=np.int64)
    state = np.array([rng.standard_exponential(), -np.inf, 0.0])
    values = np.ascontiguousarray(rates, dtype=np.float64)
    unit, n_found = 0, 0
    while True:
        unit, n_found = _fire(values, dt, refractory, recovery, rng, state, unit, found, n_found, counts)
        if unit == len(rates):
            return Spikes(found[:n_found].copy(), counts)
        found = np.concatenate([found, np.empty(found.size)])


@njit(cache=True)
def _fire(  # type: ignore[no-untyped-def] # pragma: no cover
    rates, dt, refractory, recovery, rng, state, unit, found, n_found, counts
):
    """Write spike times from a unit on; return the unit to go on with and the number of spikes found.

    Where `found` is full, ``state`` keeps what is left of the exponential random number, the time of the last spike,
    and where to go on (in samples).
    """
    n_units, n_samples = rates.shape
    keep = exp(-dt / recovery) if recovery > 0.0 else 0.0
    left, last, position = state
    while unit < n_units:
        while position < n_samples:
            k = int(position)
            now, end = position * dt, (k + 1) * dt
            free = last + refractory
            if free >= end:
                position = k + 1.0
                continue
            if recovery > 0.0 and free <= now and position == k:
                gone = exp(-((k + 0.5) * dt - free) / recovery)
                while k < n_samples and rates[unit, k] * (1.0 - gone) * dt < left:
                    left -= rates[unit, k] * (1.0 - gone) * dt
                    gone *= keep
                    k += 1
                position = float(k)
                if k == n_samples:
                    break
                now, end = k * dt, (k + 1) * dt
            now = max(now, free)
            hazard = rates[unit, k]
            if recovery > 0.0:
                hazard *= 1.0 - exp(-(max((k + 0.5) * dt, now) - free) / recovery)
            if hazard * (end - now) < left:
                left -= hazard * (end - now)
                position = k + 1.0
                continue
            if n_found == found.size:
                state[0], state[1], state[2] = left, last, position
                return unit, n_found
            last = min(now + left / hazard, end)
            found[n_found] = last
            n_found += 1
            counts[unit] += 1
            left = rng.standard_exponential()
            position = max(last / dt, position)
            if int(position) > k:
                position = k + 1.0
        unit += 1
        if unit < n_units:
            left, last, position = rng.standard_exponential(), -np.inf, 0.0
    return unit, n_found
