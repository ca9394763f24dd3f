"""Luminance from picture files: PNG and JPEG, grey or colour, 8 or 16 bit."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import FileError

__all__ = ["ENDINGS", "luminance_of_file"]

ENDINGS = (".png", ".jpg", ".jpeg")

_MOST_PIXELS = 50_000_000
_LEVELS = {"1": 1, "L": 255, "LA": 255, "RGB": 255, "RGBA": 255, "I;16": 65535, "I;16B": 65535, "I": 65535}
"""What Pillow calls a kind of picture -> its number for white."""

_WEIGHTS = np.array([0.2126, 0.7152, 0.0722])


def luminance_of_file(path: Path) -> NDArray[np.float64]:
    r"""Return the luminance of a picture relative to white, shape (height, width).

    The numbers in such files are not proportional to light; they are decoded as the sRGB standard says,

    .. math::

        c = \begin{cases} v / 12.92 & v \le 0.04045 \\ ((v + 0.055) / 1.055)^{2.4} & \text{else} \end{cases}, \qquad
        Y = 0.2126\,R + 0.7152\,G + 0.0722\,B

    Raises
    ------
    FileError
        For files that are no PNG or JPEG, are damaged or too large (50 million pixels), that have transparent pixels,
        or colours that are neither grey nor RGB.

    References
    ----------
    IEC 61966-2-1:1999 (sRGB).
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise FileError(f"the picture '{path}' has {picture.width} x {picture.height} pixels; make it smaller.")
            mode = picture.mode
            if mode == "P":
                mode = "RGBA" if "transparency" in picture.info else "RGB"
            values = np.asarray(picture.convert(mode) if mode != picture.mode else picture)
    except FileError:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as problem:
        raise FileError(f"the file '{path}' is no PNG or JPEG that can be read: {problem}.") from problem
    if mode not in _LEVELS:
        raise FileError(f"the picture '{path}' has colours of kind {mode}; save it as grey or RGB.")
    if mode in {"LA", "RGBA"}:
        if (values[..., -1] != 255).any():
            raise FileError(f"the picture '{path}' has transparent pixels; save it on a background.")
        values = values[..., 0] if mode == "LA" else values[..., :-1]
    light = _linear(values / _LEVELS[mode])
    return np.clip(light @ _WEIGHTS, 0.0, 1.0) if light.ndim == 3 else light


def _linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
