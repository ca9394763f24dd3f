"""Traces: variables of units, such as membrane voltages, sampled at even intervals beside the spikes."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from snncompare.errors import InputError, unknown

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["DIMENSIONS", "SAMPLE_TOLERANCE", "equal_traces", "rounding", "selected_traces", "trace_array"]

SAMPLE_TOLERANCE = 1e-6
"""Fraction of a sampling interval by which a time may miss a sample: the rounding of decimals to floats."""

DIMENSIONS = ("trial", "unit", "time")
"""Dimensions of every trace, in this order."""


def trace_array(
    values: NDArray[np.floating[Any]],
    *,
    trials: pd.Index,
    units: pd.Index,
    time: NDArray[np.float64],
    unit: str,
    dt: float | None = None,
    name: str | None = None,
) -> "xr.DataArray":
    """Return samples as a trace, the form in which `Recording` takes and holds them; nothing is copied or checked.

    Parameters
    ----------
    values : array of float, shape (n_trials, n_units, n_samples)
        In the SI unit ``unit``; NaN where nothing was recorded. `Recording` copies it unless it owns its memory and is
        read-only (``values.setflags(write=False)``).
    trials, units : pandas.Index of length n_trials and n_units
        Labels of all trials of the recording, and of the units that were sampled.
    time : array of shape (n_samples,)
        Seconds, evenly spaced, relative to the reference of the trial.
    unit : str
        Full name of the SI unit, such as ``"volt"`` or ``"siemens/metre**2"``; ``"1"`` for a number.
    dt : float, optional
        Sampling interval in seconds; needed where there is one sample only.
    name : str, optional

    Returns
    -------
    xarray.DataArray
        Dimensions ``trial, unit, time``, a coordinate for each, attributes ``unit`` and, if given, ``dt``.
    """
    import xarray as xr

    coordinates = {"trial": trials.to_numpy(), "unit": units.to_numpy(), "time": time}
    attributes = {"unit": unit} | ({} if dt is None else {"dt": dt})
    return xr.DataArray(values, dims=DIMENSIONS, coords=coordinates, attrs=attributes, name=name)


def rounding(times: ArrayLike) -> float:
    """Return by how much sums of such times can be rounded, in seconds: some units in the last place."""
    return float(8 * np.finfo(float).eps * np.abs(times).max())


def selected_traces(
    traces: "Mapping[str, xr.DataArray]",
    names: Iterable[str] | None,
    trials: NDArray[np.bool_],
    units: NDArray[np.bool_],
    unit_labels: pd.Index,
) -> "dict[str, xr.DataArray]":
    """Return the named traces (None: all) of the trials and units that the masks keep.

    A trace of none of the kept units is left out.

    Parameters
    ----------
    traces : mapping of str to DataArray
    names : names of traces, optional
    trials, units : boolean arrays of shape (n_trials,) and (n_units,)
    unit_labels : pandas.Index of length n_units

    Raises
    ------
    InputError
        For a name that is no trace.
    """
    if isinstance(names, str):
        raise InputError(f"traces are chosen by a list of names, for example ['{names}']; got the text '{names}'.")
    chosen = list(traces) if names is None else list(names)
    for name in chosen:
        if name not in traces:
            raise InputError(unknown("trace", name, traces))
    selected = {}
    for name, trace in traces.items():
        if name not in chosen:
            continue
        kept = units[unit_labels.get_indexer(trace.indexes["unit"])]
        if trials.all() and kept.all():
            selected[name] = trace
        elif kept.any():
            part = trace.isel(trial=np.flatnonzero(trials), unit=np.flatnonzero(kept))
            part.values.setflags(write=False)
            selected[name] = part
    return selected


def equal_traces(one: "Mapping[str, xr.DataArray]", other: "Mapping[str, xr.DataArray]") -> bool:
    """Whether names, labels, times, units and values are the same, to the last bit; NaN equals NaN."""
    return list(one) == list(other) and all(
        trace.dtype == other[name].dtype
        and trace.attrs == other[name].attrs
        and all(np.array_equal(trace[dim].to_numpy(), other[name][dim].to_numpy()) for dim in DIMENSIONS)
        and np.array_equal(trace.values, other[name].values, equal_nan=True)
        for name, trace in one.items()
    )
