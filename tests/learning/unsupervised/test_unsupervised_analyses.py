"""The two studies of unsupervised learning run, and their stored numbers are what they tell."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

ANALYSES = Path(__file__).parents[3] / "analyses"


def values(folder: Path, study: str, *, quick: bool) -> dict[str, float]:
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert (results["study"], results["quick"]) == (study, quick)
    return {name: entry["value"] for name, entry in results["metrics"].items()}


@pytest.mark.slow
def test_the_quick_study_of_digits_runs(run_analysis: Callable[..., object], tmp_path: Path) -> None:
    run_analysis("stdp_digits", tmp_path)
    found = values(tmp_path, "stdp_digits", quick=True)
    assert {name.split(":")[0] for name in found} == {"STDP and homeostasis", "no homeostasis", "no plasticity"}
    assert all(0 <= value <= 1 for name, value in found.items() if "accuracy" in name)
    assert (tmp_path / "stdp_digits.png").stat().st_size > 10_000


@pytest.mark.slow
def test_the_quick_study_of_latent_prediction_runs_and_finds_the_axis(
    run_analysis: Callable[..., object], tmp_path: Path
) -> None:
    run_analysis("latent_predictive_learning", tmp_path)
    found = values(tmp_path, "latent_predictive_learning", quick=True)
    assert found["rates, LPL, noise 3: |cosine|"] > 0.99  # thresholds of notes on learning rules R8.2
    assert found["rates, Hebbian only, noise 3: |cosine|"] < 0.2
    assert (tmp_path / "latent_prediction.png").stat().st_size > 10_000


def test_stored_digits_are_learnt_and_need_plasticity() -> None:
    found = values(ANALYSES / "stdp_digits", "stdp_digits", quick=False)
    accuracy = {name.removesuffix(": accuracy"): value for name, value in found.items() if name.endswith(": accuracy")}
    error = found["STDP and homeostasis: standard error"]
    assert accuracy["STDP and homeostasis"] - accuracy["no plasticity"] > 4 * error
    assert accuracy["STDP and homeostasis"] > 0.75  # 0.829 in the paper after many more presentations, chance 0.1
    assert accuracy["no homeostasis"] < 0.2


def test_stored_spiking_neurons_prefer_slow_inputs_in_every_seed_and_only_with_the_predictive_term() -> None:
    found = values(ANALYSES / "latent_predictive_learning", "latent_predictive_learning", quick=False)
    assert found["spikes, LPL: selectivity, lowest seed"] > found["spikes, Hebbian only: selectivity, highest seed"]
    assert found["rates, LPL, noise 3: |cosine|"] > 0.99
    assert found["rates, Hebbian only, noise 1: |cosine|"] < 0.6
    assert found["rates, Hebbian only, noise 3: |cosine|"] < 0.2
