"""The inner loop of the receptor model, compiled; imported only when sounds are encoded."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["ReceptorStep", "threshold_crossings"]


class ReceptorStep(NamedTuple):
    r"""Parameters of one receptor for steps of length :math:`h`.

    Parameters
    ----------
    threshold_db, dynamic_range_db, gain : float
        :math:`\theta` and :math:`R` in dB, :math:`g` per dB.
    membrane_decay, adaptation_decay : float
        :math:`d_m = e^{-h/\tau_m}` and :math:`d_a = e^{-h/\tau_a}`.
    adaptation : float
        :math:`\Delta_a`, growth of :math:`a` at each spike.
    noise_sd : float
        :math:`\sigma`, standard deviation of :math:`v` without threshold and input.
    refractory_steps : int
        Number of samples after a spike in which none can follow.
    """

    threshold_db: float
    dynamic_range_db: float
    gain: float
    membrane_decay: float
    adaptation_decay: float
    adaptation: float
    noise_sd: float
    refractory_steps: int


@njit(cache=True, nogil=True)
def threshold_crossings(
    level: NDArray[np.float64], noise: NDArray[np.float32], receptor: ReceptorStep, crossings: NDArray[np.int64]
) -> int:
    r"""Integrate one adaptive leaky integrate-and-fire receptor and note the samples at which it fires.

    .. math::

        I_k &= g \min(R, \max(0, L_k - \theta)) \\
        v_{k+1} &= d_m v_k + (1 - d_m)(I_k - a_k) + \sigma \sqrt{1 - d_m^2}\, \xi_k \\
        a_{k+1} &= d_a a_k

    where :math:`I` and :math:`a` are taken as constant within a step. Where :math:`v_{k+1} \ge 1`, a spike is noted,
    :math:`v` is set to 0 and held there for the refractory steps, and :math:`a` grows by :math:`\Delta_a`.

    Parameters
    ----------
    level : array, shape (n_samples,)
        :math:`L`, sound level in dB; minus infinity is silence.
    noise : array, shape (n_samples,)
        :math:`\xi`, standard normal.
    receptor : ReceptorStep
    crossings : array, shape (at least n_samples // (refractory_steps + 1) + 1,)
        Is filled with the samples at which the receptor fires.

    Returns
    -------
    int
        How many entries of `crossings` were filled.
    """
    leak = 1.0 - receptor.membrane_decay
    kick = receptor.noise_sd * math.sqrt(1.0 - receptor.membrane_decay**2)
    count, silent = 0, 0
    v, a = 0.0, 0.0
    for k in range(level.size):
        if silent > 0:
            silent -= 1
            a *= receptor.adaptation_decay
            continue
        above = min(receptor.dynamic_range_db, max(0.0, level[k] - receptor.threshold_db))
        v = receptor.membrane_decay * v + leak * (receptor.gain * above - a) + kick * noise[k]
        a *= receptor.adaptation_decay
        if v >= 1.0:
            crossings[count] = k
            count += 1
            v = 0.0
            a += receptor.adaptation
            silent = receptor.refractory_steps
    return count
