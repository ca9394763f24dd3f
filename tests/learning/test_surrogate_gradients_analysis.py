"""The study of surrogate gradients runs, and its README tells what is stored."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[2] / "analyses" / "surrogate_gradients"


@pytest.mark.slow
def test_the_quick_study_trains_a_network(tmp_path):
    subprocess.run([sys.executable, STUDY / "run.py", "--quick", "--out", tmp_path], check=True, capture_output=True)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["quick"]
    assert 0.0 <= results["metrics"]["randman, held-out accuracy"]["value"] < 0.9  # one epoch of 200 trials


def test_the_stored_numbers_are_those_of_the_readme():
    stored = json.loads((STUDY / "results.json").read_text())
    found = {name: 100 * metric["value"] for name, metric in stored["metrics"].items()}
    assert not stored["quick"]
    text = (STUDY / "README.md").read_text()
    assert f"Random manifolds: {found['randman, held-out accuracy']:.1f} %" in text
    assert f"mean {found['braille, held-out accuracy']:.1f} %" in text
