"""Datasets by name, their cards, and the files they refuse."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from snncompare import datasets
from snncompare.datasets import catalogue, files
from snncompare.datasets.card import CardFile, read_card, refuse_changed_file
from snncompare.datasets.recipes import dataset_of
from snncompare.errors import FileError, InputError, MissingDependencyError

CARDS = Path(__file__).parents[2] / "datasets"


def test_every_dataset_has_a_card_and_every_card_a_dataset():
    assert {path.parent.name for path in CARDS.glob("*/card.yaml")} == set(datasets.names())
    assert all(datasets.card(name).name == name for name in datasets.names())
    assert all((CARDS / name / "README.md").is_file() for name in datasets.names())


def test_the_folder_of_cards_holds_no_python():
    assert not list(CARDS.rglob("*.py"))


def test_an_installed_package_finds_its_own_cards(tmp_path, monkeypatch):
    installed = tmp_path / "snncompare" / "datasets"
    (installed / "cards" / "a").mkdir(parents=True)
    (installed / "cards" / "a" / "card.yaml").touch()
    monkeypatch.setattr(catalogue, "__file__", str(installed / "catalogue.py"))
    assert catalogue.cards_folder() == installed / "cards"


def test_without_cards_the_message_says_where_they_were_sought(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "__file__", str(tmp_path / "a" / "b" / "catalogue.py"))
    with pytest.raises(FileError, match="no dataset cards"):
        catalogue.cards_folder()


@pytest.mark.parametrize("lookup", [datasets.load, datasets.card])
def test_an_unknown_name_is_refused_with_the_nearest(lookup):
    with pytest.raises(InputError, match="did you mean 'grasshopper_receptor'"):
        lookup("grasshoper_receptor")


def test_an_unknown_option_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'similarity'"):
        datasets.load("song_envelopes", similarty=0.5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"licence": None}, "licence"),
        ({"colour": "red"}, "colour"),
        ({"citation": []}, "citation"),
        ({"files": [{"path": "a", "sha256": "12", "content": "b"}]}, "files.0.sha256"),
    ],
)
def test_a_wrong_card_is_refused_with_the_field(tmp_path, change, says):
    content = yaml.safe_load((CARDS / "song_envelopes" / "card.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(content | change), encoding="utf-8")
    with pytest.raises(FileError, match=f"wrong at {says}"):
        read_card(path)


def test_a_card_that_is_missing_or_no_yaml_is_refused(tmp_path):
    with pytest.raises(FileError, match="no dataset card"):
        read_card(tmp_path / "card.yaml")
    (tmp_path / "card.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(FileError, match="cannot be read as YAML"):
        read_card(tmp_path / "card.yaml")


def test_a_file_that_changed_or_is_missing_is_refused(tmp_path):
    path = tmp_path / "spikes.txt"
    path.write_bytes(b"6700\n")
    listed = CardFile(path="spikes.txt", sha256=hashlib.sha256(b"6700\n").hexdigest(), content="a spike")
    refuse_changed_file(path, listed)
    path.write_bytes(b"6701\n")
    with pytest.raises(FileError, match="not the one on its card"):
        refuse_changed_file(path, listed)
    with pytest.raises(FileError, match="cannot be read"):
        refuse_changed_file(tmp_path / "absent.txt", listed)


@pytest.mark.parametrize("name", ["grasshopper_receptor", "song_envelopes"])
def test_the_code_in_a_readme_runs_and_prints_the_table_beside_it(name, capsys):
    pytest.importorskip("nitime", reason="the recording is carried by nitime")
    text = (CARDS / name / "README.md").read_text(encoding="utf-8")
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", text, flags=re.DOTALL)
    exec(compile(code, name, "exec"), {})
    assert capsys.readouterr().out.split() == printed.split()


@pytest.fixture(scope="module")
def animal():
    pytest.importorskip("nitime", reason="the recording is carried by nitime")
    return datasets.load("grasshopper_receptor")


class TestGrasshopper:
    def test_it_holds_one_receptor_and_two_sounds(self, animal):
        assert animal.classes == ("sound 1", "sound 2")
        assert animal.spikes.counts().values.tolist() == [[929], [868]]
        assert animal.spikes.trials[["start", "stop"]].to_numpy().tolist() == [[0.0, 10.0]] * 2
        assert animal.stimulus.shape == (2, 200_000)
        assert animal.stimulus.attrs["sampling_rate"] == 20_000.0
        assert animal.card.licence.startswith("BSD-3-Clause")

    def test_times_are_the_microseconds_of_the_file(self, animal):
        train = animal.spikes.train("sound 1", "receptor")
        assert train[:3].tolist() == [0.0067, 0.0099, 0.0139]
        assert np.array_equal(np.round(train * 1e6) / 1e6, train)

    def test_spikes_follow_loud_sound_by_six_to_seven_milliseconds(self, animal):
        for sound, expected in (("sound 1", 0.0063), ("sound 2", 0.007)):
            level = 20 * np.log10(animal.stimulus.sel(trial=sound).to_numpy())
            times = animal.spikes.train(sound, "receptor")
            spikes = np.round(times[times > 0.02] * 20_000).astype(int)
            before = [level[spikes - lag].mean() for lag in range(300)]
            # One step of the spike times, 0.1 ms.
            assert np.argmax(before) / 20_000 == pytest.approx(expected, abs=1.01e-4)

    def test_files_that_are_not_those_on_the_card_are_refused(self, animal):
        wrong = animal.card.files[0].model_copy(update={"sha256": "0" * 64})
        with pytest.raises(FileError, match="not the one on its card"):
            dataset_of(animal.card.model_copy(update={"files": (wrong, *animal.card.files[1:])}))

    def test_without_nitime_the_message_says_how_to_install_it(self, monkeypatch):
        monkeypatch.setattr(files, "find_spec", {}.get)
        with pytest.raises(MissingDependencyError, match=r"pip install 'nitime>=0\.11'"):
            datasets.load("grasshopper_receptor")
