"""The analyses of recordings that are not part of the repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ANALYSES = Path(__file__).parents[2] / "analyses"


def run(name, out, shared):
    command = [sys.executable, str(ANALYSES / name / "run.py"), "--quick", "--out", str(out)]
    environment = os.environ | {"SNNCOMPARE_SHARED": str(shared)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)


def values(name, out, shared):
    found = run(name, out, shared)
    assert found.returncode == 0, found.stderr
    return {key: entry["value"] for key, entry in json.loads((out / "results.json").read_text())["metrics"].items()}


@pytest.mark.parametrize("name", ["v1_gratings", "locust_odours"])
def test_without_the_recordings_an_analysis_says_so_and_stops(name, tmp_path):
    found = run(name, tmp_path / "out", tmp_path)
    assert (found.returncode, found.stdout.startswith("skipped: ")) == (0, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_backends_give_the_same_spikes_and_tuned_weights_beat_shuffled_ones(shared_data, tmp_path):
    found = values("v1_gratings", tmp_path, shared_data.parent)
    assert found["spikes that differ, torch and brian2"] == 0
    assert found["similarity, Gabor network, 10 ms"] > found["similarity, shuffled network, 10 ms"]
    assert found["ceiling_low, 10 ms"] > 0.9


@pytest.mark.slow
def test_odour_responses_repeat_themselves_and_the_second_before_does_not(shared_data, tmp_path):
    found = values("locust_odours", tmp_path, shared_data.parent)
    assert found["odour: ceiling_low, 100 ms"] > 0.7
    assert found["control: ceiling_low, 100 ms"] < 0.1
    assert found["odour: p of 'chemistry', 100 ms"] > 0.05
