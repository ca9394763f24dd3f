"""The scoreboard says what the stored results say."""

import json
from pathlib import Path

import pytest

from snncompare.errors import FileError
from snncompare.report.scoreboard import scoreboard, write_scoreboard

ANALYSES = Path(__file__).parents[2] / "analyses"


def stored(folder, name, metrics):
    (folder / name).mkdir()
    (folder / name / "README.md").write_text(f"# Is {name} right?\n\nYes.\n")
    (folder / name / "results.json").write_text(json.dumps({"study": name, "metrics": metrics, "seconds": 90}))


def test_what_was_published_stands_beside_what_was_found(tmp_path):
    metrics = {
        "accuracy": {"value": 0.71, "published": 0.9, "source": "paper"},
        "own number": {"value": 1.0, "published": None, "source": ""},
        "not reached": {"value": None, "published": 3.0, "source": "paper"},
    }
    stored(tmp_path, "alpha", metrics)
    lines = scoreboard(tmp_path).splitlines()
    assert "| [alpha](alpha) | accuracy | 0.9 | 0.71 | paper |" in lines
    assert "| [alpha](alpha) | not reached | 3 | – | paper |" in lines
    assert not any("own number" in line for line in lines)
    assert "| [alpha](alpha) | Is alpha right? | 3 | 1.5 |" in lines


def test_a_published_range_is_told_in_words(tmp_path):
    stored(tmp_path, "touch", {"best frequency": {"value": 32.0, "published": "8 to 64", "source": "paper"}})
    assert "| [touch](touch) | best frequency | 8 to 64 | 32 | paper |" in scoreboard(tmp_path)


def test_the_stored_page_is_what_the_command_makes_of_the_stored_results():
    assert (ANALYSES / "README.md").read_text(encoding="utf-8") == scoreboard(ANALYSES)


def test_the_page_is_written_beside_the_results(tmp_path):
    stored(tmp_path, "alpha", {})
    assert write_scoreboard(tmp_path) == tmp_path / "README.md"
    assert "alpha" in (tmp_path / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["{", "[]", '{"metrics": {}}'], ids=["cut", "a list", "no seconds"])
def test_results_that_cannot_be_read_are_refused(tmp_path, text):
    stored(tmp_path, "alpha", {})
    (tmp_path / "alpha" / "results.json").write_text(text)
    with pytest.raises(FileError, match=r"results\.json"):
        scoreboard(tmp_path)
