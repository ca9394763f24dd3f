"""The analysis that compares what a simulated second costs on each backend."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "analyses" / "speed_bursts" / "run.py"


@pytest.fixture(scope="module")
def script():
    found = importlib.util.spec_from_file_location("speed_bursts", SCRIPT)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_costs_are_medians_per_simulated_second(script):
    cost = {"ready": 4.0, "runs": [0.2, 0.1, 0.9], "walls": [0.5, 0.3, 1.0], "spikes": 7.0}
    metrics = script.metrics_of({"xor: fused": cost, "xor: brian2 numpy": {**cost, "runs": [3.0]}})
    assert metrics["xor_fused_per_simulated_second"]["value"] == 0.2
    assert metrics["xor_fused_wall_per_simulated_second"]["value"] == 0.3
    assert metrics["xor_brian2_numpy_per_simulated_second"]["value"] == 3.0
    assert metrics["xor_plain_loop_over_fused"]["value"] == pytest.approx(0.45 / 0.2)


@pytest.mark.slow
def test_every_network_fires_and_every_way_is_timed(script, tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--out", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["study"] == "speed_bursts"
    assert all(set(entry) == {"value", "published", "source"} for entry in results["metrics"].values())
    for network in script.NETWORKS:
        for way in script.WAYS_OF_QUICK:
            assert results["metrics"][f"{network}_{way}_per_simulated_second"]["value"] > 0
            assert results["metrics"][f"{network}_{way}_spikes"]["value"] > 0
