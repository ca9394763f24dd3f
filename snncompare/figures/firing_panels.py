"""How the units of a recording fire: rasters by class, rates, intervals, Fano factors, synchrony."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from snncompare.figures.style import (
    DATA_COLOUR,
    FAINT_COLOUR,
    PALETTE,
    SINGLE_COLUMN,
    SMALL,
    axes_or_new,
    note,
    plain,
    style,
)
from snncompare.figures.unit_order import unit_order
from snncompare.recording.recording import Recording
from snncompare.representation.firing_statistics import FiringStatistics

__all__ = [
    "MOST_ROWS",
    "class_raster_data",
    "draw_class_raster",
    "draw_fano",
    "draw_intervals",
    "draw_rates",
    "draw_synchrony",
    "histogram_data",
]

MOST_ROWS = 200
"""Units of a raster; of more, every second, third ... is drawn."""
FEW_ROWS = 60
"""Up to here, rows of a raster do not touch."""
MANY_POINTS = 2000
RASTERISE_ABOVE = 20_000
HISTOGRAM: dict[str, Any] = {"color": PALETTE[0], "alpha": 0.85, "linewidth": 0}
MOST_BINS = 24
SHORTEST_INTERVAL = 1e-5
"""Seconds; shorter intervals are drawn there."""


def class_raster_data(recording: Recording, by: str | None, most: int = 4) -> pd.DataFrame:
    """Return the spikes of the first trial of each of the first classes in natural order, of at most 200 units.

    Rows are in the order of `unit_order`: by characteristic frequency, or class, where the units have one.

    Parameters
    ----------
    recording : Recording
    by : str or None
        Column of the trials table; None: the first trials.
    most : int
        Classes.

    Returns
    -------
    DataFrame
        ``class, trial, row, unit, time_s``, rows from 1; a trial without spikes has one line with a missing time.
    """
    labels = recording.trials.index.to_series() if by is None else recording.trials[by]
    once = labels.drop_duplicates()
    first = (once if by is None else _in_order(once)).index[:most]
    kept = unit_order(recording.units, MOST_ROWS).rows
    tables = []
    for name in first:
        trial = int(recording.trials.index.get_indexer_for(pd.Index([name]))[0])
        ends = recording.offsets[trial * recording.n_units : (trial + 1) * recording.n_units + 1]
        trains = [recording.times[ends[u] : ends[u + 1]] for u in kept]
        row = np.repeat(np.arange(kept.size), [train.size for train in trains])
        table = pd.DataFrame(
            {"row": row + 1, "unit": recording.units.index[kept[row]], "time_s": np.concatenate(trains)}
        )
        if table.empty:
            table = pd.DataFrame({"row": [1], "unit": [recording.units.index[kept[0]]], "time_s": [np.nan]})
        tables.append(table.assign(**{"class": "trial" if by is None else labels[name], "trial": name}))
    return pd.concat(tables, ignore_index=True)[["class", "trial", "row", "unit", "time_s"]]


def _in_order(labels: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return labels sorted, odour 2 before odour 10, or as they are where they cannot be."""
    try:
        return labels.sort_values(kind="stable", key=lambda values: values.map(_natural))
    except TypeError:
        return labels


def _natural(label: object) -> object:
    """Return what sorts texts by the numbers in them."""
    if not isinstance(label, str):
        return label
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", label) if part)


def draw_class_raster(
    spikes: pd.DataFrame, window: tuple[float, float], n_rows: int, ax: Axes | None = None, *, colour: str = DATA_COLOUR
) -> Axes:
    """Draw one trial of `class_raster_data`, one row per unit, and return the axes.

    Parameters
    ----------
    spikes : DataFrame
        Rows of one trial.
    window : two floats
        Seconds.
    n_rows : int
    ax : Axes, optional
    colour : str
    """
    times, rows = spikes["time_s"].to_numpy(), spikes["row"].to_numpy()
    in_ms, half = window[1] - window[0] <= 1.0, 0.4 if n_rows <= FEW_ROWS else 0.5
    scale = 1e3 if in_ms else 1.0
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 45.0)
        chosen.vlines(
            times * scale,
            rows - half,
            rows + half,
            color=colour,
            linewidth=0.5,
            rasterized=times.size > RASTERISE_ABOVE,
        )
        if np.isnan(times).all():
            note(chosen, "no spikes")
        chosen.set(xlim=(window[0] * scale, window[1] * scale), ylim=(0.5, n_rows + 0.5))
        chosen.set_xlabel("Time (ms)" if in_ms else "Time (s)")
        chosen.set_yticks([1, n_rows] if n_rows > 1 else [1])
        chosen.xaxis.set_major_formatter(FuncFormatter(plain))
        chosen.locator_params(axis="x", nbins=3)
    return chosen


def histogram_data(values: Sequence[float] | NDArray[np.float64], *, logarithmic: bool = False) -> pd.DataFrame:
    """Return ``low, high, share``: shares of finite values in bins from the least to the largest.

    Parameters
    ----------
    values : sequence of float
        The n of them get :math:`2 n^{1/3}` bins (Rice's rule), at least 6 and at most 24.
    logarithmic : bool
        Bins of one ratio; values below 10 microseconds are put there.
    """
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if finite.size == 0:
        return pd.DataFrame({"low": [], "high": [], "share": []}, dtype=np.float64)
    bins = int(np.clip(np.ceil(2 * finite.size ** (1 / 3)), 6, MOST_BINS))
    if logarithmic:
        finite = np.maximum(finite, SHORTEST_INTERVAL)
        edges = np.geomspace(finite.min() / 1.05, finite.max() * 1.05, bins + 1)
    else:
        low, high = (0.0, max(finite.max(), 1e-9)) if finite.min() >= 0 else (finite.min(), finite.max())
        edges = np.linspace(low, high + 1e-9 * (high - low), bins + 1)
    share = np.histogram(finite, edges)[0] / finite.size
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "share": share})


def _draw_histogram(data: pd.DataFrame, ax: Axes, scale: float, labels: tuple[str, str], empty: str) -> None:
    if data.empty:
        note(ax, empty)
    else:
        edges = np.append(data["low"], data["high"].iloc[-1]) * scale
        ax.stairs(100 * data["share"], edges, fill=True, **HISTOGRAM)
        ax.set_ylim(0, 118 * data["share"].max())
    ax.set(xlabel=labels[0], ylabel=labels[1])
    ax.locator_params(axis="y", nbins=4)


def draw_rates(statistics: FiringStatistics, ax: Axes | None = None) -> Axes:
    """Draw the distribution of the rates of the units, and return the axes."""
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 45.0)
        _draw_histogram(
            histogram_data(statistics.units["rate"].to_numpy()), chosen, 1.0, ("Rate (Hz)", "Units (%)"), "no units"
        )
        mean = statistics.summary["rate"]
        _reference(chosen, mean, f"mean {mean:.3g} Hz")
        chosen.set_xlim(left=0)
    return chosen


def draw_intervals(statistics: FiringStatistics, ax: Axes | None = None) -> Axes:
    """Draw the distribution of the interspike intervals on a logarithmic axis, and return the axes."""
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 45.0)
        data = histogram_data(statistics.intervals, logarithmic=True)
        if not data.empty:
            chosen.set_xscale("log")
        _draw_histogram(data, chosen, 1e3, ("Interspike interval (ms)", "Intervals (%)"), "no intervals")
        if not data.empty:
            chosen.xaxis.set_major_formatter(FuncFormatter(plain))
            chosen.tick_params(axis="x", which="minor", size=1.2, width=0.4, labelbottom=False)
            cv, cv2 = statistics.summary["cv"], statistics.summary["cv2"]
            words = [f"{name} {value:.2f}" for name, value in (("CV", cv), ("CV2", cv2)) if np.isfinite(value)]
            chosen.text(0.98, 1.0, "\n".join(words), transform=chosen.transAxes, ha="right", va="top", fontsize=SMALL)
    return chosen


def draw_fano(statistics: FiringStatistics, ax: Axes | None = None) -> Axes:
    """Draw variance against mean of the counts, a point per unit and class, with the line of Poisson counts."""
    rows = statistics.fano[statistics.fano["mean"] > 0]
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 45.0)
        if rows.empty:
            note(chosen, "no repeated class")
        else:
            most, many = 1.05 * float(rows["mean"].max()), len(rows) > MANY_POINTS
            chosen.plot([0, most], [0, most], zorder=1, color=FAINT_COLOUR, linewidth=0.7, linestyle=(0, (3, 2)))
            chosen.plot(
                rows["mean"], rows["variance"], ".", color=PALETTE[0], markersize=2.0 if many else 3.5,
                alpha=0.15 if many else 0.5, markeredgewidth=0, rasterized=len(rows) > RASTERISE_ABOVE,
            )  # fmt: skip
            top = 1.25 * max(float(np.quantile(rows["variance"], 0.99)), 0.3 * most)
            chosen.set(xlim=(0, most), ylim=(-0.02 * top, top))
            alike = "over all trials" if rows["class"].nunique() == 1 else "within classes,\nwhose stimuli may differ"
            words = f"Fano factor {statistics.summary['fano']:.2f} {alike}"
            chosen.text(1.0, 1.0, words, transform=chosen.transAxes, ha="right", va="bottom", fontsize=SMALL)
        chosen.set(xlabel="Mean count", ylabel="Variance of count")
        chosen.locator_params(nbins=4)
    return chosen


def draw_synchrony(statistics: FiringStatistics, ax: Axes | None = None) -> Axes:
    """Draw the synchrony of pairs of units in single trials against that of shuffled trials, and return the axes."""
    rows = statistics.synchrony.dropna()
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 45.0)
        if rows.empty:
            note(chosen, "no pairs of units that fire")
        else:
            both = rows[["synchrony", "shuffled"]].to_numpy()
            margin = max(0.05 * np.ptp(both), 0.02)
            ends = (max(both.min() - margin, 0.0), min(both.max() + margin, 1.02))
            chosen.plot(ends, ends, color=FAINT_COLOUR, linewidth=0.7, linestyle=(0, (3, 2)))
            chosen.plot(rows["shuffled"], rows["synchrony"], "o", color=PALETTE[0], markersize=2.4, markeredgewidth=0)
            chosen.set(xlim=ends, ylim=ends)
        chosen.set(xlabel="Synchrony, shuffled", ylabel="Synchrony in a trial")
        chosen.locator_params(nbins=4)
    return chosen


def _reference(ax: Axes, value: float, words: str) -> None:
    ax.axvline(value, color=DATA_COLOUR, linewidth=0.7)
    ax.annotate(
        words, (value, 1.0), xycoords=("data", "axes fraction"), xytext=(2, 0), textcoords="offset points",
        va="top", fontsize=SMALL,
    )  # fmt: skip
