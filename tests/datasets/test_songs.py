"""Generated songs: frozen, seeded, alike in statistics and different in pattern."""

import numpy as np
import pytest

from snncompare import datasets
from snncompare.encoding.receptors import ReceptorPopulation
from snncompare.errors import InputError

SMALL = {"n_classes": 3, "n_per_class": 4, "encoder": ReceptorPopulation(size=6)}


def load(**options):
    return datasets.load("song_envelopes", **(SMALL | options))


def test_it_is_labelled_and_carries_its_sounds():
    data = load(cutoffs=("200 Hz", "800 Hz"))
    assert data.classes == ("song 1", "song 2", "song 3")
    assert data.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert data.spikes.trials["cutoff_hz"].tolist() == [200.0] * 4 + [800.0] * 4 + [200.0] * 4
    assert data.stimulus.shape == (12, 6000)
    assert data.spikes.n_units == 6
    assert (data.spikes.trials["stop"] == 0.3).all()


def test_the_same_seed_gives_the_same_dataset_and_another_seed_another():
    first, again, other = (load(seed=seed) for seed in (0, 0, 1))
    assert first.spikes.equals(again.spikes)
    assert first.stimulus.equals(again.stimulus)
    assert not np.array_equal(first.stimulus, other.stimulus)
    assert not np.array_equal(first.spikes.times, other.spikes.times)


def test_a_presentation_is_the_same_in_a_larger_dataset():
    few, many = load(), load(n_classes=4, n_per_class=7)
    for name in few.spikes.trials.index:
        assert np.array_equal(few.stimulus.sel(trial=name), many.stimulus.sel(trial=name))
        assert all(
            np.array_equal(few.spikes.train(name, u), many.spikes.train(name, u)) for u in few.spikes.units.index
        )


def test_presentations_of_a_song_share_as_much_as_the_similarity_says():
    data = load(n_classes=2, n_per_class=20, duration="1 s", similarity=0.6)
    correlation = np.corrcoef(20 * np.log10(data.stimulus.to_numpy()))
    same = data.labels[:, np.newaxis] == data.labels
    # 400 independent samples a sound: a standard error of 0.05 for a pair; templates are shared by all pairs.
    assert correlation[same & ~np.eye(40, dtype=bool)].mean() == pytest.approx(0.6, abs=0.1)
    assert correlation[~same].mean() == pytest.approx(0.0, abs=0.15)


def test_level_statistics_do_not_tell_the_song_or_the_similarity():
    for similarity in (0.0, 0.9):
        level = 20 * np.log10(load(n_per_class=10, duration="1 s", similarity=similarity).stimulus.to_numpy())
        # 30 sounds; at similarity 0.9 in effect 3 of 400 independent samples: standard errors of 0.17 and 0.12 dB.
        assert level.mean() == pytest.approx(-18.0, abs=0.6)
        assert level.std() == pytest.approx(5.98, abs=0.5)


def test_receptor_noise_differs_between_identical_sounds():
    data = load(similarity=1.0)
    assert np.array_equal(data.stimulus[0], data.stimulus[1])
    rasters = data.raster([0, 1], "0.5 ms")
    assert not np.array_equal(rasters[0], rasters[1])


def test_every_receptor_fires_at_most_once_in_half_a_millisecond():
    data = load(n_per_class=20)
    assert data.raster(np.arange(len(data)), "0.5 ms").sum() == data.spikes.times.size


@pytest.mark.parametrize(
    "wrong", [{"n_classes": 0}, {"n_per_class": 0}, {"cutoffs": ()}, {"seed": -1}, {"similarity": 2.0}]
)
def test_numbers_that_make_no_dataset_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        load(**wrong)


def test_another_listener_hears_the_same_songs():
    few, many = (load(encoder={"size": size}) for size in (2, 4))
    assert few.stimulus.equals(many.stimulus)
    assert (few.spikes.n_units, many.spikes.n_units) == (2, 4)


def test_parts_of_the_dataset_keep_their_sounds():
    data = load()
    part = data.subset(data.labels == 1)
    assert np.array_equal(part.stimulus, data.stimulus[4:8])
    assert list(part.stimulus["trial"]) == list(part.trials.index)
