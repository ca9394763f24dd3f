"""A description survives the trip to a file and back; a file of a stranger runs nothing and fills no memory."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from snncompare.errors import DescriptionError, FileError
from snncompare.network.initialisers import Constant, Normal, Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import delta, exponential
from snncompare.network.wiring import AllToAll, FixedProbability, OneToOne
from snncompare.units import Quantity, quantity

names = st.from_regex(r"[a-z][a-z0-9]{0,5}(_[a-z0-9]{1,3})?", fullmatch=True).filter(
    lambda n: not n.endswith(("pre", "post"))
)
volts = st.builds(
    lambda x, unit: quantity(f"{x} {unit}"), st.integers(0, 500), st.sampled_from(["mV", "uV", "V", "volt"])
)
times = st.builds(lambda x, unit: quantity(f"{x} {unit}"), st.integers(1, 500), st.sampled_from(["ms", "us", "s"]))
neurons = st.one_of(
    st.just(SpikeSource()),
    st.builds(lambda tau, v: leaky_integrate_and_fire(tau=tau, v_threshold=v), times, volts),
    st.builds(lambda tau, b: adaptive_leaky_integrate_and_fire(tau_adaptation=tau, adaptation=b), times, volts),
    st.builds(lambda tau: leaky_readout(tau=tau), times),
)
weights = st.one_of(
    st.builds(lambda value: Constant(value=value), volts),
    st.builds(lambda mean, sd, scaled: Normal(mean=mean, sd=sd, scale_by_sources=scaled), volts, volts, st.booleans()),
    st.builds(lambda low: Uniform(low=low, high=Quantity(low.value + 1.0, low.dimension)), volts),
)
wirings = st.one_of(
    st.just(AllToAll()),
    st.just(AllToAll(autapses=True)),
    st.builds(lambda p: FixedProbability(p=p), st.floats(1e-9, 1)),
    st.just(OneToOne()),
)


@st.composite
def networks(draw):
    populations = draw(
        st.dictionaries(names, st.builds(Population, size=st.just(4), neuron=neurons), min_size=1, max_size=4)
    )
    sources = [name for name, p in populations.items() if isinstance(p.neuron, SpikeSource) or p.neuron.threshold]
    targets = [name for name, p in populations.items() if not isinstance(p.neuron, SpikeSource)]
    projections = {}
    for name in draw(st.lists(names, max_size=4, unique=True)) if targets and sources else ():
        if name not in populations:
            synapse, into = draw(
                st.one_of(st.builds(lambda tau: (exponential(tau=tau), "I"), times), st.just((delta(), None)))
            )
            projections[name] = Projection(
                source=draw(st.sampled_from(sources)),
                target=draw(st.sampled_from(targets)),
                synapse=synapse,
                into=into,
                wiring=draw(wirings),
                weight=draw(weights),
                delay=draw(times),
            )
    return Network(name=draw(st.text(max_size=10)), populations=populations, projections=projections)


@given(networks())
def test_any_network_comes_back_equal_from_plain_data_yaml_and_json(network):
    for plain in (
        network.plain(),
        yaml.safe_load(yaml.safe_dump(network.plain())),
        json.loads(network.model_dump_json()),
    ):
        other = Network.parse(plain, "again")
        assert other == network
        assert hash(other) == hash(network)
        assert other.fingerprint() == network.fingerprint()


@given(networks())
def test_the_order_of_populations_and_projections_does_not_matter(network):
    turned = Network(
        name=network.name,
        populations=dict(reversed(network.populations.items())),
        projections=dict(reversed(network.projections.items())),
    )
    assert turned == network
    assert turned.fingerprint() == network.fingerprint()


@pytest.fixture
def network():
    return Network(
        name="é, µ and 電位",
        populations={
            "source": Population(size=3, neuron=SpikeSource()),
            "cells": Population(size=3, neuron=adaptive_leaky_integrate_and_fire()),
        },
        projections={
            "feed": Projection(
                source="source",
                target="cells",
                synapse=exponential(),
                into="I",
                weight=Constant(value=quantity("1 mV")),
            )
        },
    )


def test_a_saved_network_loads_equal_and_reads_like_equations(network, tmp_path):
    path = network.save(tmp_path / "net.yaml")
    assert Network.load(path) == network
    text = path.read_text(encoding="utf-8")
    assert "      dv/dt = (-v + I)/tau : volt (unless refractory)\n" in text
    assert "value: 1 mV" in text


def test_json_is_yaml_enough_with_and_without_escapes(network, tmp_path):
    network = network.model_copy(update={"name": "\U00010000 é"})
    path = tmp_path / "net.json"
    for text in (network.model_dump_json(), json.dumps(network.plain()), json.dumps(network.plain(), indent=2)):
        path.write_text(text, encoding="utf-8")
        assert Network.load(path) == network


def test_aliases_save_typing_and_mean_copies(network, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "populations:\n"
        "  a: &cell {size: 2, neuron: {type: NeuronModel, equations: 'v : 1'}}\n"
        "  b: *cell\n"
        "  c: {<<: *cell, size: 3}\n",
        encoding="utf-8",
    )
    loaded = Network.load(path)
    assert loaded.populations["a"] == loaded.populations["b"]
    assert loaded.populations["c"].size == 3


def _bomb(levels):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("!!python/object/apply:os.system ['touch CANARY']", "asks for an object"),
        ("populations: !!python/object/new:os.system ['touch CANARY']", "asks for an object"),
        ("populations: !!python/name:os.system", "asks for an object"),
        ("a: !mine {}", "asks for an object"),
        (_bomb(12), "with its aliases written out"),
        (f"s: &s '{'x' * 300_000}'\nm: [{', '.join(['*s'] * 50)}]", "with its aliases written out"),
        ("a: &a [*a]", "an alias stands inside of what it stands for"),
        ("a: &a {b: *a}", "an alias stands inside of what it stands for"),
        ("[" * 20_000, "nested too deeply"),
        ("{a: " * 5_000, "nested too deeply"),
        ("a: 1\na: 2", "the key 'a' stands twice (line 2)"),
        ("a: {b: 1, b: 2}", "the key 'b' stands twice (line 1)"),
        ("a: [1", "cannot be read as YAML"),
        ("a: *missing", "undefined alias"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: \x00", "cannot be read as YAML"),
        ("x" * 1_000_001, "more than 1000000 bytes"),
        ("a: 2020-99-99", "cannot be read as YAML"),
        ('name: "\\ud800"', "cannot be read as YAML"),
    ],
    ids=range(19),
)
def test_a_hostile_or_broken_file_is_refused_in_one_line(text, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        Network.load(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [path], "nothing was executed"


def test_the_canary_would_sing_under_an_unsafe_loader(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yaml.unsafe_load("!!python/object/apply:os.system ['touch CANARY']")
    assert (tmp_path / "CANARY").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected keys and values, got None."),
        ("[]", "expected keys and values, got []."),
        ("just text", "expected keys and values, got 'just text'."),
        ("populations: {}", "a network needs at least one population."),
        (
            "populations: {a: {size: 0, neuron: {type: SpikeSource}}}",
            "'populations.a.size': should be greater than 0, got 0.",
        ),
        (
            "populations: {a: {size: 99999999999, neuron: {type: SpikeSource}}}",
            "should be less than or equal to 10000000",
        ),
        (
            "populations: {a: {size: 2, neuron: {type: SpikeSauce}}}",
            "no type 'SpikeSauce'; did you mean 'SpikeSource'?",
        ),
        ("populatons: {}", "'populations' is missing."),
        ("populations: {1: {size: 2, neuron: {type: SpikeSource}}}", "should be a valid string"),
        ("populations: {on: {size: 2, neuron: {type: SpikeSource}}}", "should be a valid string"),
    ],
    ids=range(10),
)
def test_a_file_that_describes_no_network_is_refused_with_its_path_and_the_place(text, says, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DescriptionError) as caught:
        Network.load(path)
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)


def test_missing_files_folders_and_bytes_are_file_errors(network, tmp_path):
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "no.yaml", tmp_path, tmp_path / "bytes.yaml"):
        with pytest.raises(FileError):
            Network.load(path)
    with pytest.raises(FileError, match="cannot write"):
        network.save(tmp_path / "no" / "net.yaml")
