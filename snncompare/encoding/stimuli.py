"""What sensory neurons receive: sounds, images, movies, signals of several channels, lists of features."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncompare.errors import InputError
from snncompare.units import QuantityLike, hertz

__all__ = ["Features", "Image", "Movie", "Signal", "Sound", "Stimulus"]


@dataclass(frozen=True, eq=False)
class Sound:
    """One channel of sound pressure.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Sound pressure relative to digital full scale, 1.0. What full scale means in pascal, the ear that listens says.
    sampling_rate : frequency
        Kept as a float in hertz.

    Raises
    ------
    InputError
        For samples that are not one-dimensional, empty, not finite or beyond full scale, and rates below zero.
    """

    samples: NDArray[np.float64]
    sampling_rate: float

    def __init__(self, samples: ArrayLike, sampling_rate: QuantityLike) -> None:
        values = np.asarray(samples)
        if values.ndim == 2:
            raise InputError(
                f"a sound has one channel, got an array of shape {values.shape}; choose one channel or take their mean."
            )
        values = _numbers(values, "a sound", "(n_samples,)", 1)
        largest = np.abs(values).max()
        if largest > 1.0:
            raise InputError(
                f"the samples of a sound are relative to full scale, so from -1 to 1; the largest here is {largest:g}; "
                "divide whole numbers of 16 bit by 32768."
            )
        object.__setattr__(self, "samples", values)
        object.__setattr__(self, "sampling_rate", _rate(sampling_rate))

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.samples.size / self.sampling_rate


@dataclass(frozen=True, eq=False)
class Image:
    """A picture that stands still.

    Parameters
    ----------
    luminance : array, shape (height, width)
        Relative to white, from 0 to 1; row 0 is the top.
    degrees_per_pixel : float
        Visual angle of a pixel.

    Raises
    ------
    InputError
        For arrays that are not two-dimensional, empty, not finite, or beyond 0 to 1; angles that are not positive.
    """

    luminance: NDArray[np.float64]
    degrees_per_pixel: float

    def __init__(self, luminance: ArrayLike, degrees_per_pixel: float) -> None:
        object.__setattr__(self, "luminance", _luminance(luminance, "an image", "(height, width)", 2))
        object.__setattr__(self, "degrees_per_pixel", _angle(degrees_per_pixel))


@dataclass(frozen=True, eq=False)
class Movie:
    """Pictures that follow one another; each is shown until the next one.

    Parameters
    ----------
    luminance : array, shape (n_frames, height, width)
        Relative to white, from 0 to 1; row 0 is the top.
    frame_rate : frequency
        Kept as a float in hertz.
    degrees_per_pixel : float
        Visual angle of a pixel.

    Raises
    ------
    InputError
        As for `Image`, and for rates that are not positive.
    """

    luminance: NDArray[np.float64]
    frame_rate: float
    degrees_per_pixel: float

    def __init__(self, luminance: ArrayLike, frame_rate: QuantityLike, degrees_per_pixel: float) -> None:
        object.__setattr__(self, "luminance", _luminance(luminance, "a movie", "(n_frames, height, width)", 3))
        object.__setattr__(self, "frame_rate", _rate(frame_rate))
        object.__setattr__(self, "degrees_per_pixel", _angle(degrees_per_pixel))

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.luminance) / self.frame_rate


@dataclass(frozen=True, eq=False)
class Signal:
    """Measured quantities over time: skin indentation, electrocardiogram, odour concentration, a sound's envelope.

    Parameters
    ----------
    values : array, shape (n_channels, n_samples)
        In the unit that the encoder states.
    sampling_rate : frequency
        Kept as a float in hertz.
    channels : sequence of str, optional
        Names; default ``"0"``, ``"1"``, ...

    Raises
    ------
    InputError
        For arrays that are not two-dimensional, empty or not finite, rates that are not positive, names that are not
        one per channel.
    """

    values: NDArray[np.float64]
    sampling_rate: float
    channels: tuple[str, ...]

    def __init__(
        self, values: ArrayLike, sampling_rate: QuantityLike, channels: "tuple[str, ...] | list[str] | None" = None
    ) -> None:
        array = _numbers(np.asarray(values), "a signal", "(n_channels, n_samples)", 2)
        names = tuple(str(k) for k in range(len(array))) if channels is None else tuple(channels)
        if len(names) != len(array) or len(set(names)) < len(names):
            raise InputError(f"a signal of {len(array)} channels needs as many different names, got {names}.")
        object.__setattr__(self, "values", array)
        object.__setattr__(self, "sampling_rate", _rate(sampling_rate))
        object.__setattr__(self, "channels", names)

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.values.shape[1] / self.sampling_rate


@dataclass(frozen=True, eq=False)
class Features:
    """Numbers without time, each from 0 to 1: coordinates of a point, intensities, grey values of pixels.

    Parameters
    ----------
    values : array, shape (n_features,)

    Raises
    ------
    InputError
        For arrays that are not one-dimensional, empty, not finite, or beyond 0 to 1.
    """

    values: NDArray[np.float64]

    def __init__(self, values: ArrayLike) -> None:
        array = _numbers(np.asarray(values), "a list of features", "(n_features,)", 1)
        _refuse_beyond(array, "features")
        object.__setattr__(self, "values", array)


Stimulus = Sound | Image | Movie | Signal | Features


def _numbers(values: NDArray[Any], what: str, shape: str, n_dimensions: int) -> NDArray[np.float64]:
    if values.dtype.kind not in "iufb" or values.ndim != n_dimensions:
        raise InputError(f"{what} holds numbers of shape {shape}, got {values.dtype} of shape {values.shape}.")
    if values.size == 0:
        raise InputError(f"{what} is empty, shape {values.shape}; leave it out or read it again.")
    array = values.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(f"{what} holds {int(bad.sum())} values that are not finite, the first at {first}.")
    array.setflags(write=False)
    return array


def _luminance(values: ArrayLike, what: str, shape: str, n_dimensions: int) -> NDArray[np.float64]:
    array = _numbers(np.asarray(values), what, shape, n_dimensions)
    _refuse_beyond(array, f"luminances of {what}")
    return array


def _refuse_beyond(array: NDArray[np.float64], what: str) -> None:
    low, high = array.min(), array.max()
    if low < 0.0 or high > 1.0:
        raise InputError(f"{what} lie from 0 to 1, got {low:g} to {high:g}; divide whole numbers of 8 bit by 255.")


def _rate(value: QuantityLike) -> float:
    rate = hertz(value, "rate")
    if not 0.0 < rate < np.inf:
        raise InputError(f"a rate must be positive, got {value}.")
    return rate


def _angle(value: float) -> float:
    if isinstance(value, str) or not 0.0 < value < np.inf:
        raise InputError(f"degrees_per_pixel must be a positive number, got {value!r:.40}.")
    return float(value)
