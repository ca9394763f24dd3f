import json

import numpy as np
import pytest


@pytest.fixture(scope="module")
def script(analysis_module):
    return analysis_module("speed_encoding")


@pytest.mark.slow
def test_the_analysis_measures_eyes_and_writes_the_numbers_down(run_analysis, tmp_path):
    run_analysis("speed_encoding", tmp_path, "--part", "eyes")
    results = json.loads((tmp_path / "results.json").read_text())
    assert (results["study"], results["quick"]) == ("speed_encoding", True)
    metrics = results["metrics"]
    assert all(set(entry) == {"value", "published", "source"} for entry in metrics.values())
    for name in ("retina", "event_camera"):
        for size in (28, 256):
            assert metrics[f"{name}_{size}_frames_per_second"]["value"] > 0
            assert metrics[f"{name}_{size}_spikes_per_frame"]["value"] > 0


@pytest.mark.slow
def test_loading_is_measured_before_and_after_the_dataset_is_built(script, tmp_path):
    found = script.in_fresh_process("load", "song_envelopes", 1, 1, SNNCOMPARE_CACHE=str(tmp_path))
    assert len(list(tmp_path.glob("spikes/song_envelopes-*/spikes-*.npz"))) == 1  # the shard of the only round
    assert found["n_built"] == 64
    for how in ("on_the_fly", "built"):
        assert set(found[how]) == set(found["built"])
        assert all(len(values) == 1 and values[0] > 0 for values in found[how].values())
    encoding, reading = (found[how]["loading_processor"][0] for how in ("on_the_fly", "built"))
    assert reading < encoding  # 2 ms against 5.6 ms of processor time where this was written


def taken(loading, training):
    each = {
        "loading": loading,
        "loading_processor": 2.0 * loading,
        "training": training,
        "training_processor": training,
    }
    each |= {"first_epoch": 1.5 * training, "next_epoch": training, "later_loading": 0.25 * loading}
    return each | {"first_epoch_waiting": 0.3 * training, "next_epoch_waiting": 0.0 * training}


def test_ratios_are_formed_within_a_round_so_that_a_busy_round_does_not_count(script):
    loading, training = np.array([0.01, 0.02, 0.10]), np.array([0.02, 0.04, 0.20])
    numbers = script.loading_numbers(taken(loading, training))
    assert numbers["over_training"]["value"] == pytest.approx(2.0)
    assert numbers["later_over_training"]["value"] == pytest.approx(8.0)
    assert "median of 3 rounds, 2 to 2" in numbers["over_training"]["source"]
    assert numbers["loading_per_second"]["value"] == pytest.approx(50.0)
    assert numbers["training_ms_per_trial"]["value"] == pytest.approx(40.0)
    assert numbers["first_epoch_overhead_percent"]["value"] == pytest.approx(50.0)
    assert numbers["first_epoch_waiting_percent"]["value"] == pytest.approx(20.0)
    swapped = script.loading_numbers(taken(training, loading))
    assert swapped["over_training"]["value"] == pytest.approx(0.5)  # negative control


@pytest.mark.parametrize(
    ("name", "value", "enough"),
    [
        ("cochlea_8000_ratio", 51.0, True),
        ("cochlea_8000_ratio", 49.0, False),
        ("loading_x_built_over_training", 1.01, True),
        ("loading_x_built_over_training", 0.99, False),
        ("retina_28_frames_per_second", 0.1, True),  # nothing is asked of it
    ],
)
def test_ratios_that_are_too_small_are_named(script, name, value, enough):
    assert script.judged({name: script.number(value, "")}) == ([] if enough else [name])


def test_a_measurement_that_fails_stops_the_run(script):
    with pytest.raises(SystemExit, match=r"see .* ended with 1"):
        script.in_fresh_process("see", "no such eye", 28, 1)
