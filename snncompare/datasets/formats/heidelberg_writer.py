"""Spikes written as the Heidelberg Spiking Datasets lay them out."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.datasets.source import RecordingSource, SpikeSource
from snncompare.errors import FileError, InputError, unknown
from snncompare.recording.recording import Recording

__all__ = ["write_heidelberg"]


def write_heidelberg(
    path: str | Path,
    spikes: Recording | SpikeSource,
    *,
    label: str,
    speaker: str | None = None,
    classes: tuple[Any, ...] = (),
    precision: str = "float32",
) -> None:
    """Write labelled trials of spikes as one HDF5 file that readers of SHD and SSC understand.

    Trials are encoded and written one at a time. ``spikes/times`` (seconds from the start of the trial, ordered by
    time) and ``spikes/units`` (positions of the units) are arrays of variable length; ``labels`` numbers the classes,
    ``extra/keys`` names them; ``extra/speaker`` numbers the speakers, ``extra/meta_info/speaker`` names them. Beside
    the published layout stands ``extra/duration``, the length of each trial in seconds; it is lost to other readers.

    Parameters
    ----------
    path : path
        Replaced if it exists, once everything is written.
    spikes : Recording or SpikeSource
    label, speaker : str
        Columns of the trials table.
    classes : tuple, optional
        All classes in the order of their numbers, where parts of one dataset are written to several files; default: in
        order of first appearance.
    precision : str
        ``"float32"`` (errors below 0.1 us up to 1 s), or ``"float16"`` as in the published files (0.25 ms at 1 s).

    Raises
    ------
    InputError
        For columns that do not exist, values that are not listed, more than 65536 units, another precision.
    FileError
        If the file cannot be written.
    """
    import h5py

    source = RecordingSource(spikes) if isinstance(spikes, Recording) else spikes
    if precision not in ("float16", "float32"):
        raise InputError(unknown("precision called", precision, ("float16", "float32")))
    if len(source.units) > 2**16:
        raise InputError(f"the layout holds up to 65536 units, got {len(source.units)}.")
    keys, labels = _numbered(source, label, classes)
    target = Path(path)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with h5py.File(unfinished, "w", libver=("earliest", "v110")) as file:
            file.create_dataset("labels", data=labels)
            file.create_dataset("extra/keys", data=_as_bytes(keys))
            if speaker is not None:
                names, numbers = _numbered(source, speaker, ())
                file.create_dataset("extra/speaker", data=numbers)
                file.create_dataset("extra/meta_info/speaker", data=_as_bytes(names))
            _write_trials(file, source, np.dtype(precision))
        unfinished.replace(target)
    except OSError as problem:
        raise FileError(f"the file '{target}' cannot be written: {' '.join(str(problem).split())}.") from problem
    finally:
        unfinished.unlink(missing_ok=True)


def _write_trials(file: Any, source: SpikeSource, precision: np.dtype[Any]) -> None:
    import h5py

    trials = source.trials
    n = len(trials)
    # Chunked, as tables of PyTables are.
    times = file.create_dataset("spikes/times", (n,), h5py.vlen_dtype(precision), maxshape=(None,), chunks=True)
    units = file.create_dataset("spikes/units", (n,), h5py.vlen_dtype(np.uint16), maxshape=(None,), chunks=True)
    durations = (trials["stop"] - trials["start"]).to_numpy(dtype=np.float64, copy=True)
    for row, start in enumerate(trials["start"].to_numpy(dtype=np.float64)):
        found, counts = source.spikes(np.array([row]))
        rounded = (found - start).astype(precision)
        owners = np.repeat(np.arange(counts.shape[1], dtype=np.uint16), counts[0])
        order = np.argsort(rounded, kind="stable")
        times[row], units[row] = rounded[order], owners[order]
        # Rounding may carry the last spike beyond the window.
        durations[row] = max(durations[row], float(rounded.max(initial=0.0)))
    file.create_dataset("extra/duration", data=durations)


def _numbered(source: SpikeSource, column: str, classes: tuple[Any, ...]) -> tuple[list[Any], NDArray[np.uint32]]:
    table = source.labels
    if column not in table:
        raise InputError(unknown("trial label", column, table.columns))
    if table[column].isna().any():
        raise InputError(f"{int(table[column].isna().sum())} trials have no '{column}'; leave them out first.")
    names = list(classes) or list(table[column].drop_duplicates())
    number = {name: i for i, name in enumerate(names)}
    missing = [value for value in table[column] if value not in number]
    if missing:
        raise InputError(f"classes must hold every '{column}'; they lack {missing[0]!r}.")
    return names, np.array([number[value] for value in table[column]], dtype=np.uint32)


def _as_bytes(names: list[Any]) -> NDArray[np.bytes_]:
    return np.array([str(name).encode("utf-8") for name in names])
