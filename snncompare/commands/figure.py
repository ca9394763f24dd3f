"""The verb ``figure``: draw a stored result again."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snncompare.commands.compare_config import DATA
from snncompare.commands.result_files import StoredComparison, load_comparison, writable, write_provenance
from snncompare.errors import InputError, unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "drawn", "kinds_of", "run_figure"]

FIGURES = {
    "similarity": "Similarity of every model to the recordings against the time scale of the spike-train metric. "
    "Shading and bars: 95 % intervals; grey: noise ceiling.",
    "models": "The models at the metric and time scale of the largest similarity, which was chosen after the fact. "
    "Bars: 95 % intervals; grey: noise ceiling.",
    "rdms": "Dissimilarities of the conditions there, in ranks of their pairs: the recordings, then the models. Of "
    "several animals the mean is shown, each RDM divided by its root mean square.",
    "scaling": "Conditions of the recordings there as points in a plane, similar ones close together (nonmetric "
    "multidimensional scaling of the same dissimilarities). Stress above 0.2: the plane misleads.",
}
"""Kinds of figures, and what each shows."""
_MOST_ACROSS = 4
_MOST_IN_COLUMN = 12
_OF_PAIRS = {"rdms", "scaling"}


def run_figure(folder: str | Path, out: str | Path, kind: str = "similarity", seed: int | None = None) -> Path:
    """Write a figure of a stored result as PNG, PDF and SVG with its data as CSV, and return the file asked for.

    Parameters
    ----------
    folder : path
        What ``snncompare compare`` wrote.
    out : path
        Ends in ``.svg``, ``.pdf`` or ``.png``; the other formats, the data and the provenance are written beside it.
    kind : str
        One of `FIGURES`.
    seed : int, optional
        Nothing is random; kept in the provenance.

    Raises
    ------
    SnncompareError
        If there is no such result or figure, or the file cannot be written.
    """
    from snncompare import provenance
    from snncompare.figures.save import save_figure

    target = writable(out, (".svg", ".pdf", ".png"), "figures")
    if kind not in FIGURES:
        raise InputError(f"--kind: {unknown('kind of figure', kind, FIGURES)}")
    stored = load_comparison(folder)
    figure, data = drawn(stored, kind)
    save_figure(figure, data, target.parent, target.stem)
    record = provenance.collect(config={"kind": kind}, inputs=stored.files, seed=seed, verb="figure")
    write_provenance(target, record)
    return target


def drawn(stored: StoredComparison, kind: str) -> "tuple[Figure, pd.DataFrame | dict[str, pd.DataFrame]]":
    """Return a figure of a stored result and the tables of what it shows.

    Raises
    ------
    InputError
        If the result does not hold what is to be drawn.
    """
    from snncompare.figures.model_bars import model_bars_data, model_bars_figure
    from snncompare.figures.similarity_curve import similarity_data, similarity_figure
    from snncompare.figures.style import colours_for

    result = stored.result
    colours = colours_for([str(name) for name in dict.fromkeys(result.table["model"])])
    if kind == "similarity":
        return similarity_figure(result, colours=colours), similarity_data(result)
    if kind == "rdms":
        return _rdms(stored, colours)
    if kind == "scaling":
        return _scaling(stored)
    best = result.best()
    scale = None if np.isnan(best["time_scale"]) else f"{float(best['time_scale'])!r} s"
    return model_bars_figure(result, best["metric"], scale, colours=colours), model_bars_data(
        result, best["metric"], scale
    )


def kinds_of(stored: StoredComparison) -> list[str]:
    """Return the kinds of figures that a stored result holds the numbers of."""
    return [kind for kind in FIGURES if kind not in _OF_PAIRS or stored.dissimilarities is not None]


def _rdms(stored: StoredComparison, colours: dict[str, str]) -> "tuple[Figure, pd.DataFrame]":
    from snncompare.figures.rdm_panels import rdm_data, rdm_figure

    matrices, shown = _matrices(stored)
    across = len(matrices) if len(matrices) <= _MOST_ACROSS else -(-len(matrices) // -(-len(matrices) // _MOST_ACROSS))
    return rdm_figure(matrices, shown, n_columns=across, colours=colours), rdm_data(matrices, shown)


def _scaling(stored: StoredComparison) -> "tuple[Figure, pd.DataFrame]":
    from snncompare.figures.scaling import draw_scaling, scaling_data
    from snncompare.figures.style import DOUBLE_COLUMN, SINGLE_COLUMN, new_figure, settle, style

    matrices, shown = _matrices(stored)
    with style():
        figure = new_figure(*(2 * [SINGLE_COLUMN] if len(shown) <= _MOST_IN_COLUMN else [DOUBLE_COLUMN, 120.0]))
        draw_scaling(matrices[DATA], shown, figure.add_subplot())
        return settle(figure), scaling_data(matrices[DATA], shown)[0]


def _matrices(stored: StoredComparison) -> tuple[dict[str, Any], list[str]]:
    """Return the dissimilarities of the data and of every model at the best place, and the conditions in order."""
    if stored.dissimilarities is None:
        raise InputError(f"'{stored.folder}' holds no dissimilarities.csv; compare anew to draw dissimilarities.")
    best, table = stored.result.best(), stored.dissimilarities
    scale = table["time_scale"]
    same = scale.isna() if np.isnan(best["time_scale"]) else np.isclose(scale, best["time_scale"], rtol=1e-9, atol=0)
    pairs = table[same & (table["metric"] == best["metric"])]
    labels = _ordered(pd.unique(pairs[["condition_a", "condition_b"]].to_numpy().ravel()))
    place = {label: k for k, label in enumerate(labels)}
    i, j = (pairs[column].map(place).to_numpy() for column in ("condition_a", "condition_b"))
    if len(pairs) != len(labels) * (len(labels) - 1) // 2:
        raise InputError(f"'{stored.folder}' holds {len(pairs)} pairs of {len(labels)} conditions; compare anew.")
    matrices = {}
    for name in (DATA, *dict.fromkeys(stored.result.table["model"])):
        matrix = np.zeros((len(labels), len(labels)))
        matrix[i, j] = matrix[j, i] = pairs[name]
        matrices[str(name)] = matrix
    return matrices, _shown(labels)


def _ordered(labels: Any) -> list[str]:
    """Return labels sorted as numbers where all are numbers, else as text."""
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


def _shown(labels: list[str]) -> list[str]:
    """Return numbers without needless zeros, as long as they stay different."""
    try:
        short = [f"{float(label):g}" for label in labels]
    except ValueError:
        return labels
    return short if len(set(short)) == len(labels) else labels
