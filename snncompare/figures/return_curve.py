"""Returns of episodes against how many were played."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from snncompare.errors import InputError
from snncompare.figures.style import (
    FAINT_COLOUR,
    NOTE_COLOUR,
    SINGLE_COLUMN,
    SMALL,
    axes_or_new,
    chosen_colours,
    settle,
    style,
    wrapped,
)

__all__ = ["return_curve_data", "return_curve_figure"]

_NEEDED = ("episodes", "return_20")


def return_curve_data(history: pd.DataFrame) -> pd.DataFrame:
    """Return the table that `return_curve_figure` draws: model, episodes, and over seeds the mean, lowest and highest.

    Parameters
    ----------
    history : DataFrame
        ``episodes`` and ``return_20`` (mean return of the latest episodes) of one training or several, told apart by
        the columns ``model`` and ``seed``.

    Raises
    ------
    InputError
        If a column is missing or there are no rows.
    """
    missing = [column for column in _NEEDED if column not in history.columns]
    if missing or history.empty:
        raise InputError(
            f"a curve of returns needs rows with the columns {list(_NEEDED)}, got {list(history.columns)} in "
            f"{len(history)} rows."
        )
    table = history if "model" in history.columns else history.assign(model="network")
    grouped = table.groupby(["model", "episodes"], sort=False)["return_20"]
    return grouped.agg(["mean", "min", "max"]).reset_index()


def return_curve_figure(
    history: pd.DataFrame,
    *,
    levels: Mapping[str, float] | None = None,
    label: str = "Return, mean of 20 episodes",
    colours: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the mean return of the latest episodes against the number of episodes: lines, and bands over all seeds.

    Parameters
    ----------
    history : DataFrame
        See `return_curve_data`.
    levels : mapping of str to float, optional
        Returns to draw as labelled lines, for example ``{"chance": 0.5}``.
    label : str
        Of the ordinate.
    colours : mapping of str to str, optional
        Colour per model, see `colours_for`.
    ax : Axes, optional
        Where to draw.

    Raises
    ------
    InputError
        As `return_curve_data`.
    """
    table = return_curve_data(history)
    names = [str(name) for name in table["model"].unique()]
    used = chosen_colours(names, colours)
    with style():
        axes = axes_or_new(ax, SINGLE_COLUMN, 55.0)
        for level, height in (levels or {}).items():
            axes.axhline(height, color=FAINT_COLOUR, linewidth=0.7, linestyle="--", zorder=1)
            where = (1.0, height)
            axes.annotate(
                wrapped(level, 12),
                where,
                xycoords=("axes fraction", "data"),
                xytext=(3, 0),
                textcoords="offset points",
                ha="left",
                va="center",
                annotation_clip=False,
                fontsize=SMALL,
                color=NOTE_COLOUR,
            )
        for name, rows in table.groupby("model", sort=False):
            x, colour = rows["episodes"].to_numpy(), used[str(name)]
            if np.any(rows["min"] < rows["max"]):
                axes.fill_between(x, rows["min"], rows["max"], color=colour, alpha=0.2, linewidth=0)
            axes.plot(x, rows["mean"], color=colour, label=str(name))
        axes.set(xlabel="Episodes", ylabel=label, xlim=(0, None), ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        if len(names) > 1:
            axes.legend(loc="best")
        figure = axes.get_figure(root=True)
        assert isinstance(figure, Figure)
        return settle(figure) if ax is None else figure
