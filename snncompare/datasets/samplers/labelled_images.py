"""Pictures with labels that lie in one array: what the readers of digits share."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.samples import Samples
from snncompare.encoding.stimuli import Image
from snncompare.errors import InputError, unknown

__all__ = ["LabelledImages", "chosen_rows"]


class LabelledImages(Samples):
    """Grey pictures of one size.

    Parameters
    ----------
    pictures : array of whole numbers, shape (n_pictures, height, width)
    table : pandas.DataFrame
        One row per picture: names and labels.
    rows : array, shape (n_samples,)
        Which pictures are samples; the number of a presentation is the row of its picture, whatever is chosen.
    white : int
        The number that stands for white.
    degrees : float
        Visual angle of the width of a picture.
    """

    def __init__(
        self,
        pictures: NDArray[np.integer[Any]],
        table: pd.DataFrame,
        rows: NDArray[np.int64],
        *,
        white: int,
        degrees: float,
    ) -> None:
        if not 0.0 < degrees < 180.0:
            raise InputError(f"degrees is the visual angle of the width of a picture, from 0 to 180, got {degrees}.")
        self._pictures = pictures
        self._rows = rows
        self._table = table.iloc[rows]
        self._white = white
        self._degrees = degrees

    @property
    def table(self) -> pd.DataFrame:
        """One row per sample."""
        return self._table

    def stimulus(self, position: int) -> Image:
        """Return the picture."""
        picture = self._pictures[self._rows[position]]
        return Image(picture / self._white, self._degrees / picture.shape[1])

    def number(self, position: int) -> int:
        """Return the row of the picture in its file."""
        return int(self._rows[position])


def chosen_rows(
    table: pd.DataFrame, label: str, *, n_per_class: int | None, split: str | None = None
) -> NDArray[np.int64]:
    """Return the rows that are asked for, in their order.

    Parameters
    ----------
    table : pandas.DataFrame
        With the label as a column, and ``split`` if that is asked for.
    label : str
    n_per_class : int or None
        The first so many of each class (of each part, where parts are not chosen); None: all.
    split : str or None
        A part of the table, such as ``"train"``.

    Raises
    ------
    InputError
        For numbers below one or above what there is, and parts that do not exist.
    """
    chosen = np.ones(len(table), dtype=bool)
    if split is not None:
        if split not in set(table["split"]):
            raise InputError(unknown("part", split, sorted(set(table["split"]))))
        chosen &= (table["split"] == split).to_numpy()
    if n_per_class is None:
        return np.flatnonzero(chosen)
    groups = [label, "split"] if "split" in table else [label]
    held = table[chosen].groupby(groups).size()
    if not 1 <= n_per_class <= held.min():
        raise InputError(f"n_per_class goes from 1 to {held.min()}, the size of the smallest class, got {n_per_class}.")
    rank = table.groupby(groups).cumcount().to_numpy()
    return np.flatnonzero(chosen & (rank < n_per_class))
