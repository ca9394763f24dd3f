"""Spoken digits: what the file holds, selections, and broken files."""

from pathlib import Path

import numpy as np
import pytest

from snncompare.datasets.samplers.spoken_digits import spoken_digits
from snncompare.errors import FileError, InputError

FILE = "spoken_digits/spoken_digits_dev.npz"


@pytest.fixture(scope="module")
def files(shared_data: Path) -> dict[str, Path]:
    return {FILE: shared_data / FILE}


def small(**changes: np.ndarray) -> dict[str, np.ndarray]:
    arrays = {
        "audio": np.arange(-50, 50, dtype=np.int16) * 300,
        "offsets": np.array([0, 10, 40, 60, 100]),
        "digit": np.array([1, 0, 1, 0]),
        "speaker": np.array(["ann", "ann", "bob", "bob"]),
        "index": np.array([0, 5, 4, 12]),
        "sampling_rate": np.array(8000),
    }
    return arrays | changes


def written(folder: Path, **changes: np.ndarray) -> dict[str, Path]:
    path = folder / "digits.npz"
    np.savez(path, **small(**changes))
    return {"digits.npz": path}


def test_the_development_file_holds_what_its_readme_says(files: dict[str, Path]) -> None:
    table = spoken_digits(files).table
    assert table.groupby(["digit", "speaker"]).size().tolist() == [25] * 40
    assert table["split"].value_counts().to_dict() == {"train": 800, "test": 200}
    assert table.index.is_unique
    durations = [spoken_digits(files).stimulus(i).duration for i in (0, 999)]
    assert all(0.14 <= duration <= 2.28 for duration in durations)


def test_a_recording_is_the_piece_between_its_offsets(tmp_path: Path) -> None:
    samples = spoken_digits(written(tmp_path))
    sound = samples.stimulus(1)
    np.testing.assert_array_equal(sound.samples * 32768, small()["audio"][10:40])
    assert sound.sampling_rate == 8000.0
    assert samples.table.iloc[1].to_dict() == {"digit": 0, "speaker": "ann", "index": 5, "split": "train"}
    assert samples.table["split"].tolist() == ["test", "train", "test", "train"]


def test_selections_keep_sound_and_number_of_a_recording(files: dict[str, Path]) -> None:
    whole = spoken_digits(files)
    part = spoken_digits(files, digits=[7, 3], speakers=["theo"], n_per_class=4)
    assert len(part.table) == 8
    assert sorted(part.table["digit"].unique()) == [3, 7]
    for position, name in enumerate(part.table.index):
        there = whole.table.index.get_loc(name)
        assert part.number(position) == whole.number(there) == there
        np.testing.assert_array_equal(part.stimulus(position).samples, whole.stimulus(there).samples)


def test_n_per_class_takes_speakers_in_turn(files: dict[str, Path]) -> None:
    table = spoken_digits(files, n_per_class=8).table
    assert table.groupby(["digit", "speaker"]).size().tolist() == [2] * 40
    assert set(table["index"]) == {0, 5}
    assert table.groupby(["digit", "speaker", "split"]).size().tolist() == [1] * 80


@pytest.mark.parametrize("speakers", [None, ["theo"], ["jackson", "theo"]], ids=str)
def test_few_recordings_are_of_both_parts(files: dict[str, Path], speakers: list[str] | None) -> None:
    """The first recordings of all speakers, index 0 to 4, would all be of the test part."""
    before: set[str] = set()
    for n in (1, 2, 3, 5, 7, 25):
        table = spoken_digits(files, speakers=speakers, n_per_class=n).table
        assert table.groupby("digit").size().tolist() == [n] * 10
        assert before < set(table.index)
        before = set(table.index)
        parts = table.groupby("digit")["split"].nunique()
        assert parts.tolist() == [min(n, 2)] * 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"digits": [11]}, "no digit called '11'"),
        ({"speakers": ["jakson"]}, "did you mean 'jackson'"),
        ({"speakers": "jackson"}, "must be a list"),
        ({"digits": []}, "at least one"),
        ({"n_per_class": 101}, "from 1 to 100"),
        ({"n_per_class": 0}, "from 1 to 100"),
    ],
    ids=str,
)
def test_what_is_not_there_is_refused(files: dict[str, Path], options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        spoken_digits(files, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"offsets": np.array([0, 10, 40, 60, 200])},
        {"offsets": np.array([0, 40, 10, 60, 100])},
        {"offsets": np.array([5, 10, 40, 60, 100])},
        {"digit": np.array([1, 0, 1])},
        {"audio": np.zeros(100)},
        {"audio": np.zeros((100, 2), dtype=np.int16)},
        {"speaker": np.array([1, 2, 3, 4])},
        {"sampling_rate": np.array(0)},
        {"speaker": np.array(["ann", None, "bob", "bob"], dtype=object)},
    ],
    ids=["beyond", "falling", "start", "labels", "float", "stereo", "speakers", "rate", "objects"],
)
def test_files_that_contradict_themselves_are_refused(tmp_path: Path, changes: dict[str, np.ndarray]) -> None:
    with pytest.raises(FileError) as caught:
        spoken_digits(written(tmp_path, **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 50, 600])
def test_truncated_files_are_refused(tmp_path: Path, kept: int) -> None:
    path = written(tmp_path)["digits.npz"]
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(FileError, match="cannot be read as arrays"):
        spoken_digits({"digits.npz": path})


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    arrays = small()
    del arrays["speaker"]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FileError, match="lacks speaker"):
        spoken_digits({"a.npz": tmp_path / "a.npz"})
