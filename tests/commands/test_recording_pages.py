"""One page per recording: each reproduces what its data set is known for, and its controls are at chance."""

import json

import pytest

PAGES = ["gerbil_sounds", "human_it_images", "it_objects", "locust_drift", "starling_timing"]


@pytest.fixture
def values(run_analysis, shared_data, tmp_path):
    def of(name):
        run_analysis(name, tmp_path, environment={"SNNCOMPARE_SHARED": str(shared_data.parent)})
        results = json.loads((tmp_path / "results.json").read_text())
        return {key: entry["value"] for key, entry in results["metrics"].items()} | {"answer": results["answer"]}

    return of


def test_without_the_recordings_a_page_says_so_and_stops(run_analysis, tmp_path):
    for name in PAGES:
        found = run_analysis(name, tmp_path / "out", environment={"SNNCOMPARE_SHARED": str(tmp_path)})
        assert found.out.startswith("skipped: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_monkey_cortex_tells_pictures_apart_after_their_onset_only(values):
    found = values("it_objects")
    known = "split-half Spearman, 100 to 400 ms, distances of mean square-rooted counts"
    assert found.pop(known) == pytest.approx(0.74, abs=0.02)  # 20 random splits
    found.pop(known.replace("100 to 400 ms", "-300 to 0 ms"))
    after, before = (
        {key: value for key, value in found.items() if key.startswith(f"split-half Spearman, {window}")}
        for window in ("100 to 400 ms", "-300 to 0 ms")
    )
    assert len(after) == len(before) == 4
    assert min(after.values()) > 0.6
    assert max(map(abs, before.values())) < 0.15


@pytest.mark.slow
def test_a_starling_neuron_is_read_by_its_timing(values):
    found = values("starling_timing")
    for unit, count, timing in (("st11_1_2_1", 0.47, 0.90), ("st49_2_4_1", 0.20, 0.67)):
        assert found[f"{unit}: decoding of 6 songs, count"] == pytest.approx(count, abs=0.01)  # two digits are known
        assert found[f"{unit}: decoding of 6 songs, 100 ms bins"] == pytest.approx(timing, abs=0.01)
    reliability = {key: value for key, value in found.items() if key.startswith("st11_1_2_1: split-half")}
    assert reliability["st11_1_2_1: split-half Spearman, van Rossum 50 ms"] > 0.75
    assert reliability["st11_1_2_1: split-half Spearman, spike count"] < 0.7


@pytest.mark.slow
def test_a_low_ceiling_is_said_to_be_low(values):
    found = values("gerbil_sounds")
    ceilings = [value for key, value in found.items() if key.startswith("ceiling_low")]
    assert len(ceilings) == 7
    assert max(ceilings) < 0.5
    assert "noise ceiling there is 0." in found["answer"]


@pytest.mark.slow
def test_drift_is_caught_where_it_is_and_not_where_it_is_not(values):
    found = values("locust_drift")
    assert found["april 2000, baseline, decoding"] == pytest.approx(0.33, abs=0.01)  # two digits are known
    assert found["april 2000, baseline, reliability"] > 0.8
    assert found["february 2001, baseline, decoding_p"] > 0.05
    assert "april 2000: Drift:" in found["answer"]
    assert "february 2001: Drift:" not in found["answer"]


@pytest.mark.slow
def test_the_monkey_resembles_the_human_as_published(values):
    found = values("human_it_images")
    assert found["Spearman, monkey IT with the mean human RDM"] == pytest.approx(
        0.439, abs=5e-4
    )  # three digits are known
    assert found["rho-a, monkeyIT"] > found["rho-a, V1"]
