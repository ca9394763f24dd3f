"""Ready circuits have the published numbers, keep Dale's law and fire as their authors say."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.circuits.balanced import excitatory_inhibitory_network
from snncompare.circuits.cortical_column import LAYERS, RATES, cortical_column, in_degrees
from snncompare.circuits.latency import latency_network
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.testing.networks import pulse_input

# notes on the authors' code 9.1: arithmetic checks on Potjans and Diesmann's tables (pA; in-degrees per neuron).
DC = (562.0, 526.9, 737.6, 667.3, 702.5, 667.3, 1018.6, 737.6)
COMPENSATION = {
    0.1: (29.0, 112.4, 113.0, 115.0, 125.4, 151.7, 43.8, 153.7),
    0.2: (23.5, 90.8, 91.3, 93.0, 101.4, 122.6, 35.4, 124.3),
}
JUMP = {1.0: 87.81, 0.1: 277.67, 0.2: 196.35}
IN_DEGREES = (4995, 5285, 2806, 5888, 4944, 2736, 2564, 2434)


def _external(network):
    return np.array([network.populations[layer].parameters["I_ext"].value for layer in LAYERS]) * 1e12


def test_the_column_at_full_size_has_the_published_numbers():
    network = cortical_column(1.0, background="dc")
    assert sum(population.size for population in network.populations.values()) == 77_169
    synapses = sum(projection.wiring.n for projection in network.projections.values())
    assert synapses == pytest.approx(2.9888e8, rel=5e-5)  # given to five digits
    assert np.allclose(in_degrees().sum(axis=1), IN_DEGREES, rtol=0, atol=0.5)  # given as whole numbers
    assert np.allclose(_external(cortical_column(1.0, background="dc")), DC, rtol=0, atol=0.05)  # given to one decimal


@pytest.mark.parametrize("scale", [0.1, 0.2])
def test_a_smaller_column_gets_stronger_weights_and_the_input_it_lacks(scale):
    network = cortical_column(scale)
    weight = network.projections["L4E_to_L4I"].weight
    assert weight.mean.value * 1e12 == pytest.approx(JUMP[scale], abs=0.005)
    assert np.allclose(_external(network), COMPENSATION[scale], rtol=0, atol=0.05)
    doubled = network.projections["L4E_to_L23E"].weight
    assert doubled.mean.value == pytest.approx(2 * weight.mean.value, rel=1e-9)


def test_poisson_background_too_fast_for_the_time_step_is_refused():
    with pytest.raises(InputError, match="Poisson background reaches 23200 Hz"):
        cortical_column(1.0)
    with pytest.raises(InputError, match="scale is a fraction"):
        cortical_column(0.0)


@pytest.mark.parametrize("network", [cortical_column(0.02), excitatory_inhibitory_network(200)], ids=lambda n: n.name)
def test_dales_law_holds_for_every_neuron(network):
    program = sc.compile(network, "brian2", dt="0.1 ms")
    for name, projection in network.projections.items():
        weights = program.realisation.connections[name].weight
        assert weights.size
        assert (np.sign(weights) == (1 if projection.sign == "positive" else -1)).all()
    signs = {
        source: {p.sign for p in network.projections.values() if p.source == source}
        for source in {p.source for p in network.projections.values()}
    }
    assert all(len(found) == 1 for found in signs.values())


@pytest.mark.slow
def test_layers_of_a_small_column_fire_in_the_published_order():
    program = sc.compile(cortical_column(0.05), "brian2", dt="0.1 ms", seed=3)
    recording = program.run({}, duration="700 ms", seed=4, record=LAYERS)
    layer = recording.units["population"].to_numpy()
    fired = layer[recording.spike_index()[1]][recording.times > 0.2]
    rates = {name: (fired == name).sum() / 0.5 / (layer == name).sum() for name in LAYERS}
    assert all(rates[f"{k}I"] > rates[f"{k}E"] for k in ("L23", "L4", "L6")), rates
    slowest = sorted(rates, key=rates.get)[:2]
    assert set(slowest) == {name for name in RATES if RATES[name] < 2}, rates


def test_the_balanced_network_fires_irregularly_at_the_published_rate():
    network = excitatory_inhibitory_network(4000)
    recording = sc.compile(network, "brian2", dt="0.1 ms", seed=1).run({}, duration="400 ms")
    late = recording.times > 0.1
    rate = late.sum() / 4000 / 0.3
    # Brette et al. (2007), benchmark 2: sustained irregular activity at 5 to 40 Hz.
    assert 3 < rate < 40, rate
    silent = network.model_copy(
        update={
            "projections": {
                name: p.model_copy(update={"weight": {"type": "Constant", "value": "-9 mV"}, "sign": "negative"})
                for name, p in network.projections.items()
            }
        }
    )
    quiet = sc.compile(silent, "brian2", dt="0.1 ms", seed=1).run({}, duration="400 ms")
    assert quiet.times.size < recording.times.size / 2


def test_stronger_input_fires_a_latency_network_earlier_and_only_once():
    network = latency_network([1, 20, 5], spread=0.5)
    program = sc.compile(network, "brian2", dt="0.1 ms", seed=2)
    first = {}
    for gain in (1.0, 3.0):
        weights = {name: gain * w for name, w in program.weights.items()}
        run = sc.compile(network, "brian2", dt="0.1 ms", weights=weights).run(
            {"input": pulse_input(0.005, duration=0.1)}, duration="100 ms"
        )
        assert run.counts().max() == 1
        first[gain] = run.times[run.spike_index()[1] >= 20]
    assert first[3.0].size == 5
    assert first[3.0].mean() < first[1.0].mean()


def test_a_latency_network_says_what_is_wrong():
    with pytest.raises(InputError, match="sizes of its input"):
        latency_network([3])
    with pytest.raises(InputError, match="different times"):
        latency_network([3, 2], tau="5 ms")


def test_circuits_survive_the_file(tmp_path):
    for network in (
        cortical_column(0.1),
        latency_network([4, 3]),
        excitatory_inhibitory_network(),
    ):
        assert sc.Network.load(network.save(tmp_path / "network.yaml")) == network
    assert isinstance(pulse_input(0.01), Recording)
