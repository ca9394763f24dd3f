"""The study of surrogate gradients runs, and its README tells what is stored."""

import json
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[2] / "analyses" / "surrogate_gradients"


@pytest.mark.slow
def test_the_quick_study_trains_a_network(run_analysis, tmp_path):
    run_analysis("surrogate_gradients", tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["quick"]
    # Five epochs of 1000 trials, chance 0.1; of 300 held-out trials a standard error of 0.03.
    assert results["metrics"]["randman, held-out accuracy"]["value"] > 0.3


def test_the_stored_networks_reach_what_is_published_or_come_near():
    stored = json.loads((STUDY / "results.json").read_text())
    assert not stored["quick"]
    braille, randman = (stored["metrics"][f"{task}, held-out accuracy"] for task in ("braille", "randman"))
    assert len(braille["each seed"]) == len(stored["seeds"]["braille"]) == 3
    assert min(braille["each seed"]) > braille["published"] == 0.967
    # 1000 test trials here and there: two standard errors of the difference of two shares near 0.96.
    assert randman["value"] > randman["published"] - 2 * (2 * 0.96 * 0.04 / 1000) ** 0.5


def test_the_stored_numbers_are_those_of_the_readme():
    stored = json.loads((STUDY / "results.json").read_text())
    found = {name: 100 * metric["value"] for name, metric in stored["metrics"].items()}
    text = (STUDY / "README.md").read_text()
    assert f"Random manifolds: {found['randman, held-out accuracy']:.1f} %" in text
    assert f"mean {found['braille, held-out accuracy']:.1f} %" in text
    first, second, third = (100 * one for one in stored["metrics"]["braille, held-out accuracy"]["each seed"])
    assert f"Braille letters: {first:.1f}, {second:.1f} and {third:.1f} %" in text
