"""Answers that come later are the same answers, and what is silent may have one of its own."""

import numpy as np
import pytest
import xarray as xr

from snncompare.datasets.late_answers import late_answers
from snncompare.datasets.source import RecordingSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.answers import answers_in_steps
from snncompare.recording.recording import Recording

OUTPUTS = ["a", "b"]


class Asking(RecordingSource):
    """Asks for one output after the other, and for nothing in between."""

    def target(self, position):
        values = np.array([[1, 0], [0, 0], [0, 1], [position % 2, 0]], dtype=float)
        return xr.DataArray(values, dims=("time", "output"), coords={"time": np.arange(4) * 0.01, "output": OUTPUTS})


def asking(cls=Asking):
    recording = Recording.from_raster(np.random.default_rng(0).random((3, 2, 4)) < 0.5, "10 ms")
    return SpikeDataset(spikes=cls(recording), label=None, name="asking")


def answers(dataset, n_steps):
    return answers_in_steps(dataset, np.arange(3), 0.01, n_steps, exact=False)


def test_answers_come_later_by_as_many_steps():
    data = asking()
    late = late_answers(data, "20 ms")
    found, before = answers(late, 6), answers(data, 4)
    assert np.isnan(found[:2]).all()
    assert np.array_equal(found[2:], before)
    counts = late.counts(np.arange(3), "10 ms")
    assert counts.shape[1] == 6
    assert np.array_equal(counts[:, :4], data.counts(np.arange(3), "10 ms"))
    assert not counts[:, 4:].any()
    assert not np.array_equal(answers(late_answers(data, "10 ms"), 5)[1:], before[::-1])


def test_what_nobody_asks_about_may_be_given_an_answer():
    found = answers(late_answers(asking(), "0 ms", otherwise="b"), 4)
    assert found[:, 0].tolist() == [[1, 0], [0, 1], [0, 1], [0, 1]]
    assert found[3, 1].tolist() == [1, 0]


def test_parts_and_mistakes():
    late = late_answers(asking(), "10 ms", otherwise="a")
    part = late.subset(np.array([False, True, True]))
    assert np.array_equal(answers_in_steps(part, np.arange(2), 0.01, 5, exact=False), answers(late, 5)[:, 1:], True)
    with pytest.raises(InputError, match="must not be negative"):
        late_answers(asking(), "-1 ms")
    with pytest.raises(InputError, match="otherwise: "):
        late_answers(asking(), "0 ms", otherwise="c")
    with pytest.raises(InputError, match="no answers over time"):
        late_answers(asking(RecordingSource), "0 ms")
