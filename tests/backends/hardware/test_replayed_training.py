"""Training in the loop on a chip, recorded once and carried out again where there is none."""

import numpy as np
import pandas as pd
import pytest

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.learning.fit import fit
from snncompare.learning.losses import Classification
from snncompare.learning.on_chip import OnChip
from snncompare.learning.rule import surrogate_gradient
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.recording.recording import Recording
from snncompare.testing.replayed_hardware import BackendAsHardware, RecordingHardware, ReplayedHardware
from snncompare.units import quantity


def network():
    ends = {
        "synapse": exponential(tau="3 ms"),
        "into": "I",
        "weight": Normal(mean=quantity("3 mV"), sd=quantity("15 mV")),
    }
    return Network(
        name="loop",
        populations={
            "in": Population(size=4, neuron=SpikeSource()),
            "hidden": Population(size=5, neuron=leaky_integrate_and_fire(tau="8 ms", v_threshold="5 mV")),
            "readout": Population(size=2, neuron=leaky_readout(tau="10 ms")),
        },
        projections={
            "feed": Projection(source="in", target="hidden", **ends),
            "read": Projection(source="hidden", target="readout", **ends),
        },
    )


def tones():
    rng = np.random.default_rng(0)
    trials = pd.DataFrame({"start": 0.0, "stop": 0.02, "tone": ["low", "high"] * 4})
    times = np.round(rng.uniform(0.001, 0.012, (8, 4)), 3)
    unit, trial = np.tile(np.arange(4), 8), np.repeat(np.arange(8), 4)
    given = {"times": times.ravel(), "unit": unit, "trial": trial, "units": pd.DataFrame(index=range(4))}
    return SpikeDataset(spikes=Recording.from_arrays(**given, trials=trials), label="tone", name="tones")


def trained(chip, seed=0):
    return fit(
        network(),
        surrogate_gradient(width="1 mV", scale="10 mV", learning_rate=0.02),
        tones(),
        loss=Classification("readout", scale="1 mV"),
        test=None,
        dt="1 ms",
        epochs=2,
        batch_size=4,
        seed=seed,
        on_chip=OnChip("plain", in_the_loop=True, chip=chip),
        progress=lambda _: None,
    )


def test_a_training_in_the_loop_is_the_same_on_the_chip_and_on_its_replay(tmp_path):
    chip = BackendAsHardware("analog", dt="1 ms", profile="plain", device_seed=3)
    recorder = RecordingHardware(chip)
    on_chip = trained(recorder)
    replay = ReplayedHardware.load(recorder.save(tmp_path / "chip.npz"))
    assert "4 recorded answers" in replay.available().reason  # two epochs of two batches
    again = trained(replay)
    for name, weights in on_chip.weights.items():
        assert np.array_equal(weights, again.weights[name])
        assert not np.array_equal(weights, trained_nowhere()[name])  # control: the training moved them
    with pytest.raises(InputError, match="no record of this request"):
        trained(replay, seed=1)


def trained_nowhere():
    from snncompare.backends.realisation import realise

    return realise(network(), 0, dt=1e-3).dense_weights()
