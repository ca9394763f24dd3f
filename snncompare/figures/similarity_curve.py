"""Similarity to the animal against time scale, one panel per metric."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from snncompare.errors import InputError
from snncompare.figures.intervals import (
    CEILING_COLUMNS,
    above_chance,
    checked_table,
    draw_interval,
    measure_label,
    table_of,
)
from snncompare.figures.style import (
    CEILING,
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    SINGLE_COLUMN,
    axes_or_new,
    chosen_colours,
    markers_for,
    new_figure,
    note,
    panel_letters,
    plain,
    settle,
    style,
    wrapped,
)
from snncompare.recording.arguments import one_of

if TYPE_CHECKING:
    from snncompare.comparison.result import Result

__all__ = ["draw_similarity", "similarity_data", "similarity_figure"]

_EDGE = 0.5
"""Opacity of the edges of intervals: with many models the edges tell intervals apart, the shading would be mud."""


def similarity_data(result: "Result") -> pd.DataFrame:
    """Return the table that `similarity_figure` draws: that of the result, with the time scale also in ms.

    Raises
    ------
    InputError
        If the table is empty or lacks a column.
    """
    table = checked_table(table_of(result))
    return table.assign(time_scale_ms=1e3 * table["time_scale"].astype(float))


def similarity_figure(
    result: "Result",
    *,
    colours: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    confidence: float = 0.95,
    n_columns: int = 2,
) -> Figure:
    """Draw similarity against time scale for each model, with intervals, ceiling and what is above chance.

    Parameters
    ----------
    result : Result
        Of `snncompare.compare`. A model without a time scale, in a metric that has one, is a horizontal line;
        a metric without time scales gets one point per model.
    colours : mapping of str to str, optional
        Colour per model, see `colours_for`.
    alpha : float
        Filled markers are above chance: corrected p below this, similarity above zero.
    confidence : float
        Level of the intervals in the table, for the legend.
    n_columns : int
        Panels per row, at most.

    Raises
    ------
    InputError
        As `similarity_data`.
    """
    table = similarity_data(result)
    names = [str(name) for name in table["model"].unique()]
    used = chosen_colours(names, colours)
    metrics = list(table.groupby("metric", sort=False))
    n_across = min(n_columns, len(metrics))
    n_down = -(-len(metrics) // n_across)
    with style():
        width = SINGLE_COLUMN + 25 if n_across == 1 else DOUBLE_COLUMN
        figure = new_figure(width, 58.0 * n_down)
        widths = _widths(metrics, n_across)
        axes = list(figure.subplots(n_down, n_across, squeeze=False, sharey=True, width_ratios=widths).ravel())
        for ax in axes[len(metrics) :]:
            ax.remove()
        axes = axes[: len(metrics)]
        for i, (ax, (metric, rows)) in enumerate(zip(axes, metrics, strict=True)):
            _draw_metric(ax, rows, used, alpha)
            ax.set_title(str(metric), loc="left", fontweight="bold")
            ax.tick_params(labelleft=True)
            if i % n_across == 0:
                ax.set_ylabel(measure_label(result.measure).replace(" (", "\n("))
        handles = _legend(table, names, used, alpha, confidence)
        figure.legend(handles=handles, loc="outside right upper", handlelength=2.2, labelspacing=0.6)
        panel_letters(axes, dx=-24.0)
        return settle(figure)


def draw_similarity(
    result: "Result",
    ax: Axes | None = None,
    *,
    metric: str | None = None,
    colours: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    legend: bool = True,
) -> Axes:
    """Draw similarity against time scale for one metric on the axes given, or on new ones, and return them.

    Parameters
    ----------
    result : Result
    ax : Axes, optional
    metric : str, optional
        Which metric; needed where the result holds several.
    colours, alpha
        As in `similarity_figure`.
    legend : bool
        Whether models are named on the axes.

    Raises
    ------
    InputError
        If the metric is not in the result or has to be named, or as `similarity_data`.
    """
    table = similarity_data(result)
    metrics = list(table["metric"].unique())
    if metric is None and len(metrics) > 1:
        raise InputError(f"the result holds several metrics; choose one with metric=, of {metrics}.")
    if metric is not None:
        one_of("metric", metric, metrics)
    rows = table[table["metric"] == (metrics[0] if metric is None else metric)]
    used = chosen_colours([str(name) for name in table["model"].unique()], colours)
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 58.0)
        _draw_metric(chosen, rows, used, alpha)
        chosen.set_title(str(rows["metric"].iloc[0]), loc="left", fontweight="bold")
        chosen.set_ylabel(measure_label(result.measure))
        if legend:
            markers = markers_for(used)
            names = [str(name) for name in rows["model"].unique()]
            handles = [Line2D([], [], color=used[n], marker=markers[n], label=wrapped(n, 30)) for n in names]
            chosen.legend(handles=handles, loc="best")
    return chosen


def _widths(metrics: list[tuple[Any, pd.DataFrame]], n_across: int) -> list[float]:
    """Return the relative width of each column of panels: narrow where no panel has a time axis."""
    timed = [rows["time_scale_ms"].notna().any() for _, rows in metrics]
    return [1.0 if any(timed[column::n_across]) else 0.45 for column in range(n_across)]


def _draw_metric(ax: Axes, rows: pd.DataFrame, colours: Mapping[str, str], alpha: float) -> None:
    scales = np.sort(rows["time_scale_ms"].dropna().unique())
    ax.axhline(0, color=FAINT_COLOUR, linewidth=0.6, linestyle=(0, (4, 2)), zorder=1)
    if scales.size:
        _time_axis(ax, scales)
    _draw_ceiling(ax, rows, scales)
    markers = markers_for(colours)
    for i, (name, table) in enumerate(rows.groupby("model", sort=False)):
        look: dict[str, Any] = {"color": colours[str(name)], "marker": markers[str(name)]}
        curve = table.dropna(subset=["time_scale_ms"]).sort_values("time_scale_ms")
        level = table[table["time_scale_ms"].isna()]
        if len(curve) > 1:
            _draw_curve(ax, curve, alpha, min(0.1, 0.24 / len(colours)), look)
        elif len(curve) == 1:
            place = float(scales[0]) * 10 ** (0.24 * ((i + 0.5) / rows["model"].nunique() - 0.5))
            draw_interval(ax, place, curve.iloc[0], bool(above_chance(curve, alpha)[0]), look)
        if len(level) and scales.size:
            _draw_level(ax, level, scales, alpha, look)
        elif len(level):
            draw_interval(ax, i, level.iloc[0], bool(above_chance(level, alpha)[0]), look)
    if not scales.size:
        ax.set_xticks([])
        ax.set_xlim(-0.6, rows["model"].nunique() - 0.4)
        ax.set_xlabel("Models\n(no time scale)")
    _say_what_is_missing(ax, rows, scales)
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(plain))


def _time_axis(ax: Axes, scales: np.ndarray) -> None:
    ax.set_xscale("log")
    span = np.log10(scales[-1] / scales[0])
    pad = 10 ** max(0.04 * span, 0.15 if len(scales) == 1 else 0.0)
    ax.set_xlim(scales[0] / pad, scales[-1] * pad)
    shown = [scales[0]]
    for scale in scales[1:]:
        if np.log10(scale / shown[-1]) >= 0.06 * span:
            shown.append(scale)
    ax.xaxis.set_major_locator(FixedLocator(shown))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(float(f"{value:.4g}"))))
    ax.set_xlabel("Time scale (ms)")


def _draw_ceiling(ax: Axes, rows: pd.DataFrame, scales: np.ndarray) -> None:
    known = rows.dropna(subset=list(CEILING_COLUMNS))
    if known.empty:
        return
    bounds = known.groupby("time_scale_ms", dropna=False)[list(CEILING_COLUMNS)].first()
    if len(scales) > 1:
        bounds = bounds.reindex(scales)
        ax.fill_between(bounds.index, bounds["ceiling_low"], bounds["ceiling_high"], **CEILING, zorder=0)
        alone = bounds[bounds.notna().all(axis=1) & ~_has_neighbour(bounds.notna().all(axis=1).to_numpy())]
        shade = CEILING["facecolor"]
        ax.vlines(alone.index, alone["ceiling_low"], alone["ceiling_high"], color=shade, linewidth=6, zorder=0)
    else:
        ax.axhspan(*bounds.iloc[0], **CEILING, zorder=0)


def _has_neighbour(known: np.ndarray) -> np.ndarray:
    padded = np.concatenate([[False], known, [False]])
    return padded[:-2] | padded[2:]


def _say_what_is_missing(ax: Axes, rows: pd.DataFrame, scales: np.ndarray) -> None:
    has_ceiling = rows[list(CEILING_COLUMNS)].notna().all(axis=1)
    missing = [] if has_ceiling.any() else ["no noise ceiling"]
    if len(scales) > 1 and 0 < rows.loc[has_ceiling, "time_scale_ms"].nunique() < len(scales):
        missing.append("noise ceiling at some time scales only")
    if rows[["ci_low", "ci_high"]].isna().any(axis=1).all():
        missing.append("no interval")
    if missing:
        note(ax, ", ".join(missing), x=1.0, y=1.02, ha="right", va="bottom")
    if rows["similarity"].isna().all():
        note(ax, "no similarity could be computed")


def _draw_curve(ax: Axes, curve: pd.DataFrame, alpha: float, shade: float, look: dict[str, Any]) -> None:
    x, y = curve["time_scale_ms"].to_numpy(), curve["similarity"].to_numpy(dtype=float)
    low, high = curve["ci_low"].to_numpy(dtype=float), curve["ci_high"].to_numpy(dtype=float)
    ax.fill_between(x, low, high, color=look["color"], alpha=shade, linewidth=0, zorder=2)
    for edge in (low, high):
        ax.plot(x, edge, color=look["color"], alpha=_EDGE, linewidth=0.4, zorder=2)
    ax.plot(x, y, color=look["color"], zorder=3)
    hit = above_chance(curve, alpha)
    ax.plot(x[hit], y[hit], linestyle="none", zorder=5, **look)
    ax.plot(x[~hit], y[~hit], linestyle="none", markerfacecolor="white", markeredgewidth=0.8, zorder=4, **look)


def _draw_level(ax: Axes, level: pd.DataFrame, scales: np.ndarray, alpha: float, look: dict[str, Any]) -> None:
    row, hit = level.iloc[0], above_chance(level, alpha)[0]
    ax.axhline(row["similarity"], color=look["color"], linestyle=(0, (6, 1.5)), zorder=3)
    if np.isfinite([row["ci_low"], row["ci_high"]]).all():
        ax.axhspan(row["ci_low"], row["ci_high"], color=look["color"], alpha=0.12, linewidth=0, zorder=1)
    face = look["color"] if hit else "white"
    ax.plot(scales[-1], row["similarity"], markerfacecolor=face, markeredgewidth=0.8, zorder=5, **look)


def _legend(
    table: pd.DataFrame, names: list[str], colours: Mapping[str, str], alpha: float, confidence: float
) -> list[Line2D | Patch]:
    markers = markers_for(colours)
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colours[name], marker=markers[name], label=wrapped(name, 30)) for name in names
    ]
    dark: dict[str, Any] = {"color": "#444444", "linestyle": "none", "marker": "o"}
    handles.append(Line2D([], [], label=f"above chance (corrected p < {alpha:g})", **dark))
    handles.append(Line2D([], [], label="not above chance", markerfacecolor="white", **dark))
    if table[["ci_low", "ci_high"]].notna().all(axis=1).any():
        handles.append(
            Patch(
                facecolor=(colours[names[0]], 0.1),
                edgecolor=(colours[names[0]], _EDGE),
                linewidth=0.4,
                label=f"{100 * confidence:g} % interval",
            )
        )
    if table[list(CEILING_COLUMNS)].notna().all(axis=1).any():
        handles.append(Patch(**CEILING, label="noise ceiling"))
    handles.append(Line2D([], [], color=FAINT_COLOUR, linewidth=0.6, linestyle=(0, (4, 2)), label="no similarity"))
    return handles
