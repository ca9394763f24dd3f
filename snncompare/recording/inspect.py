"""Say what is in a recording, in words."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snncompare.recording.doubts import doubts
from snncompare.recording.recording import Recording

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["describe"]

_SHOWN = 8


def describe(recording: Recording) -> str:
    """Return what a recording holds, as text of several lines.

    It lists format, duration, units with counts and mean rates, labels with their distinct values, marks with what
    could be given as ``trials`` to `read` and as condition to a comparison, traces with their range, and what to look
    at twice.

    Parameters
    ----------
    recording : Recording
    """
    lines = [*_overview(recording), "", *_units(recording), "", *_trials(recording)]
    for name, marks in recording.marks.items():
        lines += ["", *_marks(name, marks.kind, marks.table, _observed_part(recording, marks.table))]
    for name, trace in recording.traces.items():
        lines += ["", *_trace(name, trace)]
    doubtful = doubts(recording)
    if doubtful:
        lines += ["", "To look at:", *(f"  {text}" for text in doubtful)]
    left_out = recording.provenance.get("left_out", [])
    if left_out:
        lines += ["", "Not read:", *(f"  {text}" for text in left_out)]
    return "\n".join(lines)


def _overview(recording: Recording) -> list[str]:
    source = recording.provenance.get("source", {})
    length = (recording.trials["stop"] - recording.trials["start"]).sum()
    lines = [f"File: {source['file']} (read by {source['reader']})"] if source else []
    what = f"{_number(recording.n_trials, 'trial')}, {_number(recording.n_units, 'unit')}"
    return [*lines, f"{what}, {_number(recording.times.size, 'spike')} in {length:.6g} s"]


def _units(recording: Recording) -> list[str]:
    length = (recording.trials["stop"] - recording.trials["start"]).sum()
    total = np.diff(recording.offsets).reshape(recording.n_trials, recording.n_units).sum(axis=0)
    rate = total / length
    silent = _number(int((total == 0).sum()), "silent unit")
    shown = [
        f"  {recording.units.index[j]}: {_number(int(total[j]), 'spike')}, {rate[j]:.3g} Hz"
        for j in range(min(recording.n_units, _SHOWN))
    ]
    more = [f"  and {recording.n_units - _SHOWN} more"] if recording.n_units > _SHOWN else []
    labels = [f"  label {_values(name, recording.units[name])}" for name in recording.units]
    return [f"Units: mean rates {rate.min():.3g} to {rate.max():.3g} Hz, {silent}", *shown, *more, *labels]


def _trials(recording: Recording) -> list[str]:
    trials = recording.trials
    windows = trials[["start", "stop"]].drop_duplicates()
    window = f"from {windows['start'].iloc[0]:.6g} to {windows['stop'].iloc[0]:.6g} s"
    lines = [f"Trials: {recording.n_trials}, {window if len(windows) == 1 else 'windows differ'}"]
    lines.extend(f"  label {_values(name, trials[name])}" for name in trials if name not in {"start", "stop"})
    conditions = _conditions(trials)
    if conditions:
        lines.append(f"  possible condition: {', '.join(conditions)}")
    elif recording.n_trials == 1 and not recording.marks:
        lines.append(
            "  no marks to cut at: cut into windows='500 ms', or say when the stimuli began (in a configuration by a "
            "'trials_table', in Python by Recording.with_marks)"
        )
    return lines


def _observed_part(recording: Recording, table: pd.DataFrame) -> int:
    windows = recording.trials.loc[table["trial"]]
    inside = (table["start"].to_numpy() >= windows["start"].to_numpy()) & (
        table["stop"].to_numpy() <= windows["stop"].to_numpy()
    )
    return int(inside.sum())


def _marks(name: str, kind: str, table: pd.DataFrame, inside: int) -> list[str]:
    lines = [f"Marks '{name}': {_number(len(table), kind)}, {inside} of them within the windows of the trials"]
    if table.empty:
        return lines
    if kind == "epoch":
        length = table["stop"] - table["start"]
        same = np.isclose(length.min(), length.max(), rtol=1e-6)
        lines.append(f"  each lasts {length.min():.6g}{'' if same else f' to {length.max():.6g}'} s")
    lines += [f"  label {_values(c, table[c])}" for c in table if c not in {"trial", "start", "stop"}]
    window = "" if kind == "epoch" and (table["stop"] > table["start"]).all() else ", window=('0 s', '1 s')"
    lines.append(f"  cut here: trials={name!r}{window}")
    conditions = _conditions(table)
    return [*lines, f"  possible condition: {', '.join(conditions)}"] if conditions else lines


def _trace(name: str, trace: "xr.DataArray") -> list[str]:
    time, unit = trace["time"].to_numpy(), trace.attrs["unit"]
    sampled = f"one sample every {trace.attrs['dt']:.6g} s from {time[0]:.6g} to {time[-1]:.6g} s"
    lines = [f"Trace '{name}' ({unit}): {_number(trace.sizes['unit'], 'unit')}, {sampled}"]
    recorded = trace.values[~np.isnan(trace.values)]
    if recorded.size:
        lines.append(f"  values from {recorded.min():.6g} to {recorded.max():.6g} {unit}")
    if recorded.size < trace.size:
        lines.append(f"  not recorded: {100 * (1 - recorded.size / trace.size):.3g} % of the samples")
    return lines


def _conditions(table: pd.DataFrame) -> list[str]:
    """Return the labels with at least two values that each come more than once, with numbers of values and repeats."""
    found = []
    for name in table:
        if name in {"start", "stop", "trial", "onset", "source_trial"}:
            continue
        repeats = table[name].value_counts()
        if len(repeats) >= 2 and repeats.min() >= 2:
            most = "" if repeats.min() == repeats.max() else f" to {repeats.max()}"
            found.append(f"{name} ({len(repeats)} values, {repeats.min()}{most} repeats)")
    return found


def _values(name: Any, column: pd.Series) -> str:
    distinct = list(pd.unique(column.dropna()))
    shown = ", ".join(f"{value}" for value in distinct[:_SHOWN])
    more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
    missing = int(column.isna().sum())
    return f"{name}: {shown}{more}{f' ({missing} missing)' if missing else ''}"


def _number(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
