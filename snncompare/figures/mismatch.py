"""What chips with device mismatch make of networks: median and interquartile range over devices against a size."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from snncompare.errors import InputError, unknown
from snncompare.figures.style import (
    CEILING,
    DOUBLE_COLUMN,
    NOTE_COLOUR,
    SINGLE_COLUMN,
    SMALL,
    axes_or_new,
    chosen_colours,
    markers_for,
    new_figure,
    panel_letters,
    plain,
    settle,
    style,
    wrapped,
)

__all__ = ["ABSCISSAE", "QUANTITIES", "Quantity", "draw_mismatch", "mismatch_data", "mismatch_figure"]


class Quantity(NamedTuple):
    """How a column of the table is drawn.

    Attributes
    ----------
    label : str
        Of the axis.
    scale : float
        What its values are multiplied by.
    low, high : float or None
        Limits of the axis, after scaling; None follows the data.
    """

    label: str
    scale: float = 1.0
    low: float | None = None
    high: float | None = None


QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        "accuracy": Quantity("Accuracy (%)", 100.0, 0.0, 102.0),
        "relative_distance": Quantity("Spike distance to ideal\n(1: another condition)", low=0.0),
        "spike_distance": Quantity("Spike distance to ideal", low=0.0),
        "similarity_to_ideal": Quantity("RDM similarity to ideal", high=1.02),
        "similarity_to_recording": Quantity("RDM similarity\nto the recording"),
        "rate": Quantity("Firing rate (Hz)", low=0.0),
        "energy": Quantity("Energy per trial (nJ)", 1e9, low=0.0),
        "loss": Quantity("Loss", low=0.0),
    }
)
"""Columns that can be drawn."""

ABSCISSAE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"sigma": ("Mismatch (s.d. / mean)", "profile"), "bits": ("Weight resolution (bits)", "float")}
)
"""What columns can be drawn against: label, and what a missing value means."""

_ROW, _LEGEND = 44.0, 8.0
"""Heights in mm."""
_GAP = 0.12
"""Fraction of the axis that lies between two labels of ticks."""
_ASIDE = 0.08
"""Distance of the lines where there is one point only, so that they stand side by side."""


def mismatch_data(
    table: pd.DataFrame, x: str, values: Sequence[str], lines: str = "scheme", panels: str | None = None
) -> pd.DataFrame:
    """Return what is drawn: for each value, panel, line and x the median and the quartiles over devices.

    Parameters
    ----------
    table : DataFrame
        One row per device, as `snncompare.commands.mismatch.study.mismatch_study` returns them; of several metrics, the
        rows of one.
    x : str
        ``"sigma"`` or ``"bits"``.
    values : sequence of str
        Of `QUANTITIES`.
    lines, panels : str
        Columns whose values become lines, and rows of panels.

    Returns
    -------
    DataFrame
        ``value, panel, line, x, median, low, high, n_devices``, in the unit of the table; ``x`` is not a number where
        the table has none. Devices without a value do not count.

    Raises
    ------
    InputError
        For columns that do not exist, a table without rows, or a device twice at one point.
    """
    if x not in ABSCISSAE:
        raise InputError(f"x: {unknown('quantity to draw against', x, ABSCISSAE)}")
    for name in values:
        if name not in QUANTITIES:
            raise InputError(f"values: {unknown('quantity', name, QUANTITIES)}")
    needed = [x, "device_seed", lines, *values, *([] if panels is None else [panels])]
    missing = [name for name in needed if name not in table.columns]
    if missing or table.empty or not values:
        raise InputError(f"a mismatch figure needs rows with {needed}; missing: {missing}, rows: {len(table)}.")
    keys = table.assign(panel="" if panels is None else table[panels].astype(str), line=table[lines].astype(str))
    twice = keys.duplicated(["panel", "line", x, "device_seed"])
    if twice.any():
        raise InputError(
            f"device {keys['device_seed'][twice].iloc[0]} has several rows at one point; choose one metric."
        )
    found = []
    for (panel, line, at), rows in keys.groupby(["panel", "line", x], sort=False, dropna=False):
        for name in values:
            measured = rows[name].dropna()
            low, median, high = np.quantile(measured, [0.25, 0.5, 0.75]) if len(measured) else (np.nan,) * 3
            found.append((name, panel, line, at, median, low, high, len(measured)))
    columns = ["value", "panel", "line", "x", "median", "low", "high", "n_devices"]
    return pd.DataFrame(found, columns=columns)


def draw_mismatch(
    data: pd.DataFrame,
    value: str,
    ax: Axes | None = None,
    *,
    x: str = "sigma",
    ideal: Mapping[str, float] | None = None,
    levels: Mapping[str, float] | None = None,
    band: tuple[float, float] | None = None,
    colours: Mapping[str, str] | None = None,
) -> Axes:
    """Draw one quantity against the size of the mismatch, and return the axes.

    Parameters
    ----------
    data : DataFrame
        Of `mismatch_data`, one panel.
    value : str
        Of `QUANTITIES`.
    ax : Axes, optional
    x : str
    ideal : mapping, optional
        Line to the value without a chip, drawn dotted in the colour of the line.
    levels : mapping, optional
        Values to draw as labelled lines, for example ``{"chance": 0.33}``.
    band : two floats, optional
        A noise ceiling, drawn as a grey band.
    colours : mapping, optional
        Colour per line.

    Raises
    ------
    InputError
        As `mismatch_data`.
    """
    if value not in QUANTITIES:
        raise InputError(unknown("quantity", value, QUANTITIES))
    shown = data[data["value"] == value]
    names = [str(name) for name in dict.fromkeys(shown["line"])]
    used, markers, quantity = chosen_colours(names, colours), markers_for(names), QUANTITIES[value]
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 55.0)
        beyond = _place_of_missing(data["x"])
        aside = _ASIDE * (np.arange(len(names)) - (len(names) - 1) / 2) if data["x"].nunique(dropna=False) == 1 else 0
        for name, shift in zip(names, np.broadcast_to(aside, len(names)), strict=True):
            rows = shown[shown["line"] == name]
            ordered = rows.assign(x=rows["x"].fillna(beyond) + shift).sort_values("x")
            _draw_line(chosen, ordered, quantity.scale, used[str(name)], markers[str(name)], beyond)
            if ideal is not None and np.isfinite(ideal.get(str(name), np.nan)):
                height = quantity.scale * ideal[str(name)]
                chosen.axhline(height, color=used[str(name)], linewidth=0.6, linestyle=":", zorder=1)
        for level, height in (levels or {}).items():
            _draw_level(chosen, level, quantity.scale * height)
        if band is not None:
            chosen.axhspan(*(quantity.scale * edge for edge in band), zorder=0, **CEILING)
        _finish(chosen, data["x"], x, beyond)
        chosen.set(ylabel=quantity.label, ylim=_limits(shown, quantity, [*(ideal or {}).values(), *(band or ())]))
        return chosen


def mismatch_figure(
    table: pd.DataFrame,
    *,
    x: str = "sigma",
    values: Sequence[str] = ("accuracy",),
    lines: str = "scheme",
    panels: str | None = None,
    ideal: pd.DataFrame | None = None,
    levels: Mapping[str, Mapping[str, float]] | None = None,
    bands: Mapping[str, tuple[float, float]] | None = None,
    colours: Mapping[str, str] | None = None,
) -> Figure:
    """Draw quantities side by side against the size of the mismatch, a row of panels for each value of `panels`.

    Parameters
    ----------
    table, x, values, lines, panels
        As for `mismatch_data`.
    ideal : DataFrame, optional
        ``scheme`` and the columns of the networks without a chip; drawn where lines are schemes, or there is one.
    levels : mapping, optional
        Quantity to values to draw as labelled lines.
    bands : mapping, optional
        Quantity to a noise ceiling.
    colours : mapping, optional
        Colour per line.

    Raises
    ------
    InputError
        As `mismatch_data`.
    """
    data = mismatch_data(table, x, values, lines, panels)
    names = [str(name) for name in dict.fromkeys(data["line"])]
    used, rows = chosen_colours(names, colours), list(dict.fromkeys(data["panel"]))
    legend = len(names) > 1
    with style():
        width = SINGLE_COLUMN if len(values) == 1 else DOUBLE_COLUMN
        figure = new_figure(width, _ROW * len(rows) + _LEGEND * legend)
        grid = figure.subplots(len(rows), len(values), squeeze=False, sharex=True, sharey="col")
        for own, panel in zip(grid, rows, strict=True):
            for ax, value in zip(own, values, strict=True):
                more: dict[str, Any] = {"ideal": _ideal_of(ideal, value, names, lines), "colours": used}
                more |= {"levels": (levels or {}).get(value), "band": (bands or {}).get(value)}
                draw_mismatch(data[data["panel"] == panel], value, ax, x=x, **more)
                if panel:
                    ax.set_title(_words(panel))
        for column, value in zip(grid.T, values, strict=True):
            heights = [*_ideal_of(ideal, value, names, lines).values(), *(bands or {}).get(value, ())]
            column[0].set_ylim(_limits(data[data["value"] == value], QUANTITIES[value], heights))
        for ax in grid[:-1].ravel():
            ax.set_xlabel("")
        if legend:
            figure.legend(handles=_handles(names, used), loc="outside lower center", ncols=min(len(names), 5))
        panel_letters(list(grid.ravel()), dx=-24.0)
        return settle(figure)


def _ideal_of(ideal: pd.DataFrame | None, value: str, names: Sequence[str], lines: str) -> dict[str, float]:
    """Return what each line would be without a chip."""
    if ideal is None or value not in ideal or ideal.empty:
        return {}
    of_scheme = {str(name): float(height) for name, height in zip(ideal["scheme"], ideal[value], strict=True)}
    if lines == "scheme":
        return of_scheme
    return dict.fromkeys(names[:1], next(iter(of_scheme.values()))) if len(of_scheme) == 1 else {}


def _draw_line(ax: Axes, rows: pd.DataFrame, scale: float, colour: str, marker: str, beyond: float) -> None:
    """Draw medians and quartiles; what stands beyond the axis is not joined to the others."""
    for part in (rows[rows["x"] < beyond], rows[rows["x"] >= beyond]):
        if part.empty:
            continue
        at, median = part["x"].to_numpy(float), scale * part["median"].to_numpy(float)
        low, high = (scale * part[edge].to_numpy(float) for edge in ("low", "high"))
        if len(at) > 1:
            ax.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)
        else:
            ax.vlines(at, low, high, color=colour, alpha=0.4, linewidth=2.0)
        ax.plot(at, median, color=colour, marker=marker, markeredgewidth=0)


def _draw_level(ax: Axes, name: str, height: float) -> None:
    ax.axhline(height, color=NOTE_COLOUR, linewidth=0.6, linestyle="--", zorder=1)
    look: dict[str, Any] = {"ha": "right", "va": "bottom", "fontsize": SMALL, "color": NOTE_COLOUR}
    ax.annotate(wrapped(name, 20), (1, height), xycoords=("axes fraction", "data"), **look)


def _place_of_missing(x: pd.Series) -> float:
    """Return where a missing value stands: a mean step beyond the last one."""
    known = np.unique(x.dropna())
    if not len(known):
        return 1.0
    step = (known[-1] - known[0]) / max(len(known) - 1, 1)
    return float(known[-1] + (step or 1.0))


def _limits(shown: pd.DataFrame, quantity: Quantity, more: Iterable[float]) -> tuple[float, float]:
    """Return limits of the ordinate that hold all bands, and what else is drawn."""
    drawn = np.concatenate([shown["low"].to_numpy(float), shown["high"].to_numpy(float), [*more]])
    known = quantity.scale * drawn[np.isfinite(drawn)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    spread = high - low if high - low > 1e-9 * abs(high) else abs(high)
    margin = 0.05 * spread or 1.0
    bottom = low - margin if quantity.low is None else min(quantity.low, low)
    return bottom, high + margin if quantity.high is None or high > quantity.high else quantity.high


def _finish(ax: Axes, x: pd.Series, name: str, beyond: float) -> None:
    label, missing = ABSCISSAE[name]
    at = sorted(set(x.dropna()))
    ticks = [*at, beyond] if x.isna().any() else at
    ax.set_xticks(ticks, _labels(ticks, beyond, missing))
    margin = 0.04 * (max(ticks) - min(ticks)) or 0.5
    ax.set(xlim=(min(ticks) - margin, max(ticks) + margin), xlabel=label)


def _labels(ticks: Sequence[float], beyond: float, missing: str) -> list[str]:
    """Return the labels of ticks, those left out that would touch the one before."""
    written, last, room = list[str](), -np.inf, _GAP * (max(ticks) - min(ticks))
    for tick in ticks:
        text = missing if tick == beyond else plain(tick)
        far = tick - last >= room
        written.append(text if far else "")
        last = tick if far else last
    return written


def _handles(names: Sequence[str], colours: Mapping[str, str]) -> list[Line2D]:
    markers = markers_for(names)
    return [Line2D([], [], color=colours[n], marker=markers[n], markeredgewidth=0, label=_words(n)) for n in names]


def _words(name: str) -> str:
    return name.replace("_", " ")
