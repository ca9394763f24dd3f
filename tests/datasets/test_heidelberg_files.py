"""The Heidelberg layout: what we write is read by plain h5py as documented, the reverse, and hostile files."""

import pickle
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from snncompare.datasets.formats.heidelberg import HeidelbergSource, heidelberg_spikes
from snncompare.datasets.formats.heidelberg_writer import write_heidelberg
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError, InputError
from snncompare.recording.recording import Recording


def published(path: Path, *, n: int = 6, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Write a file as the published ones are: times in half precision, ordered by time, words and speakers beside."""
    rng = np.random.default_rng(seed)
    times = [np.sort(rng.uniform(0, 0.9, size)).astype(np.float16) for size in rng.integers(0, 60, n)]
    units = [rng.integers(0, 700, train.size).astype(np.uint16) for train in times]
    with h5py.File(path, "w") as file:
        file.create_dataset("spikes/times", (n,), h5py.vlen_dtype(np.float16))
        file.create_dataset("spikes/units", (n,), h5py.vlen_dtype(np.uint16))
        for i in range(n):
            file["spikes/times"][i], file["spikes/units"][i] = times[i], units[i]
        file["labels"] = np.arange(n, dtype=np.uint16) % 3
        file["extra/keys"] = np.array([b"zero", b"eins", "f\u00fcnf".encode()])
        file["extra/speaker"] = np.arange(n, dtype=np.uint16) % 2
        file["extra/meta_info/gender"] = np.array([b"female", b"male"])
        file["extra/meta_info/age"] = np.array([31, 44], dtype=np.uint8)
    return times, units


def recording() -> Recording:
    rng = np.random.default_rng(1)
    n_spikes = 400
    trials = pd.DataFrame(
        {"start": [0.0, -0.1, 0.0], "stop": [0.5, 0.4, 0.7], "word": ["yes", "no", "yes"], "who": ["a", "b", "b"]},
        index=["x", "y", "z"],
    )
    trial = rng.integers(0, 3, n_spikes)
    times = trials["start"].to_numpy()[trial] + rng.uniform(0, 0.5, n_spikes)
    return Recording.from_arrays(
        times=times,
        unit=rng.integers(0, 20, n_spikes),
        trial=trials.index.to_numpy()[trial],
        units=pd.DataFrame(index=range(20)),
        trials=trials,
    )


def test_published_files_are_read_to_the_last_bit(tmp_path: Path) -> None:
    times, units = published(tmp_path / "shd_train.h5")
    source = heidelberg_spikes({"shd_train.h5": tmp_path / "shd_train.h5"})
    found, counts = source.spikes(np.arange(6))
    assert counts.shape == (6, 700)
    for trial, (train, owners) in enumerate(zip(times, units, strict=True)):
        mine = found[counts[:trial].sum() : counts[: trial + 1].sum()]
        order = np.lexsort((train, owners))
        np.testing.assert_array_equal(mine, train.astype(np.float64)[order])
        np.testing.assert_array_equal(np.repeat(np.arange(700), counts[trial]), owners[order])
    assert source.trials["word"].tolist() == ["zero", "eins", "fünf"] * 2
    assert source.trials["gender"].tolist() == ["female", "male"] * 3
    assert source.trials["age"].tolist() == [31, 44] * 3
    assert source.trials["split"].unique().tolist() == ["train"]
    assert source.trials["stop"].tolist() == [max(float(train.max(initial=0)), 1e-3) for train in times]


def test_trials_come_in_the_order_asked_and_from_several_files(tmp_path: Path) -> None:
    names = {f"shd_{part}.h5": tmp_path / f"shd_{part}.h5" for part in ("train", "test")}
    for seed, path in enumerate(names.values()):
        published(path, seed=seed)
    source = heidelberg_spikes(names, duration="1 s")
    dataset = SpikeDataset(spikes=source, label="word", name="shd")
    assert len(dataset) == 12
    assert {name: len(part) for name, part in dataset.split_by("split").items()} == {"train": 6, "test": 6}
    some = source.spikes(np.array([7, 2, 7]))
    for row, position in enumerate([7, 2, 7]):
        alone = source.spikes(np.array([position]))
        start = some.counts[:row].sum()
        np.testing.assert_array_equal(some.times[start : start + alone.counts.sum()], alone.times)
    assert source.recording().n_trials == 12
    assert len(heidelberg_spikes(names, splits=["test"]).labels) == 6
    with pytest.raises(InputError, match="no part called 'valid'"):
        heidelberg_spikes(names, splits=["valid"])


def test_nothing_is_read_before_it_is_asked_for_and_it_travels_to_workers(tmp_path: Path) -> None:
    published(tmp_path / "test.h5")
    source = HeidelbergSource({"test": tmp_path / "test.h5"}, duration="1 s")
    other = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(other.spikes(np.array([1])).times, source.spikes(np.array([1])).times)
    (tmp_path / "test.h5").unlink()
    assert len(source.trials) == 6
    with pytest.raises(FileError, match=r"test\.h5"):
        source.spikes(np.array([0]))


@pytest.mark.parametrize("precision", ["float16", "float32"])
def test_plain_h5py_reads_what_we_write(tmp_path: Path, precision: str) -> None:
    """As https://zenkelab.org/resources/spiking-heidelberg-datasets-shd says: times, units, labels, keys, speaker."""
    spikes = recording()
    write_heidelberg(tmp_path / "ours.h5", spikes, label="word", speaker="who", precision=precision)
    with h5py.File(tmp_path / "ours.h5", "r") as file:
        assert file["labels"][()].tolist() == [0, 1, 0]
        assert [key.decode() for key in file["extra/keys"][()]] == ["yes", "no"]
        assert file["extra/speaker"][()].tolist() == [0, 1, 1]
        assert file["spikes/times"][0].dtype == precision
        for i, trial in enumerate(spikes.trials.index):
            times, units = file["spikes/times"][i], file["spikes/units"][i]
            assert np.all(np.diff(times.astype(float)) >= 0)
            start = spikes.trials.loc[trial, "start"]
            for unit in range(20):
                k = i * 20 + unit
                train = spikes.times[spikes.offsets[k] : spikes.offsets[k + 1]] - start
                np.testing.assert_array_equal(times[units == unit], train.astype(precision))


def test_what_we_write_we_read(tmp_path: Path) -> None:
    spikes = recording()
    write_heidelberg(tmp_path / "ours_test.h5", spikes, label="word", speaker="who")
    source = heidelberg_spikes({"ours_test.h5": tmp_path / "ours_test.h5"}, n_channels=20)
    again = source.recording()
    np.testing.assert_array_equal(np.diff(again.offsets), np.diff(spikes.offsets))
    starts = np.repeat(np.repeat(spikes.trials["start"].to_numpy(), 20), np.diff(spikes.offsets))
    np.testing.assert_allclose(again.times, spikes.times - starts, atol=3e-8)  # half a step of float32 below 1 s
    assert again.trials["stop"].tolist() == [0.5, 0.5, 0.7]
    assert again.trials["word"].tolist() == ["yes", "no", "yes"]


def test_half_precision_never_leaves_its_window(tmp_path: Path) -> None:
    trials = pd.DataFrame({"start": [0.0], "stop": [0.9998], "word": ["a"]}, index=["t"])
    late = Recording.from_arrays(
        times=np.array([0.9998]), unit=[0], trial=["t"], units=pd.DataFrame(index=[0]), trials=trials
    )
    write_heidelberg(tmp_path / "a.h5", late, label="word", precision="float16")
    source = heidelberg_spikes({"a.h5": tmp_path / "a.h5"}, n_channels=1)
    assert source.recording().times.tolist() == [1.0]  # the nearest number of half precision


def test_parts_share_the_numbers_of_classes(tmp_path: Path) -> None:
    only_no = recording().select(trials=np.array([False, True, False]))
    write_heidelberg(tmp_path / "a.h5", only_no, label="word", classes=("yes", "no"))
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["labels"][()].tolist() == [1]
    with pytest.raises(InputError, match="they lack 'no'"):
        write_heidelberg(tmp_path / "a.h5", only_no, label="word", classes=("yes",))


@pytest.mark.parametrize(
    "options", [{"label": "wrd"}, {"label": "word", "speaker": "whom"}, {"label": "word", "precision": "int8"}], ids=str
)
def test_writing_refuses_what_is_not_there_and_leaves_no_file(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(InputError):
        write_heidelberg(tmp_path / "a.h5", recording(), **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        write_heidelberg(tmp_path / "nowhere" / "a.h5", recording(), label="word")
