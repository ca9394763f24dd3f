"""Files of the Heidelberg layout that are damaged or lie: each is refused in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from snncompare.datasets.formats.heidelberg import HeidelbergSource
from snncompare.errors import FileError, InputError

FLOATS, WHOLE = h5py.vlen_dtype(np.float32), h5py.vlen_dtype(np.uint16)


def write(path: Path, **changes: Any) -> Path:
    """Write three trials; a change replaces a dataset (by name with __ for /) or removes it (None)."""
    values: dict[str, Any] = {
        "spikes/times": [[0.1, 0.2], [0.3], []],
        "spikes/units": [[5, 699], [0], []],
        "labels": np.array([0, 1, 1]),
        "extra/keys": np.array([b"a", b"b"]),
        "extra/speaker": np.array([0, 0, 1]),
    } | {name.replace("__", "/"): value for name, value in changes.items()}
    with h5py.File(path, "w") as file:
        for name, value in values.items():
            if isinstance(value, list):
                data = file.create_dataset(name, (len(value),), FLOATS if name == "spikes/times" else WHOLE)
                for i, row in enumerate(value):
                    data[i] = np.asarray(row, dtype=np.float32 if name == "spikes/times" else np.uint16)
            elif value is not None:
                file[name] = value
    return path


def read(path: Path) -> Any:
    source = HeidelbergSource({"": path})
    return source.spikes(np.arange(3))


def refused(path: Path, message: str) -> None:
    with pytest.raises(FileError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_the_file_that_the_others_are_made_from_is_read(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.h5")).counts.sum() == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spikes__times": None}, "lacks 'spikes/times'"),
        ({"labels": None}, "lacks 'labels'"),
        ({"labels": np.array([0, 1])}, "'labels'.* needs 3 numbers"),
        ({"labels": np.array([0, 1, 2])}, "go beyond the 2 words"),
        ({"labels": np.array([0, -1, 1])}, "go beyond"),
        ({"labels": np.array([0.5, 1.0, 1.0])}, "needs 3 numbers"),
        ({"labels": np.zeros((3, 2), dtype=int)}, "no plain list"),
        ({"spikes__times": np.zeros(3)}, "needs lists of times"),
        ({"spikes__times": [[0.1, 0.2], [0.3]]}, "as many lists"),
        ({"spikes__times": [[0.1], [0.3], []]}, "trial 0 .* 1 times and 2 units"),
        ({"spikes__times": [[0.1, np.nan], [0.3], []]}, "not finite"),
        ({"spikes__times": [[-0.1, 0.2], [0.3], []]}, "outside its window"),
        ({"spikes__units": [[5, 700], [0], []]}, "units 5 to 700, not 0 to 699"),
        ({"spikes__times": [], "spikes__units": [], "labels": np.array([], dtype=int)}, "as many lists"),
        ({"extra__keys": np.array([1, 2])}, "needs up to 65536 words"),
        ({"extra__speaker": np.array([0, 1])}, "'extra/speaker'.* needs 3 numbers"),
        ({"extra__duration": np.array([1.0, 0.0, 1.0])}, "durations that are not positive"),
        ({"extra__duration": np.array([0.15, 1.0, 1.0])}, "outside its window of 0 to 0.15"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_contradictions_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    refused(write(tmp_path / "a.h5", **changes), message)


@pytest.mark.parametrize("kept", [0, 7, 100, 0.5, 0.9])
def test_truncated_files_are_refused(tmp_path: Path, kept: float) -> None:
    path = write(tmp_path / "a.h5")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if kept >= 1 or kept == 0 else kept * len(whole))])
    refused(path, "no HDF5 file|cannot be read as HDF5")


@pytest.mark.parametrize("seed", range(12))
def test_a_file_with_flipped_bytes_is_read_or_refused_in_one_line(tmp_path: Path, seed: int) -> None:
    path = write(tmp_path / "a.h5")
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for position in rng.integers(8, len(content), 200):
        content[position] = rng.integers(0, 256)
    path.write_bytes(bytes(content))
    assert "\n" not in problem_with(path)


def problem_with(path: Path) -> str:
    try:
        read(path)
    except FileError as problem:
        return str(problem)
    return ""


def _soft(file: h5py.File) -> None:
    file["labels"] = h5py.SoftLink("/extra/speaker")


def _external_link(file: h5py.File) -> None:
    file["labels"] = h5py.ExternalLink("secret.h5", "/labels")


def _external_storage(file: h5py.File) -> None:
    file.create_dataset("labels", (3,), "i8", external=[("secret.bin", 0, 24)])


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3,), "i8")
    layout[:] = h5py.VirtualSource("secret.h5", "labels", (3,))
    file.create_virtual_dataset("labels", layout)


def _group(file: h5py.File) -> None:
    file.create_group("labels")


def _huge(file: h5py.File) -> None:
    for name in ("spikes/times", "spikes/units"):
        del file[name]
        file.create_dataset(name, (10**12,), FLOATS if "times" in name else WHOLE, chunks=(1000,))
    file["labels"] = np.zeros(3)


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        (_soft, "links are not followed"),
        (_external_link, "links are not followed"),
        (_external_storage, "no plain list"),
        (_virtual, "no plain list"),
        (_group, "no plain list"),
        (_huge, "up to 10000000"),
    ],
)
def test_files_that_reach_elsewhere_or_announce_too_much_are_refused(
    tmp_path: Path, plant: Callable[[h5py.File], None], message: str
) -> None:
    path = write(tmp_path / "a.h5", labels=None)
    with h5py.File(path, "r+") as file:
        plant(file)
    refused(path, message)


def test_times_that_are_no_seconds_are_refused(tmp_path: Path) -> None:
    refused(write(tmp_path / "a.h5", spikes__times=[[100.0, 3700.0], [0.3], []]), "trial 0 .* at most an hour")
    refused(write(tmp_path / "b.h5", extra__duration=np.array([1.0, 4e3, 1.0])), "trial 1 .* at most an hour")
    hour = write(tmp_path / "c.h5", spikes__times=[[100.0, 3600.0], [0.3], []])
    assert read(hour).times.max() == 3600.0  # control


def test_packed_and_absent_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "shd_train.h5.gz").write_bytes(b"\x1f\x8b packed")
    refused(tmp_path / "shd_train.h5.gz", "unpack it first")
    refused(tmp_path / "none.h5", "cannot be read as HDF5")
    with pytest.raises(InputError, match="at least one file"):
        HeidelbergSource({})


def test_a_word_with_control_characters_is_shown_as_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", extra__keys=np.array([b"a\x1b[31m\nred", b"b"]))
    word = HeidelbergSource({"": path}).labels["word"].iloc[0]
    assert word.isprintable()
