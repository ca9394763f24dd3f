"""A population excites or inhibits; what stands for interneurons is marked, or goes through relays."""

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml

import snncompare as sc
from snncompare.circuits.bursts.decoding import burst_decoding_network
from snncompare.circuits.bursts.hierarchy import burst_hierarchy
from snncompare.circuits.bursts.relays import with_relays
from snncompare.circuits.bursts.xor import burst_xor_network
from snncompare.circuits.cortical_column import cortical_column
from snncompare.errors import DescriptionError
from snncompare.network.dale import check_dale, effect
from snncompare.network.initialisers import Constant, Normal, Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons.bursts import with_bursts
from snncompare.network.neurons.leaky import leaky_integrate_and_fire
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses.bursts import of_events
from snncompare.network.synapses.conductances import ampa, gaba_a, gaba_b, nmda
from snncompare.network.synapses.currents import delta, exponential
from snncompare.network.synapses.short_term import facilitating
from snncompare.network.wiring import OneToOne
from snncompare.units import quantity

VOLT = Constant(value=quantity("1 mV"))
PURE = Constant(value=quantity(0.1))


def _network(synapse, weight, **fields):
    into = None if synapse.current is None else "I"
    return Network(
        populations={
            "a": Population(size=3, neuron=SpikeSource()),
            "b": Population(size=3, neuron=leaky_integrate_and_fire()),
        },
        projections={"p": Projection(source="a", target="b", synapse=synapse, into=into, weight=weight, **fields)},
    )


def _driven(current, on_pre="x_post += w"):
    return SynapseModel(
        equations="dx/dt = -x/tau_syn : 1",
        on_pre=on_pre,
        current=current,
        parameters={"tau_syn": quantity("5 ms"), "E": quantity("-80 mV"), "E_high": quantity("0 mV")},
    )


MINUS = {"value": "-1 mV", "type": "Constant"}
EFFECTS = {
    "delta": (delta(), VOLT, "excites"),
    "delta, negative": (delta(), MINUS, "inhibits"),
    "current": (exponential(), Uniform(low=quantity("0 mV"), high=quantity("2 mV")), "excites"),
    "current, both signs": (exponential(), Normal(mean=quantity("1 mV"), sd=quantity("1 mV")), None),
    "AMPA": (ampa(unit="1"), PURE, "excites"),
    "GABA-A": (gaba_a(unit="1"), PURE, "inhibits"),
    "GABA-B": (gaba_b(unit="1"), PURE, "inhibits"),
    "NMDA": (nmda(unit="1"), PURE, "excites"),
    "facilitating GABA-A": (facilitating(gaba_a(unit="1")), PURE, "inhibits"),
    "depolarising GABA": (gaba_a(unit="1", reversal="-30 mV"), PURE, "excites"),
    "minus the driving force": (_driven("x*(v - E)"), PURE, "excites"),
    "minus a high driving force": (_driven("x*(v - E_high)"), PURE, "inhibits"),
    "a minus before it": (_driven("-x*(E_high - v)"), PURE, "inhibits"),
    "two minuses": (_driven("-x*(v - E_high)"), PURE, "excites"),
    "a spike subtracts": (_driven("x*(E_high - v)", on_pre="x_post -= w"), PURE, "inhibits"),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_sign_of_weights_and_driving_force_say_what_a_projection_does(name):
    synapse, weight, expected = EFFECTS[name]
    network = _network(synapse, weight)
    assert effect(network, "p") == expected
    if expected is None:
        with pytest.raises(DescriptionError, match="weights of 'p' may have either sign"):
            check_dale(network)
        assert effect(_network(synapse, weight, sign="negative"), "p") == "inhibits"
    else:
        check_dale(network)


STRICT = {
    "column": lambda: cortical_column(0.02),
    "XOR": lambda: burst_xor_network(relays=True),
    "decoding": lambda: burst_decoding_network(relays=True),
    "hierarchy": lambda: burst_hierarchy(3),
}


@pytest.mark.parametrize("name", STRICT)
def test_strict_networks_keep_the_law_without_a_mark(name):
    network = STRICT[name]()
    assert not any(projection.disynaptic for projection in network.projections.values())
    check_dale(network)


@pytest.mark.parametrize(
    "network", [burst_xor_network(), burst_decoding_network(), burst_hierarchy(2, relays=False)], ids=lambda n: n.name
)
def test_every_mark_is_needed(network):
    check_dale(network)
    marked = [name for name, projection in network.projections.items() if projection.disynaptic]
    assert marked
    for name in marked:
        plain = network.projections[name].model_copy(update={"disynaptic": False})
        with pytest.raises(DescriptionError, match=f"'{plain.source}' excites by .* and inhibits by '{name}'"):
            check_dale(network.model_copy(update={"projections": {**network.projections, name: plain}}))


def test_the_mark_is_written_and_files_without_it_load(tmp_path):
    network = burst_decoding_network(size=400)
    path = network.save(tmp_path / "network.yaml")
    written = yaml.safe_load(path.read_text())
    jsonschema.validate(written, Network.json_schema())
    assert Network.load(path) == network
    assert {name for name, p in written["projections"].items() if p.get("disynaptic")} == {
        "pyr1_to_pyr1",
        "pyr2_to_pyr2",
    }
    del written["projections"]["pyr1_to_pyr1"]["disynaptic"]
    loaded = Network.parse(written, "an older file")
    assert not loaded.projections["pyr1_to_pyr1"].disynaptic
    assert loaded != network
    written["projections"]["pyr1_to_pyr1"]["disynaptic"] = "perhaps"
    with pytest.raises(DescriptionError, match="disynaptic"):
        Network.parse(written, "a wrong file")


def test_a_relay_inhibits_one_time_step_later_and_in_no_other_way():
    cells = leaky_integrate_and_fire(refractory="1 ms")
    network = Network(
        populations={
            "source": Population(size=4, neuron=SpikeSource()),
            "cells": Population(size=4, neuron=with_bursts(cells), cell_type="pyramidal"),
            "target": Population(size=4, neuron=cells),
        },
        projections={
            "drive": _one_to_one("source", "cells", delta(), "30 mV"),
            "inhibition": _one_to_one("cells", "target", of_events(exponential()), "-2 mV", into="I", disynaptic=True),
        },
    )
    times = np.array([0.005, 0.009, 0.030])  # the second is no event
    inputs = {
        "source": sc.Recording.from_arrays(
            times=np.tile(times, 4),
            unit=np.repeat(np.arange(4), 3),
            trial=["only"] * 12,
            units=pd.DataFrame(index=range(4)),
            trials=pd.DataFrame({"start": [0.0], "stop": [0.05]}, index=["only"]),
        )
    }
    direct, relayed = (
        sc.compile(described, "brian2").run(inputs, duration="50 ms", record=["target.v", "cells"])
        for described in (network, with_relays(network))
    )
    assert direct.times.size == relayed.times.size == 12  # three spikes of four neurons
    here, there = (recording.traces["target.v"].values[0] for recording in (direct, relayed))
    here, there = (potential[np.isfinite(potential).all(axis=1)] for potential in (here, there))
    assert here.shape == there.shape == (4, 500)
    assert np.abs(here).max() > 1e-4  # volt: the inhibition is there
    assert not np.array_equal(here, there)
    assert np.array_equal(here[:, :-1], there[:, 1:])


def _one_to_one(source, target, synapse, weight, **fields):
    constant = Constant(value=quantity(weight))
    return Projection(source=source, target=target, synapse=synapse, wiring=OneToOne(), weight=constant, **fields)


def test_a_relay_takes_no_name_that_is_taken():
    network = burst_decoding_network(size=400)
    taken = {**network.populations, "pyr1_relay": network.populations["pv"]}
    with pytest.raises(DescriptionError, match="'pyr1_relay' is the name of the relay"):
        with_relays(network.model_copy(update={"populations": taken}))
