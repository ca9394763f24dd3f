"""Reading files of any kind: what works, what is refused, and that no file can run code."""

import pickle

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import FileError, InputError
from snncompare.provenance import file_hash
from snncompare.recording.inspect import describe
from snncompare.recording.neo_files import readable_extensions
from snncompare.recording.read import read
from snncompare.recording.recording import Recording


class Canary:
    """An object that writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.parametrize(
    "suffix", ["pkl", "pickle", "p", "npz", "npy", "nwb", "nix", "h5", "mat", "dat", "DAT", "txt", "plx", "nev", "smr"]
)
def test_no_pickle_runs_whatever_its_name(tmp_path, suffix):
    canary = tmp_path / "ran"
    path = tmp_path / f"session.{suffix}"
    path.write_bytes(pickle.dumps(Canary(canary)))
    with pytest.raises((FileError, InputError)) as caught:
        read(path)
    assert not canary.exists()
    assert "\n" not in str(caught.value)


def test_readers_that_evaluate_text_or_unpickle_are_never_opened(tmp_path, monkeypatch):
    import neo

    opened = []
    for reader in (neo.io.ElphyIO, neo.io.PickleIO, neo.io.NWBIO):
        monkeypatch.setattr(reader, "__init__", lambda *_, name=reader.__name__: opened.append(name))
    candidates = neo.io.list_candidate_ios(tmp_path / "session.dat")
    assert neo.io.ElphyIO in candidates
    for suffix in ("dat", "pkl", "nwb"):
        (tmp_path / f"session.{suffix}").write_bytes(b"x")
        with pytest.raises(FileError):
            read(tmp_path / f"session.{suffix}")
    assert opened == []


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_the_canary_would_have_run(tmp_path):
    """Negative control of the test above."""
    pickle.loads(pickle.dumps(Canary(tmp_path / "ran"))).close()
    assert (tmp_path / "ran").exists()


def test_arrays_of_objects_in_an_archive_do_not_run(tmp_path):
    canary = tmp_path / "ran"
    header = np.empty(1, dtype=object)
    header[0] = Canary(canary)
    np.savez(tmp_path / "x.npz", header=header)
    with pytest.raises(FileError, match="damaged"):
        read(tmp_path / "x.npz")
    assert not canary.exists()


def saved(tmp_path):
    recording = Recording.from_arrays(
        times=[0.1, 1.2],
        unit=["a", "a"],
        trial=[0, 0],
        units=pd.DataFrame(index=["a"]),
        trials=pd.DataFrame({"start": [0.0], "stop": [2.0]}),
    )
    return recording.save(tmp_path / "session.npz")


def test_a_file_is_read_with_its_origin_and_cut_into_windows(tmp_path):
    path = saved(tmp_path)
    recording = read(path, windows="1 s")
    assert recording.n_trials == 2
    assert recording.provenance["source"] == {
        "file": "session.npz",
        "reader": "snncompare",
        "sha256": file_hash(path),
    }


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"trials": "x", "windows": "1 s"}, "either trials"),
        ({"window": ("0 s", "1 s")}, "say which"),
        ({"trials": "tone"}, "no mark 'tone'; available: none"),
        ({"time_unit": "ms"}, "plain text only"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(tmp_path, how, message):
    with pytest.raises(InputError, match=message):
        read(saved(tmp_path), **how)


def test_missing_and_unknown_files_say_what_to_do(tmp_path):
    with pytest.raises(FileError, match="there is no file"):
        read(tmp_path / "nowhere.nix")
    (tmp_path / "photo.jpg").write_text("")
    with pytest.raises(FileError, match=r"no reader for 'photo\.jpg'; readable are nix, nwb"):
        read(tmp_path / "photo.jpg")
    assert {"nix", "nwb", "plx", "npz", "txt"} <= set(readable_extensions())
    assert not {"pkl", "pickle"} & set(readable_extensions())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("TestFile.Ncs", "NeuralynxIO: No matching header"),
        ("axonio.abf", "no spikes: AxonIO finds 1 Segments with 1 analogsignals"),
        ("17o05027_ic_ramp.abf", "2 Segments with 2 analogsignals"),
    ],
)
def test_files_without_spikes_say_what_they_have(shared_data, name, message):
    with pytest.raises(FileError, match=message) as caught:
        read(shared_data / "raw_formats" / name)
    assert "\n" not in str(caught.value)


def test_acquisition_formats_are_read(shared_data):
    nex = read(shared_data / "raw_formats" / "test1.nex")
    assert (nex.n_units, nex.times.size) == (2, 7)
    assert {name: marks.kind for name, marks in nex.marks.items()} == {"event1": "event", "interval1": "epoch"}
    smr = read(shared_data / "raw_formats" / "motor_units.smr")
    assert smr.counts().to_numpy().tolist() == [[50, 62]]
    with pytest.raises(InputError, match="give a window"):
        read(shared_data / "raw_formats" / "test1.nex", trials="event1")


def test_a_continuous_nix_file_is_cut_at_its_odours(shared_data):
    path = shared_data / "neo_recordings" / "locust20010214_continuous.nix"
    recording = read(path, trials="odour", window=("0 s", "1 s"))
    assert (recording.n_trials, recording.n_units) == (122, 7)
    assert recording.trials["label"].nunique() == 5
    whole = read(path)
    onset = recording.trials["onset"].iloc[7]
    train = whole.train("session", "tetB_u03")
    expected = train[(train >= onset) & (train < onset + 1)] - onset
    np.testing.assert_allclose(recording.train(7, "tetB_u03"), expected, atol=1e-12)
    assert "possible condition: label (5 values, 22 to 25 repeats)" in describe(whole)


def test_a_nix_file_with_a_segment_per_trial_keeps_its_conditions(shared_data):
    recording = read(shared_data / "neo_recordings" / "locust20010214_trials.nix")
    assert (recording.n_trials, recording.n_units) == (30, 5)
    assert recording.trials["condition"].value_counts().tolist() == [6] * 5
    assert recording.trials[["start", "stop"]].drop_duplicates().to_numpy().tolist() == [[-2.0, 4.0]]
