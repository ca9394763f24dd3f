"""The one look of all figures: journal column widths, fonts, and a fixed colour and marker per model."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from string import ascii_uppercase
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from snncompare.errors import InputError, unknown
from snncompare.recording.arguments import instance

__all__ = [
    "CEILING",
    "DATA_COLOUR",
    "DOUBLE_COLUMN",
    "FAINT_COLOUR",
    "NOTE_COLOUR",
    "PALETTE",
    "RC",
    "SINGLE_COLUMN",
    "SMALL",
    "axes_or_new",
    "chosen_colours",
    "colours_for",
    "first_black",
    "markers_for",
    "new_figure",
    "note",
    "panel_letters",
    "plain",
    "settle",
    "style",
    "wrapped",
]

SINGLE_COLUMN = 85.0
"""Width of one journal column, in mm."""
DOUBLE_COLUMN = 180.0
"""Width of a journal page, in mm."""

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#F0E442")
"""Colours of models, distinguishable with every kind of colour blindness (Okabe & Ito 2008); black is the animal's."""
DATA_COLOUR = "#000000"
"""Colour of what was measured in the animal."""
CEILING: Mapping[str, Any] = MappingProxyType({"facecolor": "#E3E3E3", "edgecolor": "#8C8C8C", "linewidth": 0.5})
"""Look of the band of a noise ceiling."""
FAINT_COLOUR = "#8C8C8C"
"""Chance lines and other references."""
NOTE_COLOUR = "#4D4D4D"
"""Notes inside a panel; 8:1 contrast on white."""
SMALL = 6.0
"""Size of the smallest text, in points."""

_MARKERS = ("o", "s", "^", "D", "v", "p", "<", "h", ">")

RC: Mapping[Any, Any] = MappingProxyType(
    {
        "font.family": "sans-serif",
        "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
        "font.size": 7.0,
        "axes.titlesize": 7.0,
        "axes.labelsize": 7.0,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "legend.fontsize": SMALL,
        "legend.frameon": False,
        "legend.handlelength": 1.6,
        "text.color": "black",
        "text.parse_math": False,
        "axes.unicode_minus": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.5,
        "axes.titlepad": 3.0,
        "axes.labelpad": 2.0,
        "axes.formatter.use_mathtext": False,
        "xtick.major.width": 0.5,
        "ytick.major.width": 0.5,
        "xtick.major.size": 2.0,
        "ytick.major.size": 2.0,
        "xtick.major.pad": 2.0,
        "ytick.major.pad": 2.0,
        "lines.linewidth": 1.0,
        "lines.markersize": 3.5,
        "patch.linewidth": 0.5,
        "figure.dpi": 100.0,
        "figure.facecolor": "white",
        "figure.constrained_layout.h_pad": 0.03,
        "figure.constrained_layout.w_pad": 0.03,
        "savefig.dpi": 300.0,
        "savefig.facecolor": "white",
        "svg.fonttype": "none",
        "svg.hashsalt": "snncompare",
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
    }
)
"""matplotlib settings of every figure: text stays text in SVG and PDF, and no label is read as mathematics."""


def style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws with `RC`; the caller's own settings come back afterwards."""
    return mpl.rc_context(dict(RC))


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of ``width`` x ``height`` mm with constrained layout, unknown to pyplot."""
    return Figure(figsize=(width / 25.4, height / 25.4), layout="constrained")


def axes_or_new(ax: Axes | None, width: float, height: float) -> Axes:
    """Return the axes given, or the only axes of a new figure of ``width`` x ``height`` mm."""
    return new_figure(width, height).subplots() if ax is None else instance(ax, Axes, "ax", "matplotlib axes, or None")


def settle(figure: Figure) -> Figure:
    """Lay the figure out while the style holds, so that ticks made later do not fall back to other settings."""
    figure.draw_without_rendering()
    return figure


def colours_for(names: Iterable[str]) -> dict[str, str]:
    """Return one colour per model name, in the order given.

    Call it once with all models of a study and hand the result to every figure: a model then keeps its colour,
    and through `markers_for` its marker, also in a figure that shows only some of the models.

    Parameters
    ----------
    names : iterable of str
        Names of models, unique. After seven the colours come again, with other markers.

    Raises
    ------
    InputError
        If a name occurs twice.
    """
    listed = [str(name) for name in names]
    if len(set(listed)) < len(listed):
        raise InputError(f"model names must be unique, got {listed}; rename the repeated one.")
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(listed)}


def markers_for(names: Iterable[str]) -> dict[str, str]:
    """Return one marker per model name; colour and marker together are unique for up to 63 models."""
    return {name: _MARKERS[i % len(_MARKERS)] for i, name in enumerate(names)}


def chosen_colours(names: Sequence[str], colours: Mapping[str, str] | None) -> dict[str, str]:
    """Return the given colours, checked to hold every name, or new ones for ``names``.

    Raises
    ------
    InputError
        If a name has no colour.
    """
    if colours is None:
        return colours_for(names)
    for name in names:
        if name not in colours:
            raise InputError(unknown("colour for model", name, colours))
    return dict(colours)


def first_black(names: Sequence[str], colours: Mapping[str, str] | None) -> dict[str, str]:
    """Return the colours of models, with `DATA_COLOUR` for the first name, the animal's, if ``colours`` lacks it."""
    models = names[1:] if colours is None or names[0] not in colours else names
    return {names[0]: DATA_COLOUR} | chosen_colours(models, colours)


def panel_letters(axes: Sequence[Axes], dx: float = -20.0, dy: float = 3.0) -> None:
    """Write A, B, C ... in bold at the upper left of each panel, ``dx`` and ``dy`` points from its corner.

    A single panel gets no letter.
    """
    if len(axes) < 2:
        return
    for letter, ax in zip(ascii_uppercase, axes, strict=False):
        figure = ax.get_figure(root=True)
        if figure is None:
            raise InputError("a panel letter needs axes that belong to a figure.")
        shift = ScaledTranslation(dx / 72, dy / 72, figure.dpi_scale_trans)
        where = ax.transAxes + shift
        ax.text(0, 1, letter, transform=where, fontsize=9, fontweight="bold", va="bottom", ha="left")


def note(ax: Axes, text: str, x: float = 0.5, y: float = 0.5, **how: Any) -> None:
    """Say inside a panel what is not there, for example ``"no noise ceiling"``."""
    settings: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "fontsize": SMALL,
        "color": NOTE_COLOUR,
        "style": "italic",
    }
    ax.text(x, y, text, transform=ax.transAxes, **(settings | how))


def wrapped(text: str, width: int) -> str:
    """Return the text broken into lines of at most ``width`` characters where it has spaces."""
    return "\n".join(textwrap.wrap(text, max(width, 8), break_long_words=False)) or text


def plain(value: float, _position: int | None = None) -> str:
    """Write a number without exponent or trailing zeros, as a tick label.

    Examples
    --------
    >>> plain(0.5), plain(200.0)
    ('0.5', '200')
    """
    return f"{value:.10f}".rstrip("0").rstrip(".").replace("-", "\N{MINUS SIGN}")
