"""RDMs as an array with named axes, over time scales and windows, and back."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import instance, number_array
from snncompare.representation.conditions import unique_labels
from snncompare.representation.labelled import labelled_rdms, refuse_unlabelled

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["rdm_cube", "rdms_of_cube"]

AXES = ("time_scale", "window_start")
"""What RDMs of one metric may differ in, in the order of the axes."""

SHARED = ("metric", "name", "estimator")


def rdm_cube(rdms: "RDMs", diagonal: ArrayLike | None = None) -> xr.DataArray:
    """Return the RDMs of one metric as an array over time scales (and windows) and two conditions.

    Parameters
    ----------
    rdms : rsatoolbox.rdm.RDMs
        Of one metric, name and estimator, with one RDM for each time scale, or for each time scale and window
        (from `snncompare.representation.movie.rdm_movie`).
    diagonal : array (n_rdms, n_conditions), optional
        How far trials of the same condition are apart, such as ``within_condition(...)`` in the order of the RDMs.
        Without it the diagonal is NaN: RDMs do not keep it.

    Returns
    -------
    xarray.DataArray
        Dimensions ``time_scale[, window_start], condition, condition_``; ``window_stop`` is a coordinate of
        ``window_start`` (both seconds); attributes ``metric``, ``name`` and ``estimator``.

    Raises
    ------
    InputError
        If the RDMs differ in anything but time scale and window, or one of their combinations is missing or twice.
    """
    refuse_unlabelled(rdms)
    labels = list(unique_labels(rdms.pattern_descriptors["condition"]))
    attributes = {key: _shared(rdms, key) for key in SHARED if key in rdms.rdm_descriptors}
    axes = [axis for axis in AXES if axis == "time_scale" or axis in rdms.rdm_descriptors]
    columns = {axis: np.asarray(rdms.rdm_descriptors[axis], dtype=np.float64) for axis in axes}
    coordinates, places = {}, []
    for axis, column in columns.items():
        values, place = np.unique(column, return_inverse=True)  # NaN, for a metric without time scale, is one value
        coordinates[axis] = values
        places.append(place)
    shape = tuple(len(values) for values in coordinates.values())
    position = np.ravel_multi_index(places, shape)
    if np.unique(position).size != rdms.n_rdm or rdms.n_rdm != int(np.prod(shape)):
        grid = " and ".join(f"{len(values)} of {axis}" for axis, values in coordinates.items())
        raise InputError(
            f"{rdms.n_rdm} RDMs do not fill a cube of {grid} once each; take a subset, as rdms.subset('name', ...)."
        )
    matrices = np.array(rdms.get_matrices(), dtype=np.float64)
    every = np.arange(len(labels))
    matrices[:, every, every] = np.nan if diagonal is None else _diagonal(diagonal, rdms.n_rdm, len(labels))
    filled = np.empty_like(matrices)
    filled[position] = matrices
    cube = xr.DataArray(
        filled.reshape(*shape, len(labels), len(labels)),
        dims=(*axes, "condition", "condition_"),
        coords={**coordinates, "condition": labels, "condition_": labels},
        name="dissimilarity",
        attrs=attributes,
    )
    if "window_start" not in axes:
        return cube
    stops = dict(zip(columns["window_start"].tolist(), rdms.rdm_descriptors["window_stop"], strict=True))
    return cube.assign_coords(
        window_stop=("window_start", [stops[start] for start in coordinates["window_start"].tolist()])
    )


def rdms_of_cube(cube: xr.DataArray) -> "RDMs":
    """Return the RDMs of a cube, in the order of its axes; the diagonal stays behind.

    Raises
    ------
    InputError
        If it is no such cube, names its rows and columns differently or is not symmetric.
    """
    instance(cube, xr.DataArray, "cube", "an xarray.DataArray, such as rdm_cube(rdms) returns")
    axes = [axis for axis in AXES if axis in cube.dims]
    if set(cube.dims) != {*axes, "condition", "condition_"} or "time_scale" not in axes:
        raise InputError(f"a cube of RDMs has the dimensions {AXES}, condition and condition_, got {cube.dims}.")
    ordered = cube.transpose(*axes, "condition", "condition_")
    labels = unique_labels(ordered["condition"].to_numpy().tolist())
    if labels != tuple(ordered["condition_"].to_numpy().tolist()):
        raise InputError("the rows and columns of a cube of RDMs must name the same conditions in the same order.")
    matrices = ordered.to_numpy().reshape(-1, len(labels), len(labels))
    if not np.array_equal(matrices, matrices.transpose(0, 2, 1), equal_nan=True):
        raise InputError("a cube of RDMs must be symmetric in its conditions; average both directions first.")
    grid = np.meshgrid(*(ordered[axis].to_numpy() for axis in axes), indexing="ij")
    columns = {axis: values.ravel().tolist() for axis, values in zip(axes, grid, strict=True)}
    more: dict[str, list[Any]] = {key: values for key, values in columns.items() if key != "time_scale"}
    if "window_start" in axes:
        stops = dict(zip(ordered["window_start"].to_numpy().tolist(), ordered["window_stop"].to_numpy(), strict=True))
        more["window_stop"] = [float(stops[start]) for start in columns["window_start"]]
    n = len(matrices)
    return labelled_rdms(
        matrices[:, *np.triu_indices(len(labels), k=1)],
        labels,
        metric=[str(cube.attrs.get("metric", "dissimilarity"))] * n,
        time_scale=columns["time_scale"],
        name=[str(cube.attrs.get("name", "cube"))] * n,
        estimator=str(cube.attrs.get("estimator", "")),
        more=more,
    )


def _shared(rdms: "RDMs", key: str) -> str:
    values = list(dict.fromkeys(str(value) for value in rdms.rdm_descriptors[key]))
    if len(values) > 1:
        raise InputError(f"a cube holds RDMs of one {key}, got {values}; take rdms.subset('{key}', {values[0]!r}).")
    return values[0]


def _diagonal(given: ArrayLike, n_rdms: int, n_conditions: int) -> NDArray[np.float64]:
    values = number_array(given, "the diagonal")
    if values.shape != (n_rdms, n_conditions):
        raise InputError(
            f"the diagonal needs the shape {(n_rdms, n_conditions)} (RDMs, conditions), got {values.shape}."
        )
    return values
