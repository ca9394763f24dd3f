"""From sound pressure to basilar-membrane motion to receptor potential, `LANES` places at a time, in compiled code."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from snncompare.encoding.auditory.single_precision import LANES, exp2, fma, log2

__all__ = ["membrane_motion", "receptor_potential"]

_LOG2_E = math.log2(math.e)
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_HUM = np.float32(1e-18)
"""Pascal, added to the sound: numbers that fade below the smallest normal one are slow to compute with."""
_FLOOR = np.float32(1e-15)
"""Added and subtracted again, so that what is smaller becomes zero."""


@njit(cache=True, nogil=True, error_model="numpy")
def membrane_motion(  # pragma: no cover
    sound: NDArray[np.float32],
    filters: NDArray[np.float32],
    poles: tuple[tuple[int, ...], ...],
    biquads: tuple[int, ...],
    knee: float,
    exponent: float,
    motion: NDArray[np.float32],
) -> None:
    """Write the motion of `LANES` places, in pascal; see `basilar_membrane.MembraneStages`.

    Parameters
    ----------
    sound : array, shape (n_samples,)
        Sound pressure, pascal.
    filters : array, shape ((9 + 5 n_biquads) LANES,)
        Rows of `LANES`: real and imaginary parts of the three poles, the three gains, the biquads.
    poles : three tuples of int
        0, 1, ... for each pole of the three cascades.
    biquads : tuple of int
        0, 1, ... for each biquad. Numbers of stages are lengths of tuples so that they are known when this is compiled.
    knee, exponent : float
    motion : array, shape (n_samples LANES,)
        Is filled, place by place for each sample.
    """
    first, second, tail = poles
    after_first = 2 * len(first) * LANES
    after_second = after_first + 2 * len(second) * LANES
    after_tail = after_second + 2 * len(tail) * LANES
    state = np.zeros(after_tail + 2 * len(biquads) * LANES, dtype=np.float32)
    steepness, over_knee, smallest = np.float32(exponent - 1.0), np.float32(1.0 / knee), np.float32(knee)
    for t in range(sound.size):
        pressure = sound[t] + _HUM
        for c in range(LANES):
            y = filters[6 * LANES + c] * _cascade(pressure, filters, c, state, c, first)
            for k in range(len(biquads)):
                y = _biquad(y, filters, (9 + 5 * k) * LANES + c, state, after_tail + 2 * k * LANES + c)
            y *= exp2(steepness * log2(max(abs(y), smallest) * over_knee))
            if len(second) > 0:
                y = filters[7 * LANES + c] * _cascade(y, filters, 2 * LANES + c, state, after_first + c, second)
            if len(tail) > 0:
                low = _cascade(pressure, filters, 4 * LANES + c, state, after_second + c, tail)
                y = fma(filters[8 * LANES + c], low, y)
            motion[t * LANES + c] = y


@njit(inline="always")
def _cascade(y, filters, pole, state, at, order):  # type: ignore[no-untyped-def] # pragma: no cover
    """Pass y through equal complex one-pole filters; return the real part."""
    re, im = y, _ZERO
    p, q = filters[pole], filters[pole + LANES]
    for k in range(len(order)):
        a, b = state[at + 2 * k * LANES], state[at + (2 * k + 1) * LANES]
        re = fma(p, a, fma(-q, b, re))
        im = fma(p, b, fma(q, a, im))
        state[at + 2 * k * LANES], state[at + (2 * k + 1) * LANES] = re, im
    return re


@njit(inline="always")
def _biquad(u, filters, row, state, at):  # type: ignore[no-untyped-def] # pragma: no cover
    """Pass u through one biquad, in transposed direct form II."""
    y = fma(filters[row], u, state[at])
    state[at] = fma(filters[row + LANES], u, fma(-filters[row + 3 * LANES], y, state[at + LANES]))
    state[at + LANES] = fma(filters[row + 2 * LANES], u, -filters[row + 4 * LANES] * y)
    return y


@njit(cache=True, nogil=True, error_model="numpy")
def receptor_potential(  # pragma: no cover
    motion: NDArray[np.float32],
    displacement: float,
    coupling: float,
    scales: NDArray[np.float64],
    leak: float,
    stages: tuple[int, ...],
) -> None:
    """Turn the motion of `LANES` places into receptor potentials, in place.

    Parameters
    ----------
    motion : array, shape (n_samples LANES,)
        Pascal; is overwritten with the receptor potential, relative to its range: 0 at rest, 1 with all channels open.
    displacement : float
        Of the hair bundle, nm per pascal.
    coupling : float
        Factor by which a steady displacement has decayed after a sample.
    scales : array, shape (4,)
        u0, s0, u1, s1 of the Boltzmann function, nm.
    leak : float
        Factor by which the membrane forgets per sample, in each low-pass filter.
    stages : tuple of int
        0, 1, ... for each low-pass filter.
    """
    # exp((u - x) / s) = 2 ** (offset - slope * x)
    slope_0, slope_1 = np.float32(_LOG2_E / scales[1]), np.float32(_LOG2_E / scales[3])
    offset_0, offset_1 = np.float32(_LOG2_E * scales[0] / scales[1]), np.float32(_LOG2_E * scales[2] / scales[3])
    gain, kept, step = np.float32(displacement), np.float32(coupling), np.float32(1.0 - leak)
    rest = _ONE / (_ONE + exp2(offset_0) * (_ONE + exp2(offset_1)))
    span = _ONE / (_ONE - rest)
    state = np.zeros((2 + len(stages)) * LANES, dtype=np.float32)
    for t in range(motion.size // LANES):
        for c in range(LANES):
            moved = gain * motion[t * LANES + c]
            u = kept * (state[c] + (moved - state[LANES + c])) + _FLOOR - _FLOOR
            state[c], state[LANES + c] = u, moved
            is_open = _ONE / (_ONE + exp2(fma(-slope_0, u, offset_0)) * (_ONE + exp2(fma(-slope_1, u, offset_1))))
            v = (is_open - rest) * span
            for k in range(len(stages)):
                before = state[(2 + k) * LANES + c]
                v = before + step * (v - before) + _FLOOR - _FLOOR
                state[(2 + k) * LANES + c] = v
            motion[t * LANES + c] = v
