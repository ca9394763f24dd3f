"""Dynamical similarity analysis: whether two systems move alike, whatever coordinates they move in."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from snncompare.comparison.dynamics.operators import dynamics_operator, eigenvalue_distance
from snncompare.comparison.dynamics.rotation import best_rotation
from snncompare.errors import InputError
from snncompare.recording.arguments import number_array

__all__ = ["DynamicalSimilarity", "dynamical_similarity", "operator_similarity"]

Array = NDArray[np.float64]

SAME_STEP = 1e-6
"""Relative difference of two sampling steps that count as equal."""


@dataclass(frozen=True, eq=False)
class DynamicalSimilarity:
    r"""How far the dynamics of two systems are apart.

    Attributes
    ----------
    angle : float
        Radians, 0 to pi: :math:`\arccos (\mathrm{tr}(A^T C B C^T) / \lVert A \rVert \lVert B \rVert)`. A metric that
        does not depend on the scale of the operators.
    euclidean : float
        :math:`\lVert A - C B C^T \rVert_F`.
    eigenvalue_distance : float
        Wasserstein distance of the eigenvalues; blind to non-normal dynamics.
    rotation : array (rank, rank)
        C.
    operator_x, operator_y : array (rank, rank)
        A and B.
    """

    angle: float
    euclidean: float
    eigenvalue_distance: float
    rotation: Array
    operator_x: Array
    operator_y: Array


def dynamical_similarity(
    x: Any, y: Any, *, delays: int, rank: int, n_starts: int = 10, seed: int = 0
) -> DynamicalSimilarity:
    r"""Return how far the dynamics of two sets of trajectories are apart (dynamical similarity analysis, DSA).

    Each set is described by the linear operator of its delay coordinates (`dynamics_operator`); the operators are
    compared by :math:`\min_{C \in O(n)} \lVert A - C B C^T \rVert_F`, which is 0 for dynamics that are the same up to a
    rotation or reflection of these coordinates. Geometry may differ while the dynamics agree, and the reverse.

    The minimum is searched for from several starts in both components of O(n) and is an upper bound of the true one.
    How ``delays`` and ``rank`` are chosen changes the result: choose them by how well the operators predict held-out
    samples, before models are compared, and report them.

    Parameters
    ----------
    x, y : xarray.DataArray from `rate_trajectories`, or array (n_trajectories, n_samples, n_units)
        Labelled ones must be of the same conditions and have the same step. Numbers of units may differ.
    delays : int
        Samples in one delay vector.
    rank : int
        Dimensions that are kept.
    n_starts : int
        Random starts of the search, besides two that are computed.
    seed : int
        Of the starts.

    Raises
    ------
    InputError
        If the trajectories cannot be compared, or are too short or of too low rank.

    References
    ----------
    Ostrow, Eisen, Kozachkov & Fiete 2023, arXiv 2306.10168, eq. 6 and 7.
    """
    for name, value, least in (("delays", delays, 1), ("rank", rank, 1), ("n_starts", n_starts, 0), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name} must be a whole number of at least {least}, got {value!r}.")
    _check_labels(x, y)
    a, b = (dynamics_operator(_values(given, name), delays, rank) for given, name in ((x, "x"), (y, "y")))
    return operator_similarity(a, b, n_starts=n_starts, seed=seed)


def operator_similarity(a: Array, b: Array, *, n_starts: int = 10, seed: int = 0) -> DynamicalSimilarity:
    """Return how far two operators (n, n) are apart up to an orthogonal change of coordinates."""
    if a.shape != b.shape or a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise InputError(f"operators must be square and of the same size, got shapes {a.shape} and {b.shape}.")
    unit_a, unit_b = _unit(a), _unit(b)
    rotation = best_rotation(unit_a, unit_b, n_starts, np.random.default_rng(seed))
    moved, unit_b = (rotation @ m @ rotation.T for m in (b, unit_b))
    return DynamicalSimilarity(
        angle=float(2 * np.arctan2(np.linalg.norm(unit_a - unit_b), np.linalg.norm(unit_a + unit_b))),
        euclidean=float(np.linalg.norm(a - moved)),
        eigenvalue_distance=eigenvalue_distance(a, b),
        rotation=rotation,
        operator_x=a,
        operator_y=b,
    )


def _unit(matrix: Array) -> Array:
    length = np.linalg.norm(matrix)
    if length == 0:
        raise InputError("an operator is zero, so it has no direction; are the trajectories constant at 0?")
    return matrix / length


def _values(given: Any, name: str) -> Array:
    labelled = given.transpose("condition", "time", "unit") if isinstance(given, xr.DataArray) else given
    values = number_array(labelled, name)
    if values.ndim != 3 or not np.isfinite(values).all():
        raise InputError(f"{name} must be finite trajectories of shape (n_trajectories, n_samples, n_units).")
    if not values.any():
        raise InputError(f"{name} is zero everywhere; there are no dynamics to compare.")
    return values


def _check_labels(x: Any, y: Any) -> None:
    labelled = [given for given in (x, y) if isinstance(given, xr.DataArray)]
    for given in labelled:
        if set(given.dims) != {"condition", "time", "unit"}:
            raise InputError(f"trajectories need the dimensions condition, time, unit, got {given.dims}.")
    if len(labelled) < 2:
        return
    names, others = (given.coords["condition"].to_numpy().tolist() for given in labelled)
    if set(names) != set(others):
        raise InputError(f"the trajectories are of different conditions: {names} and {others}.")
    steps = [float(given.coords["time"].diff("time").mean()) for given in labelled]
    if abs(steps[0] - steps[1]) > SAME_STEP * steps[0]:
        raise InputError(f"the trajectories have steps of {steps[0]:g} s and {steps[1]:g} s; use the same for both.")
