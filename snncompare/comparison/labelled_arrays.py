"""Arrays over conditions or trials brought to one order by their labels, never by position."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import number_array

__all__ = ["aligned_grams", "aligned_rows"]

Array = NDArray[np.float64]

SYMMETRY = 1e-9
"""Relative to the largest entry; a Gram matrix that is symmetric by construction is so to 1e-15."""


def aligned_grams(x: Any, y: Any, fewest: int = 2) -> tuple[Array, Array]:
    """Return two Gram matrices in one order: by label where both have labels, else as they are.

    Raises
    ------
    InputError
        If one has labels and the other has none, if the labels differ or repeat, or as in `cka`.
    """
    labelled = [isinstance(gram, xr.DataArray) for gram in (x, y)]
    if labelled[0] != labelled[1]:
        raise InputError(
            "one Gram matrix has labels and the other has none, so they cannot be aligned; give both as "
            "xarray.DataArray, or both as plain arrays in the same order."
        )
    if labelled[0]:
        (first, names), (second, others) = _labelled_values(x, "x"), _labelled_values(y, "y")
        order = _places(others, names)
        return _checked(first, "x", fewest), _checked(second[np.ix_(order, order)], "y", fewest)
    first, second = number_array(x, "x"), number_array(y, "y")
    if first.shape != second.shape:
        raise InputError(f"the Gram matrices have shapes {first.shape} and {second.shape}; they need the same rows.")
    return _checked(first, "x", fewest), _checked(second, "y", fewest)


def aligned_rows(given: xr.DataArray, wanted: xr.DataArray, dimension: str) -> NDArray[np.intp]:
    """Return the places in ``given`` of the labels that ``wanted`` has along a dimension.

    Raises
    ------
    InputError
        If labels are missing or repeated, or differ between the two; both sets are shown.
    """
    for array in (given, wanted):
        if dimension not in array.coords:
            raise InputError(
                f"the dimension '{dimension}' has no labels; set them with assign_coords({dimension}=[...])."
            )
    names, others = (array.coords[dimension].to_numpy().tolist() for array in (given, wanted))
    for labels in (names, others):
        if len(set(labels)) != len(labels):
            raise InputError(f"the dimension '{dimension}' has a label twice: {_shown(labels)}.")
    return _places(names, others)


def _places(given: list[Any], wanted: list[Any]) -> NDArray[np.intp]:
    if set(given) != set(wanted):
        raise InputError(f"the two are over different labels: {_shown(wanted)} and {_shown(given)}.")
    place = {label: k for k, label in enumerate(given)}
    return np.array([place[label] for label in wanted], dtype=np.intp)


def _labelled_values(gram: xr.DataArray, name: str) -> tuple[Array, list[Any]]:
    if gram.ndim != 2 or f"{gram.dims[0]}_" != gram.dims[1]:
        raise InputError(
            f"{name} must have dimensions (condition, condition_) or (trial, trial_), got {gram.dims}; choose one "
            "kernel, for example with gram.isel(kernel=0)."
        )
    rows, columns = (gram.coords[dim].to_numpy().tolist() if dim in gram.coords else None for dim in gram.dims)
    if rows is None or rows != columns:
        raise InputError(f"rows and columns of {name} must carry the same labels, in the same order.")
    if len(set(rows)) != len(rows):
        raise InputError(f"{name} has a label twice: {_shown(rows)}; average trials with condition_gram(...) first.")
    return gram.to_numpy().astype(np.float64), rows


def _checked(gram: Array, name: str, fewest: int) -> Array:
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
        raise InputError(f"{name} must be a square matrix, got shape {gram.shape}.")
    if len(gram) < fewest:
        raise InputError(f"{name} has {len(gram)} rows; at least {fewest} are needed here.")
    if not np.isfinite(gram).all():
        raise InputError(f"{name} has entries that are not finite; every pair needs an inner product.")
    if np.abs(gram - gram.T).max() > SYMMETRY * np.abs(gram).max():
        raise InputError(f"{name} is not symmetric, so it is no Gram matrix.")
    return gram


def _shown(labels: list[Any]) -> str:
    more = f" and {len(labels) - 12} more" if len(labels) > 12 else ""
    return f"[{', '.join(repr(label) for label in labels[:12])}{more}]"
