"""Conditions as points whose distances stand for their dissimilarities: multidimensional scaling (MDS)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from snncompare.errors import InputError
from snncompare.figures.rdm_panels import rank_normalised, rdm_data
from snncompare.figures.style import SINGLE_COLUMN, SMALL, axes_or_new, chosen_colours, note, style
from snncompare.recording.arguments import whole_number

__all__ = ["draw_scaling", "scaling_data"]

N_STARTS = 16


def scaling_data(matrix: ArrayLike, labels: Sequence[str], seed: int = 0) -> tuple[pd.DataFrame, float]:
    r"""Return the points ``condition, x, y`` of a nonmetric scaling, and Kruskal's stress.

    .. math:: \text{stress}_1 = \sqrt{ \sum_{i<j} (\hat d_{ij} - \lVert x_i - x_j \rVert)^2 /
        \sum_{i<j} \lVert x_i - x_j \rVert^2 }

    with :math:`\hat d` the closest values in the order of the dissimilarities: only their ranks matter, as in a rank
    correlation, so estimates below zero need no repair. The best of 16 seeded starts of scikit-learn's SMACOF.
    Kruskal 1964, Psychometrika 29:1; below 0.1 the picture is fair, above 0.2 it misleads.

    Raises
    ------
    InputError
        If a dissimilarity is missing, there are fewer than three conditions, or as `rdm_data`.
    """
    from sklearn.manifold import smacof

    rdm_data({"matrix": matrix}, labels)
    whole_number("seed", seed, 0)
    if len(labels) < 3:
        raise InputError(f"{len(labels)} conditions cannot be scaled to a plane; give at least three.")
    ranks = rank_normalised(np.asarray(matrix, dtype=float))
    np.fill_diagonal(ranks, 0.0)
    if not np.isfinite(ranks).all():
        raise InputError("the matrix has missing dissimilarities; leave out the conditions that lack them.")
    spread = ranks + 1.0 / len(labels) * (
        1 - np.eye(len(labels))
    )  # SMACOF takes a dissimilarity of 0 for a missing one
    points, stress = smacof(
        spread, metric=False, n_components=2, n_init=N_STARTS, random_state=seed, normalized_stress=True
    )
    table = pd.DataFrame({"condition": [str(label) for label in labels], "x": points[:, 0], "y": points[:, 1]})
    return table, float(stress)


def draw_scaling(
    matrix: ArrayLike,
    labels: Sequence[str],
    ax: Axes | None = None,
    *,
    groups: Sequence[str] | None = None,
    colours: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Axes:
    """Draw conditions as points in the plane, similar ones close together, and return the axes.

    Parameters
    ----------
    matrix : array_like, shape (n_conditions, n_conditions)
        Dissimilarities.
    labels : sequence of str
    ax : Axes, optional
    groups : sequence of str, optional
        Group of each condition: its colour.
    colours : mapping of str to str, optional
        Colour per group.
    seed : int

    Raises
    ------
    InputError
        As `scaling_data`, or if there is not one group per condition.
    """
    table, stress = scaling_data(matrix, labels, seed)
    kind = ["conditions"] * len(table) if groups is None else [str(group) for group in groups]
    if len(kind) != len(table):
        raise InputError(f"{len(kind)} groups were given for {len(table)} conditions; give one group each.")
    used = chosen_colours(list(dict.fromkeys(kind)), colours)
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, SINGLE_COLUMN)
        for name, points in table.groupby(pd.Series(kind), sort=False):
            chosen.plot(points["x"], points["y"], "o", color=used[str(name)], label=str(name))
        for _, point in table.iterrows():
            where = (point["x"], point["y"])
            chosen.annotate(point["condition"], where, xytext=(3, 3), textcoords="offset points", fontsize=SMALL)
        chosen.set_aspect("equal", adjustable="datalim")
        chosen.margins(0.1)
        chosen.set(xticks=[], yticks=[])
        chosen.spines[:].set_visible(False)
        note(chosen, f"stress {stress:.2f}", x=1.0, y=0.0, ha="right", va="bottom")
        if groups is not None:
            chosen.legend(loc="best")
    return chosen
