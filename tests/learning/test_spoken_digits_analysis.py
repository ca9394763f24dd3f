"""The study of spoken digits runs, and its stored numbers are those its README tells."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "analyses" / "spoken_digits"
READOUTS = [f"linear readout of {code}, {which} fibres" for code in ("counts", "trains") for which in ("low", "all")]
SPEAKERS = ["jackson", "nicolas", "theo", "yweweler"]


def values(path):
    results = json.loads(path.read_text(encoding="utf-8"))
    assert results["study"] == "spoken_digits"
    return results, {name: entry["value"] for name, entry in results["metrics"].items()}


@pytest.mark.slow
def test_the_quick_study_runs_on_a_speaker_never_heard(tmp_path, shared_data):
    command = [sys.executable, str(FOLDER / "run.py"), "--quick", "--out", str(tmp_path)]
    environment = os.environ | {"SNNCOMPARE_DATA": str(shared_data), "SNNCOMPARE_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    results, found = values(tmp_path / "results.json")
    assert results["quick"] is True
    assert set(found) == {f"{name}, {who}" for name in [*READOUTS, "spiking network"] for who in ("theo", "mean")}
    # 80 digits, chance 0.1: a standard error of 0.034.
    assert found["linear readout of trains, low fibres, theo"] > 0.1 + 4 * 0.034


def test_the_stored_numbers_are_of_the_full_study_and_well_above_chance():
    results, found = values(FOLDER / "results.json")
    assert results["quick"] is False
    for name in [*READOUTS, "spiking network"]:
        each = [found[f"{name}, {speaker}"] for speaker in SPEAKERS]
        assert found[f"{name}, mean"] == pytest.approx(np.mean(each))
        # 240 digits or more of a speaker, chance 0.1: a standard error of 0.02.
        assert min(each) > 0.1 + 5 * 0.02
