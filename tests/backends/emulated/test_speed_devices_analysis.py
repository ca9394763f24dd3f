import json

import pytest
import torch


@pytest.fixture(scope="module")
def script(analysis_module):
    return analysis_module("speed_devices")


@pytest.mark.slow
def test_the_analysis_measures_all_that_it_promises(run_analysis, tmp_path):
    run_analysis("speed_devices", tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    assert (results["study"], results["quick"]) == ("speed_devices", True)
    metrics = results["metrics"]
    assert all(set(entry) == {"value", "published", "source"} for entry in metrics.values())
    for key in ("yin_yang_1_trials_float64", "yin_yang_2_trials_float32"):
        assert metrics[f"{key}_rate"]["value"] > 1
        assert metrics[f"{key}_ratio_cpu"]["value"] > 1.5  # six devices; steps of so few neurons are all overhead
        assert metrics[f"{key}_overhead"]["value"] > metrics[f"{key}_overhead_frozen"]["value"] * 0.5 > 0
    assert metrics["yin_yang_2_trials_float32_training_ratio_cpu"]["value"] > 1.5
    assert metrics["yin_yang_1_trials_programs_ratio_cpu"]["value"] > 1.5


FIRED = [torch.ones(4, 2, 3), torch.zeros(4, 2, 3)]


def test_the_same_work_is_accepted(script):
    script.check_same(FIRED, [spikes.clone() for spikes in FIRED])


@pytest.mark.parametrize(
    ("other", "words"),
    [([FIRED[0], FIRED[0]], r"devices \[1\] fire other"), ([FIRED[1], FIRED[1]], r"devices \[0\]")],
    ids=["second", "first"],
)
def test_other_work_stops_the_run(script, other, words):
    with pytest.raises(SystemExit, match=words):
        script.check_same(FIRED, other)


def test_silence_stops_the_run(script):
    with pytest.raises(SystemExit, match="nobody fires"):
        script.check_same(FIRED[1:], FIRED[1:])


def test_ratios_are_medians_of_pairs(script):
    timed = {"a": [(8.0, 4.0), (90.0, 9.0), (6.0, 3.0)], "b": [(1.0, 1.0), (10.0, 3.0), (2.0, 1.0)]}
    assert script.ratio(timed, "a", "b", 0) == 8.0
    assert script.ratio(timed, "a", "b", 1) == 3.0


def test_ways_take_turns(script):
    done = []
    timed = script.interleaved({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 3)
    assert done == ["a", "b", "a", "b", "b", "a", "a", "b"]
    assert [len(each) for each in timed.values()] == [3, 3]
