"""What traces must satisfy, each condition with the sentence that says it does not."""

from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, UnitError
from snncompare.recording.checks import positions
from snncompare.recording.traces import DIMENSIONS, SAMPLE_TOLERANCE, rounding, trace_array
from snncompare.units import parse_unit

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["checked_traces"]


def checked_traces(traces: Mapping[str, Any], units: pd.Index, trials: pd.DataFrame) -> "dict[str, xr.DataArray]":
    """Return traces that the recording owns: read-only float32 or float64 values, attributes ``unit`` and ``dt``.

    Raises
    ------
    InputError
        For names that are no text, anything but a DataArray with dimensions ``trial, unit, time`` and a coordinate for
        each, labels that are not those of the recording, times that are not evenly spaced, values that are no numbers,
        infinite, or outside the window of their trial, and a unit that is not SI.
    """
    if not isinstance(traces, Mapping):
        raise InputError(
            f"traces are a mapping from names such as 'hidden.v' to xarray.DataArray, got {type(traces).__name__}."
        )
    return {name: _checked(name, trace, units, trials) for name, trace in traces.items()}


def _checked(name: str, trace: Any, units: pd.Index, trials: pd.DataFrame) -> "xr.DataArray":
    _refuse_other_forms(name, trace)
    time = _times(name, trace["time"].to_numpy())
    dt = _interval(name, time, trace.attrs.get("dt"))
    _refuse_other_trials(name, trace["trial"].to_numpy(), trials.index)
    values = _owned(name, trace.values)
    kept = units[_unit_positions(name, trace["unit"].to_numpy(), units)]
    _refuse_infinite(name, trace, values)
    _refuse_outside(name, values, time, dt, trials)
    unit = _si_unit(name, trace.attrs)
    return trace_array(values, trials=trials.index, units=kept, time=time, unit=unit, dt=dt, name=name)


def _refuse_other_forms(name: Any, trace: Any) -> None:
    import xarray as xr

    if not isinstance(name, str) or not name:
        raise InputError(f"the name of a trace is text such as 'hidden.v', got {name!r}.")
    if not isinstance(trace, xr.DataArray):
        raise InputError(
            f"trace '{name}' must be an xarray.DataArray with dimensions trial, unit, time, got {type(trace).__name__}."
        )
    if trace.dims != DIMENSIONS:
        given = ", ".join(str(dimension) for dimension in trace.dims) or "none"
        raise InputError(f"trace '{name}' must have the dimensions trial, unit, time in this order; it has {given}.")
    if 0 in trace.shape:
        raise InputError(f"trace '{name}' is empty, of shape {trace.shape}; leave it out.")
    if set(trace.coords) != set(DIMENSIONS):
        given = ", ".join(str(coordinate) for coordinate in trace.coords) or "none"
        raise InputError(
            f"trace '{name}' must have the coordinates trial and unit (labels) and time (seconds), and no others; "
            f"it has {given}."
        )
    others = [str(key) for key in trace.attrs if key not in {"unit", "dt"}]
    if others:
        raise InputError(
            f"trace '{name}' has the attributes {', '.join(others)}; a trace has unit and dt only, the rest belongs "
            "into the provenance."
        )


def _times(name: str, time: NDArray[Any]) -> NDArray[np.float64]:
    if time.dtype.kind not in "iuf" or not np.isfinite(time).all():
        raise InputError(f"the time of trace '{name}' must be finite numbers in seconds, got {time.dtype}.")
    return time.astype(np.float64)


def _interval(name: str, time: NDArray[np.float64], given: Any) -> float:
    """Return the sampling interval in seconds of the samples at ``time``, shape (n_samples,)."""
    if given is not None and (isinstance(given, bool) or not isinstance(given, Real) or not 0 < float(given) < np.inf):
        raise InputError(f"dt of trace '{name}' must be a positive number of seconds, got {given!r}.")
    if given is None and time.size < 2:
        raise InputError(f"trace '{name}' has one sample; give its interval in seconds as the attribute dt.")
    if given is None:
        # Samples at k * dt give dt back to the last bit.
        given = time[1] if time[0] == 0 else (time[-1] - time[0]) / (time.size - 1)
    dt = float(given)
    uneven = np.abs(time - (time[0] + dt * np.arange(time.size))) > SAMPLE_TOLERANCE * abs(dt) + rounding(time)
    if dt <= 0 or uneven.any():
        where = f"; sample {int(uneven.argmax())} is at {time[uneven.argmax()]:.9g} s" if uneven.any() else ""
        raise InputError(
            f"the time of trace '{name}' must rise in even steps, here from {time[0]:.9g} s by {dt:.9g} s{where}."
        )
    return dt


def _refuse_other_trials(name: str, labels: NDArray[Any], trials: pd.Index) -> None:
    found = _positions(name, labels, trials, "trial")
    if found.size != len(trials) or (found != np.arange(found.size)).any():
        raise InputError(
            f"trace '{name}' must have the {len(trials)} trials of the recording in their order, got {found.size} "
            "trials; write NaN where nothing was recorded."
        )


def _unit_positions(name: str, labels: NDArray[Any], units: pd.Index) -> NDArray[np.int64]:
    found = _positions(name, labels, units, "unit")
    if (np.diff(found) <= 0).any():
        raise InputError(f"the units of trace '{name}' must stand in the order of the units table, each once.")
    return found


def _positions(name: str, labels: NDArray[Any], index: pd.Index, what: str) -> NDArray[np.int64]:
    try:
        return positions(labels, index, what)
    except InputError as problem:
        raise InputError(f"trace '{name}': {problem}") from problem


def _owned(name: str, values: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Return the values as read-only array that nobody else can write."""
    if values.dtype.kind not in "iuf":
        raise InputError(f"trace '{name}' must hold numbers, got {values.dtype}; convert them to float64.")
    if values.flags.owndata and not values.flags.writeable and values.dtype in (np.float32, np.float64):
        return values
    copy: NDArray[Any] = np.array(values, dtype=np.float32 if values.dtype == np.float32 else np.float64, order="C")
    copy.setflags(write=False)
    return copy


def _refuse_infinite(name: str, trace: "xr.DataArray", values: NDArray[np.floating[Any]]) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        trial, unit, time = (
            trace[dimension].to_numpy()[i]
            for dimension, i in zip(DIMENSIONS, np.unravel_index(infinite.argmax(), values.shape), strict=True)
        )
        raise InputError(
            f"trace '{name}' is infinite in {int(infinite.sum())} samples, the first in trial '{trial}', unit "
            f"'{unit}', at {time:.9g} s; a simulation that diverges needs a smaller dt. NaN stands for what was not "
            "recorded."
        )


def _refuse_outside(
    name: str, values: NDArray[np.floating[Any]], time: NDArray[np.float64], dt: float, trials: pd.DataFrame
) -> None:
    tolerance = SAMPLE_TOLERANCE * dt + rounding(time)
    start, stop = trials["start"].to_numpy(), trials["stop"].to_numpy()
    for row in np.flatnonzero((time[0] < start - tolerance) | (time[-1] > stop + tolerance)):
        outside = (time < start[row] - tolerance) | (time > stop[row] + tolerance)
        if not np.isnan(values[row][:, outside]).all():
            raise InputError(
                f"trace '{name}' has samples outside the window of trial '{trials.index[row]}', which lasts from "
                f"{start[row]:.9g} to {stop[row]:.9g} s, while the trace lasts from {time[0]:.9g} to {time[-1]:.9g} s; "
                "widen start and stop, or write NaN there."
            )


def _si_unit(name: str, attributes: Mapping[Any, Any]) -> str:
    unit = attributes.get("unit")
    if not isinstance(unit, str) or not unit.strip():
        raise InputError(
            f"trace '{name}' must say its SI unit as the attribute unit, such as 'volt' ('1' for a number); "
            f"it says {unit!r}."
        )
    try:
        scale, _ = parse_unit(unit)
    except UnitError as problem:
        raise InputError(f"trace '{name}': {problem}") from problem
    if scale != 1.0:
        raise InputError(
            f"trace '{name}' is in '{unit}', but traces are in SI units such as 'volt'; multiply it by {scale:g} and "
            "name the SI unit."
        )
    return unit
