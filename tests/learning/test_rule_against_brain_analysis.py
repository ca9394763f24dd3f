"""The study of rules against a recording runs, and its stored numbers are those its README tells."""

import json
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[2] / "analyses" / "rule_against_brain"
RULES = ("BPTT", "e-prop", "random e-prop", "DECOLLE", "prediction")


@pytest.mark.slow
def test_the_quick_study_compares_every_rule_with_the_recording(run_analysis, tmp_path, shared_data):
    if not (shared_data / "gerbil_ic_fm_sounds").is_dir():
        pytest.skip("the recording of gerbil inferior colliculus is not here")
    run_analysis("rule_against_brain", tmp_path)
    metrics = json.loads((tmp_path / "results.json").read_text())["metrics"]
    counts = {name: metrics[f"{name}, spike count"]["value"] for name in ("nerve", "untrained", *RULES)}
    assert len(set(counts.values())) == len(counts)  # every rule left another network behind


def test_the_stored_numbers_are_of_the_full_study():
    stored = json.loads((STUDY / "results.json").read_text())
    assert not stored["quick"]
    accuracy = [round(100 * stored["metrics"][f"{name}, accuracy"]["value"]) for name in RULES[:-1]]
    text = (STUDY / "README.md").read_text()
    assert "({}, {}, {} and {} % of sounds named right)".format(*accuracy) in text
    untrained = stored["metrics"]["untrained, spike count"]["value"]
    assert f"than it was untrained ({untrained:.2f} with counts)" in " ".join(text.split())
    assert all(stored["metrics"][f"{name}, spike count"]["value"] < untrained for name in RULES)
