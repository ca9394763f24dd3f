"""The study of Yin-Yang on chips: its first-spike loss and its neuron are as published, it runs, its numbers hold."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.network.initialisers import Constant
from snncompare.units import quantity

FOLDER = Path(__file__).parents[2] / "analyses" / "yin_yang_on_chip"


@pytest.fixture(scope="module")
def study(analysis_module):
    return analysis_module("yin_yang_on_chip")


def fired(times, n_steps=20):
    """Return a raster (step, trial, neuron) of one trial; None is silence."""
    raster = torch.zeros(n_steps, 1, len(times), dtype=torch.float64)
    for neuron, steps in enumerate(times):
        raster[list(steps), 0, neuron] = 1.0
    return raster


def test_evidence_is_minus_the_time_of_the_first_spike(study):
    loss = study.FirstSpike(scale="2 ms").for_step(1e-3)
    evidence = loss.evidence(fired([[4], [7, 9], []]))
    np.testing.assert_allclose(evidence[0], [-2.0, -3.5, -10.0], rtol=1e-12)  # silence lasts as long as the trial
    assert loss.accuracy(fired([[4], [7], []]), torch.tensor([0])).item() == 1.0
    assert loss.accuracy(fired([[8], [7], []]), torch.tensor([0])).item() == 0.0


def test_a_spike_before_the_first_is_worth_the_silence_that_it_ends(study):
    raster = fired([[4], [7], []]).requires_grad_()
    study.FirstSpike(scale="1 ms").for_step(1e-3).evidence(raster)[0, 1].backward()
    slope = raster.grad[:, 0, 1]
    np.testing.assert_allclose(slope[:7], np.arange(7, 0, -1), rtol=1e-12)  # steps that a spike then would gain
    assert torch.all(slope[8:] == 0)  # what comes after the first spike does not count
    assert torch.all(raster.grad[:, 0, 0] == 0)


def peak(study, weight, dt):
    """Return the largest membrane potential of a hidden neuron after one spike through one synapse."""
    network = study.network("weights")
    given = network.projections["feed"].model_copy(
        update={"weight": Constant(value=quantity(str(weight))), "trainable": {}}
    )
    module = TorchNetwork(network.model_copy(update={"projections": {"feed": given}}), dt, {})
    raster = torch.zeros(round(24e-3 / dt), 1, 25, dtype=torch.float64)
    raster[1, 0, 0] = 1.0
    return module({"input": raster}, traces=[("hidden", "v")]).traces["hidden", "v"].amax().item()


def test_a_spike_through_a_weight_raises_the_membrane_to_the_weight_over_e(study):
    fine, coarse = (abs(peak(study, 2.1, dt) - 2.1 / math.e) for dt in (0.12e-3, 0.3e-3))
    assert fine < 0.02 * 2.1 / math.e  # exponential Euler holds the current for a step: an error of about dt/(2 tau)
    assert coarse > 1.5 * fine
    assert peak(study, 1.05, 0.12e-3) == pytest.approx(peak(study, 2.1, 0.12e-3) / 2, rel=1e-9)


def test_each_input_has_five_lines_with_the_published_times(study):
    train = study.data("train")
    assert len(train) == 5000
    assert len(train.units) == 25
    times = train[0].times.reshape(5, 5) / 6e-3  # in time constants
    np.testing.assert_allclose(times, np.broadcast_to(times[0], (5, 5)))
    assert times[0, 4] == pytest.approx(0.9)
    np.testing.assert_allclose(times[0, :2] + times[0, 2:4], 2.15)  # x and 1 - x: 0.15 + 2 time constants


@pytest.mark.slow
def test_the_quick_study_runs(run_analysis, tmp_path):
    run_analysis("yin_yang_on_chip", tmp_path)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert results["quick"] is True
    names = {(row["condition"], row["scheme"], row["noise"]) for row in results["accuracies"]}
    for condition in ("weights", "delays"):
        for scheme in ("deployed", "aware", "own device"):
            assert (condition, scheme, "published") in names
    assert (tmp_path / "accuracy.png").exists()


def stored():
    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    assert results["study"] == "yin_yang_on_chip"
    assert results["quick"] is False
    return results["metrics"]


def test_stored_networks_without_chip_are_near_the_published_ones():
    found = {name: stored()[f"{name}, ideal, noise: none, test"] for name in ("weights", "delays")}
    for entry in found.values():
        # 1000 test points: a standard error of 0.006; two of them, and 0.2 points of the published spread of epochs.
        assert abs(entry["value"] - entry["published"]) < 0.014
    assert found["delays"]["value"] > found["weights"]["value"]


def test_stored_noise_as_published_lies_where_published_with_the_published_inputs():
    metrics = stored()
    low, high = 0.82, 0.923  # published chip 0.855 and simulation 0.888, with 3.5 points to either side
    for scheme in ("deployed", "own device"):
        entry = metrics[f"no_bias, {scheme}, noise: published, test"]
        assert entry["devices"] == 10
        assert low < entry["value"] < high
    # With a bias spike it is above, and the page says so.
    assert metrics["weights, own device, noise: published, test"]["value"] > high


def test_stored_delays_are_better_than_weights_alone_and_noise_costs():
    metrics = stored()
    for scheme in ("deployed", "aware", "own device"):
        delays, weights = (metrics[f"{one}, {scheme}, noise: published, test"] for one in ("delays", "weights"))
        assert delays["value"] > weights["value"]
        assert weights["value"] < metrics["weights, ideal, noise: none, test"]["value"]
    # What costs are thresholds: without their noise nothing is lost (within a standard error of 0.006).
    without = metrics["weights, deployed, noise: no threshold noise, test"]["value"]
    assert without > metrics["weights, ideal, noise: none, test"]["value"] - 0.006
    assert without > metrics["weights, deployed, noise: published, test"]["value"] + 0.02


def test_the_page_says_what_is_stored():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in ("weights", "delays", "no_bias"):
        for scheme in ("deployed", "aware", "own device"):
            entry = stored()[f"{name}, {scheme}, noise: published, test"]
            low, high = (100 * value for value in entry["quartiles"])
            assert f"{100 * entry['value']:.1f} ({low:.1f} to {high:.1f})" in text, (name, scheme)
        assert f"{100 * stored()[f'{name}, ideal, noise: none, test']['value']:.1f}" in text
