"""The studies of the burst-dependent rule and of its bridges run, and their stored numbers are what READMEs tell."""

import json
from pathlib import Path

import pytest

ANALYSES = Path(__file__).parents[3] / "analyses"


def stored(name):
    results = json.loads((ANALYSES / name / "results.json").read_text(encoding="utf-8"))
    assert results["study"] == name
    assert results["quick"] is False
    text = " ".join((ANALYSES / name / "README.md").read_text(encoding="utf-8").split())
    return {key: entry["value"] for key, entry in results["metrics"].items()}, text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["burst_learning_rule", "burst_bridges"])
def test_the_quick_study_runs(run_analysis, tmp_path, name):
    run_analysis(name, tmp_path)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert results["study"] == name
    assert results["quick"] is True
    assert list(tmp_path.glob("*.png"))


def test_bursts_learn_what_the_readout_alone_does_not():
    found, text = stored("burst_learning_rule")
    readout = found["readout only, accuracy"]
    for name in ("BPTT", "e-prop", "random e-prop", "bursts", "bursts, random feedback"):
        assert found[f"{name}, accuracy"] > readout + 0.1, name
        assert f"| {name} | {found[f'{name}, accuracy']:.2f} |" in text
    assert f"| readout only | {readout:.2f} |" in text


def test_the_bridges_tell_what_was_found():
    found, text = stored("burst_bridges")
    for circuit in range(3):
        assert found[f"circuit {circuit}, cost"] < 2.2  # all three circuits had learnt; about 3 before
    for when in ("before", "after"):  # the geometry of the inputs dominates, that of the task does not
        assert found[f"circuit {when}, inputs"] > 0.9
        assert found[f"circuit {when}, exclusive or"] < 0.5
    for model in ("rates in time", "burstprop", "backprop"):
        assert found[f"{model}, error"] == 0  # of all seeds in the four corners
        before, after = (found[f"circuit after, {model}, {stage}"] for stage in ("before", "after"))
        assert f"| {model} | {before:.2f} | {after:.2f} |" in text
