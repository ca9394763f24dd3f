"""Brackets that name groups of neighbouring conditions above a matrix."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from snncompare.figures.style import SMALL

__all__ = ["draw_brackets", "runs"]

_CHARACTER = 1.15
"""Width of a character of the smallest text, mm."""


def runs(groups: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return ``(name, first, last)`` for each stretch of neighbours of the same group.

    Examples
    --------
    >>> runs(["a", "a", "b"])
    [('a', 0, 1), ('b', 2, 2)]
    """
    found: list[tuple[str, int, int]] = []
    for i, group in enumerate(map(str, groups)):
        if found and found[-1][0] == group:
            found[-1] = (group, found[-1][1], i)
        else:
            found.append((group, i, i))
    return found


def draw_brackets(ax: Axes, stretches: Sequence[tuple[str, int, int]], width: float) -> None:
    """Draw a line with a name above each stretch of columns, and white lines between stretches in the matrix.

    Parameters
    ----------
    ax : Axes
        Shows a matrix whose cell (i, j) is centred on (j, i).
    stretches : sequence of (name, first, last)
        From `runs`.
    width : float
        Width of the matrix on paper, mm; names that would collide are left out, every second, third ...
    """
    cell = width / max(stretches[-1][2] + 1, 1)
    needed = max((len(name) + 1) * _CHARACTER / ((last - first + 1) * cell) for name, first, last in stretches)
    step = max(1, int(-(-needed // 1)))
    trim = 0.5 - min(0.3, 0.4 / cell)
    for i, (name, first, last) in enumerate(stretches):
        where = ("data", "axes fraction")
        ends: dict[str, Any] = {"xycoords": where, "textcoords": "offset points", "annotation_clip": False}
        ax.plot(
            [first - trim, last + trim],
            [1.02, 1.02],
            transform=ax.get_xaxis_transform(),
            color="black",
            linewidth=0.8,
            clip_on=False,
            solid_capstyle="butt",
        )
        if i % step == 0:
            ax.annotate(
                name, ((first + last) / 2, 1.02), xytext=(0, 1.5), ha="center", va="bottom", fontsize=SMALL, **ends
            )
        if first > 0:
            ax.axvline(first - 0.5, color="white", linewidth=0.8)
            ax.axhline(first - 0.5, color="white", linewidth=0.8)
