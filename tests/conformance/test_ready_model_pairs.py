"""Any shipped synapse fits any shipped neuron, and each pair fires enough to tell backends apart."""

import pytest

from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.testing.models import NEURONS, NOISY_NEURONS, SYNAPSES, conformance_input, conformance_network


@pytest.mark.parametrize("neuron", [*NEURONS, *NOISY_NEURONS])
def test_every_synapse_fits_every_neuron(neuron):
    networks = {synapse: conformance_network(neuron, synapse) for synapse in SYNAPSES}
    assert len({network.fingerprint() for network in networks.values()}) == len(SYNAPSES)
    for network in networks.values():
        assert Network.parse(network.plain(), "again") == network


def test_there_are_enough_models_for_the_conformance_table():
    assert len(NEURONS) >= 12
    assert len(SYNAPSES) >= 6
    assert not set(NEURONS) & set(NOISY_NEURONS)
    noisy = {name for name in {**NEURONS, **NOISY_NEURONS} if _draws(conformance_network(name, "delta"))}
    assert noisy == set(NOISY_NEURONS)


def _draws(network):
    model = network.populations["cells"].neuron
    return "rand" in (model.threshold or "") or "xi" in model.equations.split() or "*xi" in model.equations


@pytest.mark.parametrize(("neuron", "synapse"), [("LIFE", "delta"), ("LIF", "delter")])
def test_unknown_names_are_refused_with_the_nearest(neuron, synapse):
    with pytest.raises(InputError, match="did you mean"):
        conformance_network(neuron, synapse)


def test_the_delay_is_three_steps():
    assert conformance_network("LIF", "delta", dt="0.5 ms").projections["feed"].delay.value == pytest.approx(1.5e-3)


@pytest.mark.parametrize(
    ("neuron", "synapse"), [("LIF", "delta"), ("theta", "NMDA"), ("two-compartment", "facilitating")]
)
def test_a_pair_fires_a_thousand_spikes_in_a_second_and_its_synapses_matter(neuron, synapse):
    pytest.importorskip("brian2")
    program = compile_network(conformance_network(neuron, synapse), "brian2", dt="0.1 ms", seed=1)
    spikes, silent = (
        program.run(conformance_input(rate=rate), duration="1 s", record=["cells"]) for rate in ("40 Hz", "0 Hz")
    )
    assert spikes.times.size >= 1000
    assert spikes.times.size > 1.02 * silent.times.size


def test_the_neurons_are_those_that_ship():
    model, drive = NEURONS["LIF"]()
    assert model == leaky_integrate_and_fire()
    assert drive.conductance.dimension == (0, 0, 0, 0, 0, 0, 0)
    assert NEURONS["conductance LIF"]()[1].conductance.value == pytest.approx(15e-12 / 60e-3)
