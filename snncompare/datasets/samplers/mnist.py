"""MNIST: 70 000 handwritten digits of 28 x 28 pixels, from one .npz file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.samplers.labelled_images import LabelledImages, chosen_rows
from snncompare.errors import FileError
from snncompare.recording.array_files import read_arrays

__all__ = ["mnist"]

_SIDE = 28


def mnist(
    files: Mapping[str, Path],
    *,
    split: str | None = None,
    n_per_class: int | None = None,
    degrees: float = 2.0,
) -> LabelledImages:
    """Return handwritten digits, white on black.

    Parameters
    ----------
    files : mapping
        One .npz file of arrays ``x_train``, ``y_train``, ``x_test``, ``y_test``, as Keras distributes it.
    split : str, optional
        ``"train"`` or ``"test"``; default both, training first.
    n_per_class : int, optional
        The first so many of each digit, of each part; default all.
    degrees : float
        Visual angle of the width of a picture.

    Returns
    -------
    LabelledImages
        Labels ``digit`` (0 to 9) and ``split``; names such as ``"train 17"``.

    Raises
    ------
    FileError
        For a file that is no such archive.
    InputError
        For an archive of other arrays; numbers and parts that do not exist.
    """
    (path,) = files.values()
    arrays = read_arrays(path, ["x_train", "y_train", "x_test", "y_test"])
    parts = {part: _part(path, arrays, part) for part in ("train", "test")}
    pictures = np.concatenate([one for one, _ in parts.values()])
    table = pd.concat(
        [
            pd.DataFrame(
                {"digit": digits.astype(np.int64), "split": part}, index=[f"{part} {k}" for k in range(digits.size)]
            )
            for part, (_, digits) in parts.items()
        ]
    )
    rows = chosen_rows(table, "digit", n_per_class=n_per_class, split=split)
    return LabelledImages(pictures, table, rows, white=255, degrees=degrees)


def _part(path: Path, arrays: Mapping[str, NDArray[Any]], part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    pictures, digits = arrays[f"x_{part}"], arrays[f"y_{part}"]
    if (
        pictures.dtype != np.uint8
        or pictures.shape != (len(digits), _SIDE, _SIDE)
        or digits.dtype.kind not in "iu"
        or digits.ndim != 1
        or digits.size == 0
        or digits.max() > 9
    ):
        raise FileError(
            f"'{path}' is no archive of MNIST: x_{part} is {pictures.dtype} of shape {pictures.shape}, y_{part} "
            f"{digits.dtype} of shape {digits.shape}."
        )
    return pictures, digits
