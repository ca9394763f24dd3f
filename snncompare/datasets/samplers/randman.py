"""Smooth random manifolds: each class is a random curve or surface in the space of spike times."""

from collections.abc import Mapping
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.samplers.generated_trials import GeneratedTrials
from snncompare.encoding.encoder import Spikes
from snncompare.errors import InputError
from snncompare.units import QuantityLike, seconds

__all__ = ["Randman", "randman"]

_PRECISION, _MOST_HARMONICS = 1e-3, 1000
"""Harmonics weaker than this part of the first are left out, and never more than so many are used."""

_COARSE, _FINE = 64, 64
"""The range of a coordinate is found on a grid of coarse times fine points."""

_MANIFOLDS = 0
"""First number of the keys of the manifolds, which all parts share."""

_ROUNDING = 1e9


class _Harmonics(NamedTuple):
    """Sines of one class, arrays of shape (n_units, dimension, n_harmonics), and the range of their products."""

    amplitude: NDArray[np.float64]
    frequency: NDArray[np.float64]
    phase: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def randman(
    files: Mapping[str, Path],  # noqa: ARG001 (nothing is read)
    *,
    n_classes: int = 10,
    n_units: int = 20,
    dimension: int = 1,
    smoothness: float = 1.0,
    window: QuantityLike = "200 ms",
    n_train: int = 8000,
    n_validation: int = 1000,
    n_test: int = 1000,
    seed: int = 0,
) -> "Randman":
    r"""Return points on smooth random manifolds, each coordinate read as the time of the only spike of a unit.

    .. math::

        f_j(x) = \prod_{d=1}^{D} \sum_{i=0}^{n-1} \frac{a_{jdi}}{(i+1)^{\alpha}}
            \sin \left( 2 \pi (i\, x_d\, b_{jdi} + c_{jdi}) \right), \qquad
        t_j = T \frac{f_j - \min f_j}{\max f_j - \min f_j}

    with :math:`a, b, c, x` uniform from 0 to 1, one set of :math:`a, b, c` for each class, and :math:`n =
    \min(\lceil 10^{3 / \alpha} \rceil, 1000)`. The range of :math:`f_j` is that over the whole manifold (on a grid of
    4096 points along each :math:`x_d`; the factors depend on different coordinates, so the range of the product follows
    from theirs). It does not depend on the samples, unlike in the authors' code.

    Parameters
    ----------
    files : mapping
        Empty.
    n_classes, n_units : int
    dimension : int
        :math:`D`, intrinsic dimension of the manifolds.
    smoothness : float
        :math:`\alpha`, larger is smoother and easier.
    window : time
        :math:`T`.
    n_train, n_validation, n_test : int
        Sizes of the parts; classes take turns. The parts share the manifolds and have points of their own.
    seed : int

    Returns
    -------
    Randman
        Labels ``manifold`` (number of the class) and ``split``; coordinates ``x1``, ...

    Raises
    ------
    InputError
        For numbers below one, a smoothness that is not positive.

    References
    ----------
    Zenke & Vogels (2021) Neural Comput 33:899-925.
    """
    for name, number in (("n_classes", n_classes), ("n_units", n_units), ("dimension", dimension)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InputError(f"{name} must be a whole number of at least 1, got {number!r}.")
    duration = seconds(window, "window")
    if not (0 < smoothness < np.inf and duration > 0):
        raise InputError(f"smoothness and window must be positive, got {smoothness!r} and {window}.")
    sizes = {"train": n_train, "validation": n_validation, "test": n_test}
    return Randman(n_classes, n_units, dimension, smoothness, duration, sizes, seed)


class Randman(GeneratedTrials):
    """Spikes of units whose times are coordinates of a point on a manifold; see `randman`."""

    def __init__(
        self,
        n_classes: int,
        n_units: int,
        dimension: int,
        smoothness: float,
        window: float,
        sizes: Mapping[str, int],
        seed: int,
    ) -> None:
        settings: dict[str, Any] = {"n_classes": n_classes, "n_units": n_units, "dimension": dimension}
        super().__init__(sizes, seed, settings | {"smoothness": smoothness, "window": window})
        self._n_classes = n_classes
        self._n_units = n_units
        self._dimension = dimension
        self._smoothness = smoothness
        self._window = window

    @cached_property
    def units(self) -> pd.DataFrame:
        """One row per coordinate of the space that holds the manifolds."""
        number = np.arange(self._n_units)
        return pd.DataFrame({"coordinate": number}, index=[f"coordinate {j}" for j in number])

    def _described(self, position: int) -> tuple[float, dict[str, Any]]:
        point = {f"x{d + 1}": float(x) for d, x in enumerate(self._point(position))}
        return self._window, {"manifold": self.places[position][1] % self._n_classes} | point

    def _point(self, position: int) -> NDArray[np.float64]:
        return self.randomness(position, 0).random(self._dimension)

    def _fired(self, position: int) -> Spikes:
        sines = self._manifolds[self.places[position][1] % self._n_classes]
        angle = sines.frequency * self._point(position)[:, np.newaxis] + sines.phase
        product = (sines.amplitude * np.sin(2.0 * np.pi * angle)).sum(axis=2).prod(axis=1)
        part = np.clip((product - sines.low) / (sines.high - sines.low), 0.0, 1.0)
        return Spikes(self._window * part, np.ones(self._n_units, dtype=np.int64))

    @cached_property
    def _manifolds(self) -> list[_Harmonics]:
        return [self._manifold(number) for number in range(self._n_classes)]

    def _manifold(self, number: int) -> _Harmonics:
        n = min(ceil(_PRECISION ** (-1.0 / self._smoothness)), _MOST_HARMONICS)
        i = np.arange(n)
        drawn = np.empty((3, self._n_units, self._dimension, n))
        for j in range(self._n_units):
            key = np.random.SeedSequence(self._seed, spawn_key=(_MANIFOLDS, number, j))
            drawn[:, j] = np.random.default_rng(key).random((3, self._dimension, n))
        amplitude, frequency, phase = drawn[0] / (i + 1.0) ** self._smoothness, drawn[1] * i, drawn[2]
        low, high = np.ones(self._n_units), np.ones(self._n_units)
        for d in range(self._dimension):
            ends = np.array([_range(amplitude[j, d], frequency[j, d], phase[j, d]) for j in range(self._n_units)])
            corners = np.stack([low * ends[:, 0], low * ends[:, 1], high * ends[:, 0], high * ends[:, 1]])
            low, high = corners.min(axis=0), corners.max(axis=0)
        return _Harmonics(amplitude, frequency, phase, low, high)


def _range(
    amplitude: NDArray[np.float64], frequency: NDArray[np.float64], phase: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the least and the largest value of a sum of sines from 0 to 1.

    The sine of a sum of angles, coarse and fine part of the coordinate, is two products of matrices. Their last digits
    depend on the machine, so that the range is rounded outwards, far above them.
    """
    coarse = 2.0 * np.pi * (np.arange(_COARSE)[:, np.newaxis] / _COARSE * frequency + phase)
    fine = 2.0 * np.pi * (np.arange(_FINE)[:, np.newaxis] / (_COARSE * _FINE) * frequency)
    values = (amplitude * np.sin(coarse)) @ np.cos(fine).T + (amplitude * np.cos(coarse)) @ np.sin(fine).T
    return float(np.floor(values.min() * _ROUNDING) / _ROUNDING), float(np.ceil(values.max() * _ROUNDING) / _ROUNDING)
