"""The auditory receptor neuron of a grasshopper that the nitime package carries."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.source import RecordingSource
from snncompare.errors import FileError
from snncompare.provenance import file_hash
from snncompare.recording.recording import Recording

__all__ = ["grasshopper_receptor"]

_DURATION = 10.0
_SAMPLES = 200_000
_MICROSECONDS_PER_SAMPLE = 50
_MICROSECONDS = 1e6
_SOUNDS = pd.DataFrame(
    {
        "start": 0.0,
        "stop": _DURATION,
        "sound": ["sound 1", "sound 2"],
        "cutoff_hz": [200.0, 800.0],
        "intensity_db": [76.4286, 71.2],
    },
    index=["sound 1", "sound 2"],
)


def grasshopper_receptor(files: Mapping[str, Path]) -> RecordingSource:
    """Return the spikes of one receptor neuron during two sounds of 10 s, and the envelopes of the sounds.

    Parameters
    ----------
    files : mapping of str to Path
        The files of the card.

    Returns
    -------
    RecordingSource
        One unit ``"receptor"``, two trials ``"sound 1"`` and ``"sound 2"`` (label ``sound``), one presentation each;
        trial labels ``cutoff_hz`` and ``intensity_db`` from the files' headers. Times are the files' microseconds
        divided by one million. ``stimuli`` are the envelopes relative to their largest value, dimensions
        ``trial, time``, 200000 samples at 20 kHz (attribute ``sampling_rate``, hertz).

    Raises
    ------
    FileError
        If an envelope is not sampled as the card says.
    """
    trains = [_spike_times(files[f"data/grasshopper_spike_times{k}.txt"]) for k in (1, 2)]
    envelopes = np.stack([_envelope(files[f"data/grasshopper_stimulus{k}.txt"]) for k in (1, 2)])
    spikes = Recording.from_arrays(
        times=np.concatenate(trains),
        unit=np.repeat("receptor", sum(train.size for train in trains)),
        trial=np.repeat(_SOUNDS.index, [train.size for train in trains]),
        units=pd.DataFrame({"species": ["Locusta migratoria"], "cell": ["auditory receptor"]}, index=["receptor"]),
        trials=_SOUNDS,
        provenance={
            "dataset": "grasshopper_receptor",
            "sha256": {name: file_hash(path) for name, path in files.items()},
        },
    )
    time = np.arange(_SAMPLES) * _MICROSECONDS_PER_SAMPLE / _MICROSECONDS
    stimulus = xr.DataArray(
        envelopes,
        dims=("trial", "time"),
        coords={"trial": _SOUNDS.index.to_numpy(), "time": time},
        name="envelope",
        attrs={"sampling_rate": _MICROSECONDS / _MICROSECONDS_PER_SAMPLE},
    )
    return RecordingSource(spikes, stimulus)


def _spike_times(path: Path) -> NDArray[np.float64]:
    return np.loadtxt(path, dtype=np.int64, comments="#") / _MICROSECONDS


def _envelope(path: Path) -> NDArray[np.float64]:
    columns = np.loadtxt(path)
    if not np.array_equal(columns[:, 0], np.arange(_SAMPLES) * _MICROSECONDS_PER_SAMPLE):
        raise FileError(f"the envelope '{path}' is not {_SAMPLES} samples at {_MICROSECONDS_PER_SAMPLE} microseconds.")
    return np.ascontiguousarray(columns[:, 1])
