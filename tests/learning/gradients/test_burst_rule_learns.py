"""Burst-dependent learning learns exclusive or, which a readout alone cannot; from a stream, too."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.backends.torch.surrogates import Event
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.learning.losses import Classification, Regression
from snncompare.learning.optimisers import Adam
from snncompare.learning.presets import burst_dependent
from snncompare.learning.schedule import EverySteps, Execution
from snncompare.learning.signals import BurstFeedback, Symmetric
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.units import quantity

GUESSED = 0.7
"""Guessing reaches this in 80 held-out trials with a probability of 0.0002."""
EVENT, LOSS = Event("10 mV"), Classification("readout", scale="2 mV")


def parity(n, seed):
    """Return trials in which two groups of ten inputs fire much or little; the class is their parity."""
    random = np.random.default_rng(seed)
    bits = np.stack([np.arange(n) % 2, np.arange(n) // 2 % 2], axis=1)
    counts = random.poisson(np.where(np.repeat(bits, 10, axis=1) == 1, 12.0, 1.0))
    trial, unit = (np.repeat(index, counts[counts > 0]) for index in np.nonzero(counts))
    trials = pd.DataFrame({"parity": bits[:, 0] ^ bits[:, 1], "start": 0.0, "stop": 0.1})
    times, units = random.uniform(0, 0.099, trial.size), pd.DataFrame(index=range(20))
    spikes = sc.Recording.from_arrays(times=times, unit=unit, trial=trial, units=units, trials=trials)
    return SpikeDataset(spikes=spikes, label="parity", name="parity", classes=(0, 1))


def few_neurons():
    """Return eight hidden neurons: with so few, what is drawn hardly ever separates the classes."""

    def dense(source, target, mean, sd):
        weight = Normal(mean=quantity(mean), sd=quantity(sd), scale_by_sources=True)
        return Projection(source=source, target=target, synapse=exponential(tau="4 ms"), into="I", weight=weight)

    neuron = leaky_integrate_and_fire(tau="10 ms", refractory="2 ms")
    return Network(
        populations={
            "inputs": Population(size=20, neuron=SpikeSource()),
            "hidden": Population(size=8, neuron=neuron),
            "readout": Population(size=2, neuron=leaky_readout(tau="20 ms")),
        },
        projections={
            "feed": dense("inputs", "hidden", "5 mV", "60 mV"),
            "read": dense("hidden", "readout", "0 mV", "10 mV"),
        },
    )


def accuracy(slope):
    rule = burst_dependent(EVENT, feedback=Symmetric(), slope=slope, execution=Execution.BACKWARD, optimiser=Adam(0.05))
    found = sc.fit(
        few_neurons(), rule, parity(80, 1), test=parity(80, 2), loss=LOSS, dt="2 ms", epochs=30, batch_size=20,
        seed=1, progress=lambda _line: None,
    )  # fmt: skip
    return found.history["test_accuracy"].iloc[-3:].mean()


@pytest.mark.slow
def test_exclusive_or_is_learnt_and_not_by_the_readout_alone():
    learnt, readout_alone = accuracy(slope=2.0), accuracy(slope=0.0)
    assert learnt > 0.8
    assert learnt > readout_alone + 0.1
    assert readout_alone < GUESSED


@pytest.mark.parametrize("slope", [2.0, 0.0])
def test_both_ways_of_training_change_the_same_weights(slope):
    weights = {}
    for execution in Execution:
        rule = burst_dependent(EVENT, slope=slope, execution=execution, optimiser=Adam(0.05))
        found = sc.fit(
            few_neurons(), rule, parity(8, 1), test=None, loss=LOSS, dt="2 ms", epochs=2, batch_size=8, seed=1,
            progress=lambda _line: None,
        )  # fmt: skip
        weights[execution] = found.weights
    first = sc.compile(few_neurons(), "torch", dt="2 ms", seed=1).realisation.dense_weights()
    for name in ("feed", "read"):
        one, other = (weights[execution][name] for execution in Execution)
        assert np.abs(one - other).max() < 1e-9 * np.abs(one).max()  # Adam divides 1e-14 by its own small numbers
        assert np.array_equal(one, first[name]) == (slope == 0.0 and name == "feed")


def test_a_stream_learns_by_bursts():
    rule = burst_dependent(EVENT, slope=2.0, optimiser=Adam(0.05))
    loss = Regression("readout", scale="2 mV")
    stream = sc.Stream(few_neurons(), replace(rule, schedule=EverySteps(10)), loss, dt="1 ms", seed=1)
    still = sc.Stream(
        few_neurons(), replace(rule, signal=BurstFeedback(slope=0.0), schedule=EverySteps(10)), loss, dt="1 ms", seed=1
    )
    random = np.random.default_rng(0)
    for _ in range(60):
        row = random.random(20) < 0.2
        for each in (stream, still):
            each.step(row, [1.0, -1.0])
    before = sc.compile(few_neurons(), "torch", dt="1 ms", seed=1).realisation.dense_weights()["feed"]
    assert not np.array_equal(stream.trained().weights["feed"], before)
    assert np.array_equal(still.trained().weights["feed"], before)
