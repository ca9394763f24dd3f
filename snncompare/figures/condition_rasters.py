"""Spikes of single units, trials sorted by condition."""

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from snncompare.errors import InputError, unknown
from snncompare.figures.style import FAINT_COLOUR, SINGLE_COLUMN, SMALL, axes_or_new, chosen_colours, note, plain, style
from snncompare.recording.arguments import a_recording, column_name
from snncompare.recording.recording import Recording

__all__ = ["condition_raster_data", "draw_condition_raster"]

_MOST_MS = 0.5
"""Windows up to this many seconds are labelled in milliseconds."""


def condition_raster_data(recording: Recording, unit: Hashable, by: str) -> pd.DataFrame:
    """Return the spikes of one unit: ``condition, trial, row, time_s``, trials sorted by condition.

    Conditions come in order of first appearance, rows count from 1. A trial without spikes keeps its row and is one
    line with a missing time.

    Raises
    ------
    InputError
        If the unit or the column does not exist.
    """
    column_name(by, "by")
    if not isinstance(unit, Hashable) or unit not in a_recording(recording).units.index:
        raise InputError(unknown("unit", unit, recording.units.index))
    if by not in recording.trials.columns:
        raise InputError(unknown("column in the trials table", by, recording.trials.columns))
    position = list(recording.units.index).index(unit)
    codes, _ = pd.factorize(recording.trials[by])
    tables = []
    for row, trial in enumerate(np.argsort(codes, kind="stable"), 1):
        k = trial * recording.n_units + position
        times = recording.times[recording.offsets[k] : recording.offsets[k + 1]]
        label = {"condition": recording.trials[by].iloc[trial], "trial": recording.trials.index[trial], "row": row}
        tables.append(pd.DataFrame(label | {"time_s": times if times.size else [np.nan]}))
    return pd.concat(tables, ignore_index=True)


def draw_condition_raster(
    recording: Recording,
    unit: Hashable,
    by: str,
    ax: Axes | None = None,
    *,
    colours: Mapping[str, str] | None = None,
) -> Axes:
    """Draw the spikes of one unit, one row per trial, one colour per condition, and return the axes.

    Parameters
    ----------
    recording : Recording
        With the times of every trial counted from the same event, for example after `Recording.cut`.
    unit : label
        Index of the units table.
    by : str
        Column of the trials table that names the condition.
    ax : Axes, optional
    colours : mapping of str to str, optional
        Colour per condition, see `colours_for`.

    Raises
    ------
    InputError
        As `condition_raster_data`.
    """
    table = condition_raster_data(recording, unit, by)
    names = [str(name) for name in table["condition"].unique()]
    used = chosen_colours(names, colours)
    start, stop = float(recording.trials["start"].min()), float(recording.trials["stop"].max())
    in_ms = stop - start <= _MOST_MS
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 12.0 + 0.6 * table["row"].max())
        for name, rows in table.groupby("condition", sort=False):
            spikes = rows.dropna(subset=["time_s"])
            chosen.vlines(
                spikes["time_s"], spikes["row"] - 0.45, spikes["row"] + 0.45, color=used[str(name)], linewidth=0.7
            )
            _name_condition(chosen, str(name), rows["row"], used[str(name)])
        if start < 0 < stop:
            chosen.axvline(0, color=FAINT_COLOUR, linewidth=0.5)
        if table["time_s"].isna().all():
            note(chosen, "no spikes")
        chosen.set(xlim=(start, stop), ylim=(table["row"].max() + 0.5, 0.5), ylabel="Trial", title=f"Unit {unit}")
        chosen.set_yticks([1, int(table["row"].max())])
        chosen.set_xlabel("Time (ms)" if in_ms else "Time (s)")
        chosen.xaxis.set_major_formatter(lambda value, _: plain(round(value * (1e3 if in_ms else 1.0), 9)))
    return chosen


def _name_condition(ax: Axes, name: str, rows: "pd.Series[int]", colour: str) -> None:
    if rows.min() > 1:
        ax.axhline(rows.min() - 0.5, color=FAINT_COLOUR, linewidth=0.3)
    ax.annotate(
        name,
        (1, (rows.min() + rows.max()) / 2),
        xycoords=("axes fraction", "data"),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=colour,
        annotation_clip=False,
    )
