"""Encoded samples: spikes are made once, as many as memory is set aside for, and are the same when made again."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from snncompare.datasets import samples as samples_module
from snncompare.datasets.samples import EncodedSource, Samples
from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.stimuli import Features
from snncompare.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Uniform(Encoder):
    """As many spikes as the first feature says, in tens; one unit per feature."""

    takes = Features

    def units(self, stimulus):
        return pd.DataFrame(index=range(stimulus.values.size))

    def duration(self, stimulus):  # noqa: ARG002
        return 1.0

    def fire(self, stimulus, randomness):
        counts = np.round(10 * stimulus.values).astype(np.int64)
        rng = np.random.default_rng(randomness)
        return Spikes(np.concatenate([np.sort(rng.random(n)) for n in counts]), counts)


class Points(Samples):
    def __init__(self, shapes=(3, 3, 3, 3)):
        self.shapes = shapes
        self.read = []

    @property
    def table(self):
        return pd.DataFrame({"side": ["a", "b"] * (len(self.shapes) // 2)}, index=range(len(self.shapes)))

    def stimulus(self, position):
        self.read.append(position)
        return Features(np.full(self.shapes[position], 0.2 + 0.1 * position))


def test_each_trial_is_encoded_once():
    points = Points()
    source = EncodedSource(points, Uniform(), seed=0)
    first = source.spikes(np.array([2, 1]))
    points.read.clear()
    again = source.spikes(np.array([1, 2, 1]))
    assert points.read == []
    assert again.counts.tolist() == [[3] * 3, [4] * 3, [3] * 3]
    assert np.array_equal(again.times[9:21], first.times[:12])


def test_what_does_not_fit_in_memory_is_encoded_again_and_equal(monkeypatch):
    whole = EncodedSource(Points(), Uniform(), seed=0).spikes(np.arange(4))
    monkeypatch.setattr(samples_module, "_KEPT", 8 * (9 + 3))  # trial 1: nine spikes, three counts
    points = Points()
    source = EncodedSource(points, Uniform(), seed=0)
    source.spikes(np.array([1, 0, 2, 3]))
    points.read.clear()
    again = source.spikes(np.arange(4))
    assert points.read == [0, 2, 3]
    assert np.array_equal(again.times, whole.times)


def test_noise_depends_on_the_seed():
    trains = [EncodedSource(Points(), Uniform(), seed=seed).spikes(np.array([3])).times for seed in (0, 0, 1)]
    assert np.array_equal(trains[0], trains[1])
    assert not np.array_equal(trains[0], trains[2])


def test_samples_of_other_shapes_and_none_at_all_are_refused():
    with pytest.raises(InputError, match="sample 2 leads to 4 units, the first one to 3"):
        EncodedSource(Points((3, 3, 4, 3)), Uniform(), seed=0).spikes(np.arange(4))
    with pytest.raises(InputError, match="no samples"):
        EncodedSource(Points(()), Uniform(), seed=0)
