"""Training on datasets that are encoded while they are used, of unequal windows, or with several spikes in a step."""

import numpy as np
import pandas as pd
import pytest
import torch

import snncompare as sc
from snncompare import datasets
from snncompare.backends.torch.module import TorchNetwork
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.datasets.samples import EncodedSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.batches import Batches
from snncompare.learning.fitting import data_fingerprint
from snncompare.learning.losses import Classification
from snncompare.learning.rule import surrogate_gradient
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapse import SynapseModel

CELL = NeuronModel(
    equations="dv/dt = -v/tau : volt", threshold="v > 1*volt", reset="v = 0*volt", parameters={"tau": "10 ms"}
)
JUMP = SynapseModel(on_pre="v_post += w", weight_unit="volt")
WEIGHTS = np.array([[1e-3, 2e-3, 3e-3]] * 2 + [[2e-3, 1e-3, 1e-3]] * 2)
LOSS = Classification("readout", scale="2 mV")


def train(dataset, test, *, inputs, classes, epochs=1, dt="1 ms"):
    return sc.fit(
        recurrent_classifier(inputs=inputs, hidden=20, classes=classes),
        surrogate_gradient(width="0.5 mV", scale="10 mV", learning_rate=0.05),
        dataset,
        test=test,
        loss=LOSS,
        dt=dt,
        epochs=epochs,
        batch_size=20,
        seed=0,
        progress=lambda _line: None,
    )


def songs(seed=0):
    return datasets.load(
        "song_envelopes", n_classes=2, n_per_class=6, duration="50 ms", encoder={"size": 5}, seed=seed
    )  # fmt: skip


def test_a_dataset_trains_the_same_whether_it_is_encoded_on_the_way_or_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("SNNCOMPARE_CACHE", str(tmp_path))
    encoded = songs()
    recorded = SpikeDataset(spikes=songs().spikes, label="song", name="recorded")
    first, second = (train(data, data, inputs=5, classes=2, epochs=2) for data in (encoded, recorded))
    assert all(np.array_equal(first.weights[name], second.weights[name]) for name in first.weights)
    other = train(songs(seed=1), songs(seed=1), inputs=5, classes=2, epochs=2)
    assert not np.array_equal(first.weights["feed"], other.weights["feed"])


def test_the_fingerprint_of_the_data_needs_no_encoding_and_tells_recipes_and_parts_apart(monkeypatch):
    monkeypatch.setattr(EncodedSource, "_fire", lambda *_: pytest.fail("encoded for a fingerprint"))
    half = songs().subset(np.arange(12) < 6)
    prints = [data_fingerprint(data) for data in (songs(), songs(), songs(seed=1), half)]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def unequal(*, crowded=False, seed=0):
    """Return trials of 60 and 80 ms in which one half of the units fires, each twice in a millisecond if crowded."""
    rng = np.random.default_rng(seed)
    label = np.arange(40) % 2
    times = rng.integers(0, 55, (40, 4)) * 1e-3 + 2e-4
    unit = np.arange(4) + 4 * label[:, None]
    if crowded:
        times, unit = np.hstack([times, times + 5e-4]), np.hstack([unit, unit])
    trials = pd.DataFrame({"half": label, "start": 0.0, "stop": np.where(np.arange(40) < 30, 0.06, 0.08)})
    spikes = sc.Recording.from_arrays(
        times=times.ravel(),
        unit=unit.ravel(),
        trial=np.repeat(np.arange(40), times.shape[1]),
        units=pd.DataFrame(index=range(8)),
        trials=trials,
    )
    return SpikeDataset(spikes=spikes, label="half", name="unequal")


def test_trials_of_unequal_windows_and_several_spikes_a_step_are_learnt():
    trained = train(unequal(crowded=True), unequal(crowded=True, seed=1), inputs=8, classes=2, epochs=15)
    # Guessing two classes reaches 0.8 in 40 trials with a probability below 0.0001.
    assert trained.history["test_accuracy"].iloc[-1] > 0.8


def test_an_accuracy_does_not_depend_on_the_batch_a_trial_is_in():
    batches = Batches(unequal(), "receptors", "1 ms")
    alone, together = batches(np.array([0]))[0]["receptors"], batches(np.arange(40))[0]["receptors"]
    assert alone.shape[0] == together.shape[0] == 80
    assert torch.equal(alone[:, 0], together[:, 0])
    assert Batches(unequal(), "receptors", "1 ms", "90 ms")(np.array([0]))[0]["receptors"].shape[0] == 90


def equal_first_two(synapse=JUMP):
    """Return a network whose first two inputs have the same weights."""
    network = Network(
        populations={
            "inputs": Population(size=4, neuron=SpikeSource()),
            "cells": Population(size=3, neuron=CELL),
        },
        projections={
            "feed": Projection(
                source="inputs",
                target="cells",
                synapse=synapse,
                weight={"type": "Uniform", "low": "1 mV", "high": "2 mV"},
            )
        },
    )
    return TorchNetwork(network, 1e-3, {"feed": WEIGHTS})


def two_ways():
    twice, of_two, once = (torch.zeros(40, 1, 4, dtype=torch.float64) for _ in range(3))
    twice[5:30:3, 0, 0], of_two[5:30:3, 0, :2], once[5:30:3, 0, 0] = 2, 1, 1
    return twice, of_two, once


@pytest.mark.parametrize("gradients", [False, True])
def test_two_spikes_of_a_unit_do_what_one_spike_of_each_of_two_equal_units_does(gradients):
    module = equal_first_two()
    with torch.set_grad_enabled(gradients):
        twice, of_two, once = (
            module({"inputs": x}, traces=[("cells", "v")]).traces["cells", "v"].detach() for x in two_ways()
        )
    # The same weights summed in another order: rounding.
    assert torch.allclose(twice, of_two, rtol=1e-9, atol=1e-15)
    assert not torch.allclose(twice, once, rtol=1e-3)


def test_synapses_that_change_with_each_spike_refuse_several_in_a_step():
    changing = SynapseModel(
        on_pre="v_post += w*x; x *= 0.5", weight_unit="volt", synapse_equations="dx/dt = (1 - x)/tau : 1 (event-driven)",
        parameters={"tau": "100 ms"}, initial={"x": "1"},
    )  # fmt: skip
    module = equal_first_two(changing)
    twice, of_two, _ = two_ways()
    assert module({"inputs": of_two}, traces=[("cells", "v")])
    with pytest.raises(InputError, match=r"several spikes of 'inputs' share a step .* 'feed' change with each spike"):
        module({"inputs": twice})
