"""The analysis that compares what a simulated second costs on each backend."""

import json

import pytest


@pytest.fixture(scope="module")
def script(analysis_module):
    return analysis_module("speed_bursts")


def test_costs_are_medians_per_simulated_second(script):
    cost = {"ready": 4.0, "runs": [0.2, 0.1, 0.9], "walls": [0.5, 0.3, 1.0], "spikes": 7.0}
    metrics = script.metrics_of({"xor: fused": cost, "xor: brian2 numpy": {**cost, "runs": [3.0]}})
    assert metrics["xor_fused_per_simulated_second"]["value"] == 0.2
    assert metrics["xor_fused_wall_per_simulated_second"]["value"] == 0.3
    assert metrics["xor_brian2_numpy_per_simulated_second"]["value"] == 3.0
    assert metrics["xor_plain_loop_over_fused"]["value"] == pytest.approx(0.45 / 0.2)


@pytest.mark.slow
def test_every_network_fires_and_every_way_is_timed(script, run_analysis, tmp_path):
    run_analysis("speed_bursts", tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["study"] == "speed_bursts"
    assert all(set(entry) == {"value", "published", "source"} for entry in results["metrics"].values())
    for network in script.NETWORKS:
        for way in script.WAYS_OF_QUICK:
            assert results["metrics"][f"{network}_{way}_per_simulated_second"]["value"] > 0
            assert results["metrics"][f"{network}_{way}_spikes"]["value"] > 0
