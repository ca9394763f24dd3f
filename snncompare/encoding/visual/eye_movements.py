"""How eyes and cameras look at a picture: fixation with drift and microsaccades, saccades, a still eye, a flash."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.parameters import (
    check_between,
    check_not_negative,
    check_positive,
    check_whole,
    keep_frequencies,
    keep_times,
)
from snncompare.encoding.stimuli import Image, Movie
from snncompare.encoding.visual.moving_image import moving_image, number_of_frames
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["EyeMovements", "Fixation", "Flash", "Saccades", "Static", "minimum_jerk"]

_TREMOR_FREQUENCY = 90.0
_TREMOR_BANDWIDTH = 20.0
_AMPLITUDE_SHAPE = 4.0
_LONGEST = 3600.0
"""Seconds."""
_WIDEST_MARGIN = 1000
"""Pixels."""


class EyeMovements(ABC):
    """How a picture is looked at. Subclasses are frozen dataclasses with a ``frame_rate``.

    ``float(eyes.duration)`` is how long the view lasts, in seconds. Pixels around the picture show ``background``.
    """

    @abstractmethod
    def view(self, image: Image, randomness: np.random.SeedSequence) -> Movie:
        """Return what is seen of a picture, frame by frame."""


@dataclass(frozen=True, kw_only=True)
class Static(EyeMovements):
    """An eye that does not move.

    Parameters
    ----------
    duration : time
    frame_rate : frequency
    margin : int
        Pixels of background on every side of the picture.
    background : float
        Luminance, 0 to 1; default mid grey.
    """

    duration: QuantityLike = "500 ms"
    frame_rate: QuantityLike = "500 Hz"
    margin: int = 0
    background: float = 0.5

    def __post_init__(self) -> None:
        keep_times(self, "duration")
        _check_frames(self)
        _check_duration(self)

    def view(self, image: Image, randomness: np.random.SeedSequence) -> Movie:  # noqa: ARG002 (nothing is random)
        """Return the picture, again and again."""
        gaze = np.zeros((number_of_frames(float(self.duration), float(self.frame_rate), "the view"), 2))
        return _seen(self, image, gaze)


@dataclass(frozen=True, kw_only=True)
class Flash(EyeMovements):
    """A picture that appears on a uniform field and vanishes again, seen by an eye that does not move.

    Parameters
    ----------
    before, shown, after : time
        How long the field, the picture, and the field again are seen; ``before`` and ``after`` may be 0.
    frame_rate : frequency
    margin : int
        Pixels of background on every side of the picture.
    background : float
        Luminance of the field, 0 to 1; default mid grey.
    """

    before: QuantityLike = "100 ms"
    shown: QuantityLike = "200 ms"
    after: QuantityLike = "200 ms"
    frame_rate: QuantityLike = "500 Hz"
    margin: int = 0
    background: float = 0.5

    def __post_init__(self) -> None:
        keep_times(self, "shown")
        keep_times(self, "before", "after", zero=True)
        _check_frames(self)
        _check_duration(self)

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.before) + float(self.shown) + float(self.after)

    def view(self, image: Image, randomness: np.random.SeedSequence) -> Movie:  # noqa: ARG002 (nothing is random)
        """Return field, picture, field."""
        rate = float(self.frame_rate)
        parts = [(float(self.before), False), (float(self.shown), True), (float(self.after), False)]
        lit = np.concatenate(
            [np.full(number_of_frames(time, rate, "a part of the flash") if time else 0, on) for time, on in parts]
        )
        frames = np.full((lit.size, *(side + 2 * self.margin for side in image.luminance.shape)), self.background)
        inner = slice(self.margin, -self.margin or None)
        frames[lit, inner, inner] = image.luminance
        return Movie(frames, f"{rate!r} Hz", image.degrees_per_pixel)


@dataclass(frozen=True, kw_only=True)
class Saccades(EyeMovements):
    r"""A fixed path of the gaze: straight movements from point to point, each followed by rest.

    Each movement has the smoothest course there is (minimum jerk; Flash & Hogan 1985, equation 3),

    .. math::

        g(t) = g_0 + (g_1 - g_0) (10 s^3 - 15 s^4 + 6 s^5), \qquad s = t / T

    The default path is the triangle of three movements by which an event camera recorded N-MNIST, as its events show
    it: see ``datasets/n_mnist/README.md``.

    Parameters
    ----------
    path : tuple of (right, down)
        Points the gaze goes through, in parts of the longer side of the picture, (0, 0) being the middle.
    interval : time
        From the start of one movement to the start of the next.
    movement : time
        :math:`T`, how long a movement takes; not longer than the interval.
    frame_rate : frequency
    margin : int
        Pixels of background on every side of the picture; 3 makes the 34 x 34 pixels of N-MNIST of 28 x 28.
    background : float
        Luminance, 0 to 1; default mid grey.

    Raises
    ------
    InputError
        For a path of fewer than two points, and values that are no times or luminances.

    References
    ----------
    Orchard, Jayawant, Cohen & Thakor (2015) Front Neurosci 9:437; Flash & Hogan (1985) J Neurosci 5:1688-1703.
    """

    path: tuple[tuple[float, float], ...] = ((0.09, 0.1), (0.0, -0.1), (-0.09, 0.1), (0.09, 0.1))
    interval: QuantityLike = "100 ms"
    movement: QuantityLike = "80 ms"
    frame_rate: QuantityLike = "500 Hz"
    margin: int = 0
    background: float = 0.5

    def __post_init__(self) -> None:
        keep_times(self, "interval", "movement")
        _check_frames(self)
        points = np.asarray(self.path, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2 or not np.isfinite(points).all():
            raise InputError(f"a path has at least two points (right, down), got {self.path!r:.100}.")
        object.__setattr__(self, "path", tuple((float(x), float(y)) for x, y in points))
        if float(self.movement) > float(self.interval):
            raise InputError(f"a movement of {self.movement} does not fit into an interval of {self.interval}.")
        _check_duration(self)

    @property
    def duration(self) -> float:
        """Seconds."""
        return (len(self.path) - 1) * float(self.interval)

    def view(self, image: Image, randomness: np.random.SeedSequence) -> Movie:  # noqa: ARG002 (nothing is random)
        """Return the picture along the path."""
        rate = float(self.frame_rate)
        times = np.arange(number_of_frames(self.duration, rate, "the path")) / rate
        return _seen(self, image, self.gaze(times) * max(image.luminance.shape))

    def gaze(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where the gaze is at these times (s), in parts of the longer side, shape (n_times, 2)."""
        points = np.asarray(self.path)
        leg = np.clip((times / float(self.interval) + 1e-9).astype(np.int64), 0, len(points) - 2)
        done = minimum_jerk((times - leg * float(self.interval)) / float(self.movement))
        return points[leg] + done[:, np.newaxis] * (points[leg + 1] - points[leg])


@dataclass(frozen=True, kw_only=True)
class Fixation(EyeMovements):
    r"""An eye that fixates: Brownian drift, microsaccades, tremor if wanted; it starts in the middle of the picture.

    Drift is a Brownian motion in two dimensions, :math:`\langle |\Delta g|^2 \rangle = 4 D\, \Delta t`. Microsaccades
    go in any direction, after waits that are exponentially distributed; their amplitudes :math:`A` have a gamma
    distribution of shape 4, their peak velocity lies on the main sequence :math:`v = s A`, and their course is that of
    minimum jerk, which makes them :math:`1.875 / s` long. Tremor is noise at 90 Hz (20 Hz wide).

    Microsaccades do not bring the gaze back, so that it leaves the picture in the end: meant for fixations of a second.

    Parameters
    ----------
    duration : time
    frame_rate : frequency
    diffusion : float
        :math:`D`, square arc minutes per second; 0: no drift.
    microsaccade_rate : frequency
        Mean; 0: none.
    microsaccade_amplitude : float
        Mean of :math:`A`, arc minutes.
    main_sequence_slope : frequency
        :math:`s`, degrees per second per degree.
    tremor : float
        Standard deviation of the tremor in each direction, arc minutes; default none.
    margin : int
        Pixels of background on every side of the picture.
    background : float
        Luminance, 0 to 1; default mid grey.

    Raises
    ------
    InputError
        For values out of range, and microsaccades so frequent that they would overlap.

    References
    ----------
    Engbert & Kliegl (2004) Psychol Sci 15:431-436 (drift as a random walk); Kuang, Poletti, Victor & Rucci (2012) Curr
    Biol 22:510-514 and Rucci & Victor (2015) Trends Neurosci 38:195-206 (Brownian drift, about 40 arcmin²/s);
    Martinez-Conde, Macknik, Troncoso & Hubel (2009) Trends Neurosci 32:463-475 (microsaccades: 1 to 2 per second, means
    of 13.7' to 38.4'); Zuber, Stark & Cook (1965) Science 150:1459-1460 (linear main sequence); Martinez-Conde,
    Macknik & Hubel (2004) Nat Rev Neurosci 5:229-240 (tremor, about 90 Hz).
    """

    duration: QuantityLike = "500 ms"
    frame_rate: QuantityLike = "500 Hz"
    diffusion: float = 40.0
    microsaccade_rate: QuantityLike = "1.5 Hz"
    microsaccade_amplitude: float = 20.0
    main_sequence_slope: QuantityLike = "80 Hz"
    tremor: float = 0.0
    margin: int = 0
    background: float = 0.5

    def __post_init__(self) -> None:
        keep_times(self, "duration")
        keep_frequencies(self, "microsaccade_rate", zero=True)
        keep_frequencies(self, "main_sequence_slope")
        check_not_negative(self, "diffusion", "tremor")
        check_positive(self, "microsaccade_amplitude")
        _check_frames(self)
        _check_duration(self)
        if float(self.microsaccade_rate) * self.microsaccade_duration >= 1.0:
            raise InputError(
                f"microsaccades at {self.microsaccade_rate} that last {self.microsaccade_duration:.3g} s would "
                "overlap; choose a lower rate or a steeper main sequence."
            )
        if self.tremor > 0 and float(self.frame_rate) < 2 * (_TREMOR_FREQUENCY + _TREMOR_BANDWIDTH):
            raise InputError(f"tremor at 90 Hz needs at least 220 frames a second, got {self.frame_rate}.")

    @property
    def microsaccade_duration(self) -> float:
        """Seconds; the same for all amplitudes, the main sequence being linear."""
        return 1.875 / float(self.main_sequence_slope)

    def view(self, image: Image, randomness: np.random.SeedSequence) -> Movie:
        """Return the picture as the wandering gaze sees it."""
        rate = float(self.frame_rate)
        number_of_frames(float(self.duration), rate, "the view")
        return _seen(self, image, self.gaze(randomness) / 60.0 / image.degrees_per_pixel)

    def gaze(self, randomness: np.random.SeedSequence) -> NDArray[np.float64]:
        """Return where the gaze is in each frame, arc minutes to the right and down, shape (n_frames, 2)."""
        rng = np.random.default_rng(randomness)
        rate = float(self.frame_rate)
        n_frames = number_of_frames(float(self.duration), rate, "the view")
        steps = rng.standard_normal((n_frames, 2)) * np.sqrt(2.0 * self.diffusion / rate)
        steps[0] = 0.0
        gaze = np.cumsum(steps, axis=0)
        if self.tremor > 0:
            gaze += self.tremor * _narrow_band(rng, n_frames, rate)
        times = np.arange(n_frames) / rate
        for onset, amplitude, angle in self.microsaccades(rng):
            course = amplitude * minimum_jerk((times - onset) / self.microsaccade_duration)
            gaze += course[:, np.newaxis] * np.array([np.cos(angle), np.sin(angle)])
        return gaze

    def microsaccades(self, rng: np.random.Generator) -> list[tuple[float, float, float]]:
        """Return onset (s), amplitude (arc minutes) and direction (radians) of each microsaccade of a view."""
        rate, found = float(self.microsaccade_rate), []
        if rate > 0.0:
            wait = 1.0 / rate - self.microsaccade_duration
            onset = rng.exponential(wait)
            while onset < float(self.duration):
                amplitude = rng.gamma(_AMPLITUDE_SHAPE, self.microsaccade_amplitude / _AMPLITUDE_SHAPE)
                found.append((onset, amplitude, rng.uniform(0.0, 2.0 * np.pi)))
                onset += self.microsaccade_duration + rng.exponential(wait)
        return found


def minimum_jerk(progress: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the part of a movement that is done when this part of its time is over; both from 0 to 1.

    Flash & Hogan (1985) J Neurosci 5:1688-1703, equation 3. The peak velocity is 1.875 times the mean velocity.
    """
    s = np.clip(progress, 0.0, 1.0)
    return s**3 * (10.0 - 15.0 * s + 6.0 * s**2)


def _check_frames(eyes: Any) -> None:
    keep_frequencies(eyes, "frame_rate")
    check_whole(eyes, "margin", 0, _WIDEST_MARGIN)
    check_between(eyes, "background", 0.0, 1.0)


def _check_duration(eyes: Any) -> None:
    if float(eyes.duration) > _LONGEST:
        raise InputError(f"a view lasts at most an hour, got {float(eyes.duration):g} s; choose a shorter one.")


def _seen(eyes: Any, image: Image, gaze: NDArray[np.float64]) -> Movie:
    return moving_image(image, gaze, float(eyes.frame_rate), margin=eyes.margin, background=eyes.background)


def _narrow_band(rng: np.random.Generator, n_frames: int, rate: float) -> NDArray[np.float64]:
    """Return noise of unit variance around the frequency of the tremor, shape (n_frames, 2)."""
    from scipy.signal import lfilter

    pole = np.exp((-np.pi * _TREMOR_BANDWIDTH + 2j * np.pi * _TREMOR_FREQUENCY) / rate)
    warm = int(5.0 * rate / _TREMOR_BANDWIDTH)
    noise = rng.standard_normal((warm + n_frames, 2)) + 1j * rng.standard_normal((warm + n_frames, 2))
    filtered = lfilter([np.sqrt(1.0 - abs(pole) ** 2)], [1.0, -pole], noise, axis=0)
    return np.ascontiguousarray(filtered[warm:].real)
