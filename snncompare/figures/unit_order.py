"""The order in which a raster shows units, and what its axis calls them, from what their table says."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.figures.style import plain

__all__ = ["UnitOrder", "unit_order"]

FREQUENCY = "characteristic_frequency"
GROUPS = ("cell_class", "kind", "polarity", "glomerulus", "type")
POLARITIES = {0: "OFF", 1: "ON"}
"""Names of the polarities of event cameras."""
MOST_NAMED = 6
"""Groups that fit beside the axis of a raster."""


class UnitOrder(NamedTuple):
    """Which unit stands in each row of a raster, from below; the label of the axis; the groups of the rows, or None."""

    rows: NDArray[np.int64]
    label: str
    groups: tuple[str, ...] | None


def unit_order(units: pd.DataFrame, most: int) -> UnitOrder:
    """Return the order of units by characteristic frequency where they have one, else by class, else as they are.

    Parameters
    ----------
    units : DataFrame
        Units table of a recording.
    most : int
        Rows; of more units, every second, third ... of that order is shown.
    """
    if FREQUENCY in units and pd.api.types.is_numeric_dtype(units[FREQUENCY]) and units[FREQUENCY].notna().all():
        frequencies = units[FREQUENCY].to_numpy(dtype=np.float64)
        rows = _thinned(np.argsort(frequencies, kind="stable"), most)
        low, high = (_frequency(frequencies[row]) for row in (rows[0], rows[-1]))
        return UnitOrder(rows, f"Unit, {low} to {high}", None)
    columns = [column for column in GROUPS if column in units and units[column].nunique(dropna=False) > 1]
    if not columns:
        return UnitOrder(_thinned(np.arange(len(units)), most), "Unit", None)
    words = units[columns].replace({"polarity": POLARITIES}).astype(str).agg(" ".join, axis=1)
    codes, names = pd.factorize(words)
    rows = _thinned(np.argsort(codes, kind="stable"), most)
    groups = tuple(words.iloc[rows]) if len(names) <= MOST_NAMED else None
    return UnitOrder(rows, f"Unit, by {' and '.join(columns).replace('_', ' ')}", groups)


def _thinned(order: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return order[:: -(-order.size // most)] if order.size else order


def _frequency(hertz: float) -> str:
    """Return a frequency in three digits."""
    in_khz = hertz >= 1000.0
    return f"{plain(float(f'{hertz / (1e3 if in_khz else 1.0):.3g}'))} {'kHz' if in_khz else 'Hz'}"
