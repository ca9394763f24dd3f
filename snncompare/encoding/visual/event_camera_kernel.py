"""Events of the pixels of an event camera, in compiled code: one pass over the movie, pixel by pixel."""

from math import exp, inf, log, pi
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Noise", "Pixels", "events"]

_BLOCK = 64


class Pixels(NamedTuple):
    """What the pixels are like.

    ``on``, ``off``: thresholds, shape (n_pixels,). ``start``: log intensity above the reference at the start, shape
    (n_pixels,). ``dark``: dark current relative to white. ``cutoff``: corner frequency in white (Hz), 0 for none.
    ``leak``: leak events per second. ``refractory``: seconds.
    """

    on: NDArray[np.float64]
    off: NDArray[np.float64]
    start: NDArray[np.float64]
    dark: float
    cutoff: float
    leak: float
    refractory: float


class Noise(NamedTuple):
    """Shot noise events that darkness would cause, by pixel, then time.

    ``offsets``: shape (n_pixels + 1,). ``times``: seconds. ``polarity``: 1 ON, 0 OFF. ``chance``: from 0 to 1; the
    event happens if it is below the part that the luminance leaves.
    """

    offsets: NDArray[np.int64]
    times: NDArray[np.float64]
    polarity: NDArray[np.int64]
    chance: NDArray[np.float64]


@njit(cache=True)
def _filtered(block, first, dark, cutoff, dt, log_current):  # type: ignore[no-untyped-def] # pragma: no cover
    """Write the log of the photocurrent, low-passed, at the frames and one frame after the last, for some pixels."""
    n_frames, n_pixels = len(block), len(log_current)
    for pixel in range(n_pixels):
        log_current[pixel, 0] = log(block[0, first + pixel] + dark)
    for k in range(1, n_frames + 1):
        last = min(k, n_frames - 1)
        for pixel in range(n_pixels):
            before, now = block[k - 1, first + pixel], block[last, first + pixel]
            u1 = log(now + dark)
            if cutoff == 0.0:
                log_current[pixel, k] = u1
                continue
            u0 = log(before + dark)
            tau = (1.0 + dark) / (2.0 * pi * cutoff * (0.5 * (before + now) + dark))
            lag = (u1 - u0) / dt * tau
            log_current[pixel, k] = u1 - lag + (log_current[pixel, k - 1] - u0 + lag) * exp(-dt / tau)


@njit(cache=True)
def _pixel(v, dt, seen, pixels, noise, pixel, moments, brighter):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return the arrays of times and of polarities, longer where they were full, and the number of events in them."""
    on, off = pixels.on[pixel], pixels.off[pixel]
    above, free, n = pixels.start[pixel], -inf, 0
    i, n_noise = noise.offsets[pixel], noise.offsets[pixel + 1]
    for k in range(seen.size):
        now, end = k * dt, (k + 1) * dt
        slope = (v[k + 1] - v[k]) / dt + pixels.leak * on
        while now < end:
            if now < free:
                above, now = 0.0, min(free, end)
                while i < n_noise and noise.times[i] < now:
                    i += 1
                continue
            crossing = inf
            if slope != 0.0:
                crossing = now + ((on if slope > 0.0 else -off) - above) / slope
            by_noise = noise.times[i] if i < n_noise else inf
            moment = min(crossing, by_noise)
            if moment > end:
                above += slope * (end - now)
                break
            is_on = slope > 0.0
            if by_noise < crossing:
                above += slope * (moment - now)
                now, is_on, i = moment, noise.polarity[i] == 1, i + 1
                if noise.chance[i - 1] >= 1.0 - 0.75 * seen[k]:
                    continue
            if n == moments.size:
                moments = np.concatenate((moments, np.empty_like(moments)))
                brighter = np.concatenate((brighter, np.empty_like(brighter)))
            moments[n], brighter[n] = moment, is_on
            above, now, free, n = 0.0, moment, moment + pixels.refractory, n + 1
    return moments, brighter, n


@njit(cache=True)
def events(frames, dt, pixels, noise):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return times (s), ordered by pixel, polarity (OFF first) and time, and counts of shape (2 n_pixels,).

    ``frames``: luminance, shape (n_frames, n_pixels); ``dt``: seconds from frame to frame; a `Pixels` and a `Noise`.
    """
    n_frames, n_pixels = frames.shape
    counts = np.zeros(2 * n_pixels, dtype=np.int64)
    times, n_times = np.empty(4 * n_pixels), 0
    moments, brighter = np.empty(256), np.empty(256, dtype=np.bool_)
    log_current = np.empty((_BLOCK, n_frames + 1))
    for first in range(0, n_pixels, _BLOCK):
        n_here = min(_BLOCK, n_pixels - first)
        _filtered(frames, first, pixels.dark, pixels.cutoff, dt, log_current[:n_here])
        for pixel in range(first, first + n_here):
            v, seen = log_current[pixel - first], frames[:, pixel]
            moments, brighter, n = _pixel(v, dt, seen, pixels, noise, pixel, moments, brighter)
            while n_times + n > times.size:
                times = np.concatenate((times, np.empty_like(times)))
            for polarity in range(2):
                for j in range(n):
                    if brighter[j] == (polarity == 1):
                        times[n_times] = moments[j]
                        n_times += 1
                        counts[2 * pixel + polarity] += 1
    return times[:n_times].copy(), counts
