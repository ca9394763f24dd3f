"""Stored spikes: the same bytes however they were made, resumed, checked, and never believed half-written."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from snncompare import datasets
from snncompare.datasets import build
from snncompare.datasets.samples import EncodedSource
from snncompare.datasets.source import SelectedSource
from snncompare.errors import FileError, InputError

SMALL = {"n_classes": 3, "n_per_class": 50, "duration": "50 ms", "encoder": {"size": 5}}
"""150 trials: two shards of 64 and one of 22."""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SNNCOMPARE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def songs(**options):
    return datasets.load("song_envelopes", **(SMALL | options))


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def fires_nothing(monkeypatch):
    monkeypatch.setattr(EncodedSource, "_fire", lambda *_: pytest.fail("encoded what is stored"))


def test_stored_spikes_are_read_and_are_those_that_would_be_encoded(monkeypatch):
    fresh = songs().spikes
    folder = songs().build(progress=False)
    assert sorted(content(folder)) == [
        "durations.npz", "recipe.json", "spikes-00000.npz", "spikes-00001.npz", "spikes-00002.npz",
    ]  # fmt: skip
    fires_nothing(monkeypatch)
    assert songs().spikes.equals(fresh)
    for i in (149, 0, 63, 64):
        assert songs().recording([i]).equals(fresh.select(trials=np.arange(150) == i))
    assert np.array_equal(songs().counts([70, 3, 70], "1 ms")[1], songs().counts([3], "1 ms")[0])


def test_loading_and_using_a_dataset_writes_nothing(cache):
    songs().counts([0, 1], "1 ms")
    assert not (cache / "cache").exists()


def test_another_recipe_is_stored_elsewhere():
    names = {
        songs(**options).source.folder.name
        for options in ({}, {"seed": 1}, {"n_per_class": 49}, {"duration": "60 ms"}, {"encoder": {"size": 6}})
    }
    assert len(names) == 5
    assert songs().source.folder == songs().source.folder


def test_a_new_encoding_version_leaves_old_shards_alone(monkeypatch):
    old = songs().source.fingerprint()
    monkeypatch.setattr("snncompare.datasets.recipes.ENCODING_VERSION", 1_000)
    assert songs().source.fingerprint() != old


def test_the_bytes_depend_on_the_seed():
    first, other = (content(songs(seed=seed).build(progress=False)) for seed in (0, 1))
    assert first["spikes-00000.npz"] != other["spikes-00000.npz"]


@pytest.mark.slow
def test_parallel_or_not_the_bytes_are_the_same(cache):
    alone = content(songs().build(cache / "alone", progress=False))
    together = content(songs().build(cache / "together", workers=2, progress=False))
    assert alone == together
    assert (
        content(songs(seed=1).build(cache / "other", progress=False))["spikes-00001.npz"] != alone["spikes-00001.npz"]
    )


def damaged(path, how):
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes({"flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
                      "cut": data[:middle], "empty": b"", "swapped": (path.parent / "spikes-00001.npz").read_bytes(),
                      "of another seed": (songs(seed=1).build(progress=False) / path.name).read_bytes()}[how])  # fmt: skip


@pytest.mark.parametrize("how", ["flipped", "cut", "empty", "swapped", "of another seed"])
def test_a_damaged_shard_is_noticed_and_made_again(how, monkeypatch):
    folder = songs().build(progress=False)
    whole = content(folder)
    fresh = songs().recording([0, 1])
    damaged(folder / "spikes-00000.npz", how)
    assert content(folder) != whole
    assert songs().recording([0, 1]).equals(fresh)
    made = []
    write = type(songs().source).write_shard
    monkeypatch.setattr(type(songs().source), "write_shard", lambda self, k: made.append(k) or write(self, k))
    songs().build(progress=False)
    assert content(folder) == whole
    assert made == [0]


BUILD = """
import sys
from snncompare import datasets
if __name__ == "__main__":
    data = datasets.load("song_envelopes", n_classes=8, n_per_class=120, duration="50 ms", encoder={"size": 5})
    data.build(workers=int(sys.argv[1]), progress=False)
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_build_that_was_killed_goes_on_and_ends_with_the_same_bytes(cache, workers, monkeypatch):
    script = cache / "build.py"
    script.write_text(BUILD, encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script), str(workers)], start_new_session=True) as killed:
        data = datasets.load("song_envelopes", n_classes=8, n_per_class=120, duration="50 ms", encoder={"size": 5})
        limit = time.monotonic() + 60
        while len(list(data.source.folder.glob("spikes-*.npz"))) < 2:
            assert time.monotonic() < limit
            assert killed.poll() is None
            time.sleep(0.002)
        killed.send_signal(signal.SIGKILL)
    if workers > 1:
        wait_for_the_end_of_session(killed.pid)
    stored = content(data.source.folder)
    assert 2 <= len([name for name in stored if name.endswith(".npz")]) < 15
    made = []
    write = type(data.source).write_shard
    monkeypatch.setattr(type(data.source), "write_shard", lambda self, k: made.append(k) or write(self, k))
    resumed = content(data.build(progress=False))
    assert len(made) == 15 - len([name for name in stored if name.endswith(".npz")])
    assert not [name for name in resumed if name.endswith(".part")]
    assert resumed == content(data.build(cache / "at once", progress=False))


def wait_for_the_end_of_session(leader):
    """Wait until the workers of a killed process have ended by themselves."""
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.killpg(leader, signal.SIGKILL)
    pytest.fail("workers outlived the process that started them")


def test_the_disk_use_is_stated_before_the_work_and_is_about_right(capsys):
    folder = songs().build()
    said = capsys.readouterr().err
    assert said.startswith("song_envelopes: 150 of 150 trials to encode, about 0.")
    stored = sum(path.stat().st_size for path in folder.glob("spikes-*.npz"))
    # Four trials are compressed alone for the estimate, 64 in a shard together.
    assert stored < build.expected_bytes(songs().source, 150) < 2 * stored
    songs().build()
    assert "to encode" not in capsys.readouterr().err


def test_too_small_a_disk_is_refused_before_the_work(monkeypatch):
    monkeypatch.setattr(build.shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(FileError, match="has 0 MB free; free some") as refused:
        songs().build(progress=False)
    assert "\n" not in str(refused.value)
    assert not songs().source.folder.exists()


def test_a_disk_that_gets_full_is_one_line_and_leaves_whole_shards_only():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    source = songs().source
    source.folder.mkdir(parents=True)
    (source.folder / f"spikes-00001.npz.{os.getpid()}.part").symlink_to("/dev/full")  # a full disk after one shard
    with pytest.raises(FileError, match="the disk is full; what was stored before stays") as refused:
        songs().build(progress=False)
    assert "\n" not in str(refused.value)
    assert sorted(content(source.folder)) == ["recipe.json", "spikes-00000.npz"]
    assert len(content(songs().build(progress=False))) == 5


def test_a_build_keeps_what_another_one_is_writing_and_removes_what_was_left_behind():
    folder = songs().source.folder
    folder.mkdir(parents=True)
    left, live = folder / "spikes-00001.npz.1.part", folder / "spikes-00002.npz.2.part"
    left.write_bytes(b"half")
    live.write_bytes(b"half")
    os.utime(left, (time.time() - 60, time.time() - 60))
    os.utime(live, (time.time() + 60, time.time() + 60))  # its writer goes on while this build runs
    songs().build(progress=False)
    assert [path.name for path in folder.glob("*.part")] == [live.name]


def test_an_interrupted_write_leaves_nothing_behind(monkeypatch):
    from snncompare.datasets import shards

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(shards, "write_arrays", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_one(songs().source)
    assert [path.name for path in songs().source.folder.iterdir()] == []


def write_one(source):
    source.write_shard(0)


def test_a_part_of_a_dataset_stores_the_shards_it_needs():
    data = songs()
    last = data.subset(np.arange(150) >= 140)
    assert isinstance(last.source, SelectedSource)
    folder = last.build(progress=False)
    assert sorted(content(folder)) == ["durations.npz", "recipe.json", "spikes-00002.npz"]
    assert last.recording([0]).equals(songs().recording([140]))


def test_a_recording_has_nothing_to_build():
    assert datasets.load("grasshopper_receptor").build(progress=False) is None


def test_a_source_travels_to_other_processes_as_its_recipe():
    import pickle

    source = songs().source
    sent = pickle.dumps(source)
    assert len(sent) < 20_000
    assert pickle.loads(sent).recording(np.array([5])).equals(source.recording(np.array([5])))
    part = songs().subset(np.arange(150) > 100)
    again = pickle.loads(pickle.dumps(part))
    assert np.array_equal(again.labels, part.labels)
    assert again.recording([3]).equals(part.recording([3]))


def test_numbers_of_workers_below_one_are_refused():
    with pytest.raises(InputError, match="workers must be at least 1"):
        songs().build(workers=0)
