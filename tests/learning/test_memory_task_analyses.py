"""The studies of evidence accumulation and of store-recall run, and their stored numbers say what their READMEs say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ANALYSES = Path(__file__).parents[2] / "analyses"
NAMES = ("evidence_accumulation", "store_recall")


def stored(name, folder=None):
    results = json.loads(((folder or ANALYSES / name) / "results.json").read_text(encoding="utf-8"))
    assert results["study"] == name
    return results, {key: entry["value"] for key, entry in results["metrics"].items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_quick_study_runs_and_does_not_train_again(name, tmp_path):
    command = [sys.executable, str(ANALYSES / name / "run.py"), "--quick", "--out", str(tmp_path)]
    first = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert first.returncode == 0, first.stderr
    results, found = stored(name, tmp_path)
    assert results["quick"] is True
    assert first.stdout.count("held-out accuracy") == {"evidence_accumulation": 2, "store_recall": 3}[name]
    again = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert "held-out accuracy" not in again.stdout
    assert stored(name, tmp_path)[1] == found


@pytest.mark.parametrize("name", NAMES)
def test_readme_says_the_stored_numbers(name):
    results, _ = stored(name)
    assert results["quick"] is False
    text = (ANALYSES / name / "README.md").read_text(encoding="utf-8")
    for key, entry in results["metrics"].items():
        if "error" in key and "iterations until" not in key:
            assert f"{100 * entry['value']:.1f} %" in text, key


def test_evidence_is_weighed_with_adaptation_only():
    results, found = stored("evidence_accumulation")
    own, control = ("with adaptation: ", "without adaptation: ")
    number = found[own + "iterations"]
    assert found[own + "error in 512 unseen trials"] < 0.07  # the criterion of Bellec et al.
    assert number <= 500  # the most they report
    assert found[control + "iterations"] == number
    # 512 trials: an error of 0.2 has a standard error of 0.018.
    assert found[control + "error in 512 unseen trials"] > found[own + "error in 512 unseen trials"] + 0.1
    curves = results["accuracy in 64 unseen trials"]
    assert [len(curve) * results["batches in an epoch"] for curve in curves.values()] == [number, number]
