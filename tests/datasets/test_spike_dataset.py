"""Splits, batches and subsets of labelled trials."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.recording.recording import Recording


def recording(n_trials=30, n_units=4, seed=0):
    rng = np.random.default_rng(seed)
    n = n_trials * 20
    names = [f"trial {i}" for i in range(n_trials)]
    return Recording.from_arrays(
        times=rng.uniform(0, 0.5, n),
        unit=rng.integers(0, n_units, n),
        trial=[names[i] for i in rng.integers(0, n_trials, n)],
        units=pd.DataFrame(index=range(n_units)),
        trials=pd.DataFrame(
            {
                "start": 0.0,
                "stop": 0.5,
                "odour": np.array(["mint", "citral", "air"])[np.arange(n_trials) % 3],
                "part": np.where(np.arange(n_trials) < 18, "train", "test"),
            },
            index=names,
        ),
    )


@pytest.fixture
def dataset():
    spikes = recording()
    stimulus = xr.DataArray(
        np.arange(60.0).reshape(30, 2), dims=("trial", "time"), coords={"trial": spikes.trials.index.to_numpy()}
    )
    return SpikeDataset(spikes=spikes, label="odour", name="odours", stimulus=stimulus)


def test_labels_are_positions_in_the_classes_in_order_of_first_appearance(dataset):
    assert len(dataset) == 30
    assert dataset.classes == ("mint", "citral", "air")
    assert dataset.labels.tolist() == [0, 1, 2] * 10
    assert dataset.labels.dtype == np.int64


def test_a_subset_keeps_the_classes_of_the_whole_and_the_stimulus_of_its_trials(dataset):
    part = dataset.subset(dataset.labels == 2)
    assert part.classes == dataset.classes
    assert part.labels.tolist() == [2] * 10
    assert part.stimulus[:, 0].values.tolist() == [4.0 + 6 * i for i in range(10)]
    assert np.array_equal(part.spikes.train("trial 5", 1), dataset.spikes.train("trial 5", 1))


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.8])
def test_a_split_is_disjoint_complete_and_stratified(dataset, fraction):
    first, second = dataset.split(fraction, seed=3)
    names = [set(part.spikes.trials.index) for part in (first, second)]
    assert not names[0] & names[1]
    assert names[0] | names[1] == set(dataset.spikes.trials.index)
    assert np.bincount(first.labels).tolist() == [round(10 * fraction)] * 3
    assert list(first.stimulus["trial"]) == list(first.spikes.trials.index)


def test_a_split_is_decided_by_its_seed(dataset):
    trials = [list(dataset.split(0.5, seed=seed)[0].spikes.trials.index) for seed in (0, 0, 1)]
    assert trials[0] == trials[1] != trials[2]


def test_a_split_by_a_label_gives_one_part_per_value(dataset):
    parts = dataset.split_by("part")
    assert {name: len(part) for name, part in parts.items()} == {"train": 18, "test": 12}
    assert all((part.spikes.trials["part"] == name).all() for name, part in parts.items())


def test_batches_hold_every_trial_once_in_an_order_of_their_seed(dataset):
    batches = list(dataset.batches(8, seed=0))
    assert [batch.size for batch in batches] == [8, 8, 8, 6]
    assert sorted(np.concatenate(batches)) == list(range(30))
    again, other = (np.concatenate(list(dataset.batches(8, seed=seed))) for seed in (0, 1))
    assert np.array_equal(np.concatenate(batches), again)
    assert not np.array_equal(again, other)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"label": "odor"}, "did you mean 'odour'"),
        ({"classes": ("mint", "air")}, "lacks \\['citral'\\]"),
        ({"classes": ("mint", "mint", "citral", "air")}, "unique"),
        (
            {"stimulus": xr.DataArray(np.zeros((29, 2)), dims=("trial", "time"), coords={"trial": range(29)})},
            "30 trials",
        ),
        ({"stimulus": xr.DataArray(np.zeros((30, 2)), dims=("time", "trial"))}, "first dimension"),
        ({"stimulus": xr.DataArray(np.zeros((30, 2)), dims=("trial", "time"))}, "30 trials"),
    ],
)
def test_contradictions_are_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        SpikeDataset(**({"spikes": recording(), "label": "odour", "name": "odours"} | wrong))


def test_a_trial_without_class_is_refused():
    spikes = recording().with_trials(odour=["mint"] * 29 + [None])
    with pytest.raises(InputError, match="1 trials have no 'odour'"):
        SpikeDataset(spikes=spikes, label="odour", name="odours")


def test_impossible_splits_and_batches_are_refused(dataset):
    with pytest.raises(InputError, match="both parts need one of each class"):
        dataset.split(0.01, seed=0)
    with pytest.raises(InputError, match="between 0 and 1"):
        dataset.split(float("nan"), seed=0)
    with pytest.raises(InputError, match="no trial label 'session'"):
        dataset.split_by("session")
    with pytest.raises(InputError, match="batch_size"):
        dataset.batches(0, seed=0)
