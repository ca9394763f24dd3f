"""Heartbeats of the QT Database as published spikes, with the part of the heartbeat to be named at each step."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.source import RecordingSource
from snncompare.errors import FileError, InputError
from snncompare.provenance import file_hash
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = ["PARTS_OF_HEARTBEAT", "HeartbeatSource", "ecg_qtdb"]

PARTS_OF_HEARTBEAT = ("P", "PQ", "QR", "RS", "ST", "TP")
"""Columns of the answers. The files do not name them: they follow each other in this order without exception."""

_SPLITS = {"train": "ecg_qtdb/QTDB_train.mat", "test": "ecg_qtdb/QTDB_test.mat"}
_UNITS = pd.DataFrame(
    {"lead": [1, 1, 2, 2], "column": [0, 1, 2, 3]}, index=["lead 1 a", "lead 1 b", "lead 2 a", "lead 2 b"]
)
_MOST_BYTES = 50_000_000


def ecg_qtdb(files: Mapping[str, Path], *, step: QuantityLike = "4 ms") -> "HeartbeatSource":
    """Return the level-crossing spikes of Yin, Corradi & Bohte (2021).

    Parameters
    ----------
    files : mapping of str to Path
    step : time
        Length of a step of the files: the QT Database has 250 samples per second.

    Returns
    -------
    HeartbeatSource
        Four units: two per lead, of which never both fire in a step, one for up and one for down; the files do not say
        which. Trial label ``split``. A spike in step k of the file lies at ``k * step``. The -1 in the last step of
        column 0, in every sequence, marks its end and is no spike.

    Raises
    ------
    InputError
        For a step that is not positive.
    FileError
        If a file does not hold sequences of this kind.

    References
    ----------
    Yin, Corradi & Bohte (2021) Nat Mach Intell 3:905-913; Laguna, Mark, Goldberg & Moody (1997) Comput Cardiol
    24:673-676.
    """
    dt = seconds(step, "step")
    if not 0 < dt < np.inf:
        raise InputError(f"step must be positive, got {step}.")
    read = {name: _read(files[path]) for name, path in _SPLITS.items()}
    spikes = np.concatenate([fired for fired, _ in read.values()])
    answers = np.concatenate([answer for _, answer in read.values()])
    split = np.repeat(list(read), [len(fired) for fired, _ in read.values()])
    trials = pd.DataFrame(
        {"start": 0.0, "stop": spikes.shape[1] * dt, "split": split},
        index=[f"{name} {i}" for name, (fired, _) in read.items() for i in range(len(fired))],
    )
    by_unit = spikes.transpose(0, 2, 1)
    recording = Recording(
        times=np.nonzero(by_unit)[2].astype(np.float64) * dt,
        offsets=np.concatenate([[0], np.cumsum(by_unit.sum(axis=2).ravel())]),
        units=_UNITS,
        trials=trials,
        provenance={"dataset": "ecg_qtdb", "sha256": {path: file_hash(files[path]) for path in _SPLITS.values()}},
    )
    return HeartbeatSource(recording, answers, dt)


class HeartbeatSource(RecordingSource):
    """Spikes of an electrocardiogram, and the part of the heartbeat at each step."""

    def __init__(self, recording: Recording, answers: NDArray[np.bool_], dt: float) -> None:
        super().__init__(recording)
        self._answers = answers
        self._dt = dt

    def target(self, position: int) -> xr.DataArray:
        """Return which part it is, 1 or 0, dimensions ``time`` (s) and ``output``; all 0 where nothing is said."""
        answer = self._answers[position]
        return xr.DataArray(
            answer.astype(np.float64),
            dims=("time", "output"),
            coords={"time": np.arange(len(answer)) * self._dt, "output": list(PARTS_OF_HEARTBEAT)},
        )


def _read(path: Path) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return spikes (n, n_steps, 4) and answers (n, n_steps, 6), all checked."""
    from scipy.io import loadmat

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FileError(f"'{path}' is larger than any file of this dataset; get it again.")
        # Version 4 and 5 files of MATLAB hold arrays only, nothing that runs.
        content = loadmat(path, variable_names=("x", "y"))
        x, y = content["x"], content["y"]
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError) as problem:
        raise FileError(f"'{path}' is not a MATLAB file with 'x' and 'y': {problem}.") from problem
    if (
        x.dtype.kind not in "iu"
        or y.dtype.kind not in "iu"
        or x.ndim != 3
        or x.shape[2] != len(_UNITS)
        or y.shape != (*x.shape[:2], len(PARTS_OF_HEARTBEAT))
        or x.size == 0
    ):
        raise FileError(f"'{path}' should hold x (n, n_steps, 4) and y (n, n_steps, 6), got {x.shape} and {y.shape}.")
    end = x[:, -1, 0] == -1
    inside = x.copy()
    inside[end, -1, 0] = 0
    if not np.isin(inside, (0, 1)).all() or not np.isin(y, (0, 1)).all() or y.sum(axis=2).max() > 1:
        raise FileError(f"'{path}' should hold spikes (0 or 1) and at most one part of the heartbeat per step.")
    return inside.astype(bool), y.astype(bool)
