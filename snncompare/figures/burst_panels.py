"""What events and bursts carry: shares of the dissimilarity, burst probabilities, and the excess, drawn on axes."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from snncompare.errors import InputError
from snncompare.figures.style import FAINT_COLOUR, PALETTE, SINGLE_COLUMN, axes_or_new, note, style
from snncompare.representation.burst_decomposition import BurstDecomposition

__all__ = [
    "PART_COLOURS",
    "draw_burst_probability",
    "draw_excess",
    "draw_shares",
    "excess_data",
    "shares_data",
]

PART_COLOURS = {"events alone": PALETTE[0], "both together": "#BDBDBD", "later spikes alone": PALETTE[1]}
"""Colour of what is in events alone, in both, and in later spikes of bursts alone, in the order of the bars."""


def shares_data(decompositions: Mapping[str, BurstDecomposition]) -> pd.DataFrame:
    """Return one row per decomposition and part: ``name, part, share, ci_low, ci_high, surrogate, ...``.

    Raises
    ------
    InputError
        If there is no decomposition.
    """
    _refuse_none(decompositions)
    tables = [of.shares.reset_index().assign(name=name) for name, of in decompositions.items()]
    table = pd.concat(tables, ignore_index=True)
    return table[["name", *(column for column in table if column != "name")]]


def excess_data(decompositions: Mapping[str, BurstDecomposition]) -> pd.DataFrame:
    """Return one row per decomposition: ``name, relative, ci_low, ci_high, p`` of the excess.

    ``relative`` and the ends of the interval are parts of the dissimilarity in all spikes.

    Raises
    ------
    InputError
        If there is no decomposition.
    """
    _refuse_none(decompositions)
    rows = []
    for name, of in decompositions.items():
        whole = float(of.codes["dissimilarity"].loc["spikes"])
        excess = {column: float(of.codes[column].loc["excess"]) for column in ("relative", "ci_low", "ci_high", "p")}
        rows.append({"name": name, **excess, "ci_low": excess["ci_low"] / whole, "ci_high": excess["ci_high"] / whole})
    return pd.DataFrame(rows)


def draw_shares(decompositions: Mapping[str, BurstDecomposition], ax: Axes | None = None) -> Axes:
    """Draw what events and later spikes carry as stacked bars, beside trains without bursts (pale); return the axes.

    Parameters
    ----------
    decompositions : mapping of name to BurstDecomposition
        For example by burst interval.
    ax : matplotlib.axes.Axes, optional

    Raises
    ------
    InputError
        If there is no decomposition.
    """
    shares_data(decompositions)
    with style():
        axes = axes_or_new(ax, SINGLE_COLUMN, 60.0)
        for k, of in enumerate(decompositions.values()):
            for column, x, alpha in (("share", k - 0.19, 1.0), ("surrogate", k + 0.19, 0.45)):
                bottom = 0.0
                for part, colour in PART_COLOURS.items():
                    height = float(of.shares[column].loc[part])
                    label = part if k == 0 and column == "share" else None
                    axes.bar(x, height, 0.34, bottom=bottom, color=colour, alpha=alpha, label=label)
                    bottom += height
            low, high = (1 - float(of.shares[end].loc["later spikes alone"]) for end in ("ci_high", "ci_low"))
            axes.plot([k - 0.19] * 2, [low, high], color="black", linewidth=0.8)
        axes.axhline(0, color="black", linewidth=0.5)
        axes.set_xticks(range(len(decompositions)), list(decompositions))
        axes.set_ylabel("Share of the dissimilarity")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, columnspacing=1.0, handlelength=1.0)
    return axes


def draw_burst_probability(decomposition: BurstDecomposition, ax: Axes | None = None) -> Axes:
    """Draw the burst probability of every unit against that of trains with the same rates, and return the axes.

    Above the line a unit fires more bursts than its rate makes by chance; below it, it recovers slowly from a spike.
    """
    units = decomposition.units
    with style():
        axes = axes_or_new(ax, SINGLE_COLUMN, 60.0)
        most = max(0.05, float(units[["burst_probability", "expected_probability"]].max().max())) * 1.05
        axes.plot([0, most], [0, most], color=FAINT_COLOUR, linewidth=0.6, linestyle=(0, (4, 2)))
        axes.plot(units["expected_probability"], units["burst_probability"], "o", color="black", alpha=0.6)
        axes.set(xlim=(0, most), ylim=(0, most), aspect="equal")
        axes.set(xlabel="Burst probability from rates alone", ylabel="Burst probability")
        silent = int(units["burst_probability"].isna().sum())
        if silent:
            note(axes, f"{silent} silent units not shown", x=0.98, y=0.03, ha="right")
    return axes


def draw_excess(decompositions: Mapping[str, BurstDecomposition], ax: Axes | None = None) -> Axes:
    """Draw what bursts say beyond event rates, with 95 % intervals over units (`excess_data`); return the axes."""
    table = excess_data(decompositions)
    with style():
        axes = axes_or_new(ax, SINGLE_COLUMN, 60.0)
        y = range(len(table))[::-1]
        axes.axvline(0, color=FAINT_COLOUR, linewidth=0.6, linestyle=(0, (4, 2)))
        axes.hlines(y, 100 * table["ci_low"], 100 * table["ci_high"], color="black", linewidth=1.0)
        axes.plot(100 * table["relative"], y, "o", color="black")
        axes.set_yticks(list(y), table["name"])
        axes.set(xlabel="Bursts beyond event rates (% of the dissimilarity)", ylim=(-0.6, len(table) - 0.4))
    return axes


def _refuse_none(decompositions: Mapping[str, BurstDecomposition]) -> None:
    if not isinstance(decompositions, Mapping) or not decompositions:
        raise InputError("give a mapping of names to what burst_decomposition returns, at least one.")
