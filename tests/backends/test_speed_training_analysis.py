import json
from importlib.util import find_spec

import pytest

PEERS = ("snntorch", "norse", "spikingjelly")
INSTALL = (
    "the libraries to compare with are no dependencies; analyses/speed_training/README.md says how to install them"
)


@pytest.fixture(scope="module")
def script(analysis_module):
    return analysis_module("speed_training")


@pytest.mark.slow
def test_the_training_analysis_measures_every_library_at_equal_work(run_analysis, tmp_path):
    missing = [name for name in PEERS if find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: {INSTALL}")
    run_analysis("speed_training", tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["study"] == "speed_training"
    assert results["quick"] is True
    metrics = results["metrics"]
    assert all(set(entry) == {"value", "published", "source"} for entry in metrics.values())
    for name in ("ours", *PEERS):
        for part in ("forward", "backward", "total"):
            assert metrics[f"{name}_60_steps_1_thread_{part}_ms_per_step"]["value"] > 0
        assert metrics[f"{name}_60_steps_peak_MB"]["value"] > 60 * 64 * 256 * 4 / 1e6  # one saved state per step
        assert abs(metrics[f"{name}_rate"]["value"] / metrics["ours_rate"]["value"] - 1) < 0.25  # as in the script
    assert metrics["ours_60_steps_1_thread_total_ratio"]["value"] == 1
    fastest = metrics["fastest_peer_60_steps_1_thread_ratio"]["source"].split(" / ")[0]
    assert fastest in PEERS
    assert (tmp_path / "speed.png").is_file()


WORK = {"rate": 0.03, "gradients": [1.0, 2.0, 3.0], "finite": True, "shape": True}


def test_equal_work_is_accepted(script):
    script.check_equal_work({"ours": WORK, "other": WORK | {"rate": 0.028}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0.0},
        {"rate": 0.05},
        {"gradients": [1.0, 0.0, 3.0]},
        {"gradients": [1.0, 2.0]},
        {"finite": False},
        {"shape": False},
    ],
)
def test_a_library_that_does_other_work_stops_the_run(script, wrong):
    """Negative control: silent or busier neurons, weights that do not learn, explosions, missing outputs."""
    with pytest.raises(SystemExit, match="other does not do the same work"):
        script.check_equal_work({"ours": WORK, "other": WORK | wrong})


def test_the_peak_is_of_the_step_and_grows_with_what_it_keeps(script):
    """With a stand-in that keeps a known number of bytes: 64 MB show, and nothing of it before or after."""

    class KeepsBytes(script.Bench):
        def __init__(self):
            self.kept = 0

        def step(self, steps, threads):  # noqa: ARG002 - the same arguments as the real one
            bytearray(b"x") * steps

    quiet, loud = KeepsBytes().peak(1), KeepsBytes().peak(64_000_000)
    assert loud == pytest.approx(64e6, rel=0.05)  # pages and the interpreter's own objects
    assert quiet < 1e6
