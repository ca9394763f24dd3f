"""The JSON Schema says of every key what the documentation says of it, and asks for the key that tells kinds apart."""

import jsonschema
import pytest
import yaml

from snncompare.network.network import Network
from snncompare.network.schema import json_schema
from snncompare.network.trainable import Trainable

SCHEMA = Network.json_schema()
CELLS = "populations: {cells: {size: 1, neuron: {type: NeuronModel, equations: 'dv/dt = -v/tau : 1', parameters: {tau: %s}}}}"


def test_every_class_and_key_is_described_without_marks_of_the_documentation():
    for name, part in {"Network": SCHEMA, **SCHEMA["$defs"]}.items():
        assert part["description"], name
        for text in [part["description"], *(key.get("description", "") for key in part["properties"].values())]:
            assert not any(mark in text for mark in ("``", ":math:", ".. math", "----"))
            assert "\n " not in text
    for name in ("Network", "Population", "Projection", "NeuronModel", "SynapseModel", "Trainable"):
        part = SCHEMA["$defs"].get(name, SCHEMA)
        missing = [key for key, said in part["properties"].items() if key != "type" and "description" not in said]
        assert missing == []


def test_descriptions_are_the_docstrings():
    said = SCHEMA["$defs"]["NeuronModel"]["properties"]["initial"]["description"]
    assert said.startswith("State variable or declared parameter to initial value")
    assert SCHEMA["title"] == "snncompare network"
    assert json_schema(Trainable)["properties"]["low"]["description"].startswith("Bounds that training keeps")


def test_defaults_are_written_as_one_would_type_them():
    projection = SCHEMA["$defs"]["Projection"]["properties"]
    assert projection["delay"]["default"] == "0 ms"
    assert projection["wiring"]["default"]["type"] == "AllToAll"


@pytest.mark.parametrize(
    ("tau", "fits"), [("20 ms", True), ("20", True), ("0.5", True), ("[20]", False), ("null", False)]
)
def test_a_quantity_is_text_or_a_number(tau, fits):
    given = yaml.safe_load(CELLS % tau)
    if fits:
        jsonschema.validate(given, SCHEMA)
    else:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(given, SCHEMA)


def test_the_type_is_asked_for_exactly_where_reading_needs_it():
    without = yaml.safe_load(CELLS % "20 ms")
    del without["populations"]["cells"]["neuron"]["type"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(without, SCHEMA)
    with pytest.raises(ValueError, match="needs the key 'type'"):
        Network.parse(without, "file")
    assert "type" not in SCHEMA["$defs"]["SynapseModel"].get("required", [])


def test_the_schema_is_one_itself():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
