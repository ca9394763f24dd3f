"""Small recordings for the tests of this room."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from snncompare.recording.recording import Recording
from snncompare.representation.compiled.trains import Trains as PackedTrains
from snncompare.representation.metrics import Metric

Trains = Sequence[Sequence[Sequence[float]]]


@pytest.fixture(scope="session")
def recording_of() -> Callable[..., Recording]:
    """Return a maker of recordings from ``trains[trial][unit]`` and columns of the trials table."""

    def make(trains: Trains, window: tuple[float, float] = (0.0, 10.0), **columns: Sequence[object]) -> Recording:
        spikes = [(t, u, k) for k, trial in enumerate(trains) for u, train in enumerate(trial) for t in train]
        times, unit, trial = (list(column) for column in zip(*spikes, strict=True)) if spikes else ([], [], [])
        return Recording.from_arrays(
            times=np.array(times, dtype=float),
            unit=np.array(unit, dtype=int),
            trial=np.array(trial, dtype=int),
            units=pd.DataFrame(index=range(len(trains[0]))),
            trials=pd.DataFrame({"start": window[0], "stop": window[1], **columns}, index=pd.RangeIndex(len(trains))),
        )

    return make


@pytest.fixture(scope="session")
def noisy_recording(recording_of: Callable[..., Recording]) -> Recording:
    """Return 4 conditions of 6 trials of 3 units: conditions differ in when the first unit fires."""
    rng = np.random.default_rng(5)
    order = np.array([40, 10, 30, 20] * 6)
    trains = [
        [
            np.sort(rng.normal(degrees / 10, 0.1, 5) + 2),
            *(np.sort(rng.uniform(0, 10, rng.poisson(8))) for _ in range(2)),
        ]
        for degrees in order
    ]
    return recording_of(trains, orientation=order, song=[f"song {k}" for k in order])


@pytest.fixture(scope="session")
def packed_trains() -> Callable[..., PackedTrains]:
    """Return a maker of what kernels take from ``trains[trial][unit]``."""

    def make(trains: Trains, window: tuple[float, float] = (0.0, 2.0)) -> PackedTrains:
        flat = [np.asarray(train, dtype=float) for trial in trains for train in trial]
        offsets = np.concatenate([[0], np.cumsum([train.size for train in flat])]).astype(np.int64)
        return PackedTrains(np.concatenate(flat), offsets, len(trains[0]), *window)

    return make


@pytest.fixture(scope="session")
def matrix_of() -> Callable[..., np.ndarray]:
    """Return a maker of the matrix of distances between all trials, or of a block of it."""

    def make(metric: Metric, trains: PackedTrains, rows: range | None = None, columns: range | None = None):
        every = range(trains.n_trials)
        return type(metric).between_trials([metric], trains, rows or every, columns or every)[0]

    return make
