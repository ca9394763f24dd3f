"""What the figures of a `Result` have in common: its columns, significance, and a point with its interval."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from snncompare.errors import InputError

__all__ = ["CEILING_COLUMNS", "above_chance", "checked_table", "draw_interval", "measure_label", "table_of"]

CEILING_COLUMNS = ("ceiling_low", "ceiling_high")
_COLUMNS = ("model", "metric", "time_scale", "similarity", "ci_low", "ci_high", "p", "p_corrected", *CEILING_COLUMNS)


def table_of(result: Any) -> pd.DataFrame:
    """Return the table of what `snncompare.comparison` returned.

    Raises
    ------
    InputError
        If it has none.
    """
    table = getattr(result, "table", None)
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"expected a result, such as sc.compare(...) returns, got {type(result).__name__}.")
    return table


def checked_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a result with numbers as floats, missing ones NaN.

    Raises
    ------
    InputError
        If it is empty or lacks a column.
    """
    missing = [column for column in _COLUMNS if column not in table.columns]
    if missing:
        raise InputError(f"the table of a result lacks the columns {missing}; it has {list(table.columns)}.")
    if table.empty:
        raise InputError("the result holds no model; compare at least one model with the data.")
    return table.astype(dict.fromkeys(_COLUMNS[2:], float))


def above_chance(rows: pd.DataFrame, alpha: float) -> NDArray[np.bool_]:
    """Return for each row whether similarity is positive with a corrected p below ``alpha``; unknown p is no."""
    return ((rows["similarity"] > 0) & (rows["p_corrected"] < alpha)).to_numpy()


def measure_label(measure: object) -> str:
    """Return the axis label for a measure of similarity: dimensionless, so the measure stands where a unit would."""
    return f"RDM similarity ({getattr(measure, 'label', measure)})"


def draw_interval(
    ax: Axes, position: float, row: "pd.Series[Any]", hit: bool, look: Mapping[str, Any], *, across: bool = False
) -> None:
    """Draw one similarity with its interval: a filled marker above chance, an open one otherwise.

    Parameters
    ----------
    position : float
        Place on the other axis.
    row : Series
        ``similarity``, ``ci_low``, ``ci_high``; an interval that is NaN is not drawn.
    hit : bool
        Above chance.
    look : mapping
        ``color`` and ``marker``.
    across : bool
        Similarity runs along x.
    """
    value, low, high = (float(row[key]) for key in ("similarity", "ci_low", "ci_high"))
    if np.isfinite([low, high]).all():
        x, y = ([low, high], [position] * 2) if across else ([position] * 2, [low, high])
        ax.plot(x, y, color=look["color"], linewidth=1.2, solid_capstyle="butt", zorder=3)
    x, y = ([value], [position]) if across else ([position], [value])
    face = look["color"] if hit else "white"
    ax.plot(x, y, linestyle="none", markerfacecolor=face, markeredgewidth=0.9, zorder=4, **look)
