"""Recording to NWB, written by PyNWB: one timeline, the trials and marks as tables of intervals."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, MissingDependencyError
from snncompare.recording.nwb_metadata import SessionMetadata, metadata_of
from snncompare.units import seconds

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording

__all__ = ["write_nwb"]

REFERENCE = "reference_time"
"""Column of the trials table: the times to which the times of the trials were relative."""


def write_nwb(recording: "Recording", path: Path, metadata: Any) -> Path:
    """Write a recording as NWB and return the path.

    An NWB file has one timeline, so trials need to say when they were: by a column ``onset`` (seconds in the session,
    the reference of the trial), as `cut` leaves it. Spike times are written as ``onset + t``; the windows of the
    trials become the table ``trials`` and the observation intervals of the units; where windows do not begin at the
    reference, its column ``reference_time`` holds the reference. Labels become columns, marks tables of intervals
    (events without length, for which NWB has no type and ``nwbinspector`` a remark), provenance the notes.
    ``read(path, trials="trials")``, or ``trials="trials_references"`` with the window, gives the trials back.

    Parameters
    ----------
    recording : Recording
        Of one session, trials that do not overlap; without traces.
    path : Path
    metadata : SessionMetadata or mapping

    Raises
    ------
    MissingDependencyError
        If PyNWB is not installed.
    InputError
        If metadata or onsets are missing, trials overlap or begin before the session, labels have missing values, or
        the recording has traces or several sessions.
    """
    about = metadata_of(metadata)
    try:
        import pynwb
    except ImportError as problem:
        raise MissingDependencyError(
            "writing NWB needs PyNWB; install it, for example by: pip install pynwb"
        ) from problem
    reference = _references(recording)
    file = _described(pynwb, about, recording)
    _add_units(file, recording, reference, seconds(about.time_resolution))
    if recording.n_trials > 1 or len(recording.trials.columns) > 2:
        _add_trials(file, pynwb, recording, reference)
    for name, marks in recording.marks.items():
        _refuse_name(name)
        shift = pd.Series(reference, index=recording.trials.index).loc[marks.table["trial"]].to_numpy()
        table = marks.table.assign(start=marks.table["start"] + shift, stop=marks.table["stop"] + shift)
        _add_intervals(file, pynwb, name, table.drop(columns="trial"), f"{marks.kind}s '{name}'")
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


def _described(pynwb: Any, about: SessionMetadata, recording: "Recording") -> Any:
    given = {
        name: getattr(about, name) for name in type(about).model_fields if name not in {"subject", "time_resolution"}
    }
    plain = {name: list(v) if isinstance(v, tuple) else v for name, v in given.items() if v is not None}
    file = pynwb.NWBFile(**plain, notes=json.dumps({"provenance": recording.provenance}))
    file.subject = pynwb.file.Subject(**{k: v for k, v in about.subject.model_dump().items() if v is not None})
    return file


def _references(recording: "Recording") -> NDArray[np.float64]:
    """Return the time of each trial's reference in the session, shape (n_trials,)."""
    trials = recording.trials
    if recording.traces:
        raise InputError(
            "traces are not written to NWB; leave them out by recording.select(traces=[]), or save as .npz."
        )
    if "session" in recording.units and recording.units["session"].nunique() > 1:
        raise InputError("an NWB file is one session; write one file per session, chosen by recording.select.")
    if "onset" not in trials and recording.n_trials > 1:
        raise InputError(
            f"an NWB file has one timeline, and nothing says when the {recording.n_trials} trials were; add their "
            "times (seconds in the session) by recording.with_trials(onset=...)."
        )
    reference = trials["onset"].to_numpy(dtype=np.float64) if "onset" in trials else np.zeros(1)
    start, stop = (reference + trials[edge].to_numpy() for edge in ("start", "stop"))
    if not np.isfinite(reference).all() or start.min() < 0:
        raise InputError(
            f"trials begin at {start.min():g} s, but session_start_time is the zero of all times; shift onset."
        )
    order = np.argsort(start)
    overlap = start[order][1:] < stop[order][:-1] - 1e-9
    if overlap.any():
        first = order[int(overlap.argmax())]
        raise InputError(
            f"{int(overlap.sum())} trials overlap with the next, the first is '{trials.index[first]}'; their spikes "
            "would be written twice. Give onsets that are apart, or cut windows that do not overlap."
        )
    return reference


def _add_units(file: Any, recording: "Recording", reference: NDArray[np.float64], resolution: float) -> None:
    from pynwb.misc import Units

    table = Units(name="units", description="sorted units", resolution=resolution)
    file.units = table
    columns = {"unit_name": [str(name) for name in recording.units.index], **_columns(recording.units, "units", {"id"})}
    for name in columns:
        described = "name of the unit" if name == "unit_name" else f"label '{name}' of the unit"
        table.add_column(name=name, description=described)
    windows = recording.trials[["start", "stop"]].to_numpy() + reference[:, None]
    windows = windows[np.argsort(windows[:, 0])]
    trial, unit = recording.spike_index()
    absolute = recording.times + reference[trial]
    for k in range(recording.n_units):
        row = {name: values[k] for name, values in columns.items()}
        table.add_unit(spike_times=np.sort(absolute[unit == k]), obs_intervals=windows, **row)


def _add_trials(file: Any, pynwb: Any, recording: "Recording", reference: NDArray[np.float64]) -> None:
    edges = {edge: recording.trials[edge].to_numpy() + reference for edge in ("start", "stop")}
    table = recording.trials.assign(**edges).drop(columns=["onset", "source_trial"], errors="ignore")
    if (recording.trials["start"] != 0).any():
        table[REFERENCE] = reference
    file.trials = _intervals(pynwb, "trials", table, "trials")


def _add_intervals(file: Any, pynwb: Any, name: str, table: pd.DataFrame, description: str) -> None:
    if len(table):
        file.add_time_intervals(_intervals(pynwb, name, table, description))


def _intervals(pynwb: Any, name: str, table: pd.DataFrame, description: str) -> Any:
    intervals = pynwb.epoch.TimeIntervals(name=name, description=description)
    columns = _columns(table.drop(columns=["start", "stop"]), name, {"id", "tags", "timeseries"})
    for label in columns:
        intervals.add_column(name=label, description=f"label '{label}'")
    start, stop = table["start"].to_numpy(), table["stop"].to_numpy()
    for k in np.argsort(start, kind="stable"):
        row = {label: values[k] for label, values in columns.items()}
        intervals.add_interval(start_time=float(start[k]), stop_time=float(stop[k]), **row)
    return intervals


def _columns(table: pd.DataFrame, where: str, taken: set[str]) -> dict[str, list[Any]]:
    columns = {}
    for name in table:
        if name in taken and not (where == "units" and name == "id"):
            raise InputError(f"the label '{name}' of the {where} is a name that NWB uses itself; rename it.")
        if name in taken:
            continue
        _refuse_name(str(name))
        column = table[name]
        if column.isna().any():
            raise InputError(
                f"the label '{name}' of the {where} has {int(column.isna().sum())} missing values, which NWB tables "
                "do not hold; fill them in or drop the label."
            )
        numeric = pd.api.types.is_numeric_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype)
        columns[str(name)] = column.tolist() if numeric else [str(value) for value in column]
    return columns


def _refuse_name(name: str) -> None:
    if not name or "/" in name or ":" in name:
        raise InputError(f"'{name}' cannot be a name in NWB, which uses '/' and ':' for paths; rename it.")
