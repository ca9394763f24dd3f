"""The study of the knob runs, and its stored numbers say what its README says."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "analyses" / "rate_and_latency"


def values(path):
    results = json.loads(path.read_text())
    assert results["study"] == "rate_and_latency"
    assert all(set(entry) == {"value", "published", "source"} for entry in results["metrics"].values())
    return results, {key: entry["value"] for key, entry in results["metrics"].items()}


def check_where_the_information_is(found):
    assert found["spikes in a trial"] == 512
    assert found["counts decode the digit, knob 0"] > 0.8
    assert found["latencies decode the digit, knob 1"] > 0.8
    # Chance is 10 %, for 300 trials or more with a standard error of 1.7 % at most.
    assert found["latencies decode the digit, knob 0"] == pytest.approx(0.1, abs=0.06)
    assert found["counts decode the digit, knob 1"] == pytest.approx(0.1, abs=0.06)


@pytest.mark.slow
def test_the_quick_study_finds_the_digits_where_the_knob_puts_them(run_analysis, tmp_path):
    run_analysis("rate_and_latency", tmp_path)
    results, found = values(tmp_path / "results.json")
    assert results["quick"] is True
    check_where_the_information_is(found)
    assert (tmp_path / "knob.png").stat().st_size > 50_000


def test_the_stored_numbers_are_of_the_full_study_and_networks_read_what_they_were_trained_on():
    results, found = values(FOLDER / "results.json")
    assert results["quick"] is False
    check_where_the_information_is(found)
    follows = {
        (trained, code): found[f"conflict, network trained on {trained}: follows {code}"]
        for trained in ("rate", "latency")
        for code in ("counts", "first spikes")
    }
    # 539 conflicts: a standard error of 2 %; differing by five of them at least.
    assert follows["rate", "counts"] > follows["latency", "counts"] + 0.1
    assert follows["latency", "first spikes"] > follows["rate", "first spikes"] + 0.1
    assert found["network trained on rate, tested on rate"] > found["network trained on rate, tested on latency"] + 0.05
    late = {name: found[f"{name}: time (s) to nine tenths of the final accuracy"] for name in ("rate", "latency")}
    assert late["rate"] > 2 * late["latency"]
