"""N-MNIST as spikes: the authors' archives and folders, our 500 recordings, and the camera we model beside it."""

import pickle
from zipfile import ZipFile

import numpy as np
import pytest

from snncompare.datasets.formats.event_arrays import event_array
from snncompare.datasets.formats.n_mnist import write_n_mnist
from snncompare.datasets.samplers.mnist import mnist
from snncompare.datasets.samplers.n_mnist import n_mnist
from snncompare.encoding.visual.event_camera import EventCamera
from snncompare.encoding.visual.eye_movements import Saccades
from snncompare.encoding.visual.viewed import Viewed
from snncompare.errors import FileError, InputError


def recorded(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 34, (2, 50))
    return event_array(x, y, np.sort(rng.integers(0, 300_000, 50)), rng.integers(0, 2, 50))


@pytest.fixture
def folder(tmp_path):
    """Return a folder like the authors' and what is in it, by name of the trial."""
    held = {}
    for part, n in (("Train", 3), ("Test", 2)):
        for digit in range(2):
            for k in range(n):
                name = f"{part}/{digit}/{7 * k + digit + 1:05}.bin"
                path = tmp_path / "n" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                held[f"{part.lower()} {path.stem}"] = recorded(len(held))
                write_n_mnist(held[f"{part.lower()} {path.stem}"], path)
    (tmp_path / "n" / "Train" / "0" / "notes.txt").write_text("hello")
    return tmp_path / "n", held


@pytest.fixture
def archives(folder, tmp_path):
    for part in ("Train", "Test"):
        with ZipFile(tmp_path / f"{part}.zip", "w") as archive:
            for path in sorted((folder[0] / part).rglob("*.*"), reverse=True):
                archive.write(path, path.relative_to(folder[0]).as_posix())
    return {f"n_mnist/{part}.zip": tmp_path / f"{part}.zip" for part in ("Train", "Test")}


@pytest.fixture
def arrays(folder, tmp_path):
    events = list(folder[1].values())
    columns = {"x": "x", "y": "y", "t_us": "t", "polarity": "p"}
    held = {name: np.concatenate([one[field] for one in events]).astype(np.uint32) for name, field in columns.items()}
    ids = [int(name[-5:]) + 60_000 * name.startswith("test") for name in folder[1]]
    held |= {
        "offsets": np.arange(11) * 50,
        "label": np.array([0] * 3 + [1] * 3 + [0] * 2 + [1] * 2),
        "original_id": np.array(ids),
    }
    np.savez(tmp_path / "n.npz", **held)
    return tmp_path / "n.npz", held


def test_folders_archives_and_arrays_lead_to_the_same_spikes(folder, archives, arrays):
    sources = [n_mnist({}, folder=str(folder[0])), n_mnist(archives), n_mnist({"a.npz": arrays[0]})]
    first = sources[0].recording()
    assert sources[0].trials["digit"].tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 1, 1]
    assert sources[0].trials.index.tolist() == list(folder[1])
    for source in sources:
        again = source.recording()
        assert np.array_equal(again.times, first.times)
        assert np.array_equal(again.offsets, first.offsets)
        assert (
            source.trials[["digit", "split"]].to_numpy().tolist()
            == first.trials[["digit", "split"]].to_numpy().tolist()
        )
    for position, events in enumerate(folder[1].values()):
        assert np.array_equal(sources[1].events(position), events)


def test_choosing_leaves_recordings_as_they_are(archives):
    every, some = n_mnist(archives), n_mnist(archives, split="test", n_per_class=1)
    assert some.trials.index.tolist() == ["test 00001", "test 00002"]
    assert np.array_equal(some.events(1), every.events(8))
    with pytest.raises(InputError, match="n_per_class goes from 1 to 2"):
        n_mnist(archives, n_per_class=3)


def test_archives_are_read_in_other_processes_too(archives):
    source = n_mnist(archives)
    source.events(0)
    assert np.array_equal(pickle.loads(pickle.dumps(source)).events(5), source.events(5))


def test_an_event_after_the_end_is_refused(archives):
    with pytest.raises(FileError, match="longer duration"):
        n_mnist(archives, duration="100 ms").spikes(np.array([0]))


def test_damaged_archives_and_empty_folders_are_refused(archives, tmp_path):
    content = archives["n_mnist/Train.zip"].read_bytes()
    start = content.index(b"00001.bin") + 9
    damaged = content[:start] + bytes(200) + content[start + 200 :]
    archives["n_mnist/Train.zip"].write_bytes(damaged)
    source = n_mnist(archives)
    with pytest.raises(FileError, match="is damaged"):
        source.spikes(np.arange(6))
    archives["n_mnist/Train.zip"].write_bytes(content[:100])
    with pytest.raises(FileError, match="no archive that can be read"):
        n_mnist(archives)
    with pytest.raises(FileError, match="give the folder that holds Train"):
        n_mnist({}, folder=str(tmp_path / "absent"))
    with pytest.raises(FileError, match="no archive"):
        n_mnist({})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"offsets": np.arange(10) * 50}, "do not fit together"),
        ({"x": np.zeros(7, dtype=int)}, "do not fit together"),
        ({"t_us": np.zeros(500)}, "do not fit together"),
        ({"x": np.full(500, 34)}, "recording 0"),
        ({"label": np.array([{}] * 10, dtype=object)}, "pickled objects"),
    ],
    ids=range(5),
)
def test_arrays_that_do_not_fit_together_are_refused(arrays, change, says):
    path, held = arrays
    np.savez(path, **(held | change))
    with pytest.raises(FileError, match=says):
        n_mnist({"n.npz": path}).spikes(np.array([0]))


@pytest.fixture(scope="module")
def real(shared_data):
    return n_mnist({"a.npz": shared_data / "n_mnist" / "n_mnist_dev.npz"})


class TestRealRecordings:
    def test_all_events_arrive_and_survive_a_file(self, real, tmp_path):
        from snncompare.datasets.formats.n_mnist import read_n_mnist

        spikes = real.spikes(np.arange(500))
        assert spikes.counts.shape == (500, 2312)
        assert spikes.times.size == spikes.counts.sum() == 2_040_027
        for position in (0, 77, 499):
            events = real.events(position)
            write_n_mnist(events, tmp_path / "a.bin")
            assert np.array_equal(read_n_mnist(tmp_path / "a.bin"), events)

    def test_our_saccades_move_the_picture_as_those_of_the_recording_did(self, real, shared_data):
        """The middle of all events early and late in each of the three movements; other digits, another camera.

        Most events come 40, 140 and 240 ms after the start in our views, 50, 150 and 258 ms in the recordings.
        """
        theirs = moves(real.recording(np.arange(100)), (50, 150, 258))
        samples = mnist({"a": shared_data / "mnist" / "mnist.npz"}, split="train", n_per_class=4)
        pictures = [samples.stimulus(k) for k in range(40)]
        ours = moves(seen(Saccades().path).encode(pictures, seed=0), (40, 140, 240))
        # The recorded picture moves by 2.7 to 3.6 pixels between the windows. Ours goes the same way within 20 degrees
        # and at least as far as 0.65 of that: the real movements are a little more abrupt.
        assert np.linalg.norm(theirs, axis=1).min() > 2
        turned, longer = compared(ours, theirs)
        assert abs(turned).max() < 20
        assert 0.65 < longer.min() <= longer.max() < 1.1
        # Negative control: the same path upside down.
        wrong = tuple((x, -y) for x, y in Saccades().path)
        turned, _ = compared(moves(seen(wrong).encode(pictures[:20], seed=0), (40, 140, 240)), theirs)
        assert abs(turned[:2]).min() > 90


def compared(ours, theirs):
    """Return the angles between moves, degrees, and the ratios of their lengths."""
    ratio = (ours @ [1, 1j]) / (theirs @ [1, 1j])
    return np.degrees(np.angle(ratio)), abs(ratio)


def seen(path):
    return Viewed(eyes=Saccades(path=path, margin=3, background=0.0), encoder=EventCamera())


def moves(recording, centres):
    """Return how far the middle of events moves from 15 ms before to 15 ms after some times, shape (n, 2), pixels."""
    return np.array([middle(recording, c + 15) - middle(recording, c - 15) for c in centres])


def middle(recording, centre):
    """Return the mean x and y of the events in 5 ms around a time in milliseconds."""
    _, unit = recording.spike_index()
    inside = abs(recording.times * 1e3 - centre) < 2.5
    return recording.units[["x", "y"]].to_numpy()[unit[inside]].mean(axis=0)
