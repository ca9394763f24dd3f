import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snncompare import datasets
from snncompare.cli import main
from snncompare.commands.dataset import description
from snncompare.commands.dataset.description import datasheet_of, describe
from snncompare.commands.dataset.options import limited, loaded, parsed_settings
from snncompare.datasets.catalogue import cards_folder
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.encoding.receptors import ReceptorPopulation
from snncompare.errors import InputError

SMALL = ("--set", "samples.n_per_class=6", "--set", "samples.duration=100 ms", "--set", "encoder.size=5")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Nothing is read from, or left in, the cache and the data of whoever runs the tests."""
    monkeypatch.setenv("SNNCOMPARE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SNNCOMPARE_DATA", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def run(capsys):
    def call(*arguments):
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 0
        return capsys.readouterr()

    return call


def card_of_missing_file(folder, url=None):
    """A card like that of songs, whose file is nowhere."""
    text = (cards_folder() / "song_envelopes" / "card.yaml").read_text(encoding="utf-8")
    location = "" if url is None else f"\n    url: {url}"
    files = f"files:\n  - path: songs/absent.npz\n    sha256: '{'0' * 64}'\n    content: nothing{location}\n"
    path = folder / "mine" / "card.yaml"
    path.parent.mkdir()
    path.write_text(text.replace("recipe:", f"{files}recipe:", 1), encoding="utf-8")
    return path


def test_the_list_names_every_dataset_and_what_is_to_be_done_first(run):
    lines = run("dataset", "list").out.splitlines()
    assert [line.split()[0] for line in lines[: len(datasets.names())]] == list(datasets.names())
    rows = {row["name"]: row for row in json.loads(run("dataset", "list", "--json").out)}
    assert set(rows) == set(datasets.names())
    assert rows["song_envelopes"]["state"] == "generated"
    assert rows["song_envelopes"]["title"] == datasets.card("song_envelopes").title


def test_the_list_encodes_and_reads_nothing(run, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a list neither reads files nor encodes")

    monkeypatch.setattr("snncompare.datasets.files.refuse_changed_file", refuse)
    monkeypatch.setattr("snncompare.datasets.recipes.source_of", refuse)
    assert "song_envelopes" in run("dataset", "list").out


def test_a_file_that_is_not_here_is_seen_and_one_that_is(run, tmp_path, monkeypatch):
    from snncompare.commands.dataset.listing import _state
    from snncompare.datasets.card import read_card

    path = card_of_missing_file(tmp_path)
    assert _state(read_card(path)) == "files needed"
    shutil.rmtree(tmp_path / "mine")
    card = read_card(card_of_missing_file(tmp_path, "https://example.org/absent.npz"))
    assert _state(card) == "get"
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "absent.npz").write_bytes(b"")
    monkeypatch.setenv("SNNCOMPARE_DATA", str(tmp_path))
    assert _state(card) == "ready"


def test_show_prints_the_card_and_its_facts(run):
    card = datasets.card("song_envelopes")
    said = run("dataset", "show", "song_envelopes", *SMALL, "--seed", 7).out
    for part in (
        card.title,
        card.licence,
        "24 trials of 5 units",
        "song, 4 classes",
        "0.1 s",
        "seed: 7",
        "fingerprint",
    ):
        assert part in said
    assert said.count("beware:") == len(card.warnings)
    known = json.loads(run("dataset", "show", "song_envelopes", *SMALL, "--json").out)
    assert known["facts"]["n_units"] == 5
    assert known["missing"] is None
    assert known["card"]["name"] == "song_envelopes"
    whole = json.loads(run("dataset", "show", "song_envelopes", "--json").out)
    assert whole["facts"]["fingerprint"] != known["facts"]["fingerprint"]  # control: settings matter


def test_show_says_what_is_missing_and_still_shows_the_card(run, tmp_path):
    path = card_of_missing_file(tmp_path)
    assert "'songs/absent.npz' of the dataset 'song_envelopes' is not here" in run("dataset", "show", path).out
    known = json.loads(run("dataset", "show", path, "--json").out)
    assert known["facts"] is None
    assert "absent.npz" in known["missing"]


def test_get_shows_the_licence_and_where_the_files_lie(run, tmp_path, monkeypatch, refused):
    found = run("dataset", "get", "song_envelopes")
    assert "needs no files" in found.out
    assert "licence BSD-3-Clause" in found.err
    path = card_of_missing_file(tmp_path)
    assert main(["dataset", "get", str(path)]) == 2
    digits = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of nothing
    path.write_text(path.read_text(encoding="utf-8").replace("0" * 64, digits), encoding="utf-8")
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "absent.npz").write_bytes(b"")
    monkeypatch.setenv("SNNCOMPARE_DATA", str(tmp_path))
    assert str(tmp_path / "songs" / "absent.npz") in run("dataset", "get", path).out


def test_build_states_the_disk_use_keeps_the_spikes_and_writes_the_datasheet(run, cache):
    found = run("dataset", "build", "song_envelopes", *SMALL, "--workers", 1)
    assert "24 of 24 trials to encode, about" in found.err
    sheet = Path(found.out.strip())
    assert cache in sheet.parents
    text = sheet.read_text(encoding="utf-8")
    assert "# Datasheet: Recognition of frozen songs" in text
    assert '"size": 5' in text
    assert "Where the labels live" in text
    again = run("dataset", "build", "song_envelopes", *SMALL, "--workers", 1)
    assert "to encode" not in again.err  # what is there is kept
    assert sheet.read_text(encoding="utf-8") == text
    other = run("dataset", "build", "song_envelopes", *SMALL, "--workers", 1, "--seed", 1)  # control
    assert "24 of 24 trials to encode" in other.err
    assert other.out != found.out


def test_build_of_some_trials_into_a_folder_and_a_file(run, tmp_path):
    target = tmp_path / "songs.npz"
    out = ("--out", tmp_path / "here", "--workers", 1, "--limit", 8, "--save", target)
    sheet = Path(run("dataset", "build", "song_envelopes", *SMALL, *out).out.strip())
    assert tmp_path / "here" in (sheet.parent, *sheet.parent.parents)
    from snncompare.recording.read import read

    recording = read(target)
    assert recording.n_trials == 8
    assert recording.trials["song"].value_counts().tolist() == [2] * 4
    assert "No information about the label" in sheet.read_text(encoding="utf-8")  # two trials of a class are too few


def test_build_of_some_trials_states_and_stores_all_trials_of_their_shards(run, tmp_path):
    large = ("--set", "samples.n_per_class=60", "--set", "samples.duration=50 ms", "--set", "encoder.size=2")
    where = ("--out", tmp_path / "here", "--workers", 1)
    found = run("dataset", "build", "song_envelopes", *large, *where, "--limit", 2)
    stated = int(re.search(r"(\d+) of 240 trials to encode", found.err)[1])
    stored = list((tmp_path / "here").rglob("spikes-*.npz"))
    assert len(stored) == 2  # of four; the last one holds 48 trials
    assert stated == sum(min(64, 240 - 64 * int(path.stem.split("-")[1])) for path in stored)
    rest = run("dataset", "build", "song_envelopes", *large, *where)  # control
    assert f"{240 - stated} of 240 trials to encode" in rest.err


def test_plot_writes_the_page_its_tables_and_the_datasheet(run, tmp_path):
    out = tmp_path / "page"
    found = run("dataset", "plot", "song_envelopes", *SMALL, "--quick", "--out", out)
    assert Path(found.out.strip()) == out / "song_envelopes.png"
    assert {path.suffix for path in out.iterdir()} == {".png", ".pdf", ".svg", ".csv", ".md"}
    table = pd.read_csv(out / "song_envelopes_information.csv")
    assert set(table["code"]) >= {"counts", "latencies", "trains", "trains given counts"}
    row = table[table["code"] == "counts"].iloc[0]
    assert f"{row['accuracy']:.1%}" in (out / "song_envelopes_datasheet.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["lst"], "did you mean 'list'"),
        ([], "required: WHAT"),
        (["show", "song_envelope"], "did you mean 'song_envelopes'"),
        (["show"], "required: NAME"),
        (["show", "song_envelopes", "--set", "samples.n_per_clas=3"], "did you mean 'n_per_class'"),
        (["show", "song_envelopes", "--set", "encoder.sise=3"], "did you mean 'size'"),
        (["show", "song_envelopes", "--set", "n_per_class=3"], "cannot read 'n_per_class=3'"),
        (["show", "song_envelopes", "--set", "samples.n_per_class"], "cannot read"),
        (["show", "song_envelopes", "--set", "samples.n_per_class={"], "is not YAML"),
        (["show", "song_envelopes", "--set", "samples.n_per_class=!!python/object:os.system {}"], "is not YAML"),
        (["build", "song_envelopes", "--workers", "0"], "number of processes"),
        (["build", "song_envelopes", "--limit", "0"], "number of trials"),
        (["plot", "song_envelopes"], "required: --out"),
        (["build", "song_envelopes", "--save", "a.txt"], ".npz, .nwb, .nix or .h5"),
        (["build", "song_envelopes", "--save", "nowhere/a.npz"], "folder 'nowhere' does not exist"),
        (["build", "song_envelopes", "--save", "a.nwb"], "--metadata FILE.yaml"),
        (["build", "store_recall", "--save", "a.h5"], "needs classes"),
        (["show", "odours", "--set", "encoder.per_type=1000000000"], "more memory than there is"),
        (["show", "nowhere/card.yaml"], "nowhere/card.yaml"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(refused, arguments, says):
    assert says in refused("dataset", *arguments)


def test_groups_and_folders_that_cannot_be_are_refused_before_anything_is_encoded(refused, tmp_path):
    assert "no trial label 'speaker'" in refused(
        "dataset", "plot", "song_envelopes", *SMALL, "--out", tmp_path, "--groups", "speaker"
    )
    (tmp_path / "file").write_bytes(b"")
    assert "cannot write to the folder" in refused(
        "dataset", "plot", "song_envelopes", *SMALL, "--out", tmp_path / "file" / "page"
    )


def test_settings_are_nested_and_plain():
    found = parsed_settings(["samples.n=3", "encoder.eyes.duration=300 ms", "encoder.a=[1, x]", "encoder.b=1e-3"])
    assert found == {"samples": {"n": 3}, "encoder": {"eyes": {"duration": "300 ms"}, "a": [1, "x"], "b": 1e-3}}
    for twice in (["samples.n=3", "samples.n=4"], ["encoder.eyes=1", "encoder.eyes.duration=2"]):
        with pytest.raises(InputError, match="--set"):
            parsed_settings(twice)


def test_a_setting_changes_one_parameter_and_a_kind_replaces_the_encoder():
    plain, changed = loaded("song_envelopes"), loaded("song_envelopes", ["encoder.size=7"])
    assert (len(plain.units), len(changed.units)) == (40, 7)
    again = loaded("song_envelopes", ["encoder.kind=ReceptorPopulation"])
    assert again.source.fingerprint() == plain.source.fingerprint()
    with pytest.raises(InputError, match="did you mean 'ReceptorPopulation'"):
        loaded("song_envelopes", ["encoder.kind=ReceptorPopulaton"])


def test_a_limit_draws_evenly_from_the_classes():
    whole = loaded("song_envelopes", ["samples.n_per_class=10"])
    some = limited(whole, 9, 0)
    assert sorted(np.bincount(some.labels).tolist()) == [2, 2, 2, 3]
    assert limited(whole, None, 0) is whole
    assert limited(whole, 40, 0) is whole
    assert not np.array_equal(limited(whole, 9, 1).trials.index, some.trials.index)  # control: the seed matters


def test_a_task_without_classes_has_statistics_and_no_information():
    dataset = loaded("song_envelopes", ["samples.n_per_class=2", "encoder.size=3", "samples.duration=100 ms"])
    plain = SpikeDataset(spikes=dataset.spikes, label=None, name="task")
    found = describe(plain, quick=True)
    assert found.information is None
    assert found.statistics.summary["trials"] == 8
    assert found.notes == ()
    sheet = datasheet_of(plain, found)
    assert "Where the labels live" not in sheet
    assert "How the units fire" in sheet


def test_of_a_large_dataset_only_a_sample_is_encoded(monkeypatch):
    dataset = loaded("song_envelopes", ["samples.n_per_class=60", "encoder.size=2", "samples.duration=50 ms"])
    made = []
    fire = ReceptorPopulation.fire
    monkeypatch.setattr(ReceptorPopulation, "fire", lambda *given: made.append(1) or fire(*given))
    monkeypatch.setattr(description, "QUICK_TRIALS", 24)
    found = describe(dataset, quick=True)
    assert len(made) == found.recording.n_trials == 24
    assert found.notes[0] == "24 of 240 trials, drawn at random, evenly from the classes."


def test_what_cannot_be_saved_is_refused_before_anything_is_encoded(refused, cache):
    refused("dataset", "build", "song_envelopes", *SMALL, "--save", "a.txt")
    assert not cache.exists() or not list(cache.iterdir())


def test_spikes_are_saved_as_nwb_with_the_metadata_of_a_file(run, tmp_path):
    about = tmp_path / "session.yaml"
    about.write_text(
        "{identifier: a, session_description: b, session_start_time: '2026-01-01T00:00:00+00:00', time_resolution: 0.1 "
        "ms, subject: {subject_id: none, species: Locusta migratoria, sex: U, age: P1D}}",
        encoding="utf-8",
    )
    target = tmp_path / "songs.nwb"
    run("dataset", "build", "song_envelopes", *SMALL, "--limit", "4", "--save", target, "--metadata", about)
    from snncompare.recording.read import read

    assert read(target, trials="trials").n_trials == 4


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write to")
@pytest.mark.parametrize("ending", ["npz", "h5"])
def test_a_file_that_cannot_be_written_is_one_line(capsys, ending):
    assert main(["dataset", "build", "song_envelopes", *SMALL, "--limit", "4", "--save", f"/proc/a.{ending}"]) == 2
    assert "cannot be written" in capsys.readouterr().err.splitlines()[-1]
