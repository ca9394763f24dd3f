"""Merged units have the spikes of their members, and keep what their members share."""

import numpy as np
import pandas as pd
import pytest

from snncompare.datasets.merging import merged
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.recording.recording import Recording

UNITS = pd.DataFrame(
    {
        "place": ["apex", "base", "apex", "base", "base"],
        "frequency": [1.0, 2.0, 1.0, 2.0, 2.0],
        "rate": [1, 2, 3, 4, 5],
    },
    index=list("abcde"),
)


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    spikes = Recording.from_arrays(
        times=rng.random(300),
        unit=rng.choice(list("abcde"), 300),
        trial=rng.integers(0, 4, 300),
        units=UNITS,
        trials=pd.DataFrame({"start": 0.0, "stop": 1.0, "side": ["left", "right"] * 2}, index=range(4)),
    )
    return SpikeDataset(spikes=spikes, label="side", name="sides")


def test_a_group_fires_when_a_member_fires(dataset):
    together = merged(dataset, "place").spikes
    assert together.times.size == 300
    for trial in range(4):
        for place, members in (("place apex", "ac"), ("place base", "bde")):
            expected = np.sort(np.concatenate([dataset.spikes.train(trial, unit) for unit in members]))
            assert np.array_equal(together.train(trial, place), expected)
    assert not np.array_equal(together.train(0, "place apex"), dataset.spikes.train(0, "a"))


def test_any_trials_in_any_order_are_merged_alike(dataset):
    whole, part = merged(dataset, "place"), merged(dataset, "place").recording([3, 1])
    assert np.array_equal(part.train(1, "place base"), whole.spikes.train(1, "place base"))
    assert merged(dataset, "place").source.spikes(np.array([], dtype=np.int64)).counts.shape == (0, 2)


def test_labels_that_all_members_share_remain(dataset):
    units = merged(dataset, "place").units
    assert units.columns.tolist() == ["place", "frequency"]
    assert units["frequency"].tolist() == [1.0, 2.0]
    assert merged(dataset, "place").classes == ("left", "right")


def test_a_column_that_is_missing_or_has_gaps_is_refused(dataset):
    with pytest.raises(InputError, match="did you mean 'place'"):
        merged(dataset, "plaec")
    gaps = UNITS.assign(place=["apex", None, "apex", "base", "base"])
    spikes = Recording.from_arrays(times=[0.1], unit=["a"], trial=[0], units=gaps, trials=dataset.trials)
    with pytest.raises(InputError, match="1 units have no 'place'"):
        merged(SpikeDataset(spikes=spikes, label="side", name="gaps"), "place")
