"""The auditory receptor neuron of a grasshopper that the nitime package carries."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.card import DatasetCard, refuse_changed_file
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError, MissingDependencyError
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


def grasshopper_receptor(card: DatasetCard) -> SpikeDataset:
    """Return the spikes of one receptor neuron during two sounds of 10 s, and the envelopes of the sounds.

    Parameters
    ----------
    card : DatasetCard
        Names the files and their hashes.

    Returns
    -------
    SpikeDataset
        One unit ``"receptor"``, two trials ``"sound 1"`` and ``"sound 2"`` (label ``sound``), one presentation each;
        trial labels ``cutoff_hz`` and ``intensity_db`` from the files' headers. Times are the files' microseconds
        divided by one million. ``stimulus`` is the envelope relative to its largest value, dimensions ``trial, time``,
        200000 samples at 20 kHz (attribute ``sampling_rate``, hertz).

    Raises
    ------
    MissingDependencyError
        If nitime is not installed.
    FileError
        If a file is missing or not the one on the card.
    """
    folder = _package_folder()
    paths = {file.path: folder / file.path for file in card.files}
    for file in card.files:
        refuse_changed_file(paths[file.path], file)
    trains = [_spike_times(paths[f"data/grasshopper_spike_times{k}.txt"]) for k in (1, 2)]
    envelopes = np.stack([_envelope(paths[f"data/grasshopper_stimulus{k}.txt"]) for k in (1, 2)])
    spikes = Recording.from_arrays(
        times=np.concatenate(trains),
        unit=np.repeat("receptor", sum(train.size for train in trains)),
        trial=np.repeat(_SOUNDS.index, [train.size for train in trains]),
        units=pd.DataFrame({"species": ["Locusta migratoria"], "cell": ["auditory receptor"]}, index=["receptor"]),
        trials=_SOUNDS,
        provenance={"dataset": card.name, "source": card.source, "sha256": {f.path: f.sha256 for f in card.files}},
    )
    stimulus = xr.DataArray(
        envelopes,
        dims=("trial", "time"),
        coords={
            "trial": _SOUNDS.index.to_numpy(),
            "time": np.arange(_SAMPLES) * _MICROSECONDS_PER_SAMPLE / _MICROSECONDS,
        },
        name="envelope",
        attrs={"sampling_rate": _MICROSECONDS / _MICROSECONDS_PER_SAMPLE},
    )
    return SpikeDataset(spikes=spikes, label="sound", name=card.name, stimulus=stimulus, card=card)


def _package_folder() -> Path:
    package = find_spec("nitime")
    if package is None or not package.submodule_search_locations:
        raise MissingDependencyError(
            "the dataset 'grasshopper_receptor' is carried by the package nitime, which is not installed; "
            "install it with: pip install 'nitime>=0.11'"
        )
    return Path(next(iter(package.submodule_search_locations)))


def _spike_times(path: Path) -> NDArray[np.float64]:
    return np.loadtxt(path, dtype=np.int64, comments="#") / _MICROSECONDS


def _envelope(path: Path) -> NDArray[np.float64]:
    columns = np.loadtxt(path)
    if not np.array_equal(columns[:, 0], np.arange(_SAMPLES) * _MICROSECONDS_PER_SAMPLE):
        raise FileError(f"the envelope '{path}' is not {_SAMPLES} samples at {_MICROSECONDS_PER_SAMPLE} microseconds.")
    return np.ascontiguousarray(columns[:, 1])
