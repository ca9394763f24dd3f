"""Where labels live: information in counts, first spikes and spike trains, against chance and the whole."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from snncompare.figures.style import (
    DATA_COLOUR,
    FAINT_COLOUR,
    PALETTE,
    SINGLE_COLUMN,
    SMALL,
    axes_or_new,
    plain,
    style,
)
from snncompare.representation.label_information import LabelInformation

__all__ = ["COLOURS", "draw_information", "draw_information_by_scale", "information_data"]

COLOURS = {
    "counts": PALETTE[1],
    "latencies": PALETTE[2],
    "latencies given counts": PALETTE[2],
    "trains": PALETTE[0],
    "trains given counts": PALETTE[0],
    "synchrony": PALETTE[5],
}
"""One colour per code; what is given counts has the colour of its code, drawn open."""
NAMES = {
    "counts": "Counts",
    "latencies": "First\nspikes",
    "latencies given counts": "First spikes\ngiven counts",
    "trains": "Trains",
    "trains given counts": "Trains\ngiven counts",
    "synchrony": "Synchrony",
}
MARKERS = {"trains": "o", "trains given counts": "o", "synchrony": "D"}


def information_data(information: LabelInformation) -> pd.DataFrame:
    """Return the table of the information, with the entropy of the labels beside it."""
    return information.table.assign(entropy=information.entropy)


def draw_information(information: LabelInformation, ax: Axes | None = None) -> Axes:
    """Draw a bar per code, with 95 % intervals and the accuracy; codes with time scales at their best; return the axes.

    Grey: up to the 95 % point with permuted labels. Dashed: all there is to know.
    """
    codes = [code for code in NAMES if code in set(information.table["code"])]
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 50.0)
        for k, code in enumerate(codes):
            row = information.best(code)
            given = code.endswith("given counts")
            fill: dict[str, Any] = {"facecolor": "white" if given else COLOURS[code], "edgecolor": COLOURS[code]}
            chosen.bar(k, max(row["information"], 0), width=0.62, linewidth=1.0, **fill)
            chosen.fill_between([k - 0.4, k + 0.4], 0, max(row["information_chance_high"], 0), **_chance())
            low, high = _interval(row, information)
            chosen.plot([k, k], [low, high], color=DATA_COLOUR, linewidth=0.8, zorder=4)
            chosen.annotate(
                f"{row['accuracy']:.0%}", (k, max(high, 0)), xytext=(0, 2), textcoords="offset points",
                ha="center", fontsize=SMALL,
            )  # fmt: skip
        chosen.set_xticks(range(len(codes)), [NAMES[code] for code in codes])
        chosen.tick_params(axis="x", length=0)
        _finish(chosen, information)
    return chosen


def draw_information_by_scale(information: LabelInformation, ax: Axes | None = None) -> Axes:
    """Draw the information in trains, trains given counts and synchrony against the time scale; return the axes."""
    table = information.table
    scaled = table[np.isfinite(table["time_scale"]) & table["code"].isin(MARKERS)]
    with style():
        chosen = axes_or_new(ax, SINGLE_COLUMN, 50.0)
        for code in [code for code in MARKERS if (scaled["code"] == code).any()]:
            rows = scaled[scaled["code"] == code].sort_values("time_scale")
            x = rows["time_scale"].to_numpy() * 1e3
            limits = [_interval(row, information) for _, row in rows.iterrows()]
            chosen.vlines(x, *zip(*limits, strict=True), color=COLOURS[code], linewidth=0.8)
            face = "white" if code.endswith("given counts") else COLOURS[code]
            chosen.plot(
                x, np.maximum(rows["information"], 0), marker=MARKERS[code], color=COLOURS[code],
                markerfacecolor=face, label=NAMES[code].replace("\n", " "),
            )  # fmt: skip
        if not scaled.empty:
            by_scale = scaled.groupby("time_scale")["information_chance_high"].max()
            chosen.fill_between(by_scale.index * 1e3, 0, np.maximum(by_scale, 0), **_chance())
        counts = information.best("counts")["information"]
        chosen.axhline(max(counts, 0), color=COLOURS["counts"], linewidth=0.9, label="Counts")
        chosen.set_xscale("log")
        chosen.xaxis.set_major_formatter(FuncFormatter(plain))
        chosen.tick_params(axis="x", which="minor", size=1.2, width=0.4, labelbottom=False)
        chosen.set_xlabel("Time scale of the readout (ms)")
        _finish(chosen, information)
        chosen.fill_between([], [], label="Permuted labels, 95 %", **_chance())
        chosen.plot([], [], color=FAINT_COLOUR, linewidth=0.7, linestyle=(0, (3, 2)), label="Entropy of the label")
        chosen.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.3)
    return chosen


def _chance() -> dict[str, Any]:
    return {"facecolor": "#D0D0D0", "edgecolor": "none", "zorder": 3, "alpha": 0.9}


def _interval(row: "pd.Series[Any]", information: LabelInformation) -> tuple[float, float]:
    """Return the interval inside what information can be."""
    low, high = (float(row[name]) for name in ("information_low", "information_high"))
    low, high = (x if np.isfinite(x) else float(row["information"]) for x in (low, high))
    return max(low, 0.0), max(min(high, information.entropy), 0.0)


def _finish(ax: Axes, information: LabelInformation) -> None:
    ax.axhline(information.entropy, color=FAINT_COLOUR, linewidth=0.7, linestyle=(0, (3, 2)))
    ax.set_ylim(0, 1.16 * information.entropy)
    ax.set_ylabel(f"Information about {information.label} (bits)")
    ax.locator_params(axis="y", nbins=5)
