"""Models side by side at one metric and time scale: similarity, interval, ceiling, and which models differ."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from snncompare.errors import InputError, unknown
from snncompare.figures.compact_letters import compact_letters
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
    FAINT_COLOUR,
    NOTE_COLOUR,
    SINGLE_COLUMN,
    SMALL,
    axes_or_new,
    chosen_colours,
    markers_for,
    new_figure,
    plain,
    settle,
    style,
    wrapped,
)
from snncompare.recording.arguments import one_of
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from snncompare.comparison.result import Result

__all__ = ["draw_models", "model_bars_data", "model_bars_figure"]

_NAME = 24
"""Characters of a model's name on one line."""


def model_bars_data(
    result: "Result", metric: str | None = None, time_scale: QuantityLike | None = None, alpha: float = 0.05
) -> dict[str, pd.DataFrame]:
    """Return the tables that `model_bars_figure` draws.

    Returns
    -------
    dict of str to DataFrame
        ``models``: rows of the result at the metric and time scale, with ``letters`` (empty if no differences were
        tested); ``differences``: the pairs behind the letters.

    Raises
    ------
    InputError
        If the metric or time scale is not in the result, or has to be named because there are several.
    """
    table = checked_table(table_of(result))
    where, chosen = _chosen(table, metric, time_scale)
    models = table[where].reset_index(drop=True)
    differences = result.differences
    if len(differences):
        same = np.isnan(chosen[1]) & differences["time_scale"].isna()
        same |= np.isclose(differences["time_scale"].astype(float), chosen[1], rtol=1e-6, atol=0)
        differences = differences[(differences["metric"] == chosen[0]) & same].reset_index(drop=True)
    names = [str(name) for name in models["model"]]
    letters = dict.fromkeys(names, "")
    if len(differences):
        clear = differences[differences["p_corrected"].astype(float) < alpha]
        best_first = list(models.sort_values("similarity", ascending=False)["model"])
        letters = compact_letters(best_first, zip(clear["model_a"], clear["model_b"], strict=True))
    return {"models": models.assign(letters=[letters[name] for name in names]), "differences": differences}


def _chosen(
    table: pd.DataFrame, metric: str | None, time_scale: QuantityLike | None
) -> tuple[pd.Series, tuple[str, float]]:
    metrics = list(table["metric"].unique())
    if metric is None and len(metrics) > 1:
        raise InputError(f"the result holds several metrics; choose one with metric=, of {metrics}.")
    name = metrics[0] if metric is None else metric
    one_of("metric", name, metrics)
    here = table["metric"] == name
    scales = sorted(table.loc[here, "time_scale"].dropna().unique())
    if time_scale is None and len(scales) > 1:
        listed = [f"{plain(1e3 * s)} ms" for s in scales]
        raise InputError(f"'{name}' was compared at several time scales; choose one with time_scale=, of {listed}.")
    if not scales and time_scale is None:
        return here, (name, np.nan)
    value = scales[0] if time_scale is None else seconds(time_scale, "time_scale")
    where = here & np.isclose(table["time_scale"], value, rtol=1e-6, atol=0)
    if not where.any():
        listed = [f"{plain(1e3 * s)} ms" for s in scales]
        raise InputError(unknown(f"time scale of '{name}'", f"{plain(1e3 * value)} ms", listed))
    return where | (here & table["time_scale"].isna()), (name, value)


def model_bars_figure(
    result: "Result",
    metric: str | None = None,
    time_scale: QuantityLike | None = None,
    *,
    colours: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    width: float = SINGLE_COLUMN,
) -> Figure:
    """Draw one point with its interval per model; models that share a letter were not told apart.

    Parameters
    ----------
    result : Result
        Of `snncompare.compare`.
    metric : str, optional
        Which metric; needed where the result holds several.
    time_scale : quantity, optional
        Which time scale, for example ``"10 ms"``; needed where the metric has several.
    colours : mapping of str to str, optional
        Colour per model, see `colours_for`.
    alpha : float
        Level of corrected p, for filled markers (above chance) and letters (differences).
    width : float
        Width of the figure, mm.

    Raises
    ------
    InputError
        As `model_bars_data`.
    """
    tables = model_bars_data(result, metric, time_scale, alpha)
    models = tables["models"]
    with style():
        lines = 1 + max(wrapped(str(name), _NAME).count("\n") for name in models["model"])
        figure = new_figure(width, (3.0 + 2.5 * lines) * len(models) + 24.0)
        draw_models(result, figure.subplots(), metric=metric, time_scale=time_scale, colours=colours, alpha=alpha)
        figure.supxlabel("\n".join(_key(tables, alpha)), x=0.02, ha="left", fontsize=SMALL, color=NOTE_COLOUR)
        return settle(figure)


def draw_models(
    result: "Result",
    ax: Axes | None = None,
    *,
    metric: str | None = None,
    time_scale: QuantityLike | None = None,
    colours: Mapping[str, str] | None = None,
    alpha: float = 0.05,
) -> Axes:
    """Draw what `model_bars_figure` draws on the axes given, or on new ones, and return them; same parameters.

    Raises
    ------
    InputError
        As `model_bars_data`.
    """
    models = model_bars_data(result, metric, time_scale, alpha)["models"]
    used = chosen_colours([str(name) for name in models["model"]], colours)
    markers = markers_for(used)
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 6.0 * len(models) + 20.0)
        has_ceiling = _draw_references(chosen, models)
        hits = above_chance(models, alpha)
        for i, (_, row) in enumerate(models.iterrows()):
            look = {"color": used[str(row["model"])], "marker": markers[str(row["model"])]}
            draw_interval(chosen, i, row, bool(hits[i]), look, across=True)
        _name_models(chosen, models)
        chosen.set_xlabel(measure_label(result.measure))
        chosen.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        chosen.xaxis.set_major_formatter(FuncFormatter(plain))
        chosen.set_title(_title(models), loc="left", fontweight="bold", pad=10.0 if has_ceiling else 3.0)
    return chosen


def _draw_references(ax: Axes, models: pd.DataFrame) -> bool:
    ax.axvline(0, color=FAINT_COLOUR, linewidth=0.6, linestyle=(0, (4, 2)), zorder=1)
    known = models.dropna(subset=list(CEILING_COLUMNS))
    if len(known):
        low, high = (float(known[column].iloc[0]) for column in CEILING_COLUMNS)
        ax.axvspan(low, high, **CEILING, zorder=0)
        ax.annotate(
            "noise ceiling",
            ((low + high) / 2, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 1),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=SMALL,
            color=NOTE_COLOUR,
        )
    return not known.empty


def _name_models(ax: Axes, models: pd.DataFrame) -> None:
    ax.set_yticks(range(len(models)), [wrapped(str(name), _NAME) for name in models["model"]])
    ax.set_ylim(len(models) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    for i, letters in enumerate(models["letters"]):
        ax.annotate(
            letters,
            (1, i),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            ha="left",
            annotation_clip=False,
        )


def _title(models: pd.DataFrame) -> str:
    scales = models["time_scale"].dropna()
    return str(models["metric"].iloc[0]) + (
        f", {plain(float(f'{1e3 * scales.iloc[0]:.4g}'))} ms" if len(scales) else ""
    )


def _key(tables: dict[str, pd.DataFrame], alpha: float) -> list[str]:
    models, lines = tables["models"], [f"Filled: above chance, corrected p < {alpha:g}. Dashed: no similarity."]
    if len(tables["differences"]):
        lines.append(f"Same letter: no difference detected (corrected p ≥ {alpha:g}).")
    else:
        lines.append("No difference between models was tested.")
    if models[["ci_low", "ci_high"]].isna().any(axis=1).all():
        lines.append("No interval could be computed.")
    if models[list(CEILING_COLUMNS)].isna().any(axis=1).all():
        lines.append("No noise ceiling.")
    return lines
