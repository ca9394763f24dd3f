"""Folders of text files and JSON records: names of files and lines say what they hold."""

import json

import pytest

from snncompare.errors import FileError, InputError, SnncompareError
from snncompare.recording.read import read

TEXT = {"type": "text", "files": "{unit}/{song}.txt", "line": "trial", "time_unit": "ms", "window": ["-1 s", "2 s"]}


def songs(tmp_path, files):
    for name, content in files.items():
        path = tmp_path / "songs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "songs"


BOTH = {"u1/A.txt": "100 200\n\n", "u1/B.txt": "5\n6\n", "u2/A.txt": "1 -2\n3\n", "u2/B.txt": "\n\n", "notes.md": "x"}


def test_names_label_units_and_trials_and_a_blank_line_is_an_empty_trial(tmp_path):
    recording = read(songs(tmp_path, BOTH), layout=TEXT)
    assert recording.units.index.tolist() == ["u1", "u2"]
    assert recording.trials[["song", "line"]].to_numpy().tolist() == [["A", 0], ["A", 1], ["B", 0], ["B", 1]]
    assert recording.train(0, "u1").tolist() == [0.1, 0.2]
    assert recording.train(1, "u1").size == 0
    assert recording.train(0, "u2").tolist() == [-0.002, 0.001]
    assert "notes.md" in recording.provenance["left_out"][0]


def test_units_with_other_trials_need_sessions(tmp_path):
    files = {**BOTH, "u2/B.txt": "7\n"}
    with pytest.raises(InputError, match=r"unit u2 has no train in the trial.*'session'"):
        read(songs(tmp_path, files), layout=TEXT)
    recording = read(songs(tmp_path, files), layout={**TEXT, "session": "unit"})
    assert recording.n_trials == 4 + 3
    assert recording.trials["session"].tolist() == ["u1"] * 4 + ["u2"] * 3


def test_blank_lines_can_be_nothing_and_a_line_can_be_a_unit(tmp_path):
    (tmp_path / "x.txt").write_text("# comment\n1 2\n\n3\n")
    layout = {**TEXT, "files": None}
    assert read(tmp_path / "x.txt", layout=layout).n_trials == 3
    assert read(tmp_path / "x.txt", layout={**layout, "blank": "ignored"}).n_trials == 2
    units = read(tmp_path / "x.txt", layout={**layout, "line": "unit", "blank": "ignored"})
    assert (units.n_trials, units.n_units) == (1, 2)


@pytest.mark.parametrize(
    ("files", "change", "message"),
    [
        ({"u1/A.txt": "1 two\n"}, {}, "line 1 of 'A.txt' is not all numbers"),
        ({"u1/A.txt": "1 nan\n"}, {}, "line 1 of 'A.txt': 1 spike times are not finite"),
        ({"u1/A.txt": "1 2\n"}, {"line": "spike"}, "a line is one spike"),
        ({"u1/A.txt": "9000\n"}, {}, "outside the window of -1 to 2 s"),
        ({"A.txt": "1\n"}, {}, "no file in 'songs' is named like"),
        ({"u1/A.txt": "1\n"}, {"files": "A.txt"}, "labels in braces"),
        ({"u1/A.txt": "1\n"}, {"files": None}, "is a folder"),
        ({"u1/A.txt": "1\n"}, {"line": "row"}, "no line 'row'"),
    ],
    ids=["words", "nan", "two", "window", "names", "no label", "folder", "kind"],
)
def test_text_that_does_not_fit_is_refused(tmp_path, files, change, message):
    with pytest.raises(SnncompareError, match=message) as caught:
        read(songs(tmp_path, files), layout={**TEXT, **change})
    assert "\n" not in str(caught.value)


def test_bytes_are_no_text(tmp_path):
    folder = songs(tmp_path, {"u1/A.txt": ""})
    (folder / "u1" / "A.txt").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FileError, match="no plain text"):
        read(folder, layout=TEXT)


RECORDS = {
    "type": "records",
    "records": "sweeps",
    "times": "t",
    "unit": "cell",
    "time_unit": "s",
    "window": ["0 s", "1 s"],
}


def recorded(tmp_path, content):
    (tmp_path / "x.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return tmp_path / "x.json"


def test_records_keep_their_labels_and_their_order(tmp_path):
    sweeps = [{"t": [0.5, 0.1], "stimulus": "B", "notes": [1]}, {"t": [], "stimulus": "A", "index": 9}]
    recording = read(recorded(tmp_path, {"cell": "u1", "area": "CMM", "sweeps": sweeps}), layout=RECORDS)
    assert recording.train(0, "u1").tolist() == [0.1, 0.5]
    assert recording.trials["stimulus"].tolist() == ["B", "A"]
    assert recording.trials["index"].tolist() == [0, 1]
    assert recording.provenance["file_labels"] == {"cell": "u1", "area": "CMM"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 5000, "cannot be read as JSON"),
        ({"sweep": []}, "no list of records 'sweeps'; did you mean 'sweep'"),
        ({"cell": "u", "sweeps": []}, "no records"),
        ({"cell": "u", "sweeps": [{"times": []}]}, "record 0 of 'x.json': no key 't'"),
        ({"cell": "u", "sweeps": [{"t": ["a"]}]}, "no list of numbers"),
        ({"cell": "u", "sweeps": [{"t": [[0.1]]}]}, "one dimension"),
        ('{"cell": "u", "sweeps": [{"t": [NaN]}]}', "not finite"),
        ({"sweeps": [{"t": []}]}, "no name of a unit 'cell'"),
    ],
    ids=["cut", "deep", "key", "none", "times", "text", "nested", "nan", "unit"],
)
def test_json_that_does_not_fit_is_refused(tmp_path, content, message):
    with pytest.raises(SnncompareError, match=message) as caught:
        read(recorded(tmp_path, content), layout=RECORDS)
    assert "\n" not in str(caught.value)
