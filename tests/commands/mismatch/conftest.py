"""A little network, the words that it tells apart, and a configuration of a study of both."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from snncompare.backends.realisation import realise
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.learning.trained import Trained
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.recording.recording import Recording
from snncompare.units import quantity

UNITS, WORDS, DURATION = 6, 4, 0.03


def little_network() -> Network:
    """Return 6 inputs, 8 neurons and a readout of four words."""
    ends = {"synapse": exponential(tau="3 ms"), "into": "I"}
    neuron = leaky_integrate_and_fire(tau="8 ms", v_threshold="5 mV", refractory="1 ms")
    feed, read = (Normal(mean=quantity("2 mV"), sd=quantity(sd)) for sd in ("20 mV", "5 mV"))
    return Network(
        name="little",
        populations={
            "in": Population(size=UNITS, neuron=SpikeSource()),
            "hidden": Population(size=8, neuron=neuron),
            "readout": Population(size=WORDS, neuron=leaky_readout(tau="10 ms")),
        },
        projections={
            "feed": Projection(source="in", target="hidden", weight=feed, **ends),
            "read": Projection(source="hidden", target="readout", weight=read, **ends),
        },
    )


def spoken(trials: int = 16, seed: int = 0) -> Recording:
    """Return patterns of spikes on a grid of 1 ms, each jittered."""
    rng = np.random.default_rng(seed)
    pattern = rng.uniform(0.002, 0.6 * DURATION, (WORDS, UNITS))
    word = np.arange(trials) % WORDS
    times = np.clip(pattern[word] + rng.normal(0, 0.001, (trials, UNITS)), 0.001, DURATION - 0.002)
    table = pd.DataFrame({"start": 0.0, "stop": DURATION, "word": [f"word {k}" for k in word]})
    return Recording.from_arrays(
        times=np.round(times, 3).ravel(),
        unit=np.tile(np.arange(UNITS), trials),
        trial=np.repeat(np.arange(trials), UNITS),
        units=pd.DataFrame(index=range(UNITS)),
        trials=table,
    )


@pytest.fixture(scope="session")
def words() -> SpikeDataset:
    return SpikeDataset(spikes=spoken(), label="word", name="words")


@pytest.fixture(scope="session")
def little() -> Trained:
    """The network as it was drawn, so that no time goes into training."""
    network = little_network()
    return Trained(network, realise(network, 0, dt=1e-3), pd.DataFrame({"epoch": [0]}))


STUDY: dict[str, Any] = {
    "trained": "little",
    "dataset": {"file": "words.npz", "label": "word", "held_out": 0.5},
    "loss": {"type": "Classification", "readout": "readout", "scale": "1 mV"},
    "sweeps": {"mismatch": {"sigma": [0, 0.3], "parameters": ["weights"]}},
    "devices": 3,
    "representation": {
        "condition": "word",
        "population": "hidden",
        "metrics": [{"type": "VanRossum", "time_scales": ["5 ms"]}],
    },
}


@pytest.fixture
def study(tmp_path: Path, little: Trained) -> Callable[..., Path]:
    """Return a function that writes the study after a change, and returns the path of its configuration."""
    little.save(tmp_path / "little")
    spoken(24, seed=1).save(tmp_path / "words.npz")

    def write(change: Callable[[dict[str, Any]], Any] = lambda _: None) -> Path:
        changed = copy.deepcopy(STUDY)
        change(changed)
        (tmp_path / "study.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
        return tmp_path / "study.yaml"

    return write
