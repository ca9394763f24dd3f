"""What precise spike times add to a match, against the width over which spikes were moved."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from snncompare.errors import InputError
from snncompare.figures.intervals import table_of
from snncompare.figures.style import (
    FAINT_COLOUR,
    SINGLE_COLUMN,
    axes_or_new,
    chosen_colours,
    markers_for,
    plain,
    style,
)

if TYPE_CHECKING:
    from snncompare.comparison.precision.timing import TimingContribution

__all__ = ["draw_timing_contribution", "timing_data"]

COLUMNS = (
    "model",
    "metric",
    "time_scale",
    "width",
    "similarity",
    "surrogate",
    "surrogate_low",
    "surrogate_high",
    "p_corrected",
)


def timing_data(timing: "TimingContribution | pd.DataFrame") -> pd.DataFrame:
    """Return the table that `draw_timing_contribution` draws, with the width also in ms.

    Raises
    ------
    InputError
        If the table is empty, lacks a column, or holds several metrics or time scales.
    """
    table = timing if isinstance(timing, pd.DataFrame) else table_of(timing)
    lacking = [column for column in COLUMNS if column not in table.columns]
    if lacking or table.empty:
        raise InputError(
            f"the table of timing contributions is empty or lacks {lacking}; give what timing_contribution returned."
        )
    places = table[["metric", "time_scale"]].drop_duplicates()
    if len(places) > 1:
        raise InputError(
            f"the table holds {len(places)} metrics and time scales; select one, for example "
            "table[table['time_scale'] == 0.01]."
        )
    return table.assign(width_ms=1e3 * table["width"].astype(float))


def draw_timing_contribution(
    timing: "TimingContribution | pd.DataFrame",
    ax: Axes | None = None,
    *,
    colours: Mapping[str, str] | None = None,
    alpha: float = 0.05,
    measure: str = "Similarity",
) -> Axes:
    """Draw similarity after jitter against the width of the jitter, beside the similarity of the data as they are.

    Solid line and shading: mean and 95 % range over surrogates; dashed line: the data as they are. A filled marker
    says that the data are more similar than their surrogates, corrected for all widths.

    Parameters
    ----------
    timing : TimingContribution, or its table cut to one metric and time scale
    ax : Axes, optional
    colours : mapping of str to str, optional
        Colour per model, see `colours_for`.
    alpha : float
        Level of the corrected p for filled markers.
    measure : str
        Label of the ordinate.

    Raises
    ------
    InputError
        As `timing_data`.
    """
    table = timing_data(timing)
    names = [str(name) for name in table["model"].unique()]
    used, markers = chosen_colours(names, colours), markers_for(names)
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 58.0)
        chosen.axhline(0, color=FAINT_COLOUR, linewidth=0.6, linestyle=(0, (4, 2)))
        for name, rows in table.groupby("model", sort=False):
            colour, curve = used[str(name)], rows.sort_values("width_ms")
            x = curve["width_ms"].to_numpy(dtype=float)
            chosen.fill_between(
                x, curve["surrogate_low"], curve["surrogate_high"], color=colour, alpha=0.15, linewidth=0
            )
            chosen.plot(x, curve["surrogate"], color=colour, label=str(name))
            chosen.plot(x, curve["similarity"], color=colour, linestyle=(0, (6, 1.5)), linewidth=0.8)
            clear = curve["p_corrected"].to_numpy(dtype=float) < alpha
            y = curve["surrogate"].to_numpy(dtype=float)
            for which, face in ((clear, colour), (~clear, "white")):
                look: dict[str, Any] = {"color": colour, "markerfacecolor": face, "markeredgewidth": 0.8}
                chosen.plot(x[which], y[which], linestyle="none", marker=markers[str(name)], **look)
        chosen.set_xscale("log")
        chosen.set_xticks(np.unique(table["width_ms"]))
        chosen.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(float(f"{value:.4g}"))))
        chosen.minorticks_off()
        chosen.set(xlabel="Jitter width (ms)", ylabel=measure)
        chosen.legend(loc="best")
    return chosen
