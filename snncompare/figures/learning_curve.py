"""Accuracy, loss and firing rate against training epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from snncompare.errors import InputError
from snncompare.figures.style import (
    DOUBLE_COLUMN,
    NOTE_COLOUR,
    SINGLE_COLUMN,
    SMALL,
    chosen_colours,
    new_figure,
    note,
    panel_letters,
    plain,
    settle,
    style,
    wrapped,
)

__all__ = ["learning_curve_data", "learning_curve_figure"]

_COLUMNS = ("train_accuracy", "test_accuracy", "loss", "test_loss", "rate")
_LINE = 7.5
"""Height of a line of small text in an accuracy panel, percent."""
_TRAINING: Any = (0, (3, 1.2))
"""Line of what was measured on the training trials, where there are held-out ones, too."""
_DASHES = ((0, (4, 2)), ":", "-.", (0, (6, 1, 1, 1, 1, 1)))


def learning_curve_data(
    histories: pd.DataFrame | Mapping[str, pd.DataFrame], levels: Mapping[str, float] | None = None
) -> dict[str, pd.DataFrame]:
    """Return the tables that `learning_curve_figure` draws: ``history`` and, where given, ``levels``.

    Raises
    ------
    InputError
        If ``epoch`` or every quantity is missing, the history is empty, or an accuracy is not a fraction.
    """
    history = _joined(histories)
    present = [column for column in _COLUMNS if column in history.columns]
    if {"train_accuracy", "test_accuracy"} & set(present) and "test_loss" in present:
        present.remove("test_loss")
    if "epoch" not in history.columns or not present:
        raise InputError(
            f"a learning curve needs the column 'epoch' and at least one of {list(_COLUMNS)},"
            f" got {list(history.columns)}."
        )
    if history.empty:
        raise InputError("the history of training is empty; a learning curve needs at least one epoch.")
    fractions = {c: history[c] for c in present if c.endswith("accuracy")}
    fractions |= {label: pd.Series([value]) for label, value in (levels or {}).items()}
    for label, values in fractions.items():
        if ((values < 0) | (values > 1)).any():
            raise InputError(f"'{label}' must be a fraction from 0 to 1, got {values.min():g} to {values.max():g}.")
    kept = [*(name for name in ("model", "seed") if name in history.columns), "epoch", *present]
    tables = {"history": history[kept].reset_index(drop=True)}
    if levels:
        tables["levels"] = pd.DataFrame({"label": list(levels), "accuracy": list(levels.values())})
    return tables


def _joined(histories: pd.DataFrame | Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return several histories as one table."""
    if isinstance(histories, pd.DataFrame):
        return histories
    if not histories:
        raise InputError("a learning curve needs the history of at least one model, got none.")
    return pd.concat([table.assign(model=name) for name, table in histories.items()], ignore_index=True)


def learning_curve_figure(
    histories: pd.DataFrame | Mapping[str, pd.DataFrame],
    levels: Mapping[str, float] | None = None,
    *,
    loss_unit: str = "a.u.",
    held_out: str = "validation",
    colours: Mapping[str, str] | None = None,
) -> Figure:
    """Draw accuracy, loss and firing rate against epoch, one panel each for the columns there are.

    Parameters
    ----------
    histories : DataFrame or mapping of str to DataFrame
        ``epoch``, and any of ``train_accuracy``, ``test_accuracy`` (fractions), ``loss``, ``rate`` (hertz per
        neuron), as `Trained.history` has them. A column ``model``, or a mapping from the names of models, draws one
        line per model; a column ``seed`` draws a thin line for each seed and their mean. Without accuracies,
        ``test_loss`` is drawn beside the loss.
    levels : mapping of str to float, optional
        Accuracies to draw as labelled lines, for example
        ``{"chance": 0.1, "untrained network + trained readout": 0.6}``.
    loss_unit : str
        Unit of the loss, for example ``"nats"``.
    held_out : str
        What ``test_accuracy`` was measured on, for example ``"test"``.
    colours : mapping of str to str, optional
        Colour per model, see `colours_for`.

    Raises
    ------
    InputError
        As `learning_curve_data`.
    """
    tables = learning_curve_data(histories, levels)
    table = tables["history"]
    if "model" not in table.columns:
        table = table.assign(model="network")
    names = [str(name) for name in table["model"].unique()]
    used = chosen_colours(names, colours if "model" in tables["history"].columns else None)
    panels = [p for p in ("accuracy", "loss", "rate") if any(c.endswith(p) for c in table.columns)]
    kinds = _kinds(held_out)
    with style():
        figure = new_figure(SINGLE_COLUMN if len(panels) == 1 else DOUBLE_COLUMN, 52.0)
        ratios = [1.5 if panel == "accuracy" else 1.0 for panel in panels]
        axes = list(figure.subplots(1, len(panels), squeeze=False, width_ratios=ratios)[0])
        for ax, panel in zip(axes, panels, strict=True):
            if panel == "accuracy":
                _draw_accuracy(ax, table, tables.get("levels"), used, kinds)
            else:
                label = f"Loss ({loss_unit})" if panel == "loss" else "Firing rate (Hz per neuron)"
                lines = {panel: "-"}
                if panel == "loss" and "test_loss" in table.columns:
                    lines = {"loss": _TRAINING, "test_loss": "-"}
                    _legend(ax, table, used, {"loss": ("training", _TRAINING), "test_loss": (held_out, "-")})
                _draw_quantity(ax, table, lines, used, label)
            _finish(ax, table)
        if len(names) > 1:
            figure.legend(*axes[-1].get_legend_handles_labels(), loc="outside lower center", ncols=len(names))
        panel_letters(axes, dx=-26.0)
        return settle(figure)


def _kinds(held_out: str) -> dict[str, tuple[str, Any]]:
    """Return how accuracies are drawn: column to label and line."""
    return {"train_accuracy": ("training", _TRAINING), "test_accuracy": (held_out, "-")}


def _draw_accuracy(
    ax: Axes,
    table: pd.DataFrame,
    levels: pd.DataFrame | None,
    colours: Mapping[str, str],
    kinds: Mapping[str, tuple[str, Any]],
) -> None:
    for model, rows in table.groupby("model", sort=False):
        for column, (_, dashes) in kinds.items():
            if column in rows.columns:
                _draw_seeds(ax, rows, column, colours[str(model)], dashes, 100.0)
    if levels is None:
        note(ax, "no chance level or baseline given", x=0.99, y=0.02, ha="right", va="bottom")
    else:
        _draw_levels(ax, levels)
    ax.set_ylim(0, 102)
    ax.set_ylabel("Accuracy (%)")
    _legend(ax, table, colours, kinds)


def _legend(ax: Axes, table: pd.DataFrame, colours: Mapping[str, str], kinds: Mapping[str, tuple[str, Any]]) -> None:
    """Say above a panel which line is which."""
    shade = next(iter(colours.values())) if table["model"].nunique() == 1 else NOTE_COLOUR
    handles = [
        Line2D([], [], color=shade, linestyle=dashes, label=label, **_dots(table, dashes, shade))
        for column, (label, dashes) in kinds.items()
        if column in table.columns
    ]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)


def _draw_seeds(
    ax: Axes, rows: pd.DataFrame, column: str, colour: str, dashes: Any, scale: float = 1.0, label: str = ""
) -> None:
    """Draw a quantity of a model: a line, or a thin one for each seed and their mean."""
    if "seed" in rows.columns and rows["seed"].nunique() > 1:
        for _, one in rows.groupby("seed", sort=False):
            ax.plot(one["epoch"], scale * one[column], linestyle=dashes, color=colour, linewidth=0.5, alpha=0.4)
        rows = rows.groupby("epoch", as_index=False)[[column]].mean()
    look = _dots(rows, dashes, colour)
    ax.plot(rows["epoch"], scale * rows[column], linestyle=dashes, color=colour, label=label or None, **look)


def _dots(rows: pd.DataFrame, dashes: Any, colour: str) -> dict[str, Any]:
    """Return the look of single epochs where they are few; those of broken lines are empty."""
    marker = "o" if rows["epoch"].nunique() <= 15 else ""
    filling = colour if dashes == "-" else "white"
    return {"marker": marker, "markersize": 2.4, "markeredgewidth": 0.6, "markerfacecolor": filling}


def _draw_levels(ax: Axes, levels: pd.DataFrame) -> None:
    """Draw each level and write its name right of the panel, moved up where it would touch the one below."""
    free = 0.0
    ordered = levels.sort_values("accuracy")
    for i, (label, height) in enumerate(zip(ordered["label"], 100 * ordered["accuracy"], strict=True)):
        ax.axhline(height, color=NOTE_COLOUR, linewidth=0.7, linestyle=_DASHES[i % len(_DASHES)], zorder=1)
        text = wrapped(f"{label} ({height:.3g}\N{NO-BREAK SPACE}%)", 20)
        tall = _LINE * (1 + text.count("\n"))
        centre = max(height, free + tall / 2)
        free = centre + tall / 2
        ax.annotate(
            text,
            (1, centre),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=SMALL,
            color=NOTE_COLOUR,
            annotation_clip=False,
        )


def _draw_quantity(
    ax: Axes, table: pd.DataFrame, lines: Mapping[str, Any], colours: Mapping[str, str], label: str
) -> None:
    """Draw columns of one unit, each as a kind of line."""
    for model, rows in table.groupby("model", sort=False):
        for column, dashes in lines.items():
            said = str(model) if dashes == "-" else ""
            _draw_seeds(ax, rows, column, colours[str(model)], dashes, label=said)
    values = table[list(lines)].to_numpy()
    if "rate" in lines or (values >= 0).all():
        ax.set_ylim(bottom=0, top=max(1.08 * float(np.nanmax(values)), 1e-9))
    ax.set_ylabel(label)
    ax.yaxis.set_major_formatter(FuncFormatter(plain))


def _finish(ax: Axes, table: pd.DataFrame) -> None:
    ax.set_xlabel("Epoch")
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    if table["epoch"].nunique() == 1:
        only = float(table["epoch"].iloc[0])
        ax.set_xlim(only - 1, only + 1)
