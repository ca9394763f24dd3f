"""Depressing and facilitating synapses release the fractions of the published rule, to four decimals, on every backend."""

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapses import delta, depressing, facilitating, short_term_plastic

BACKENDS = ["brian2", "torch"]
KINDS = {"depressing": depressing, "facilitating": facilitating}
LISTENER = NeuronModel(equations="heard : 1")

# Release x u of spikes 10 ms apart from rest, and after many spikes at a steady rate (Hz): exact values of the equations
# of Payeur et al. (2021) (STPeTMConnection) with their parameters, section 2.2 of the specification.
AT_10_MS = {"depressing": [0.9000, 0.4132, 0.3843, 0.3837], "facilitating": [0.0200, 0.1067, 0.1605, 0.1804]}
RATES = [1, 5, 10, 20, 50, 100]
STEADY = {
    "depressing": [0.9055, 0.9311, 0.9427, 0.8893, 0.6254, 0.3920],
    "facilitating": [0.0200, 0.0349, 0.0709, 0.1224, 0.1317, 0.0868],
}


def released(backend, synapse, trains, duration, dt=1e-3):
    """Return what a synapse of weight 1 transmits at each spike of each train (seconds); units of one population."""
    n = len(trains)
    unit = np.repeat(np.arange(n), [len(train) for train in trains])
    spikes = sc.Recording.from_arrays(
        times=np.concatenate(trains),
        unit=unit,
        trial=np.zeros(unit.size, dtype=int),
        units=pd.DataFrame(index=range(n)),
        trials=pd.DataFrame({"start": [0.0], "stop": [duration]}),
    )
    network = Network(
        populations={"source": {"size": n, "neuron": SpikeSource()}, "ear": {"size": n, "neuron": LISTENER}},
        projections={
            "feed": {"source": "source", "target": "ear", "synapse": synapse, "weight": Constant(value=1.0)},
        },
    )
    program = sc.compile(network, backend, dt=f"{dt} s", weights={"feed": np.eye(n)})
    run = program.run({"source": spikes}, duration=f"{duration} s", record=["ear.heard"])
    heard = run.traces["ear.heard"].values[0]
    step = [np.rint(np.asarray(train) / dt).astype(int) for train in trains]
    return [of_unit[k + 1] - of_unit[k] for of_unit, k in zip(heard, step, strict=True)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_spikes_ten_milliseconds_apart_release_the_published_fractions(backend, kind):
    found = released(backend, KINDS[kind](delta(variable="heard", unit="1")), [np.arange(4) * 10e-3 + 5e-3], 0.1)[0]
    assert np.round(found, 4).tolist() == AT_10_MS[kind]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_steady_rates_release_the_published_fractions(backend, kind):
    # Time constants of at most 1 s: after 12 s less than 1e-5 of where the synapse began is left.
    trains = [np.arange(0.005, 12.9, 1 / rate) for rate in RATES]
    found = released(backend, KINDS[kind](delta(variable="heard", unit="1")), trains, 13.0, dt=5e-3)
    assert [round(of_rate[-1], 4) for of_rate in found] == STEADY[kind]


def test_both_backends_release_the_same():
    trains = [np.cumsum(np.random.default_rng(k).integers(1, 40, 40)) * 1e-3 for k in range(5)]
    synapse = facilitating(delta(variable="heard", unit="1"))
    for one, other in zip(*(released(backend, synapse, trains, 2.0) for backend in BACKENDS), strict=True):
        assert one == pytest.approx(other, rel=1e-12)


def test_the_order_of_release_and_increment_matters():
    # Tsodyks, Pawelzik & Markram (1998) let a spike raise the utilisation before it releases; then even the first
    # release from rest is another one.
    changed = facilitating(delta(variable="heard", unit="1"))
    first = changed.on_pre.splitlines()
    reordered = changed.model_copy(update={"on_pre": "\n".join([first[2], *first[:2]])})
    found = released("brian2", reordered, [np.arange(4) * 10e-3 + 5e-3], 0.1)[0]
    assert abs(found[0] - AT_10_MS["facilitating"][0]) > 0.05


@pytest.mark.parametrize("parameter", ["U", "f", "tau_depression", "tau_facilitation"])
def test_every_parameter_matters(parameter):
    values = {"U": 0.02, "f": 0.1, "tau_depression": "100 ms", "tau_facilitation": "100 ms"}
    values[parameter] = "90 ms" if "tau" in parameter else 1.1 * values[parameter]
    synapse = short_term_plastic(delta(variable="heard", unit="1"), **values)
    found = released("torch", synapse, [np.arange(4) * 10e-3 + 5e-3], 0.1)[0]
    assert np.abs(found - AT_10_MS["facilitating"]).max() > 5e-4  # ten times what rounding to four decimals hides
