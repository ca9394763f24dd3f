"""Spikes of the animal and of models under the stimulus, on one time axis."""

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from snncompare.errors import InputError
from snncompare.figures.raster_rows import UnitOrder, population_rate, raster_rows, raster_spikes, trial_mask
from snncompare.figures.style import (
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    NOTE_COLOUR,
    SMALL,
    first_black,
    new_figure,
    note,
    panel_letters,
    plain,
    settle,
    style,
)
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = ["raster_data", "raster_figure"]

_RASTERISE_ABOVE = 30_000
"""Spikes in a panel from which vector output holds them as an image."""


def raster_data(
    recordings: Mapping[str, Recording],
    start: QuantityLike = "0 s",
    stop: QuantityLike = "1 s",
    *,
    where: Mapping[str, Hashable] | None = None,
    stimulus: Mapping[str, pd.Series | xr.DataArray] | None = None,
    order: UnitOrder = UnitOrder.RATE,
    rate_bin: QuantityLike | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the tables that `raster_figure` draws; the parameters are explained there.

    Returns
    -------
    dict of str to DataFrame
        ``rows`` (``recording, row, unit, trial, population, n_spikes``), ``spikes`` (``recording, row, unit, trial,
        time_s``) and, where asked for, ``stimulus`` (``stimulus, time_s, value``) and ``rate``
        (``recording, start_s, stop_s, rate_hz``).
    """
    begin, end = _stretch(start, stop)
    if not recordings:
        raise InputError("a raster needs at least one recording; give a mapping of name to Recording.")
    width = None if rate_bin is None else seconds(rate_bin, "rate_bin")
    rows, spikes, rates = [], [], []
    for name, recording in recordings.items():
        mask = trial_mask(recording, where, name)
        found = raster_spikes(recording, mask, begin, end, name)
        lines = raster_rows(recording, mask, found, order)
        keys = {"unit": "unit_position", "trial": "trial_position"}
        placed = found.rename(columns=keys).merge(lines, on=list(keys.values()), how="left")
        placed = placed.sort_values(["row", "time_s"])[["row", "unit", "trial", "time_s"]]
        spikes.append(placed.assign(recording=name))
        rows.append(lines.drop(columns=list(keys.values())).assign(recording=name))
        if width is not None:
            edges, rate = population_rate(found, len(lines), begin, end, width)
            table = pd.DataFrame({"start_s": edges[:-1], "stop_s": edges[1:], "rate_hz": rate})
            rates.append(table.assign(recording=name))
    tables = {"rows": _stack(rows), "spikes": _stack(spikes)}
    if stimulus:
        tables["stimulus"] = pd.concat(
            [_trace(name, trace, begin, end) for name, trace in stimulus.items()], ignore_index=True
        )
    if rates:
        tables["rate"] = _stack(rates)
    return tables


def raster_figure(
    recordings: Mapping[str, Recording],
    start: QuantityLike = "0 s",
    stop: QuantityLike = "1 s",
    *,
    where: Mapping[str, Hashable] | None = None,
    stimulus: Mapping[str, pd.Series | xr.DataArray] | None = None,
    order: UnitOrder = UnitOrder.RATE,
    rate_bin: QuantityLike | None = None,
    colours: Mapping[str, str] | None = None,
    width: float = DOUBLE_COLUMN,
) -> Figure:
    """Draw the stimulus, then the spikes of each recording, on one common time axis.

    Parameters
    ----------
    recordings : mapping of str to Recording
        The animal first, then models. A recording of one unit gets one row per trial, all others one row per
        unit (and trial).
    start, stop : quantity
        The stretch of time, on the clock of the trials, for example ``"0 s"`` and ``"1 s"``.
    where : mapping of str to value, optional
        Trial labels to select in every recording, for example ``{"sound": "sound 1"}``; default all trials.
    stimulus : mapping of str to Series or DataArray, optional
        Traces drawn on top, indexed by time in seconds. The name ends in the unit in brackets, for
        example ``"Level (dB)"``; without one the axis says ``a.u.``.
    order : UnitOrder
        How units are sorted inside each population.
    rate_bin : quantity, optional
        If given, a peri-stimulus time histogram with bins of this width is added below.
    colours : mapping of str to str, optional
        Colour per model (`colours_for`); the first recording, if not named there, is black.
    width : float
        Width of the figure, mm.

    Raises
    ------
    InputError
        If the stretch is empty or was not recorded, or a label does not exist.
    """
    begin, end = _stretch(start, stop)
    tables = raster_data(recordings, start, stop, where=where, stimulus=stimulus, order=order, rate_bin=rate_bin)
    used = first_black(list(recordings), colours)
    traces = [] if "stimulus" not in tables else [t for _, t in tables["stimulus"].groupby("stimulus", sort=False)]
    blocks = {name: _of(tables["rows"], name) for name in recordings}
    heights = [11.0] * len(traces) + [_height(len(block)) for block in blocks.values()] + [15.0] * ("rate" in tables)
    with style():
        figure = new_figure(width, sum(heights) + 5.0 * len(heights) + 6.0)
        grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
        axes = [figure.add_subplot(grid[0])]
        axes += [figure.add_subplot(grid[i], sharex=axes[0]) for i in range(1, len(heights))]
        for ax, trace in zip(axes, traces, strict=False):
            _draw_trace(ax, trace)
        for i, (name, block) in enumerate(blocks.items(), len(traces)):
            tick = max(0.4, 0.4 * len(block) / heights[i])
            _draw_raster(axes[i], block, _of(tables["spikes"], name), used[name], tick)
            axes[i].set_title(_describe(block, end - begin), loc="left")
        if "rate" in tables:
            _draw_rate(axes[-1], tables["rate"], used)
        _share_time(axes, begin, end)
        figure.align_ylabels(axes)
        panel_letters(axes, dx=-32.0, dy=2.0)
        return settle(figure)


def _stretch(start: QuantityLike, stop: QuantityLike) -> tuple[float, float]:
    begin, end = seconds(start, "start"), seconds(stop, "stop")
    if not begin < end:
        raise InputError(f"the stretch from {begin:g} to {end:g} s is empty; give a stop after the start.")
    return begin, end


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    return table[["recording", *table.columns.drop("recording")]]


def _of(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[table["recording"] == name]


def _height(n_rows: int) -> float:
    return float(np.clip(3.0 + 0.45 * n_rows, 6.0, 26.0))


def _trace(name: str, trace: pd.Series | xr.DataArray, begin: float, end: float) -> pd.DataFrame:
    if isinstance(trace, xr.DataArray):
        if trace.dims != ("time",):
            raise InputError(
                f"stimulus '{name}' has dimensions {trace.dims}; give one trace with the dimension 'time'."
            )
        time, value = trace["time"].to_numpy(), trace.to_numpy()
    else:
        time, value = trace.index.to_numpy(dtype=float), trace.to_numpy(dtype=float)
    kept = (time >= begin) & (time <= end)
    if not kept.any():
        raise InputError(f"stimulus '{name}' has no sample between {begin:g} and {end:g} s; its index is in seconds.")
    return pd.DataFrame({"stimulus": name, "time_s": time[kept], "value": value[kept]})


def _draw_trace(ax: Axes, trace: pd.DataFrame) -> None:
    name = str(trace["stimulus"].iloc[0])
    ax.plot(trace["time_s"], trace["value"], color=NOTE_COLOUR, linewidth=0.7)
    what, _, unit = name.partition(" (")
    ax.set_title(what, loc="left")
    ax.set_ylabel(unit.removesuffix(")") or "a.u.")
    ax.yaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(plain))


def _draw_raster(ax: Axes, rows: pd.DataFrame, spikes: pd.DataFrame, colour: str, half: float) -> None:
    n_units, n_trials = rows["unit"].nunique(), rows["trial"].nunique()
    gap = np.full(len(spikes), np.nan)
    x = np.column_stack([spikes["time_s"], spikes["time_s"], gap]).ravel()
    y = np.column_stack([spikes["row"] - half, spikes["row"] + half, gap]).ravel()
    rasterised = len(spikes) > _RASTERISE_ABOVE
    ax.plot(x, y, color=colour, linewidth=0.7, solid_capstyle="butt", rasterized=rasterised)
    ax.set_ylim(len(rows) + 0.5, 0.5)
    ax.set_yticks([1, len(rows)] if len(rows) > 1 else [1])
    ax.set_ylabel("Trial" if n_units == 1 else "Unit" if n_trials == 1 else "Unit × trial")
    if spikes.empty:
        note(ax, "no spikes in this stretch of time")
    _mark_populations(ax, rows)


def _describe(rows: pd.DataFrame, duration: float) -> str:
    units, trials = _count(rows["unit"].nunique(), "unit"), _count(rows["trial"].nunique(), "trial")
    rate = rows["n_spikes"].mean() / duration
    return f"{rows['recording'].iloc[0]}: {units}, {trials}, mean {rate:.1f} Hz"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _mark_populations(ax: Axes, rows: pd.DataFrame) -> None:
    groups = rows.groupby("population", sort=False)["row"].agg(["min", "max"])
    if len(groups) < 2:
        return
    for population, first, last in groups.itertuples():
        if first > 1:
            ax.axhline(first - 0.5, color=FAINT_COLOUR, linewidth=0.4)
        ax.annotate(
            str(population),
            (1, (first + last) / 2),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            ha="left",
            fontsize=SMALL,
            annotation_clip=False,
        )


def _draw_rate(ax: Axes, rates: pd.DataFrame, colours: Mapping[str, str]) -> None:
    for name, table in rates.groupby("recording", sort=False):
        edges = np.append(table["start_s"].to_numpy(), table["stop_s"].to_numpy()[-1])
        ax.stairs(table["rate_hz"].to_numpy(), edges, color=colours[str(name)], linewidth=0.9, label=str(name))
    ax.set_ylim(bottom=0)
    ax.set_ylabel("Rate\n(Hz per unit)")
    ax.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=5, borderaxespad=0)


def _share_time(axes: list[Axes], begin: float, end: float) -> None:
    in_ms = end - begin <= 0.25
    axes[0].set_xlim(begin, end)
    for ax in axes[:-1]:
        ax.tick_params(bottom=False, labelbottom=False)
        ax.spines["bottom"].set_visible(False)
    axes[-1].set_xlabel("Time (ms)" if in_ms else "Time (s)")
    scale = 1e3 if in_ms else 1.0
    axes[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(round(value * scale, 9))))
