"""The cards that lead to the Heidelberg cochlea and to the files made with it."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from snncompare import datasets
from snncompare.datasets.formats.heidelberg_writer import write_heidelberg
from snncompare.datasets.spike_dataset import SpikeDataset


def spoken(**options: object) -> SpikeDataset:
    return datasets.load("spoken_digits_heidelberg", encoder={"n_channels": 30}, **options)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNCOMPARE_CACHE", str(tmp_path / "cache"))


def test_spoken_digits_reach_the_bushy_cells(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNCOMPARE_DATA", str(shared_data))
    few = spoken(n_per_class=2, digits=[4, 2])
    assert sorted(few.classes) == [2, 4]
    assert list(few.units.columns) == ["place", "characteristic_frequency"]
    assert few.source.recording(np.array([1])).times.size > 20
    fewer = spoken(n_per_class=1, digits=[2])
    name = fewer.trials.index[0]
    position = few.trials.index.get_loc(name)
    np.testing.assert_array_equal(fewer[0].times, few[position].times)
    assert not np.array_equal(spoken(n_per_class=1, digits=[2], seed=1)[0].times, fewer[0].times)


def test_shd_is_found_where_the_user_says(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNCOMPARE_DATA", str(shared_data))
    spikes = spoken(n_per_class=1, digits=[0, 1, 2]).source
    for part in ("train", "test"):
        write_heidelberg(tmp_path / f"shd_{part}.h5", spikes, label="digit", speaker="speaker")
    monkeypatch.setenv("SNNCOMPARE_DATA", str(tmp_path))
    shd = datasets.load("shd")
    assert shd.trials["word"].tolist() == ["0", "1", "2"] * 2
    assert {name: len(part) for name, part in shd.split_by("split").items()} == {"train": 3, "test": 3}
    with h5py.File(tmp_path / "shd_test.h5") as file:
        np.testing.assert_array_equal(np.sort(shd[4].times), file["spikes/times"][1].astype(float))
    assert len(datasets.load("shd", splits=["test"], duration="2.5 s")) == 3
