"""Objectives of the input itself: their values by hand, their steps, and that networks learn by them."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

import snncompare as sc
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.losses.loss import Loss, Wants
from snncompare.learning.rule import surrogate_gradient
from snncompare.learning.unsupervised.latent_prediction import LatentPrediction
from snncompare.learning.unsupervised.objectives import InputPrediction, InputReconstruction, SelfPrediction
from snncompare.recording.recording import Recording

DT = 1e-3
PREDICTION = InputPrediction(readout="readout", scale="1 mV", horizon="3 ms").for_step(DT)
RECONSTRUCTION = InputReconstruction(readout="readout", scale="1 mV", lag="2 ms").for_step(DT)


def values_and_input(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    values = torch.from_numpy(2e-3 * rng.standard_normal((12, 4, 5))).requires_grad_()
    return values, torch.from_numpy((rng.random((12, 4, 5)) < 0.3).astype(np.float64))


def test_prediction_is_the_poisson_likelihood_of_the_spikes_to_come() -> None:
    values, spikes = values_and_input()
    total = 0.0
    for t in range(12 - 3):
        for trial, unit in np.ndindex(4, 5):
            expected = 10 * 3e-3 * math.log2(1 + math.exp(values[t, trial, unit].item() / 1e-3))
            count = spikes[t + 1 : t + 4, trial, unit].sum().item()
            total += expected - count * math.log(expected)
    assert PREDICTION(values, spikes).item() == pytest.approx(total / (9 * 20), rel=1e-12)


def test_prediction_is_best_at_the_expected_count() -> None:
    spikes = torch.ones(12, 1, 1, dtype=torch.float64)
    best = 100.0 * math.log(2.0) * 1e-3  # far from rest, 3 spikes in 3 ms are 10 Hz * 3 ms * v/s / log(2)
    losses = [PREDICTION(torch.full_like(spikes, v), spikes).item() for v in (0.9 * best, best, 1.1 * best)]
    assert losses[1] < min(losses[0], losses[2])


def test_reconstruction_costs_nothing_for_the_filtered_input_of_a_lag_ago() -> None:
    _, spikes = values_and_input()
    answer = 1e-3 * RECONSTRUCTION.prepared(spikes)
    assert RECONSTRUCTION(answer, spikes).item() == pytest.approx(0.0, abs=1e-25)
    assert RECONSTRUCTION(answer.roll(1, dims=0), spikes).item() > 1e-3
    single = torch.zeros(80, 1, 1, dtype=torch.float64)
    single[5] = 1.0
    trace = RECONSTRUCTION.prepared(single)[:, 0, 0]
    assert trace.max().item() == pytest.approx(1.0, rel=1e-12)
    assert (
        trace[:8].abs().max() < 1e-14
    )  # rounding of the Fourier transform; the kernel is zero in the step of the spike, two steps later than that one
    assert trace[8] > 0


@pytest.mark.parametrize("loss", [PREDICTION, RECONSTRUCTION], ids=["prediction", "reconstruction"])
def test_steps_add_up_to_the_loss_and_its_gradient(loss: Loss) -> None:
    values, spikes = values_and_input()
    loss(values, spikes).backward()
    whole = values.grad.clone()
    values.grad = None
    prepared = loss.prepared(spikes)
    parts = sum(loss.at_step(values[t], prepared[t], t, 12) for t in range(12))
    parts.backward()
    assert parts.item() == pytest.approx(loss(values, spikes).item(), rel=1e-12)
    torch.testing.assert_close(values.grad, whole, rtol=1e-12, atol=0)
    assert whole.abs().max() > 0


def test_self_prediction_compares_counts_of_successive_bins() -> None:
    rng = np.random.default_rng(0)
    spikes = torch.from_numpy((rng.random((30, 6, 4)) < 0.2).astype(np.float64))
    rule = LatentPrediction(floor=0.01)
    loss = SelfPrediction(population="hidden", bin="5 ms", rule=rule).for_step(DT)
    counts = spikes.reshape(6, 5, 6, 4).sum(dim=1)
    by_hand = rule.loss(counts[1:].reshape(-1, 4), counts[:-1].reshape(-1, 4))
    assert loss(spikes, spikes).item() == pytest.approx(by_hand.item(), rel=1e-12)
    assert loss(spikes, torch.zeros_like(spikes)).item() == loss(spikes, spikes).item()
    assert loss(spikes[torch.randperm(30)], spikes).item() != pytest.approx(by_hand.item(), rel=1e-6)


def test_all_want_the_input_and_need_the_time_step() -> None:
    for loss in (PREDICTION, RECONSTRUCTION, SelfPrediction(population="hidden")):
        assert loss.wants is Wants.INPUT
    values, spikes = values_and_input()
    with pytest.raises(InputError, match="needs the time step first"):
        InputPrediction(readout="readout", scale="1 mV")(values, spikes)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        pytest.param(InputPrediction(readout="readout", scale="1 mV", horizon="2.5 ms"), "whole number", id="between"),
        pytest.param(InputPrediction(readout="readout", scale="1 mV", horizon="0 ms"), "at least 1", id="no future"),
        pytest.param(InputPrediction(readout="readout", scale="1 mV", horizon="12 ms"), "longer", id="long horizon"),
        pytest.param(InputReconstruction(readout="readout", scale="1 mV", lag="12 ms"), "longer", id="long lag"),
        pytest.param(SelfPrediction(population="hidden", bin="6 ms"), "three bins", id="few bins"),
    ],
)
def test_times_that_do_not_fit_are_refused(loss: Loss, said: str) -> None:
    values, spikes = values_and_input()
    with pytest.raises(InputError, match=said):
        loss.for_step(DT)(values, spikes)


UNITS, STEPS, TRIALS = 8, 120, 48


def sequences(*, in_order: bool) -> SpikeDataset:
    """Return trials in which unit after unit fires every 5 ms, from a random one on; or in random order."""
    rng = np.random.default_rng(0)
    times, units, trials = [], [], []
    for trial in range(TRIALS):
        count = STEPS // 5
        unit = (rng.integers(UNITS) + np.arange(count)) % UNITS if in_order else rng.integers(UNITS, size=count)
        times.append(5e-3 * np.arange(count) + 1e-3)
        units.append(unit)
        trials.append(np.full(count, trial))
    recording = Recording.from_arrays(
        times=np.concatenate(times),
        unit=np.concatenate(units),
        trial=np.concatenate(trials),
        units=pd.DataFrame(index=range(UNITS)),
        trials=pd.DataFrame({"start": 0.0, "stop": np.full(TRIALS, STEPS * DT)}),
    )
    return SpikeDataset(spikes=recording, label=None, name="sequences")


def history(loss: Loss, data: SpikeDataset, epochs: int) -> pd.DataFrame:
    network = recurrent_classifier(inputs=UNITS, hidden=20, classes=UNITS)
    rule = surrogate_gradient(width="1 mV", scale="10 mV", learning_rate=0.03)
    options = {"dt": "1 ms", "epochs": epochs, "batch_size": 24, "progress": lambda _line: None}
    return sc.fit(network, rule, data, loss=loss, test=None, **options).history  # type: ignore[arg-type]


def constant_loss(data: SpikeDataset, horizon: int) -> float:
    """Return the loss of the best prediction that is the same at all times."""
    counts = torch.from_numpy(data.counts(np.arange(TRIALS), "1 ms")).transpose(0, 1).double()
    future = InputPrediction(readout="readout", scale="1 mV", horizon=f"{horizon} ms").for_step(DT).prepared(counts)
    mean = future[: STEPS - horizon].mean()
    return float(mean - mean * mean.log())


@pytest.mark.slow
def test_a_network_learns_to_predict_what_has_an_order_and_nothing_else() -> None:
    loss = InputPrediction(readout="readout", scale="1 mV", horizon="5 ms", base_rate="25 Hz")
    gain = {}
    for in_order in (True, False):
        data = sequences(in_order=in_order)
        gain[in_order] = constant_loss(data, 5) - history(loss, data, 25)["loss"].iloc[-1]
    # One of eight units fires in 5 ms: knowing which one saves at most log(8)/8 = 0.26.
    assert gain[True] > 0.02
    assert gain[False] < 0.01


def test_a_network_learns_to_reconstruct_and_to_predict_itself() -> None:
    data = sequences(in_order=True)
    found = history(InputReconstruction(readout="readout", scale="1 mV"), data, 6)["loss"]
    assert found.iloc[-1] < 0.8 * found.iloc[0]
    found = history(SelfPrediction(population="hidden"), data, 4)["loss"]
    assert found.iloc[-1] < found.iloc[0]
