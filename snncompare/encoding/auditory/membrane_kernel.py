"""From sound pressure to basilar-membrane motion to receptor potential, one channel at a time, in compiled code."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["membrane_motion", "receptor_potential"]


@njit(cache=True, nogil=True)
def membrane_motion(  # pragma: no cover
    sound: NDArray[np.float64],
    poles: NDArray[np.complex128],
    gains: NDArray[np.float64],
    orders: NDArray[np.int64],
    biquads: NDArray[np.float64],
    knee: float,
    exponent: float,
    motion: NDArray[np.float64],
) -> None:
    """Write the motion of one place, in pascal; arguments are one channel of `basilar_membrane.MembraneStages`.

    Parameters
    ----------
    sound : array, shape (n_samples,)
        Sound pressure, pascal.
    poles, gains, orders : arrays, shape (3,)
    biquads : array, shape (n_biquads, 5)
    knee, exponent : float
    motion : array, shape (n_samples,)
        Is filled.
    """
    first = np.zeros(orders[0], dtype=np.complex128)
    second = np.zeros(orders[1], dtype=np.complex128)
    tail = np.zeros(orders[2], dtype=np.complex128)
    delayed = np.zeros((len(biquads), 2))
    steepness = knee ** (1.0 - exponent)
    for t in range(sound.size):
        z = complex(sound[t])
        for k in range(orders[0]):
            z += poles[0] * first[k]
            first[k] = z
        y = gains[0] * z.real
        for k in range(len(biquads)):
            u = y
            y = biquads[k, 0] * u + delayed[k, 0]
            delayed[k, 0] = biquads[k, 1] * u - biquads[k, 3] * y + delayed[k, 1]
            delayed[k, 1] = biquads[k, 2] * u - biquads[k, 4] * y
        if abs(y) > knee:
            y = math.copysign(steepness * abs(y) ** exponent, y)
        if orders[1] > 0:
            z = complex(y)
            for k in range(orders[1]):
                z += poles[1] * second[k]
                second[k] = z
            y = gains[1] * z.real
        if orders[2] > 0:
            z = complex(sound[t])
            for k in range(orders[2]):
                z += poles[2] * tail[k]
                tail[k] = z
            y += gains[2] * z.real
        motion[t] = y


@njit(cache=True, nogil=True)
def receptor_potential(  # pragma: no cover
    motion: NDArray[np.float64],
    displacement: float,
    coupling: float,
    scales: NDArray[np.float64],
    leak: float,
    order: int,
) -> None:
    """Turn motion into the receptor potential, in place.

    Parameters
    ----------
    motion : array, shape (n_samples,)
        Pascal; is overwritten with the receptor potential, relative to its range: 0 at rest, 1 with all channels open.
    displacement : float
        Of the hair bundle, nm per pascal.
    coupling : float
        Factor by which a steady displacement has decayed after a sample.
    scales : array, shape (4,)
        u0, s0, u1, s1 of the Boltzmann function, nm.
    leak : float
        Factor by which the membrane forgets per sample, in each of ``order`` low-pass filters.
    """
    u0, s0, u1, s1 = scales[0], scales[1], scales[2], scales[3]
    rest = 1.0 / (1.0 + math.exp(u0 / s0) * (1.0 + math.exp(u1 / s1)))
    filtered = np.zeros(order)
    bundle, before = 0.0, 0.0
    for t in range(motion.size):
        moved = displacement * motion[t]
        bundle = coupling * (bundle + moved - before)
        before = moved
        closing = min((u1 - bundle) / s1, 300.0)
        v = 1.0 / (1.0 + math.exp(min((u0 - bundle) / s0, 300.0)) * (1.0 + math.exp(closing)))
        v = (v - rest) / (1.0 - rest)
        for k in range(order):
            filtered[k] += (1.0 - leak) * (v - filtered[k])
            v = filtered[k]
        motion[t] = v
