"""The JSON Schema accepts what networks write, and refuses what they refuse by form."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

import snncompare as sc
from snncompare.circuits.balanced import excitatory_inhibitory_network
from snncompare.circuits.cortical_column import cortical_column
from snncompare.circuits.latency import latency_network
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.commands.schema import network_schema
from snncompare.testing.models import NEURONS, SYNAPSES, conformance_network
from snncompare.testing.networks import recurrent_network

EXAMPLES = Path(__file__).parents[2] / "analyses" / "brian2_examples" / "networks"
NETWORKS = [
    recurrent_network(),
    recurrent_classifier(inputs=3, hidden=4, classes=2),
    cortical_column(0.1),
    excitatory_inhibitory_network(),
    latency_network([3, 2]),
    *(conformance_network(neuron, "exponential") for neuron in NEURONS),
    *(conformance_network("AdEx", synapse) for synapse in SYNAPSES if synapse != "exponential"),
]
SCHEMA = sc.Network.json_schema()


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_what_a_network_writes_fits_the_schema_and_comes_back_equal(network, tmp_path):
    for name in ("network.yaml", "network.json"):
        path = network.save(tmp_path / name)
        written = (json.loads if name.endswith("json") else yaml.safe_load)(path.read_text(encoding="utf-8"))
        jsonschema.validate(written, SCHEMA)
        loaded = sc.Network.load(path)
        assert loaded == network
        assert hash(loaded) == hash(network)
        assert loaded.fingerprint() == network.fingerprint()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_fit_the_schema(path):
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"populations": {"cells": {"size": 0, "neuron": {"type": "SpikeSource"}}}},
        {"populations": {"cells": {"size": 1, "neuron": {"type": "Neuron"}}}},
        {"populations": {"cells": {"size": 1, "neuron": {"type": "SpikeSource"}, "colour": "red"}}},
        {"projections": {"p": {"source": "cells"}}},
    ],
    ids=["size", "type", "key", "missing"],
)
def test_what_is_wrong_by_form_does_not_fit(change):
    good = {"populations": {"cells": {"size": 1, "neuron": {"type": "SpikeSource"}}}}
    jsonschema.validate(good, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(good | change, SCHEMA)


def test_the_verb_prints_and_writes_the_schema(tmp_path):
    assert json.loads(network_schema(tmp_path)) == SCHEMA
    assert json.loads((tmp_path / "network.schema.json").read_text(encoding="utf-8")) == SCHEMA
