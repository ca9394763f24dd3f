"""Counts of spikes in time steps: as the raster where that exists, padded with silence where windows differ."""

import numpy as np
import pandas as pd
import pytest

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.recording.recording import Recording

DT = 1e-3


def dataset(rows, *, start=0.0, stop=0.05, trials=3, units=2):
    times, trial, unit = zip(*rows, strict=True) if rows else ((), (), ())
    spikes = Recording.from_arrays(
        times=np.array(times, dtype=float),
        unit=list(unit),
        trial=list(trial),
        units=pd.DataFrame(index=range(units)),
        trials=pd.DataFrame({"start": start, "stop": stop, "class": "a"}, index=range(trials)),
    )
    return SpikeDataset(spikes=spikes, label="class", name="test")


def random_dataset(seed, **windows):
    rng = np.random.default_rng(seed)
    rows = zip(rng.uniform(0, 0.03, 200), rng.integers(0, 3, 200), rng.integers(0, 2, 200), strict=True)
    return dataset(list(rows), **windows)


def test_counts_are_the_raster_where_no_two_spikes_share_a_step():
    data = random_dataset(0)
    counts = data.counts([0, 2, 2], "1 us")
    assert counts.dtype == np.float32
    assert np.array_equal(counts, data.raster([0, 2, 2], "1 us"))


def test_a_raster_of_unequal_windows_is_refused_with_the_way_to_counts():
    unequal = dataset([(0.01, 0, 0)], stop=[0.05, 0.06, 0.05])
    with pytest.raises(InputError, match=r"from 0.05 to 0.06 s.* take dataset.counts"):
        unequal.raster([0], "1 ms")
    assert unequal.counts([0], "1 ms").sum() == 1
    assert dataset([(0.01, 0, 0)]).raster([0], "1 ms").sum() == 1  # control


def test_every_spike_of_a_step_is_counted_where_the_raster_refuses():
    data = random_dataset(0)
    with pytest.raises(InputError, match=r"share a step .* or dataset\.counts"):
        data.raster([0, 1, 2], "10 ms")
    counts = data.counts([0, 1, 2], "10 ms")
    assert counts.shape == (3, 5, 2)
    assert counts.sum() == 200
    for i in range(3):
        for k in range(2):
            by_hand = np.histogram(data.spikes.train(i, k), np.arange(6) * 0.01)[0]
            assert np.array_equal(counts[i, :, k], by_hand)


def test_silence_follows_trials_that_are_shorter_than_others():
    data = random_dataset(0, stop=[0.03, 0.05, 0.04])
    counts = data.counts([0, 1, 2], "1 ms")
    assert counts.shape[1] == 50
    assert not counts[0, 30:].any()
    assert np.array_equal(data.counts([0], "1 ms")[0], counts[0])  # alone or with others


def test_a_spike_at_the_end_of_a_short_window_is_absent_as_in_a_raster():
    data = dataset([(0.03, 0, 0), (0.03, 1, 0)], stop=[0.03, 0.05, 0.05])
    assert data.counts([0, 1], "1 ms").sum(axis=(1, 2)).tolist() == [0, 1]


def test_the_duration_cuts_and_pads():
    data = dataset([(0.005, 0, 0), (0.02, 0, 1)])
    assert data.counts([0], "1 ms", "10 ms").sum() == 1
    assert data.counts([0], "1 ms", "10 ms").shape == (1, 10, 2)
    assert data.counts([0], "1 ms", "80 ms").shape == (1, 80, 2)
    assert data.counts([0], "1 ms", "80 ms").sum() == 2


def test_a_last_step_that_is_partly_filled_counts():
    data = dataset([(0.0495, 0, 0)])
    assert data.counts([0], "20 ms")[0, :, 0].tolist() == [0, 0, 1]


def test_windows_are_counted_from_their_start():
    data = dataset([(-0.02, 0, 0), (0.0101, 0, 1)], start=-0.02, stop=0.03)
    assert np.argwhere(data.counts([0], "0.5 ms")[0]).tolist() == [[0, 0], [60, 1]]


@pytest.mark.parametrize(
    ("indices", "dt", "duration"),
    [([3], "1 ms", None), ([0], "0 ms", None), ([0], "1 ms", "0 s"), ([0], "1 mV", None), ([-1], "1 ms", None)],
)
def test_what_cannot_be_counted_is_refused(indices, dt, duration):
    with pytest.raises(InputError):
        dataset([]).counts(indices, dt, duration)


def test_no_trials_are_no_counts():
    assert dataset([]).counts([], "1 ms").shape == (0, 50, 2)


def test_more_steps_than_an_array_holds_are_refused():
    data = dataset([(1.0, 0, 0)], stop=1e30)
    with pytest.raises(InputError, match="take a longer dt"):
        data.counts([0], "1 ms")
    assert data.counts([0], "1 ms", duration="2 s").shape == (1, 2000, 2)
