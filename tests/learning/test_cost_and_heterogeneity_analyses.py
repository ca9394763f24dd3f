"""The studies of heartbeats, of heterogeneity and of spiking or not run, and their stored numbers are complete."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ANALYSES = Path(__file__).parents[2] / "analyses"


def stored(name, folder=None):
    results = json.loads(((folder or ANALYSES / name) / "results.json").read_text(encoding="utf-8"))
    assert results["study"] == name
    return results, {key: entry["value"] for key, entry in results["metrics"].items()}


@pytest.mark.slow
def test_one_quick_command_prints_the_table_of_all_tasks(tmp_path, shared_data):
    """It runs the quick studies of heartbeats and of heterogeneity on its way."""
    environment = os.environ | {"SNNCOMPARE_DATA": str(shared_data), "SNNCOMPARE_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, str(ANALYSES / "spiking_or_not" / "run.py"), "--quick", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    for name in ("ecg", "heterogeneity"):
        assert stored(name, tmp_path / "out" / name)[0]["quick"] is True
    results, found = stored("spiking_or_not", tmp_path / "out")
    assert results["quick"] is True
    for task in ("Braille letters", "spoken digits", "heartbeats"):
        for network in ("spiking", "LSTM", "GRU", "plain RNN"):
            assert f"| {task} | {network} | " in done.stdout
            assert 0 <= found[f"{task}, {network}: accuracy"] <= 1
        sizes = [found[f"{task}, {n}: parameters"] for n in ("spiking", "LSTM", "GRU", "plain RNN")]
        assert np.ptp(sizes) / np.mean(sizes) < 0.1  # whole numbers of units: a few percent in small networks
    again = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
    assert again.stdout.count("seed 0") == 0, "something was trained again"


def test_heartbeats_are_told_far_better_than_without_learning():
    results, found = stored("ecg")
    assert results["quick"] is False
    assert len(results["metrics"]["accuracy, labelled steps"]["seeds"]) >= 3
    # The commonest part makes up 34 % of the labelled steps of the test.
    assert found["accuracy, labelled steps"] > 0.7
    assert found["accuracy of an untrained network, labelled steps"] < 0.4


def test_stored_heterogeneity_has_all_conditions_and_speakers():
    results, found = stored("heterogeneity")
    assert results["quick"] is False
    networks = results["networks"]
    assert len({(one["condition"], one["unseen"], one["seed"]) for one in networks}) == 4 * 4  # one seed so far
    for name in {one["condition"] for one in networks}:
        each = [one["accuracy"] for one in networks if one["condition"] == name]
        assert found[f"accuracy, {name}"] == pytest.approx(np.mean(each))
        assert min(each) > 0.2  # 240 digits of a speaker, chance 0.1: a standard error of 0.02
    fixed = {one["spread of tau"] for one in networks if one["condition"] == "homogeneous, fixed"}
    assert fixed == {0.0}
