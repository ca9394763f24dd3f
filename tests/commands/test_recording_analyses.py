"""The analyses of recordings that are not part of the repository."""

import json

import pytest


@pytest.fixture
def values(run_analysis, shared_data, tmp_path):
    def of(name):
        run_analysis(name, tmp_path, environment={"SNNCOMPARE_SHARED": str(shared_data.parent)})
        metrics = json.loads((tmp_path / "results.json").read_text())["metrics"]
        return {key: entry["value"] for key, entry in metrics.items()}

    return of


@pytest.mark.parametrize("name", ["v1_gratings", "locust_odours"])
def test_without_the_recordings_an_analysis_says_so_and_stops(name, run_analysis, tmp_path):
    found = run_analysis(name, tmp_path / "out", environment={"SNNCOMPARE_SHARED": str(tmp_path)})
    assert found.out.startswith("skipped: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_backends_give_the_same_spikes_and_tuned_weights_beat_shuffled_ones(values):
    found = values("v1_gratings")
    assert found["spikes that differ, torch and brian2"] == 0
    assert found["similarity, Gabor network, 10 ms"] > found["similarity, shuffled network, 10 ms"]
    assert found["ceiling_low, 10 ms"] > 0.9


@pytest.mark.slow
def test_odour_responses_repeat_themselves_and_the_second_before_does_not(values):
    found = values("locust_odours")
    assert found["odour: ceiling_low, 100 ms"] > 0.7
    assert found["control: ceiling_low, 100 ms"] < 0.1
    assert found["odour: p of 'chemistry', 100 ms"] > 0.05
