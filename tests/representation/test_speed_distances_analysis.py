import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_the_speed_analysis_runs_and_finds_the_distances_of_elephant(tmp_path):
    pytest.importorskip("elephant")
    script = Path(__file__).parents[2] / "analyses" / "speed_distances" / "run.py"
    done = subprocess.run(
        [sys.executable, str(script), "--quick", "--out", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["study"] == "speed_distances"
    assert all(set(entry) == {"value", "published", "source"} for entry in results["metrics"].values())
    differences = [entry["value"] for name, entry in results["metrics"].items() if name.endswith("difference")]
    assert len(differences) == 9
    assert max(differences) < 1e-9
