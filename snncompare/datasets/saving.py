"""A dataset as one file that other programs read."""

from pathlib import Path
from typing import Any

import numpy as np

from snncompare.datasets.source import RecordingSource, SpikeSource
from snncompare.errors import FileError, InputError

__all__ = ["check_saveable", "save_spikes"]

_PAUSE = 0.1
"""Seconds between trials that were never recorded, on a timeline that needs them one after the other."""


_FORMATS = (".npz", ".nwb", ".nix", ".h5", ".hdf5")


def check_saveable(path: Path, *, label: str | None, metadata: Any = None) -> None:
    """Refuse a file that `save_spikes` could not write, before anything is encoded for it.

    Raises
    ------
    FileError
        For another ending, or a folder that does not exist.
    InputError
        For a layout that needs classes, or an NWB file without metadata.
    """
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise FileError(
            f"datasets are saved as .npz, .nwb, .nix or .h5, got '{path.name}'; write for example '{path.stem}.npz'."
        )
    if not path.parent.is_dir():
        raise FileError(f"the folder '{path.parent}' does not exist; make it first.")
    if suffix in {".h5", ".hdf5"} and label is None:
        raise InputError("the Heidelberg layout (.h5) needs classes, and this dataset has none; use '.npz'.")
    if suffix == ".nwb":
        from snncompare.recording.nwb_metadata import metadata_of

        metadata_of(metadata)


def save_spikes(
    source: SpikeSource, path: Path, *, label: str | None, classes: tuple[Any, ...], metadata: Any = None
) -> Path:
    """Write all trials of a source to a file; see `SpikeDataset.save`.

    Raises
    ------
    FileError
        For another ending, or a file that cannot be written.
    InputError
        For what a format cannot hold.
    """
    check_saveable(path, label=label, metadata=metadata)
    if path.suffix.lower() in {".h5", ".hdf5"} and label is not None:
        from snncompare.datasets.formats.heidelberg_writer import write_heidelberg

        speaker = "speaker" if "speaker" in source.labels else None
        write_heidelberg(path, source, label=label, speaker=speaker, classes=classes)
        return path
    recording = source.recording()
    if path.suffix == ".nwb" and "onset" not in recording.trials and not isinstance(source, RecordingSource):
        windows = recording.trials[["start", "stop"]].to_numpy(dtype=np.float64)
        begin = np.concatenate([[0.0], np.cumsum(windows[:, 1] - windows[:, 0] + _PAUSE)[:-1]])
        recording = recording.with_trials(onset=begin - windows[:, 0])
    return recording.save(path, metadata)
