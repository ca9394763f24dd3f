"""What a laboratory shows to measure a visual neuron: drifting gratings, uniform flicker, steps of light."""

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.stimuli import Movie
from snncompare.errors import InputError

__all__ = ["drifting_grating", "first_harmonic", "flicker", "light_step"]

_GREY = 0.5


def drifting_grating(
    spatial_frequency: float,
    temporal_frequency: float,
    contrast: float,
    *,
    degrees: float,
    pixels: int,
    duration: float = 1.0,
    frame_rate: float = 250.0,
) -> Movie:
    r"""Return a vertical sine grating that drifts to the right on a square of grey.

    :math:`s(x, t) = \frac12 (1 + c \sin 2 \pi (f t - u x))`, averaged over each pixel.

    Parameters
    ----------
    spatial_frequency, temporal_frequency : float
        :math:`u` in cycles per degree (0: uniform flicker), :math:`f` in hertz.
    contrast : float
        :math:`c`, from 0 to 1.
    degrees, pixels : float, int
        Side of the square.
    duration, frame_rate : float
        Seconds, hertz.

    Raises
    ------
    InputError
        For contrasts beyond 0 to 1.
    """
    t = np.arange(round(duration * frame_rate)) / frame_rate
    x = (np.arange(pixels) + 0.5 - 0.5 * pixels) * degrees / pixels
    blur = np.sinc(spatial_frequency * degrees / pixels)
    wave = blur * np.sin(2 * np.pi * (temporal_frequency * t[:, np.newaxis] - spatial_frequency * x))
    frames = _GREY * (1.0 + _checked(contrast, 0.0) * wave)
    shape = (t.size, pixels, pixels)
    return Movie(np.broadcast_to(frames[:, np.newaxis], shape), f"{frame_rate} Hz", degrees / pixels)


def flicker(frequency: float, contrast: float, *, duration: float = 1.0, frame_rate: float = 250.0) -> Movie:
    """Return uniform light, 20 x 20 degrees, that is modulated by a sine; see `drifting_grating`."""
    return drifting_grating(0.0, frequency, contrast, degrees=20.0, pixels=1, duration=duration, frame_rate=frame_rate)


def light_step(
    contrast: float, *, radius: float, degrees: float, pixels: int, before: float = 0.2, lasting: float = 0.5
) -> Movie:
    """Return a disc in the middle of grey (0.5) that is lighter or darker for a while; 500 frames per second.

    The mean of the movie is not that grey: give the retina ``background=0.5``.

    Parameters
    ----------
    contrast : float
        From -1 (black) to 1.
    radius : float
        Of the disc, degrees.
    degrees, pixels : float, int
        Side of the picture.
    before, lasting : float
        Seconds before the step and of the step; after it there is grey for as long as before.

    Raises
    ------
    InputError
        For contrasts beyond -1 to 1.
    """
    x = (np.arange(pixels) + 0.5 - 0.5 * pixels) * degrees / pixels
    disc = np.hypot(x, x[:, np.newaxis]) <= radius
    shown = np.repeat([0.0, 1.0, 0.0], [round(500 * before), round(500 * lasting), round(500 * before)])
    frames = _GREY * (1.0 + _checked(contrast, -1.0) * shown[:, np.newaxis, np.newaxis] * disc)
    return Movie(frames, "500 Hz", degrees / pixels)


def first_harmonic(rates: NDArray[np.float64], dt: float, frequency: float) -> NDArray[np.complex128]:
    r"""Return the response of each unit at a frequency, :math:`a + i b`.

    Least squares of :math:`\lambda(t) = m + a \cos 2 \pi f t - b \sin 2 \pi f t` over the last whole number of cycles
    that leaves out the first 0.2 s, when the response has not settled, or over all there is if that is no cycle.

    Parameters
    ----------
    rates : array, shape (n_units, n_steps)
    dt, frequency : float
        Seconds, hertz.
    """
    n_steps = rates.shape[1]
    cycles = max(int((n_steps * dt - 0.2) * frequency + 1e-9), 1)
    begin = max(n_steps - round(cycles / frequency / dt), 0)
    phase = 2.0 * np.pi * frequency * (np.arange(begin, n_steps) + 0.5) * dt
    waves = np.stack([np.ones(phase.size), np.cos(phase), -np.sin(phase)], axis=1)
    _, real, imaginary = np.linalg.lstsq(waves, rates[:, begin:].T, rcond=None)[0]
    return real + 1j * imaginary


def _checked(contrast: float, least: float) -> float:
    if not least <= contrast <= 1.0:
        raise InputError(f"contrast must be a number from {least:g} to 1, got {contrast!r}.")
    return contrast
