"""The analysis of bursts in recordings runs, and its stored answer says what its numbers say."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "analyses" / "bursts_in_recordings"


@pytest.fixture(scope="module")
def stored():
    return json.loads((FOLDER / "results.json").read_text())


def value(results, key):
    return results["metrics"][key]["value"]


def test_it_says_why_it_does_nothing_without_the_recordings(run_analysis, tmp_path):
    done = run_analysis("bursts_in_recordings", tmp_path / "out", environment={"SNNCOMPARE_SHARED": str(tmp_path)})
    assert "skipped: it_seven_objects_a" in done.out
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_quick_path_gives_the_numbers_that_do_not_depend_on_chance(run_analysis, shared_data, stored, tmp_path):
    run_analysis("bursts_in_recordings", tmp_path, environment={"SNNCOMPARE_SHARED": str(shared_data.parent)})
    found = json.loads((tmp_path / "results.json").read_text())
    assert set(found["metrics"]) == set(stored["metrics"])
    assert found["quick"] is True
    for key in ("IT: events alone, 16 ms", "IT: later spikes alone, 8 ms", "V1: both together, 16 ms"):
        assert value(found, key) == pytest.approx(value(stored, key), rel=1e-9)  # sums in the same order
    assert (tmp_path / "bursts.png").stat().st_size > 50_000


def test_the_stored_shares_are_of_the_full_analysis_and_add_up(stored):
    assert stored["quick"] is False
    assert {entry["file"] for entry in stored["provenance"]["inputs"]} == {
        "it_seven_objects_a.npz",
        "mouse_v1_gratings.npz",
    }
    for name in ("IT: {}, 8 ms", "IT: {}, 16 ms", "IT: {}, 32 ms", "V1: {}, 8 ms", "V1: {}, 16 ms"):
        parts = [value(stored, name.format(part)) for part in ("events alone", "later spikes alone", "both together")]
        assert sum(parts) == pytest.approx(1.0)
        # an excess above what all bursts have of the dissimilarity (0.05) would be an error of the estimate
        beyond = value(stored, name.format("bursts beyond event rates"))
        assert abs(beyond) < 0.05


def test_the_stored_calibration_holds_the_level_and_has_power(stored):
    found = {key.split("'")[1]: value(stored, key) for key in stored["metrics"] if key.endswith("excess found")}
    nulls = ["events", "rate", "rate, 30 Hz", "rate, slow recovery", "rate, gain 0.4", "events, transient"]
    for code in nulls:
        assert found[code] <= 6 / 40  # 40 simulations at 0.05: seven or more have probability 0.003
    for code in ("bursts", "both"):
        assert found[code] == 1.0


def test_the_answer_of_the_stored_result_is_the_one_of_the_page(stored):
    page = (FOLDER / "README.md").read_text()
    for name in ("IT", "V1"):
        for part in ("events alone", "later spikes alone"):
            assert f"{value(stored, f'{name}: {part}, 16 ms'):.0%}".replace("%", " %") in page
    assert "no sign that bursts say more" in stored["answer"]["IT"]
    assert "there is no sign that bursts say more" in page
    assert f"excess {value(stored, 'IT: bursts beyond event rates, 16 ms'):.2%}".replace("%", " %") in page
