"""An RDM movie on paper: matrices of successive windows on one colour scale."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from snncompare.errors import InputError
from snncompare.figures.rdm_panels import RdmScale, rank_normalised
from snncompare.figures.style import DOUBLE_COLUMN, new_figure, plain, style

if TYPE_CHECKING:
    from snncompare.representation.rdm import RDM

__all__ = ["draw_rdm_movie", "rdm_movie_data"]


def rdm_movie_data(movie: "RDM") -> pd.DataFrame:
    """Return the dissimilarities of a movie: ``window_start, window_stop`` (s), ``condition_a, condition_b, value``.

    Raises
    ------
    InputError
        If the RDMs do not carry ``window_start`` and ``window_stop``.
    """
    if not hasattr(movie, "rdm_descriptors"):
        raise InputError(f"expected the RDMs that rdm_movie(...) returns, got {type(movie).__name__}.")
    lacking = {"window_start", "window_stop"} - set(movie.rdm_descriptors)
    if lacking:
        raise InputError(f"these RDMs are no movie: they lack {sorted(lacking)}; make one with rdm_movie(...).")
    labels = np.array([str(label) for label in movie.pattern_descriptors["condition"]], dtype=object)
    first, second = np.triu_indices(len(labels), 1)
    starts, stops = movie.rdm_descriptors["window_start"], movie.rdm_descriptors["window_stop"]
    frames = [
        pd.DataFrame(
            {
                "window_start": start,
                "window_stop": stop,
                "condition_a": labels[first],
                "condition_b": labels[second],
                "value": values,
            }
        )
        for start, stop, values in zip(starts, stops, movie.get_vectors(), strict=True)
    ]
    return pd.concat(frames, ignore_index=True)


def draw_rdm_movie(
    movie: "RDM",
    axes: Sequence[Axes] | None = None,
    *,
    frames: Sequence[int] | None = None,
    scale: RdmScale = RdmScale.RAW,
    dissimilarity: str = "Dissimilarity",
) -> Sequence[Axes]:
    """Draw frames of a movie side by side with one colour bar, and return their axes.

    Parameters
    ----------
    movie : rsatoolbox.rdm.RDMs
        From `snncompare.representation.movie.rdm_movie`, one metric.
    axes : sequence of Axes, optional
        One per frame; by default those of a new figure.
    frames : sequence of int, optional
        Which windows; by default at most eight, evenly spread.
    scale : RdmScale
        Raw values share the colour scale of the whole movie; ranks are taken within each frame.
    dissimilarity : str
        For the colour bar.

    Raises
    ------
    InputError
        As `rdm_movie_data`, or if there are not as many axes as frames.
    """
    rdm_movie_data(movie)
    matrices = movie.get_matrices()
    chosen = list(np.unique(np.linspace(0, len(matrices) - 1, min(8, len(matrices))).round().astype(int)))
    shown = chosen if frames is None else list(frames)
    with style():
        if axes is None:
            figure = new_figure(DOUBLE_COLUMN, 8.0 + DOUBLE_COLUMN / max(len(shown), 4))
            panels = list(figure.subplots(1, len(shown), squeeze=False).ravel())
        else:
            panels = list(axes)
        if len(panels) != len(shown):
            raise InputError(f"{len(panels)} axes were given for {len(shown)} frames; give one for each.")
        ranked = scale is RdmScale.RANK
        values = [rank_normalised(matrices[k]) if ranked else _without_diagonal(matrices[k]) for k in shown]
        low, high = (0.0, 1.0) if ranked else (np.nanmin(matrices), np.nanmax(matrices))
        for ax, k, matrix in zip(panels, shown, values, strict=True):
            image = ax.imshow(
                np.ma.masked_invalid(matrix), cmap="cividis", vmin=low, vmax=high, interpolation="nearest"
            )
            start, stop = (1e3 * float(movie.rdm_descriptors[edge][k]) for edge in ("window_start", "window_stop"))
            ax.set_title(f"{plain(round(start, 6))} to {plain(round(stop, 6))} ms")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        root = panels[0].get_figure(root=True)
        if root is not None:
            bar = root.colorbar(image, ax=panels, shrink=0.8, pad=0.01)
            bar.set_label(f"{dissimilarity} (rank, 0 to 1)" if ranked else dissimilarity)
            bar.ax.spines[:].set_linewidth(0.4)
    return panels


def _without_diagonal(matrix: np.ndarray) -> np.ndarray:
    result = np.array(matrix, dtype=float)
    np.fill_diagonal(result, np.nan)
    return result
