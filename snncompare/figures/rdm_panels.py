"""Representational dissimilarity matrices side by side: the animal's, then the models'."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from snncompare.errors import InputError
from snncompare.figures.brackets import draw_brackets, runs
from snncompare.figures.style import (
    DOUBLE_COLUMN,
    NOTE_COLOUR,
    SINGLE_COLUMN,
    SMALL,
    axes_or_new,
    first_black,
    new_figure,
    note,
    panel_letters,
    settle,
    style,
    wrapped,
)
from snncompare.recording.arguments import instance, number_array

__all__ = ["RdmScale", "draw_rdm", "rank_normalised", "rdm_data", "rdm_figure"]

_MISSING_COLOUR = "#BDBDBD"
_CHARACTER = 1.15
"""Width of a character of tick labels, mm."""
_LINE = 2.6
"""Height of a tick label, mm."""
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class RdmScale(StrEnum):
    """What the colours of the matrices stand for."""

    RANK = "rank"
    """Ranks of the pairs, 0 to 1, one colour bar for all panels: what a rank correlation sees."""
    RAW = "raw"
    """The dissimilarities themselves, one colour bar per panel."""


def rank_normalised(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return the matrix with each dissimilarity replaced by its rank among the pairs, from 0 to 1.

    .. math:: \tilde d_{ij} = \frac{\mathrm{rank}(d_{ij}) - 1}{P - 1}

    over the P finite pairs i < j, ties sharing their mean rank. The diagonal and missing pairs are NaN.
    """
    from scipy.stats import rankdata

    upper = np.triu_indices(len(matrix), 1)
    pairs = matrix[upper]
    finite = np.isfinite(pairs)
    ranks = np.full(len(pairs), np.nan)
    if finite.any():
        ranks[finite] = (rankdata(pairs[finite]) - 1) / max(finite.sum() - 1, 1)
    result = np.full(matrix.shape, np.nan)
    result[upper] = ranks
    result.T[upper] = ranks
    return result


def rdm_data(
    matrices: Mapping[str, ArrayLike], labels: Sequence[str], groups: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the dissimilarities that `rdm_figure` draws: one row per pair of conditions, one column per matrix.

    Returns
    -------
    DataFrame
        ``condition_a, condition_b`` (and ``group_a, group_b``), then the matrices by name.

    Raises
    ------
    InputError
        If a matrix is not square, not symmetric, or does not have one row per label, or ``groups`` is not as
        long as ``labels``.
    """
    checked = _checked(matrices, labels)
    i, j = np.triu_indices(len(labels), 1)
    columns: dict[str, object] = {}
    for what, names in {"condition": labels, "group": groups}.items():
        if names is None:
            continue
        if len(names) != len(labels):
            raise InputError(f"{len(names)} groups were given for {len(labels)} conditions; give one group each.")
        listed = np.array([str(name) for name in names], dtype=object)
        columns |= {f"{what}_a": listed[i], f"{what}_b": listed[j]}
    return pd.DataFrame(columns | {name: matrix[i, j] for name, matrix in checked.items()})


def _checked(matrices: Mapping[str, ArrayLike], labels: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    if not isinstance(matrices, Mapping) or not len(matrices):
        raise InputError("there is no matrix to draw; give a mapping of name to matrix, the animal's first.")
    if isinstance(labels, str) or not hasattr(labels, "__len__"):
        raise InputError(f"labels must be a list with one name per row of the matrix, got {labels!r:.80}.")
    n, checked = len(labels), {}
    for name, given in matrices.items():
        matrix = number_array(given, f"'{name}'")
        if matrix.shape != (n, n):
            raise InputError(f"'{name}' has shape {matrix.shape}; {n} labels need {(n, n)}.")
        if not np.allclose(matrix, matrix.T, equal_nan=True):
            raise InputError(f"'{name}' is not symmetric; dissimilarities must not depend on the order of a pair.")
        checked[str(name)] = matrix
    return checked


def rdm_figure(
    matrices: Mapping[str, ArrayLike],
    labels: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    scale: RdmScale = RdmScale.RANK,
    dissimilarity: str = "Dissimilarity",
    every: int | None = None,
    n_columns: int = 4,
    colours: Mapping[str, str] | None = None,
    width: float = DOUBLE_COLUMN,
) -> Figure:
    """Draw one square per matrix, the animal's first.

    Parameters
    ----------
    matrices : mapping of str to array_like, shape (n_conditions, n_conditions)
        Dissimilarities, symmetric; the diagonal is not drawn. NaN is grey.
    labels : sequence of str
        One per condition, in the order of the rows.
    groups : sequence of str, optional
        Group of each condition, for example its sound; neighbours of one group share a bracket.
    scale : RdmScale
    dissimilarity : str
        What the values are, with unit, for the colour bar; for example ``"van Rossum distance, 10 ms (no unit)"``.
    every : int, optional
        Label every so many conditions; default as many as fit.
    n_columns : int
        Panels per row, at most.
    colours : mapping of str to str, optional
        Colour per model, see `colours_for`; the first matrix, if not named there, is black.
    width : float
        Width of the figure, mm.

    Raises
    ------
    InputError
        As `rdm_data`.
    """
    rdm_data(matrices, labels, groups)
    checked, texts = _checked(matrices, labels), [str(label) for label in labels]
    names = list(checked)
    used = first_black(names, colours)
    n_across = min(n_columns, len(names))
    n_down = -(-len(names) // n_across)
    stretches = runs(groups) if groups is not None else [("", 0, len(texts) - 1)]
    margin = 4.0 + _CHARACTER * max(map(len, texts), default=0)
    bar = 13.0 if scale is RdmScale.RAW else 3.0
    room = (width - margin - (0.0 if scale is RdmScale.RAW else 14.0)) / n_across - bar
    panel = min(room, max(28.0, 7.0 * len(texts)), 45.0)
    above = 13.0 if groups is not None else 3.0
    titles = {name: wrapped(name, int((panel - 4.0) / 1.5)) for name in names}
    tall = 3.0 * (1 + max(title.count("\n") for title in titles.values()))
    with style():
        figure = new_figure(
            margin + n_across * (panel + bar) + (0.0 if scale is RdmScale.RAW else 14.0),
            n_down * (panel + 2.5 + tall + above * 0.353) + margin + 3.0,
        )
        axes = list(figure.subplots(n_down, n_across, squeeze=False).ravel())
        for ax in axes[len(names) :]:
            ax.remove()
        axes = axes[: len(names)]
        for i, (ax, name) in enumerate(zip(axes, names, strict=True)):
            image = _draw_matrix(ax, checked[name], scale)
            _name_panel(ax, titles[name], used[name], above)
            _label_conditions(ax, texts, _labelled(stretches, panel, every))
            first, last = i % n_across == 0, i // n_across == n_down - 1
            ax.tick_params(left=first, labelleft=first, bottom=last, labelbottom=last, length=1.5)
            if groups is not None:
                draw_brackets(ax, stretches, panel)
            if scale is RdmScale.RAW:
                _colour_bar(figure, image, [ax], dissimilarity)
        if scale is RdmScale.RANK:
            _colour_bar(figure, image, axes, f"{dissimilarity} (rank, 0 to 1)")
        panel_letters(axes, dx=-9.0, dy=above - 2.0)
        return settle(figure)


def draw_rdm(
    matrix: ArrayLike,
    labels: Sequence[str],
    ax: Axes | None = None,
    *,
    scale: RdmScale = RdmScale.RANK,
    dissimilarity: str = "Dissimilarity",
    every: int | None = None,
    colour_bar: bool = True,
) -> Axes:
    """Draw one matrix of dissimilarities on the axes given, or on new ones, and return them.

    The parameters are those of `rdm_figure`; ``colour_bar`` says whether the axes give room to one.

    Raises
    ------
    InputError
        As `rdm_data`.
    """
    values = _checked({"matrix": matrix}, labels)["matrix"]
    texts = [str(label) for label in labels]
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 70.0)
        image = _draw_matrix(chosen, values, scale)
        _label_conditions(chosen, texts, _labelled([("", 0, len(texts) - 1)], 45.0, every))
        chosen.tick_params(length=1.5)
        figure = chosen.get_figure(root=True)
        if colour_bar and figure is not None:
            rank = " (rank, 0 to 1)" if scale is RdmScale.RANK else ""
            _colour_bar(figure, image, [chosen], f"{dissimilarity}{rank}")
    return chosen


def _draw_matrix(ax: Axes, matrix: NDArray[np.float64], scale: RdmScale) -> AxesImage:
    from matplotlib import colormaps

    instance(scale, RdmScale, "scale", "RdmScale.RANK or RdmScale.RAW")
    shown = rank_normalised(matrix) if scale is RdmScale.RANK else matrix.copy()
    np.fill_diagonal(shown, np.nan)
    finite = shown[np.isfinite(shown)]
    low, high = (0.0, 1.0) if scale is RdmScale.RANK or not finite.size else (finite.min(), finite.max())
    colours = colormaps["cividis"].with_extremes(bad=_MISSING_COLOUR)
    image = ax.imshow(np.ma.masked_invalid(shown), cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    n = len(matrix)
    ax.imshow(np.where(np.eye(n), 1.0, np.nan), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    for spine in ax.spines.values():
        spine.set_visible(False)
    if not finite.size:
        note(ax, "no dissimilarity could be measured")
    elif finite.size < n * (n - 1):
        ax.set_xlabel("grey: could not be measured", fontsize=SMALL, color=NOTE_COLOUR, style="italic")
    return image


def _name_panel(ax: Axes, title: str, colour: str, above: float) -> None:
    """Write the name above the panel with a square of its colour before the first line, placed by its baseline."""
    where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    for i, line in enumerate(reversed(title.split("\n"))):
        ax.annotate(line, (0, 1), xytext=(6, above + 8.4 * i), fontweight="bold", **where)
    ax.annotate("■", (0, 1), xytext=(0, above + 8.4 * title.count("\n")), fontsize=SMALL, color=colour, **where)


def _labelled(stretches: Sequence[tuple[str, int, int]], panel: float, every: int | None) -> list[int]:
    """Return which conditions are labelled: every so many, counted afresh in each group."""
    n = stretches[-1][2] + 1
    needed = n * _LINE / panel
    step = every or next(s for s in _STEPS if s >= needed or s == _STEPS[-1])
    return [i for _, first, last in stretches for i in range(first, last + 1, step)]


def _label_conditions(ax: Axes, labels: Sequence[str], shown: Sequence[int]) -> None:
    texts = [labels[i] for i in shown]
    upright = len(shown) < len(labels) or max(map(len, texts), default=0) > 4
    ax.set_xticks(list(shown), texts, rotation=90 if upright else 0)
    ax.set_yticks(list(shown), texts)


def _colour_bar(figure: Figure, image: AxesImage, axes: list[Axes], label: str) -> None:
    size: dict[str, Any] = (
        {"fraction": 0.05, "pad": 0.03} if len(axes) == 1 else {"shrink": 0.6, "aspect": 22, "pad": 0.015}
    )
    bar = figure.colorbar(image, ax=axes, **size)
    bar.set_label(label)
    bar.ax.tick_params(length=1.5)
    bar.ax.spines[:].set_linewidth(0.4)
