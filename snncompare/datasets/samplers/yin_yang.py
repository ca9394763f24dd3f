"""Yin-Yang: points of the plane in three classes that no straight line parts."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.samplers.generated_trials import PARTS, checked_sizes
from snncompare.datasets.samples import Samples
from snncompare.encoding.stimuli import Features

__all__ = ["REGIONS", "YinYang", "region", "yin_yang"]

REGIONS = ("yin", "yang", "dot")
"""Classes, in the order of their published numbers."""

_SEEDS = {"train": 42, "validation": 41, "test": 40}
"""Of the published samples."""

_BIG, _SMALL = 0.5, 0.1
"""Radii of the disc and of its dots."""

_PART_DISTANCE = 1_000_000
"""Presentations are numbered part by part, this far apart."""


def yin_yang(
    files: Mapping[str, Path],  # noqa: ARG001 (nothing is read)
    *,
    n_train: int = 5000,
    n_validation: int = 1000,
    n_test: int = 1000,
) -> "YinYang":
    """Return points of the Yin-Yang disc; with the defaults the published ones, bit for bit.

    Each point is drawn by choosing a class, each with probability 1/3, and drawing uniform points of the square
    around the disc until one lies in that class.

    Parameters
    ----------
    files : mapping
        Empty.
    n_train, n_validation, n_test : int
        Sizes of the parts. Point i of a part is the same for any size; the published seeds of the parts differ.

    Returns
    -------
    YinYang
        Labels ``region`` (``"yin"``, ``"yang"``, ``"dot"``) and ``split``.

    Raises
    ------
    InputError
        For sizes that are no whole numbers of 0 or more, or if all are 0.

    References
    ----------
    Kriener, Göltz & Petrovici (2022) The Yin-Yang dataset, NICE 2022, doi 10.1145/3517343.3517380.
    """
    return YinYang({"train": n_train, "validation": n_validation, "test": n_test})


class YinYang(Samples):
    """Points of the disc as features x, y, 1 - x, 1 - y; see `yin_yang`."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = checked_sizes(sizes, 0)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per point: ``region``, ``split``, and the coordinates ``x`` and ``y``."""
        rows = [
            (f"{part} {i}", REGIONS[goal], part, *point)
            for part in PARTS
            for i, (point, goal) in enumerate(_points(_SEEDS[part], self._sizes[part]))
        ]
        table = pd.DataFrame(rows, columns=["name", "region", "split", "x", "y"])
        return table.set_index("name").rename_axis(None)

    def stimulus(self, position: int) -> Features:
        """Return x, y, 1 - x, 1 - y."""
        x, y = self._coordinates[position]
        return Features(np.array([x, y, 1.0 - x, 1.0 - y]))

    def number(self, position: int) -> int:
        """Return a number that depends on the part and the number within it, not on the sizes."""
        part, number = self.table.index[position].split()
        return PARTS.index(part) * _PART_DISTANCE + int(number)

    @cached_property
    def _coordinates(self) -> NDArray[np.float64]:
        return self.table[["x", "y"]].to_numpy()


def region(x: float, y: float) -> int | None:
    """Return the number of the class of a point, its position in `REGIONS`; None outside the disc.

    The disc has the centre (1/2, 1/2). The dots, of radius 0.1, lie at (1/4, 1/2) and (3/4, 1/2). The border between
    yin and yang is half a circle of radius 1/4 around either dot; yang holds the left dot and the upper half.
    """
    if np.hypot(x - _BIG, y - _BIG) > _BIG:
        return None
    left, right = np.hypot(x - _BIG / 2, y - _BIG), np.hypot(x - 1.5 * _BIG, y - _BIG)
    if min(left, right) < _SMALL:
        return 2
    in_yang = left <= _BIG / 2 or (y > _BIG and right > _BIG / 2)
    return 1 if in_yang else 0


def _points(seed: int, n: int) -> list[tuple[tuple[float, float], int]]:
    """Return n points with their classes. The generator is the legacy one, which the published points came from."""
    rng = np.random.RandomState(seed)
    points = []
    for _ in range(n):
        goal = int(rng.randint(len(REGIONS)))
        while True:
            x, y = (float(c) for c in rng.rand(2) * 2.0 * _BIG)
            if region(x, y) == goal:
                break
        points.append(((x, y), goal))
    return points
