"""A part of a dataset asks what the whole asks."""

import numpy as np
import xarray as xr

from snncompare.datasets.source import RecordingSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.recording.recording import Recording


class Numbered(RecordingSource):
    """Asks for the number of the trial, in every step."""

    def target(self, position):
        return xr.DataArray(np.full(3, float(position)), dims="time", coords={"time": np.arange(3) * 0.01})


def test_answers_over_time_stay_with_their_trials():
    recording = Recording.from_raster(np.random.default_rng(0).random((6, 2, 3)) < 0.5, "10 ms")
    data = SpikeDataset(spikes=Numbered(recording), label=None, name="numbered")
    part = data.subset(np.array([False, True, False, True, True, False]))
    assert [float(part.target(k)[0]) for k in range(len(part))] == [1.0, 3.0, 4.0]
    assert float(part.subset(np.array([False, True, True])).target(1)[0]) == 4.0
    assert np.array_equal(part.counts([1], "10 ms"), data.counts([3], "10 ms"))
    plain = SpikeDataset(spikes=recording, label=None, name="plain")
    assert plain.subset(np.arange(6) == 2).target(0) is None
