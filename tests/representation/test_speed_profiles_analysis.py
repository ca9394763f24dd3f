import json

import pytest


def test_the_speed_analysis_runs_and_finds_the_distances_of_pyspike_and_spikedist(run_analysis, tmp_path):
    pytest.importorskip("pyspike")
    pytest.importorskip("spikedist")
    run_analysis("speed_profiles", tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["study"] == "speed_profiles"
    assert all(set(entry) == {"value", "published", "source"} for entry in results["metrics"].values())
    differences = [entry["value"] for name, entry in results["metrics"].items() if name.endswith("difference")]
    assert len(differences) == 9
    assert max(differences) < 1e-9
