"""The study of spoken digits runs, and its stored numbers are those its README tells."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

FOLDER = Path(__file__).parents[2] / "analyses" / "spoken_digits"
FIBRES = ("low fibres", "low fibres, varied", "all fibres")
READOUTS = [f"linear readout of {code}, {which}" for code in ("counts", "trains") for which in FIBRES]
SPEAKERS = ["jackson", "nicolas", "theo", "yweweler"]


def values(path):
    results = json.loads(path.read_text(encoding="utf-8"))
    assert results["study"] == "spoken_digits"
    return results, {name: entry["value"] for name, entry in results["metrics"].items()}


@pytest.mark.slow
def test_the_quick_study_runs_on_a_speaker_never_heard(run_analysis, tmp_path, shared_data):
    environment = {"SNNCOMPARE_DATA": str(shared_data), "SNNCOMPARE_CACHE": str(tmp_path / "cache")}
    run_analysis("spoken_digits", tmp_path, environment=environment)
    results, found = values(tmp_path / "results.json")
    assert results["quick"] is True
    accuracies = {f"{name}, {who}" for name in [*READOUTS, "spiking network"] for who in ("theo", "mean")}
    told = ("mean", "recordings low", "recordings high")
    assert set(found) == accuracies | {f"spiking network minus {name}, {what}" for name in READOUTS for what in told}
    assert (tmp_path / "digits.png").stat().st_size > 10_000
    # 80 digits, chance 0.1: a standard error of 0.034.
    assert found["linear readout of trains, low fibres, theo"] > 0.1 + 4 * 0.034


def test_the_stored_numbers_are_of_the_full_study_and_well_above_chance():
    results, found = values(FOLDER / "results.json")
    assert results["quick"] is False
    for name in [*READOUTS, "spiking network"]:
        each = [found[f"{name}, {speaker}"] for speaker in SPEAKERS]
        assert found[f"{name}, mean"] == pytest.approx(np.mean(each))
        # 240 digits or more of a speaker, chance 0.1: a standard error of 0.02.
        assert min(each) > 0.1 + 5 * 0.02


def test_the_stored_network_beats_every_linear_readout_also_those_with_the_same_copies():
    _, found = values(FOLDER / "results.json")
    for name in READOUTS:
        difference = found[f"spiking network minus {name}, mean"]
        assert difference == pytest.approx(found["spiking network, mean"] - found[f"{name}, mean"])
        assert found[f"spiking network minus {name}, recordings low"] > 0
    assert found["spiking network minus linear readout of trains, low fibres, varied, speakers low"] > 0


@pytest.fixture(scope="module")
def study(analysis_module):
    return analysis_module("spoken_digits")


def test_intervals_of_the_advantage_are_those_of_paired_differences(study):
    """Against scipy: 4 speakers with a t interval, and recordings whose pairing matters."""
    rng = np.random.default_rng(0)
    one, two = ({who: rng.random(200) < p for who in SPEAKERS} for p in (0.8, 0.7))
    told = study.advantage({"spiking network": one, "readout": two}, "readout")
    each = np.array([one[who].mean() - two[who].mean() for who in SPEAKERS])
    low, high = stats.t.interval(0.95, 3, each.mean(), stats.sem(each))
    assert (told["speakers low"], told["speakers high"]) == pytest.approx((low, high))
    assert told["mean"] == pytest.approx(each.mean())
    errors = [np.std(one[who] * 1.0 - two[who], ddof=1) / np.sqrt(200) for who in SPEAKERS]
    assert told["recordings high"] - told["mean"] == pytest.approx(1.96 * np.sqrt(np.sum(np.square(errors))) / 4)
    same = study.advantage({"spiking network": one, "readout": one}, "readout")
    assert set(same.values()) == {0.0}


def test_the_readme_tells_the_stored_accuracies():
    _, found = values(FOLDER / "results.json")
    rows = [line for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    told = {tuple(row.strip("| ").split(" | ")[1:]) for row in rows}
    for name in [*READOUTS, "spiking network"]:
        assert tuple(f"{100 * found[f'{name}, {who}']:.1f}" for who in [*SPEAKERS, "mean"]) in told
