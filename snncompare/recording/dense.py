"""Dense arrays with named dimensions: spike counts and rasters."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from snncompare.errors import InputError
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording

__all__ = ["counts", "raster"]

_BIN_TOLERANCE = 1e-6
"""Fraction of a bin by which a spike may lie before a bin's edge and still count as on it: k * dt in floats."""


def counts(recording: "Recording") -> xr.DataArray:
    """Return the number of spikes of each unit in each trial.

    Returns
    -------
    xarray.DataArray
        int64, dimensions ``trial, unit``; the labels of trials and units are coordinates. A unit label that is also
        a trial label is called ``unit_<label>``.
    """
    values = np.diff(recording.offsets).reshape(recording.n_trials, recording.n_units)
    return xr.DataArray(values, dims=("trial", "unit"), coords=_coordinates(recording, {"trial", "unit"}), name="count")


def raster(recording: "Recording", dt: QuantityLike) -> xr.DataArray:
    """Return spike counts in consecutive bins.

    A spike at time ``t`` of a trial that starts at ``s`` falls into bin ``floor((t - s) / dt)``; one that lies less
    than a millionth of a bin before an edge counts as on it (floating-point grids), and one on ``stop`` falls into
    the last bin.

    Parameters
    ----------
    recording : Recording
        All its trials must have the same window.
    dt : time
        Width of a bin, for example ``"1 ms"``; the window must be a whole number of bins.

    Returns
    -------
    xarray.DataArray
        int32, dimensions ``trial, unit, time``; ``time`` holds the left edges of the bins in seconds, and the
        attribute ``dt`` their width.

    Raises
    ------
    InputError
        For windows that differ between trials or are no whole number of bins.
    """
    width = seconds(dt, "dt")
    if width <= 0:
        raise InputError(f"dt must be positive, got {dt}; write for example '1 ms'.")
    windows = recording.trials[["start", "stop"]].to_numpy()
    if np.ptp(windows, axis=0).max() > _BIN_TOLERANCE * width:
        raise InputError("a raster needs the same window in all trials; cut the recording to one window first.")
    start, stop = windows[0]
    n_bins = round((stop - start) / width)
    if n_bins < 1 or abs((stop - start) / width - n_bins) > _BIN_TOLERANCE * max(n_bins, 1):
        raise InputError(
            f"the window of {stop - start:g} s is no whole number of bins of {dt}; choose a dt that divides it."
        )
    trial, unit = recording.spike_index()
    time = np.floor((recording.times - start) / width + _BIN_TOLERANCE).astype(np.int64)
    values = np.zeros((recording.n_trials, recording.n_units, n_bins), dtype=np.int32)
    np.add.at(values, (trial, unit, np.clip(time, 0, n_bins - 1)), 1)
    coordinates = _coordinates(recording, {"trial", "unit", "time"}) | {"time": start + width * np.arange(n_bins)}
    return xr.DataArray(values, dims=("trial", "unit", "time"), coords=coordinates, name="count", attrs={"dt": width})


def _coordinates(recording: "Recording", taken: set[str]) -> dict[str, Any]:
    coordinates: dict[str, Any] = {"trial": recording.trials.index.to_numpy(), "unit": recording.units.index.to_numpy()}
    used = set(taken)
    for dimension, table in (("trial", recording.trials), ("unit", recording.units)):
        for label in table.columns:
            name = label if label not in used else f"{dimension}_{label}"
            if name in used:
                raise InputError(
                    f"the {dimension} label '{label}' cannot be a coordinate: '{name}' exists; rename one."
                )
            used.add(name)
            coordinates[name] = (dimension, table[label].to_numpy())
    return coordinates
