"""The calibration study runs, and what it stored is what it says."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "analyses" / "calibration"
PATHS = (
    "one animal, 20 conditions",
    "6 animals, 20 conditions",
    "6 animals, 6 conditions",
    "one animal, 6 conditions, 8 trials",
    "one animal, 5 sessions, 20 conditions",
    "one animal, 6 sessions, 6 conditions",
    "4 animals, 6 sessions each, 6 conditions",
    "5 animals, 3 sessions each, 20 conditions",
    "one animal, 20 conditions, 5 seeds",
    "5 animals, 20 conditions, 5 seeds",
)


HALF = "half"


@pytest.mark.slow
def test_the_study_runs(run_analysis, tmp_path):
    status = 0
    try:
        run_analysis("calibration", tmp_path)
    except SystemExit as end:
        status = end.code
    assert status in {0, 1}  # four experiments may miss by chance
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert results["study"] == "calibration"
    assert (results["failed"] == []) == (status == 0)
    assert {f"{path}: false alarm" for path in (*PATHS, "time scales")} <= set(results["metrics"])
    assert (tmp_path / "calibration.png").stat().st_size > 10_000
    assert (tmp_path / "calibration.csv").is_file()


@pytest.fixture(scope="module")
def stored():
    return json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))


def value(stored, name):
    return stored["metrics"][name]["value"]


def test_the_stored_study_is_a_full_one_and_every_path_but_the_known_one_holds(stored):
    """Intervals over four animals are too narrow: the README and the result say so, and nothing else fails."""
    assert stored["failed"] == [f"4 animals, 6 sessions each, 6 conditions: covered, {HALF}"]
    assert stored["provenance"]["experiments"] >= 500
    for path in PATHS:
        # Once in a thousand a true rate of 0.05 in 500 experiments gives more than 0.082, one of 0.95 less than 0.918.
        assert value(stored, f"{path}: false alarm") <= 0.082
        for what in ("true", HALF, "other half", "unrelated", "difference"):
            name = f"{path}: covered, {what}"
            assert (value(stored, name) < 0.918) == (name in stored["failed"])
        assert value(stored, f"{path}: related model found") > 0.5


def test_the_controls_are_seen(stored):
    assert value(stored, "sessions counted as animals: covered, half") < 0.8
    assert value(stored, "one of the seeds: covered, half") < 0.85
    assert value(stored, "time scales: false alarm, no correction") > 0.5
    assert value(stored, "time scales: false alarm") <= 0.082
    assert value(stored, "time scales: score, same data") > 0.1
    assert abs(value(stored, "time scales: score")) < 0.03
