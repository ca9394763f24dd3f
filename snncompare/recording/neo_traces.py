"""Traces as AnalogSignals of Neo Segments, and back."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.recording.neo_values import scale_to_seconds
from snncompare.recording.traces import SAMPLE_TOLERANCE, rounding, trace_array
from snncompare.units import parse_unit

if TYPE_CHECKING:
    import neo
    import xarray as xr

__all__ = ["add_traces", "trace_schema", "traces_of"]

_SHOWN = 8


def add_traces(segment: "neo.Segment", trial: int, traces: "Mapping[str, xr.DataArray]") -> None:
    """Add the samples of the trial at this position to its Segment, one AnalogSignal per trace, one channel per unit.

    The signal has the name of the trace, its unit, and the names of the units as array annotation ``channel_names``.
    """
    import neo
    import quantities as pq

    for name, trace in traces.items():
        signal = neo.AnalogSignal(
            trace.values[trial].T.copy(),
            units=_neo_unit(trace.attrs["unit"]),
            t_start=float(trace["time"].to_numpy()[0]) * pq.s,
            sampling_period=trace.attrs["dt"] * pq.s,
            name=name,
            array_annotations={"channel_names": np.array(_names(trace), dtype=str)},
        )
        segment.analogsignals.append(signal)


def _names(trace: "xr.DataArray") -> list[str]:
    return [str(label) for label in trace.indexes["unit"]]


def _neo_unit(unit: str) -> Any:
    """Return the unit in Neo's terms: as it is written where Neo reads it as the same unit, else in SI base units."""
    import quantities as pq

    _, dimension = parse_unit(unit)
    base = pq.Quantity(1.0)
    for factor, power in zip((pq.m, pq.kg, pq.s, pq.A, pq.K, pq.mol, pq.cd), dimension, strict=True):
        base = base * factor**power
    try:
        written = pq.Quantity(1.0, unit)
        same = np.isclose(float(written.rescale(base.dimensionality).magnitude), 1.0, rtol=1e-12)
    except (LookupError, ValueError, AttributeError):  # what Neo calls otherwise, or knows as something else
        return base.dimensionality
    return written.dimensionality if same else base.dimensionality


def trace_schema(traces: "Mapping[str, xr.DataArray]") -> dict[str, Any]:
    """Return what AnalogSignals cannot hold of the traces, as plain JSON."""
    return {
        name: {**trace.attrs, "units": _names(trace), "time": _described(trace["time"].to_numpy(), trace.attrs["dt"])}
        for name, trace in traces.items()
    }


def _described(time: NDArray[np.float64], dt: float) -> int | list[float]:
    """Return the number of the first sample where sample k is at ``k * dt`` to the last bit, else all times."""
    first = round(time[0] / dt)
    return first if np.array_equal(_multiples(first, time.size, dt), time) else time.tolist()


def _multiples(first: int, n: int, dt: float) -> NDArray[np.float64]:
    return np.arange(first, first + n, dtype=np.float64) * dt


def traces_of(
    segments: Sequence[Any], trials: pd.Index, units: pd.Index, keys: Sequence[Any], schema: dict[str, Any]
) -> "tuple[dict[str, xr.DataArray], list[str]]":
    """Return the traces that `add_traces` wrote, as far as they still fit, and in words the signals that are not read.

    Signals that others wrote are not read: their channels are electrodes or whatever was sampled, not the units whose
    spikes the Segments hold, and they can be many times larger than the spikes.

    Parameters
    ----------
    segments : sequence of neo.Segment
    trials, units : pandas.Index
        Labels of the recording.
    keys : sequence
        What names each unit in Neo, in the order of ``units``.
    schema : dict
        What `trace_schema` returned; empty for a Block that others wrote.
    """
    traces, unread = {}, set()
    for name, entry in schema.items():
        trace = _trace(segments, trials, units, keys, name, entry)
        if trace is None:
            unread.add(name)
        else:
            traces[name] = trace
    for segment in segments:
        for signal in (*segment.analogsignals, *segment.irregularlysampledsignals):
            if signal.name not in traces:
                unread.add(str(signal.name or "without name"))
    if not unread:
        return traces, []
    listed = ", ".join(sorted(unread)[:_SHOWN]) + (f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else "")
    return traces, [f"analog signals of the Segments: {listed}"]


def _trace(
    segments: Sequence[Any], trials: pd.Index, units: pd.Index, keys: Sequence[Any], name: str, entry: dict[str, Any]
) -> "xr.DataArray | None":
    """Return one trace, or None if its signals were changed so that they no longer fit what was written."""
    where = {str(key): j for j, key in enumerate(keys)}
    column = np.array([where.get(text, -1) for text in entry["units"]])
    channels = np.flatnonzero(column >= 0)
    channels = channels[np.argsort(column[channels])]
    signals = [next((s for s in segment.analogsignals if s.name == name), None) for segment in segments]
    present = {i: signal for i, signal in enumerate(signals) if signal is not None}
    first = next(iter(present.values()), None)
    if first is None or not len(first) or not channels.size:
        return None
    dt = float(entry["dt"])
    described, n = entry["time"], len(first)
    time = _multiples(described, n, dt) if isinstance(described, int) else np.array(described[:n])
    values = np.full((len(segments), channels.size, time.size), np.nan, dtype=first.dtype)
    for i, signal in present.items():
        samples = _samples(signal, (time.size, column.size), time[0], dt, _neo_unit(entry["unit"]))
        if samples is None:
            return None
        values[i] = samples.T[channels]
    values.setflags(write=False)
    return trace_array(values, trials=trials, units=units[column[channels]], time=time, unit=entry["unit"], dt=dt)


def _samples(signal: Any, shape: tuple[int, int], start: float, dt: float, unit: Any) -> NDArray[Any] | None:
    """Return the samples in this unit, or None if shape, unit or times are others."""
    scale = scale_to_seconds(signal.t_start.dimensionality)
    tolerance = SAMPLE_TOLERANCE * dt + rounding(start)
    moved = abs(float(signal.t_start.magnitude) * scale - start) > tolerance
    if signal.shape != shape or moved or abs(float(signal.sampling_period.rescale("s")) / dt - 1) > SAMPLE_TOLERANCE:
        return None
    if signal.dimensionality == unit:
        return np.asarray(signal.magnitude)
    try:
        return np.asarray(signal.rescale(unit).magnitude)
    except ValueError:
        return None
