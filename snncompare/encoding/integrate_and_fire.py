"""Noisy, adapting leaky integrate-and-fire neurons driven by given currents, in compiled code."""

from math import exp, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from snncompare.encoding.encoder import Spikes
from snncompare.encoding.randomness import child

__all__ = ["integrate_and_fire"]


def integrate_and_fire(
    drives: NDArray[np.float64],
    dt: float,
    randomness: np.random.SeedSequence,
    *,
    membrane: NDArray[np.float64],
    refractory: NDArray[np.float64],
    noise: NDArray[np.float64],
    adaptation: NDArray[np.float64],
    recovery: NDArray[np.float64],
) -> Spikes:
    r"""Return the spikes of independent neurons; membrane variables in units of the distance from rest to threshold.

    .. math::

        \tau_m \dot v &= -v + I(t) - a + \sigma \sqrt{2 \tau_m}\, \xi(t) \\
        \tau_a \dot a &= -a

    A spike is fired where :math:`v` reaches 1, at the time at which a straight line through the two samples around it
    does; then :math:`v = 0` for the refractory period and :math:`a \to a + \Delta_a`. Drives are constant within a
    sample, for which the equations are solved exactly. All neurons start at rest.

    Parameters
    ----------
    drives : array, shape (n_units, n_samples)
        :math:`I`.
    dt : float
        Length of a sample, seconds.
    randomness : numpy.random.SeedSequence
        The noise of neuron j depends on this and on j only.
    membrane, refractory, noise, adaptation, recovery : array, shape (n_units,)
        :math:`\tau_m` (s), refractory period (s), :math:`\sigma`, :math:`\Delta_a`, :math:`\tau_a` (s).

    Returns
    -------
    Spikes
        Times from 0 to ``n_samples * dt``; counts of shape (n_units,).
    """
    n_units, n_samples = drives.shape
    counts = np.zeros(n_units, dtype=np.int64)
    found = np.empty(n_samples)
    trains = []
    for j in range(n_units):
        kicks = np.random.default_rng(child(randomness, j)).standard_normal(
            n_samples if noise[j] > 0 else 0, dtype=np.float32
        )
        decay = exp(-dt / membrane[j])
        counts[j] = _cross(
            drives[j],
            kicks,
            dt,
            decay,
            noise[j] * sqrt(1.0 - decay**2),
            refractory[j],
            adaptation[j],
            exp(-dt / recovery[j]),
            found,
        )
        trains.append(found[: counts[j]].copy())
    return Spikes(np.concatenate(trains) if trains else np.empty(0), counts)


@njit(cache=True)
def _cross(drive, kicks, dt, decay, kick, refractory, adaptation, forgetting, found):  # type: ignore[no-untyped-def] # pragma: no cover
    n_found = 0
    v, a, free = 0.0, 0.0, 0.0
    for k in range(drive.size):
        if (k + 1) * dt <= free:
            a *= forgetting
            continue
        before = v
        v = decay * v + (1.0 - decay) * (drive[k] - a)
        if kicks.size > 0:
            v += kick * kicks[k]
        a *= forgetting
        if v >= 1.0:
            at = min((k + (1.0 - before) / (v - before)) * dt, drive.size * dt)
            at = max(at, free)
            found[n_found] = at
            n_found += 1
            v = 0.0
            a += adaptation
            free = at + refractory
    return n_found
