"""A dataset as one file that other programs read."""

from pathlib import Path
from typing import Any

import numpy as np

from snncompare.datasets.source import RecordingSource, SpikeSource
from snncompare.errors import InputError

__all__ = ["save_spikes"]

_PAUSE = 0.1
"""Seconds between trials that were never recorded, on a timeline that needs them one after the other."""


def save_spikes(
    source: SpikeSource, path: Path, *, label: str | None, classes: tuple[Any, ...], metadata: Any = None
) -> Path:
    """Write all trials of a source to a file; see `SpikeDataset.save`.

    Raises
    ------
    InputError
        For another ending, or what a format cannot hold.
    """
    if path.suffix in {".h5", ".hdf5"}:
        from snncompare.datasets.formats.heidelberg_writer import write_heidelberg

        if label is None:
            raise InputError("the Heidelberg layout (.h5) needs classes, and this dataset has none; use '.npz'.")
        speaker = "speaker" if "speaker" in source.labels else None
        write_heidelberg(path, source, label=label, speaker=speaker, classes=classes)
        return path
    recording = source.recording()
    if path.suffix == ".nwb" and "onset" not in recording.trials and not isinstance(source, RecordingSource):
        windows = recording.trials[["start", "stop"]].to_numpy(dtype=np.float64)
        begin = np.concatenate([[0.0], np.cumsum(windows[:, 1] - windows[:, 0] + _PAUSE)[:-1]])
        recording = recording.with_trials(onset=begin - windows[:, 0])
    return recording.save(path, metadata)
