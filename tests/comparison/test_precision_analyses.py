"""The analyses about timing run, and say what they are there to say."""

import json
from pathlib import Path

import pytest

ANALYSES = Path(__file__).parents[2] / "analyses"


@pytest.fixture
def values(run_analysis, tmp_path):
    def of(name):
        run_analysis(name, tmp_path)
        results = json.loads((tmp_path / "results.json").read_text())
        assert results["study"] == name
        assert all(set(entry) == {"value", "published", "source"} for entry in results["metrics"].values())
        return {key: entry["value"] for key, entry in results["metrics"].items()}

    return of


def test_the_speed_study_computes_what_all_pairs_of_trials_give(values):
    found = values("speed_study")
    # sums of a few hundred kernels of order one
    assert found["largest relative difference from all pairs"] < 1e-11
    assert found["peak memory, MB"] >= found["peak memory before the study, MB"]


@pytest.mark.slow
def test_the_ground_truth_analysis_tells_the_codes_apart(values, tmp_path):
    found = values("ground_truth")
    assert found["spike count: rate"] > 0.8
    assert found["spike count: pattern"] == 0.0
    assert found["van Rossum: pattern"] > 0.8
    assert abs(found["van Rossum: rate, equal counts"]) < 0.5
    assert found["timing claimed, 10 rate codes"] <= 0.4  # level 0.05: binomial quantile 0.9999
    assert (tmp_path / "ground_truth.png").stat().st_size > 50_000


@pytest.mark.parametrize("name", ["ground_truth", "speed_study"])
def test_the_numbers_that_are_shown_are_of_the_full_analysis(name):
    results = json.loads((ANALYSES / name / "results.json").read_text())
    assert results["quick"] is False
