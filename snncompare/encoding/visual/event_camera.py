"""An event camera (dynamic vision sensor): pixels that report steps of log intensity."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.parameters import (
    check_not_negative,
    check_positive,
    check_whole,
    keep_frequencies,
    keep_times,
)
from snncompare.encoding.stimuli import Movie
from snncompare.units import QuantityLike

__all__ = ["EventCamera", "pixel_units"]

_LEAST_THRESHOLD = 0.01


@dataclass(frozen=True, kw_only=True)
class EventCamera(Encoder):
    r"""Pixels of a dynamic vision sensor.

    A pixel turns luminance :math:`L` (relative to white) into the logarithm of its photocurrent, low-passed with a
    bandwidth that grows with the current, and compares it with what it was at the last event:

    .. math::

        u = \ln(L + I_d), \qquad
        \tau \dot v = u - v, \qquad
        \tau^{-1} = 2 \pi f_c \frac{L + I_d}{1 + I_d}, \qquad
        \dot r = -\lambda\, \theta_\mathrm{ON}

    It reports an ON event where :math:`v - r` reaches :math:`\theta_\mathrm{ON}`, an OFF event where it reaches
    :math:`-\theta_\mathrm{OFF}`. Then it is reset (:math:`r = v`) until the refractory period is over. The reference
    :math:`r` leaks, which alone causes ON events at the rate :math:`\lambda`; the camera has seen the first frame for
    long, so that :math:`v - r` is anywhere between 0 and :math:`\theta_\mathrm{ON}` at the start (0 without leak). Shot
    noise adds events of random polarity, at a rate of :math:`\nu (1 - 0.75 L)`, that reset the pixel as others do.

    :math:`u` and :math:`v` run straight from frame to frame, so that the times of events are not bound to frames; a
    jump between two frames becomes a ramp between them. Movies need to be fast: several frames while an edge passes.

    Parameters
    ----------
    on_threshold, off_threshold : float
        Means of :math:`\theta` over pixels, natural logarithm.
    threshold_sd : float
        Standard deviation of both over pixels, Gaussian, cut off at 0.01.
    dark_current : float
        :math:`I_d`, relative to the photocurrent in white.
    cutoff : frequency
        :math:`f_c`, bandwidth in white; ``"0 Hz"``: no low-pass at all.
    refractory : time
        May be 0.
    leak_rate : frequency
        :math:`\lambda`, per pixel.
    shot_noise_rate : frequency
        :math:`\nu`, per pixel, in darkness.
    seed : int
        Which thresholds were drawn.

    Notes
    -----
    Units are pixels by polarity; columns ``x`` (0 is left), ``y`` (0 is the top), ``polarity`` (1 ON, 0 OFF).

    References
    ----------
    Lichtsteiner, Posch & Delbruck (2008) IEEE J Solid-State Circuits 43:566-576 (the pixel, its mismatch and its
    bandwidth); Hu, Liu & Delbruck (2021) v2e: from video frames to realistic DVS events, CVPR Workshops 1312-1321
    (leak, shot noise, events between frames; the default values but the dark current).
    """

    takes: ClassVar[type] = Movie

    on_threshold: float = 0.2
    off_threshold: float = 0.2
    threshold_sd: float = 0.03
    dark_current: float = 0.05
    cutoff: QuantityLike = "300 Hz"
    refractory: QuantityLike = "0.5 ms"
    leak_rate: QuantityLike = "0.01 Hz"
    shot_noise_rate: QuantityLike = "0.001 Hz"
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive(self, "on_threshold", "off_threshold", "dark_current")
        check_not_negative(self, "threshold_sd")
        keep_frequencies(self, "cutoff", "leak_rate", "shot_noise_rate", zero=True)
        keep_times(self, "refractory", zero=True)
        check_whole(self, "seed", 0)

    def units(self, stimulus: Movie) -> pd.DataFrame:
        """Return the pixels, each as OFF and as ON unit: columns ``x``, ``y``, ``polarity``."""
        height, width = stimulus.luminance.shape[1:]
        return pixel_units(width, height)

    def fire(self, stimulus: Movie, randomness: np.random.SeedSequence) -> Spikes:
        """Return the events of one presentation."""
        from snncompare.encoding.visual.event_camera_kernel import Noise, Pixels, events

        rng = np.random.default_rng(randomness)
        n_frames, height, width = stimulus.luminance.shape
        n_pixels, leak = height * width, float(self.leak_rate)
        drawn = np.random.default_rng(self.seed).standard_normal((2, n_pixels)) * self.threshold_sd
        on = np.maximum(self.on_threshold + drawn[0], _LEAST_THRESHOLD)
        off = np.maximum(self.off_threshold + drawn[1], _LEAST_THRESHOLD)
        start = rng.uniform(0.0, 1.0, n_pixels) * on if leak > 0 else np.zeros(n_pixels)
        n_noise = rng.poisson(float(self.shot_noise_rate) * stimulus.duration, n_pixels)
        moments = rng.uniform(0.0, stimulus.duration, n_noise.sum())
        order = np.lexsort((moments, np.repeat(np.arange(n_pixels), n_noise)))
        noise = Noise(
            offsets=np.concatenate([[0], np.cumsum(n_noise)]),
            times=moments[order],
            polarity=rng.integers(0, 2, moments.size),
            chance=rng.uniform(0.0, 1.0, moments.size),
        )
        pixels = Pixels(on, off, start, float(self.dark_current), float(self.cutoff), leak, float(self.refractory))
        frames = stimulus.luminance.reshape(n_frames, n_pixels)
        times, counts = events(frames, 1.0 / stimulus.frame_rate, pixels, noise)
        return Spikes(np.minimum(times, stimulus.duration), counts)


def pixel_units(width: int, height: int) -> pd.DataFrame:
    """Return the units of an event camera: row by row, pixel by pixel, OFF before ON.

    Index: names such as ``"3,5 on"`` (x, y); columns ``x``, ``y``, ``polarity`` (1 ON, 0 OFF). The unit of an event is
    at position ``2 * (y * width + x) + polarity``.
    """
    y, x, polarity = (part.ravel() for part in np.indices((height, width, 2)))
    signs = ("off", "on")
    names = [f"{column},{row} {sign}" for row in range(height) for column in range(width) for sign in signs]
    return pd.DataFrame({"x": x, "y": y, "polarity": polarity}, index=pd.Index(names))
