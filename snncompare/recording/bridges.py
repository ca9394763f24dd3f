"""Spikes from and to what other programs hold in memory: tables, rasters of 0 and 1, and Brian2's monitors."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording

__all__ = ["from_brian2", "from_raster", "to_pandas"]


def to_pandas(recording: "Recording") -> pd.DataFrame:
    """Return one row per spike: ``time`` (seconds), ``trial`` and ``unit`` (labels), in the order of the recording.

    With the tables ``recording.trials`` and ``recording.units`` `Recording.from_arrays` takes it back.
    """
    trial, unit = recording.spike_index()
    columns = {"time": recording.times, "trial": recording.trials.index[trial], "unit": recording.units.index[unit]}
    return pd.DataFrame(columns)


def from_raster(
    raster: Any,
    dt: QuantityLike | None = None,
    *,
    start: QuantityLike = "0 s",
    units: pd.DataFrame | None = None,
    trials: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Return the arguments of `Recording.from_arrays` for a raster of 0 and 1.

    A 1 in bin k becomes a spike at ``start + k dt``, the beginning of the bin.

    Parameters
    ----------
    raster : array of shape (n_trials, n_units, n_bins), or (n_units, n_bins) for one trial
        Booleans or numbers that are 0 or 1, or an ``xarray.DataArray`` as `Recording.raster` returns, whose coordinates
        are used.
    dt : time, optional
        Width of a bin; only a DataArray with the attribute ``dt`` does without.
    start : time
        Beginning of the first bin.
    units, trials : pandas.DataFrame, optional
        Tables with the labels; ``start`` and ``stop`` are added to the trials.

    Raises
    ------
    InputError
        For counts above 1, whose times the raster does not tell, for other values, and for tables that do not fit.
    """
    begin = seconds(start, "start")
    labelled = hasattr(raster, "dims") and hasattr(raster, "coords")
    if labelled and set(raster.dims) == {"trial", "unit", "time"}:
        raster = raster.transpose("trial", "unit", "time")
        begin = float(raster["time"][0])
        units = pd.DataFrame(index=pd.Index(raster["unit"].to_numpy())) if units is None else units
        trials = _label_table(raster, "trial") if trials is None else trials
    width = float(raster.attrs["dt"]) if dt is None and labelled and "dt" in raster.attrs else _width(dt)
    values = np.asarray(raster)
    values = values[None] if values.ndim == 2 else values
    _refuse_other_than_spikes(values)
    n_trials, n_units, n_bins = values.shape
    units = pd.DataFrame(index=pd.RangeIndex(n_units)) if units is None else units
    trials = pd.DataFrame(index=pd.RangeIndex(n_trials)) if trials is None else trials
    for what, table, size in (("units", units, n_units), ("trials", trials, n_trials)):
        if len(table) != size:
            raise InputError(f"the table of {what} has {len(table)} rows, but the raster has {size} {what}.")
    trial, unit, time = np.nonzero(values)
    return {
        "times": begin + width * time,
        "unit": units.index[unit],
        "trial": trials.index[trial],
        "units": units,
        "trials": trials.assign(start=begin, stop=begin + width * n_bins),
        "provenance": {"raster_dt_s": width},
    }


def _width(dt: QuantityLike | None) -> float:
    if dt is None:
        raise InputError("a raster needs the width of its bins, for example dt='1 ms'.")
    width = seconds(dt, "dt")
    if width <= 0:
        raise InputError(f"dt must be positive, got {dt}.")
    return width


def _label_table(raster: Any, dimension: str) -> pd.DataFrame:
    labels = {
        str(name): values.to_numpy()
        for name, values in raster.coords.items()
        if values.dims == (dimension,) and name not in {dimension, "start", "stop"}
    }
    return pd.DataFrame(labels, index=pd.Index(raster[dimension].to_numpy()))


def _refuse_other_than_spikes(values: NDArray[Any]) -> None:
    if values.ndim != 3 or values.dtype.kind not in "biuf":
        raise InputError(
            f"a raster has the shape (trials, units, bins) or (units, bins) and holds numbers; got {values.shape} of "
            f"{values.dtype}."
        )
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        first = values[wrong][0]
        raise InputError(
            f"{int(wrong.sum())} entries of the raster are neither 0 nor 1, the first is {first!s}: when in the bin "
            "several spikes came is not known. Use smaller bins, or the spike times themselves."
        )


def from_brian2(
    monitors: Any,
    duration: QuantityLike,
    *,
    trials: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Return the arguments of `Recording.from_arrays` for Brian2 monitors, whose times count from 0.

    Parameters
    ----------
    monitors : SpikeMonitor, mapping of name to SpikeMonitor, or a sequence of either
        Of one run; the sequence has one entry per run, which is a trial.
    duration : time
        Of every run; for example ``net.t``.
    trials : pandas.DataFrame, optional
        Labels, one row per run.

    Returns
    -------
    dict
        Units are all neurons of the monitored groups: ``0, 1, ...``, or ``name/0, ...`` with the labels ``population``
        and ``index``.

    Raises
    ------
    InputError
        For objects that are no monitors, groups that differ between runs, and spikes after ``duration``.
    """
    runs: Sequence[Any] = list(monitors) if isinstance(monitors, list | tuple) else [monitors]
    if not runs:
        raise InputError("there are no monitors; give at least one run.")
    populations = [run if isinstance(run, Mapping) else {"": run} for run in runs]
    sizes = {name: _size(monitor) for name, monitor in populations[0].items()}
    units = _units_of(sizes)
    first = dict(zip(sizes, np.cumsum([0, *sizes.values()])[:-1], strict=True))
    times, unit, trial = [], [], []
    for k, run in enumerate(populations):
        if {name: _size(monitor) for name, monitor in run.items()} != sizes:
            raise InputError(f"run {k} has other groups or sizes than the first: {list(run)} and {list(sizes)}.")
        for name, monitor in run.items():
            at = np.asarray(monitor.t, dtype=np.float64)
            times.append(at)
            unit.append(np.asarray(monitor.i, dtype=np.int64) + first[name])
            trial.append(np.full(at.size, k))
    labels = pd.DataFrame(index=pd.RangeIndex(len(runs))) if trials is None else trials
    if len(labels) != len(runs):
        raise InputError(f"the table of trials has {len(labels)} rows for {len(runs)} runs.")
    return {
        "times": np.concatenate(times),
        "unit": units.index[np.concatenate(unit)],
        "trial": labels.index[np.concatenate(trial)],
        "units": units,
        "trials": labels.assign(start=0.0, stop=seconds(duration, "duration")),
        "provenance": {"source": {"reader": "Brian2 monitors"}},
    }


def _size(monitor: Any) -> int:
    if not all(hasattr(monitor, name) for name in ("i", "t", "source")):
        raise InputError(f"{type(monitor).__name__} is no SpikeMonitor; it needs i, t and source.")
    return len(monitor.source)


def _units_of(sizes: dict[str, int]) -> pd.DataFrame:
    if list(sizes) == [""]:
        return pd.DataFrame(index=pd.RangeIndex(sizes[""]))
    rows = [(name, index) for name, size in sizes.items() for index in range(size)]
    table = pd.DataFrame(rows, columns=["population", "index"])
    return table.set_axis(pd.Index([f"{name}/{index}" for name, index in rows]))
