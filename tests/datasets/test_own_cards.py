"""Cards of one's own, what they lead to, and what is said about a dataset."""

import hashlib
import json

import numpy as np
import pytest
import yaml
from scipy.io import wavfile

from snncompare import datasets
from snncompare.datasets import recipes
from snncompare.datasets.card import DatasetCard
from snncompare.encoding.receptors import ReceptorPopulation
from snncompare.errors import FileError, InputError, UnsupportedError

METADATA = {
    "identifier": "songs",
    "session_description": "generated",
    "session_start_time": "2026-01-01T00:00:00+00:00",
    "time_resolution": "0.1 ms",
    "subject": {"subject_id": "none", "species": "Locusta migratoria", "sex": "U", "age": "P1D"},
}
SMALL = {"n_classes": 2, "n_per_class": 3, "duration": "50 ms"}


def own_card(folder, **changes):
    content = datasets.card("song_envelopes").model_dump(exclude_none=True)
    content |= {
        "name": "my_songs",
        "citation": ["me"],
        "recipe": {
            "samples": {"kind": "song_envelopes", **SMALL},
            "encoder": {"kind": "ReceptorPopulation", "size": 5},
            "label": "song",
            "split": "presentation",
        },
    }
    folder.mkdir(exist_ok=True)
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(content | changes))), encoding="utf-8")
    return path


def test_a_dataset_is_loaded_by_the_path_of_a_card_its_folder_or_the_card(tmp_path):
    path = own_card(tmp_path / "mine")
    by_name = datasets.load("song_envelopes", **SMALL, encoder={"size": 5})
    for given in (path, str(path), path.parent, datasets.card(path)):
        data = datasets.load(given)
        assert data.name == "my_songs"
        assert data.spikes.equals(by_name.spikes)
    assert datasets.card(path).folder == tmp_path / "mine"


def test_a_card_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileError, match="no dataset card"):
        datasets.load(tmp_path / "card.yaml")
    with pytest.raises(InputError, match="no dataset 'my_songs'"):
        datasets.load("my_songs")


def test_files_and_folders_of_a_card_are_relative_to_it(tmp_path, monkeypatch):
    seen, source = {}, datasets.load("song_envelopes", **SMALL).source

    def taken(files, *, folder=".", seed=0):
        seen.update(files=files, folder=folder, seed=seed)
        return source

    module = type("Module", (), {"own_sounds": staticmethod(taken)})
    monkeypatch.setitem(recipes.SOURCES, "own_sounds", "a module")
    monkeypatch.setattr(recipes, "import_module", lambda _: module)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_bytes(b"a")
    path = own_card(
        tmp_path / "mine",
        files=[{"path": "a.txt", "content": "a", "sha256": hashlib.sha256(b"a").hexdigest()}],
        recipe={"samples": {"kind": "own_sounds", "folder": "sounds"}, "seed": 7},
    )
    datasets.load(path)
    assert seen["files"] == {"a.txt": tmp_path / "mine" / "a.txt"}
    assert seen["folder"] == str(tmp_path / "mine" / "sounds")
    assert seen["seed"] == 7
    monkeypatch.chdir(tmp_path)
    datasets.load(path, folder="here")  # what is not on the card is relative to where one is
    assert seen["folder"] == str(tmp_path / "here")


def test_a_sound_of_ones_own_that_changed_makes_another_dataset(tmp_path):
    """What is stored of the old one is not believed."""
    rng = np.random.default_rng(0)
    path = own_card(
        tmp_path / "mine",
        recipe={
            "samples": {"kind": "sound_files", "folder": "sounds"},
            "encoder": {"kind": "Heidelberg", "n_channels": 20},
        },
    )
    prints = []
    for _ in range(2):
        (tmp_path / "mine" / "sounds" / "noise").mkdir(parents=True, exist_ok=True)
        sound = rng.integers(-9_000, 9_000, 4_000 + 10 * len(prints)).astype(np.int16)
        wavfile.write(tmp_path / "mine" / "sounds" / "noise" / "a.wav", 16_000, sound)
        prints.append([datasets.load(path).source.fingerprint() for _ in range(2)])
    assert prints[0][0] == prints[0][1] != prints[1][0]


def test_the_copy_of_a_file_that_is_here_tells_the_dataset(tmp_path, monkeypatch):
    monkeypatch.setitem(recipes.SOURCES, "own_sounds", "a module")
    source = datasets.load("song_envelopes", **SMALL).source
    monkeypatch.setattr(
        recipes, "import_module", lambda _: type("M", (), {"own_sounds": staticmethod(lambda files: source)})
    )
    listed = {"path": "a.txt", "content": "a", "sha256": hashlib.sha256(b"a").hexdigest()}
    path = own_card(
        tmp_path / "mine",
        files=[listed | {"copies": [hashlib.sha256(b"b").hexdigest()]}],
        recipe={"samples": {"kind": "own_sounds"}},
    )
    identities = []
    for content in (b"a", b"b"):
        (tmp_path / "mine" / "a.txt").write_bytes(content)
        identities.append(datasets.load(path).source.recipe["files"]["a.txt"])
    assert identities[0] != identities[1]
    (tmp_path / "mine" / "a.txt").write_bytes(b"c")
    with pytest.raises(FileError, match="not the one on its card"):
        datasets.load(path)


def test_the_parts_are_those_of_the_column_on_the_card(tmp_path):
    data = datasets.load(own_card(tmp_path / "mine"))
    assert {name: len(part) for name, part in data.parts.items()} == {0: 2, 1: 2, 2: 2}
    assert data.part(1).spikes.equals(data.spikes.select(trials=(data.trials["presentation"] == 1).to_numpy()))
    assert data.part(1).classes == data.classes
    with pytest.raises(InputError, match="no part of 'my_songs' called 'train'"):
        data.part("train")
    with pytest.raises(InputError, match="names no parts"):
        datasets.load("song_envelopes", **SMALL).part("train")


def test_parts_of_encoded_samples_do_not_encode_the_rest(monkeypatch, tmp_path):
    fired = []
    fire = ReceptorPopulation.fire
    monkeypatch.setattr(ReceptorPopulation, "fire", lambda self, *a: fired.append(1) or fire(self, *a))
    data = datasets.load(own_card(tmp_path / "mine"))
    assert (len(data), data.classes, data.labels.sum()) == (6, ("song 1", "song 2"), 3)
    datasets.facts(data)
    assert not fired
    data.part(1).counts([0, 1], "1 ms")
    assert len(fired) == 2


def test_facts_are_plain_and_tell_datasets_apart(tmp_path):
    data = datasets.load(own_card(tmp_path / "mine"), seed=4)
    said = datasets.facts(data)
    assert json.loads(json.dumps(said)) == said
    assert said["name"] == "my_songs"
    assert said["licence"] == data.card.licence
    assert (said["n_trials"], said["n_units"], said["seed"], said["version"]) == (6, 5, 4, 1)
    assert said["trials_per_class"] == {"song 1": 3, "song 2": 3}
    assert said["duration_range_s"] == [0.05, 0.05]
    assert said["samples"]["kind"] == "song_envelopes"
    assert said["encoder"]["kind"] == "ReceptorPopulation"
    assert said["encoder"]["size"] == 5
    assert len(said["fingerprint"]) == 64
    other = datasets.facts(datasets.load(own_card(tmp_path / "mine"), seed=5))
    assert {key for key in said if said[key] != other[key]} == {"seed", "fingerprint"}
    part = datasets.facts(data.part(1))
    assert (part["n_trials"], part["seed"]) == (2, 4)
    assert part["fingerprint"] != said["fingerprint"]


def test_facts_of_a_recording_without_a_card_are_told_as_far_as_they_are_known():
    from snncompare.datasets.spike_dataset import SpikeDataset

    spikes = datasets.load("song_envelopes", **SMALL).spikes
    said = datasets.facts(SpikeDataset(spikes=spikes, label=None, name="bare"))
    assert (said["licence"], said["version"], said["classes"], said["n_trials"]) == (None, None, [], 6)
    assert json.loads(json.dumps(said)) == said


@pytest.mark.parametrize("ending", [".npz", ".nwb", ".h5"])
def test_a_dataset_is_saved_in_formats_that_others_read(tmp_path, ending):
    if ending == ".nwb":
        pytest.importorskip("pynwb")
    data = datasets.load("song_envelopes", **SMALL)
    path = data.save(tmp_path / f"songs{ending}", METADATA if ending == ".nwb" else None)
    if ending == ".h5":
        import h5py

        with h5py.File(path) as file:
            assert sum(map(len, file["spikes/times"])) == data.spikes.times.size
        return
    import snncompare as sc

    again = sc.read(path)
    if ending == ".npz":
        assert again.equals(data.spikes)
        return
    trial, _ = data.spikes.spike_index()
    in_session = np.sort(data.spikes.times + trial * 0.15)  # windows of 50 ms, pauses of 100 ms
    # Seconds in a session of one second: the last digits of a float64.
    assert np.allclose(np.sort(again.times), in_session, rtol=0, atol=1e-12)
    assert again.marks["trials"].table["song"].tolist() == data.trials["song"].tolist()


def test_what_a_format_cannot_hold_is_refused(tmp_path):
    from snncompare.datasets.spike_dataset import SpikeDataset

    spikes = datasets.load("song_envelopes", **SMALL).spikes
    with pytest.raises(InputError, match="needs classes"):
        SpikeDataset(spikes=spikes, label=None, name="bare").save(tmp_path / "a.h5")
    with pytest.raises((InputError, FileError, UnsupportedError)):
        SpikeDataset(spikes=spikes, label=None, name="bare").save(tmp_path / "a.txt")


def test_a_neo_block_has_a_segment_per_trial():
    data = datasets.load("song_envelopes", **SMALL)
    assert len(data.to_neo().segments) == 6


def test_every_card_of_the_catalogue_is_a_card():
    assert all(isinstance(datasets.card(name), DatasetCard) for name in datasets.names())
