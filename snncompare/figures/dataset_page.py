"""One page per dataset: what its spikes look like, how its units fire, and which code its labels live in."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snncompare.figures.firing_panels import (
    MOST_ROWS,
    class_raster_data,
    draw_class_raster,
    draw_fano,
    draw_intervals,
    draw_rates,
    draw_synchrony,
    histogram_data,
)
from snncompare.figures.information_panels import draw_information, draw_information_by_scale, information_data
from snncompare.figures.style import DOUBLE_COLUMN, FAINT_COLOUR, new_figure, panel_letters, settle, style, wrapped
from snncompare.figures.unit_order import UnitOrder, unit_order
from snncompare.recording.recording import Recording
from snncompare.representation.firing_statistics import FiringStatistics
from snncompare.representation.label_information import LabelInformation

__all__ = ["dataset_data", "dataset_figure"]

MOST_CLASSES = 4


def dataset_data(
    recording: Recording, by: str | None, statistics: FiringStatistics, information: LabelInformation | None = None
) -> dict[str, pd.DataFrame]:
    """Return the tables that `dataset_figure` draws: ``spikes, units, intervals, fano, synchrony, information``."""
    tables = {
        "spikes": class_raster_data(recording, by, MOST_CLASSES),
        "units": statistics.units.rename_axis("unit"),
        "intervals": histogram_data(statistics.intervals, logarithmic=True),
        "fano": statistics.fano,
        "synchrony": statistics.synchrony,
    }
    return tables if information is None else tables | {"information": information_data(information)}


def dataset_figure(
    recording: Recording,
    by: str | None,
    statistics: FiringStatistics,
    information: LabelInformation | None = None,
    *,
    title: str | None = None,
    width: float = DOUBLE_COLUMN,
) -> Figure:
    """Draw the page of a dataset.

    Parameters
    ----------
    recording : Recording
        Of which the first trial of each of the first four classes is shown.
    by : str or None
        Column of the trials table with the class; None for a task without classes.
    statistics : FiringStatistics
    information : LabelInformation, optional
        Not given: the page has no panels of information.
    title : str, optional
    width : float
        mm.
    """
    spikes, order = class_raster_data(recording, by, MOST_CLASSES), unit_order(recording.units, MOST_ROWS)
    with style():
        figure = new_figure(width, 120.0 if information is None else 175.0)
        rows: Any = figure.subfigures(
            2 if information is None else 3, 1, height_ratios=[1.25, 1, 1.1][: 2 + bool(information)]
        )
        if title is not None:
            figure.suptitle(title, fontsize=8, fontweight="bold", x=0.01, ha="left")
        first = rows[0].subplots(1, spikes["trial"].nunique(), squeeze=False)[0]
        for k, (trial, shown) in enumerate(spikes.groupby("trial", sort=False)):
            row = recording.trials.index.get_indexer_for(pd.Index([trial]))[0]
            window = (float(recording.trials["start"].iloc[row]), float(recording.trials["stop"].iloc[row]))
            ax = draw_class_raster(shown, window, order.rows.size, first[k])
            ax.set_title(wrapped(_name(shown, by), 30))
            _name_units(ax, order)
            if k > 0:
                ax.set_ylabel("")
                ax.tick_params(labelleft=False)
        second = rows[1].subplots(1, 4)
        for draw, ax in zip((draw_rates, draw_intervals, draw_fano, draw_synchrony), second, strict=True):
            draw(statistics, ax)
        letters = [first[0], *second]
        if information is not None:
            third = rows[2].subplots(1, 2, width_ratios=[1.5, 1])
            draw_information(information, third[0])
            draw_information_by_scale(information, third[1])
            third[1].set_ylabel("")
            letters += list(third)
        panel_letters(letters)
        settle(figure)
        figure.set_layout_engine("none")  # it stands; every file format would lay it out anew
        return figure


def _name_units(ax: Axes, order: UnitOrder) -> None:
    """Say what the rows of a raster are: numbers, or groups with a line between them."""
    ax.set_ylabel(order.label)
    if order.groups is not None:
        groups = pd.Series(np.arange(1, order.rows.size + 1)).groupby(list(order.groups), sort=False)
        middles = groups.mean()
        ax.set_yticks(middles.to_numpy(), middles.index)
        ax.tick_params(axis="y", length=0)
        for edge in groups.max().to_numpy()[:-1]:
            ax.axhline(edge + 0.5, color=FAINT_COLOUR, linewidth=0.5)


def _name(shown: pd.DataFrame, by: str | None) -> str:
    """Return the class of a trial, after the name of the label where the class does not say it itself."""
    if by is None:
        return f"Trial {shown['trial'].iloc[0]}"
    value = str(shown["class"].iloc[0])
    return value if by.lower() in value.lower() else f"{by} {value}"
