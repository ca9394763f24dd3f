"""The studies of learning by reward and of learning signals run, and their stored numbers show what they claim."""

import json
from pathlib import Path

import pytest

pytest.importorskip("gymnasium")

ANALYSES = Path(__file__).parents[2] / "analyses"
STUDIES = ("delayed_cue", "cart_pole", "learning_signal_generator")


def stored(name, folder=None):
    """Return the results of a study, and its metrics by name."""
    results = json.loads(((folder or ANALYSES / name) / "results.json").read_text(encoding="utf-8"))
    assert results["study"] == name
    return results, {key: entry["value"] for key, entry in results["metrics"].items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_the_quick_study_runs(name, run_analysis, tmp_path):
    run_analysis(name, tmp_path)
    results, metrics = stored(name, tmp_path)
    assert results["quick"] is True
    assert metrics.keys() == stored(name)[1].keys()
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", STUDIES)
def test_the_stored_numbers_are_of_the_full_study(name):
    results, _ = stored(name)
    assert results["quick"] is False
    assert (ANALYSES / name / f"{name}.png").stat().st_size > 10_000


def test_a_cue_is_remembered_with_adaptation_and_reward_only():
    _, right = stored("delayed_cue")
    # 200 episodes for each of two seeds: guessing has a standard error of 0.025.
    assert right["reward-based e-prop"] >= 0.9
    assert right["no adaptation"] < 0.5 + 5 * 0.025
    assert right["reward by coin"] < 0.5 + 5 * 0.05, (
        "answers of one network are alike, so that episodes are not independent"
    )


def test_the_generator_teaches_and_other_signals_do_not():
    _, error = stored("learning_signal_generator")
    assert error["after"] < 0.5 * error["before"]
    assert error["after"] < 0.5 * error["answer 0"]
    for control in ("shuffled signals", "random signals", "untrained generator"):
        assert error[control] > 0.9 * error["before"], control


def test_the_pole_stands_longer_the_more_episodes_were_played():
    results, found = stored("cart_pole")
    assert found["test"] > 5 * results["seeds"][0]["curve"][0]
