"""Cut traces into windows, with the rule that spikes are cut by."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.traces import SAMPLE_TOLERANCE, rounding, trace_array

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Windows", "cut_trace"]


class Windows(NamedTuple):
    """Where to cut, one entry per new trial: position of the source trial, onset, and edges (seconds in the source)."""

    source: NDArray[np.int64]
    onset: NDArray[np.float64]
    lo: NDArray[np.float64]
    hi: NDArray[np.float64]


def cut_trace(name: str, trace: "xr.DataArray", windows: Windows, trials: pd.Index) -> "xr.DataArray":
    """Return the samples of each window, with times relative to its onset.

    A sample at ``t`` belongs to the window if ``lo <= t < hi``: it stands for the interval that begins with it, so one
    on the end of a recording belongs to no window that ends there. All windows share one time axis: where a window is
    shorter than another or the trace does not cover it, there is NaN. Samples are neither moved nor interpolated;
    therefore all onsets must lie equally far from the sample before them (a millionth of an interval is rounding).

    Parameters
    ----------
    name : str
    trace : xarray.DataArray
        As `Recording` holds it.
    windows : Windows
    trials : pandas.Index
        Labels of the new trials, one per window.

    Raises
    ------
    InputError
        For onsets that lie differently between samples, and where no window holds a sample.
    """
    time, dt = trace["time"].to_numpy(), float(trace.attrs["dt"])
    shift = _shift(name, windows.onset, time, dt)
    first, last = (_first_from(edge, time, dt) for edge in (windows.lo, windows.hi))
    filled = np.flatnonzero(last > first)
    if not filled.size:
        raise InputError(f"no window holds a sample of trace '{name}'. {_next(dt)}")
    earliest, latest = (first - shift)[filled].min(), (last - shift)[filled].max()
    values = np.full((shift.size, trace.sizes["unit"], latest - earliest), np.nan, dtype=trace.dtype)
    for i in filled:
        place = slice(first[i] - shift[i] - earliest, last[i] - shift[i] - earliest)
        values[i, :, place] = trace.values[windows.source[i], :, first[i] : last[i]]
    values.setflags(write=False)
    onset = (windows.onset[0] - time[0]) / dt
    whole = np.rint(onset)
    if abs(onset - whole) <= _tolerance(windows.onset, time, dt):
        onset = whole
    relative = (np.arange(earliest, latest) - onset) * dt
    return trace_array(
        values, trials=trials, units=trace.indexes["unit"], time=relative, unit=trace.attrs["unit"], dt=dt, name=name
    )


def _shift(name: str, onset: NDArray[np.float64], time: NDArray[np.float64], dt: float) -> NDArray[np.int64]:
    """Return how many samples each onset lies after the first one, shape (n_windows,)."""
    apart = (onset - onset[0]) / dt
    shift = np.rint(apart)
    missed = np.abs(apart - shift) > _tolerance(onset, time, dt)
    if missed.any():
        i = int(missed.argmax())
        raise InputError(
            f"the windows do not fall on the samples of trace '{name}': window {i} begins {apart[i]:.6g} samples "
            f"after the first one. {_next(dt)}"
        )
    return shift.astype(np.int64)


def _first_from(edge: NDArray[np.float64], time: NDArray[np.float64], dt: float) -> NDArray[np.int64]:
    """Return the position of the first sample at or after each edge, shape (n_windows,)."""
    position = np.ceil((edge - time[0]) / dt - _tolerance(edge, time, dt))
    return np.clip(position, 0, time.size).astype(np.int64)


def _tolerance(edges: NDArray[np.float64], time: NDArray[np.float64], dt: float) -> float:
    return SAMPLE_TOLERANCE + (rounding(edges) + rounding(time)) / dt


def _next(dt: float) -> str:
    return (
        f"Choose onsets and lengths that are multiples of its interval of {dt:.6g} s, or leave the trace out before "
        "cutting, by Recording.select(traces=[...]) with the names to keep."
    )
