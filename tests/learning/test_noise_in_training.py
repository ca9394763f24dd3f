"""Networks with chance in them meet other noise in every batch, from the seed and the checkpoint; others are as before."""

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.backends.torch.surrogates import EscapeNoise, SuperSpike
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.learning.gradients.backward import Backward
from snncompare.learning.losses import Classification, Over
from snncompare.learning.presets import bptt, eprop
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import (
    escape_noise_leaky_integrate_and_fire,
    leaky_integrate_and_fire,
    leaky_readout,
    noisy_leaky_integrate_and_fire,
    poisson_neuron,
)
from snncompare.network.randomness import is_random
from snncompare.network.synapses import delta
from snncompare.network.trainable import Trainable
from snncompare.units import quantity

SURROGATE = SuperSpike("2 mV", "10 mV")
LOSS = Classification("out", scale="1 mV", over=Over.EACH_STEP)
NOISY, QUIET = noisy_leaky_integrate_and_fire(), leaky_integrate_and_fire()


def network(neuron, *, synapse=None):
    drawn = {"weight": Normal(mean=quantity("3 mV"), sd=quantity("4 mV")), "trainable": {"weight": Trainable()}}
    return Network(
        populations={
            "in": Population(size=3, neuron=SpikeSource()),
            "hidden": Population(size=5, neuron=neuron),
            "out": Population(size=2, neuron=leaky_readout()),
        },
        projections={
            "feed": Projection(source="in", target="hidden", synapse=synapse or delta(), **drawn),
            "read": Projection(source="hidden", target="out", synapse=delta(), **drawn),
        },
    )


def trials(n=8):
    rng = np.random.default_rng(0)
    spikes = sc.Recording.from_arrays(
        times=rng.uniform(0, 0.03, 12 * n),
        unit=rng.integers(0, 3, 12 * n),
        trial=np.repeat(np.arange(n), 12),
        units=pd.DataFrame(index=range(3)),
        trials=pd.DataFrame({"kind": np.arange(n) % 2, "start": 0.0, "stop": 0.03}),
    )
    return SpikeDataset(spikes=spikes, label="kind", name="kinds")


def fitted(neuron, rule, **more):
    settings = {"epochs": 2, "batch_size": 4, "seed": 3, "progress": lambda line: None} | more
    return sc.fit(network(neuron), rule, trials(), test=None, loss=LOSS, dt="1 ms", **settings)


@pytest.fixture
def seeds(monkeypatch):
    """The seeds that engines are given."""
    given, run = [], Backward.trials

    def listening(self, *arguments, seed, **more):
        given.append(seed)
        return run(self, *arguments, seed=seed, **more)

    monkeypatch.setattr(Backward, "trials", listening)
    return given


def test_every_batch_of_a_random_network_has_noise_of_its_own(seeds):
    fitted(NOISY, bptt(SURROGATE))
    assert len(set(seeds)) == len(seeds) == 4
    first = list(seeds)
    seeds.clear()
    fitted(NOISY, bptt(SURROGATE), seed=4)
    assert not set(first) & set(seeds)


def test_a_network_without_chance_takes_no_seeds(seeds):
    fitted(QUIET, bptt(SURROGATE))
    assert seeds == [0, 0, 0, 0]


def test_a_noisy_threshold_of_the_rule_counts_as_chance(seeds):
    fitted(QUIET, bptt(EscapeNoise("2 mV")))
    assert len(set(seeds)) == 4


class StoppedError(Exception):
    """Stands for the end of the process."""


def same(one, other):
    return all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)


@pytest.mark.parametrize("rule", [bptt(SURROGATE), eprop(SURROGATE)], ids=["backward", "forward"])
def test_noise_comes_from_the_seed_and_goes_on_after_an_interruption(tmp_path, rule):
    whole, file = fitted(NOISY, rule), tmp_path / "checkpoint"

    def stop(line):
        raise StoppedError(line)

    with pytest.raises(StoppedError):
        fitted(NOISY, rule, checkpoint=file, progress=stop)
    assert file.exists()
    assert same(fitted(NOISY, rule, checkpoint=file), whole)
    assert not same(fitted(NOISY, rule, seed=4), whole)


OWN = {"equations": "dv/dt = -v/(10*ms) : volt", "threshold": "v > 10*mV", "reset": "v = 0*mV", "inputs": {"I": "volt"}}
OF_NEURONS = {
    "noise": (NOISY, True),
    "escape": (escape_noise_leaky_integrate_and_fire(), True),
    "poisson": (poisson_neuron(), True),
    "reset": (NeuronModel(**OWN | {"reset": "v = rand()*mV"}), True),
    "space": (NeuronModel(**OWN | {"reset": "v = randn ()*mV"}), True),
    "user function": (NeuronModel(**OWN | {"reset": "v = chance(1)*mV", "functions": {"chance(x)": "x*rand()"}}), True),
    "none": (NeuronModel(**OWN), False),
    "names like it": (NeuronModel(**OWN | {"equations": OWN["equations"] + "\ndxi2/dt = -xi2/(9*ms) : 1"}), False),
}


@pytest.mark.parametrize("case", OF_NEURONS)
def test_chance_is_found_wherever_neurons_draw(case):
    neuron, expected = OF_NEURONS[case]
    network = Network(populations={"cells": Population(size=2, neuron=neuron)}, projections={})
    assert is_random(network) is expected


def test_chance_is_found_in_synapses_and_not_in_what_is_drawn_before():
    assert not is_random(network(QUIET))
    releasing = delta().model_copy(update={"on_pre": "v_post += w*int(rand() < 0.5)"})
    assert is_random(network(QUIET, synapse=releasing))
