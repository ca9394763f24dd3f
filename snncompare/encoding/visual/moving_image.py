"""A picture seen by an eye or a camera that moves: shifted by fractions of a pixel, in compiled code."""

from math import floor

import numpy as np
from numba import njit
from numpy.typing import NDArray

from snncompare.encoding.stimuli import Image, Movie
from snncompare.errors import InputError

__all__ = ["moving_image", "number_of_frames"]


def moving_image(
    image: Image, gaze: NDArray[np.float64], frame_rate: float, *, margin: int = 0, background: float = 0.5
) -> Movie:
    r"""Return what falls on the retina, or on the sensor, while the gaze moves over a picture.

    .. math::

        L_k(r, c) = I(r - m + g^y_k,\; c - m + g^x_k)

    Between pixels :math:`I` is bilinear; beyond the picture it is the background.

    Parameters
    ----------
    image : Image
    gaze : array, shape (n_frames, 2)
        :math:`g`, where the gaze points in each frame relative to the middle of the picture: pixels to the right,
        pixels down. The picture moves the other way.
    frame_rate : float
        Frames per second.
    margin : int
        :math:`m`, pixels of background on every side of the picture.
    background : float
        Luminance, 0 to 1.

    Returns
    -------
    Movie
        Of shape (n_frames, height + 2 margin, width + 2 margin).
    """
    height, width = image.luminance.shape
    frames = np.empty((len(gaze), height + 2 * margin, width + 2 * margin))
    padded = np.pad(image.luminance, 1, constant_values=background)
    _shift(padded, np.ascontiguousarray(gaze), margin, frames)
    return Movie(frames, f"{frame_rate!r} Hz", image.degrees_per_pixel)


def number_of_frames(duration: float, frame_rate: float, what: str) -> int:
    """Return how many frames last so long (seconds, hertz).

    Raises
    ------
    InputError
        If that is no whole number of at least one frame.
    """
    n_frames = round(duration * frame_rate)
    if n_frames < 1 or abs(n_frames - duration * frame_rate) > 1e-6 * n_frames:
        raise InputError(
            f"{what} lasts {duration:g} s, which is {duration * frame_rate:g} frames of {frame_rate:g} Hz; choose a "
            "whole number of frames."
        )
    return n_frames


@njit(cache=True)
def _shift(padded, gaze, margin, frames):  # type: ignore[no-untyped-def] # pragma: no cover
    """Fill the frames from a picture with one pixel of background around it, in which all pixels further out end."""
    n_frames, n_rows, n_columns = frames.shape
    last_row, last_column = padded.shape[0] - 1, padded.shape[1] - 1
    left, right = np.empty(n_columns, dtype=np.int64), np.empty(n_columns, dtype=np.int64)
    for k in range(n_frames):
        down, across = floor(gaze[k, 1]), floor(gaze[k, 0])
        fy, fx = gaze[k, 1] - down, gaze[k, 0] - across
        for column in range(n_columns):
            x = column - margin + across + 1
            left[column], right[column] = min(max(x, 0), last_column), min(max(x + 1, 0), last_column)
        for row in range(n_rows):
            y = row - margin + down + 1
            upper, lower = padded[min(max(y, 0), last_row)], padded[min(max(y + 1, 0), last_row)]
            for column in range(n_columns):
                a, b = left[column], right[column]
                above = upper[a] + fx * (upper[b] - upper[a])
                below = lower[a] + fx * (lower[b] - lower[a])
                frames[k, row, column] = min(max(above + fy * (below - above), 0.0), 1.0)
