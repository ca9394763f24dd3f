"""A file of a stranger is read as plain data or refused in one line: nothing runs, nothing grows, nothing is read two ways."""

import json
import time
import tracemalloc

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare import description_file
from snncompare.description_file import read_description, write_description
from snncompare.errors import FileError, SnncompareError
from snncompare.network.network import Network
from snncompare.testing.networks import recurrent_network

TEXT = yaml.safe_dump(recurrent_network(inputs=2, hidden=2).plain(), sort_keys=False)
POPULATION = "{size: 1, neuron: {type: SpikeSource}}"


def _merges(levels):
    """Return mappings that each merge the one before twice over, with a key of their own."""
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{k}: &a{k} {{<<: [*a{k - 1}, *a{k - 1}], k{k}: v}}" for k in range(1, levels)]
    return "\n".join(lines)


REFUSED = {
    "a Python object": ("a: !!python/object/apply:os.system ['touch CANARY']", "only plain values are allowed"),
    "a Python module": ("a: !!python/module:os", "only plain values are allowed"),
    "a tag of one's own": (
        "%TAG ! tag:yaml.org,2002:python/name:\n---\na: !os.system x",
        "only plain values are allowed",
    ),
    "a tag by its address": ("a: !<tag:yaml.org,2002:python/name:os.system> x", "only plain values are allowed"),
    "a tag on a key": ("!!python/name:os.system x: 1", "only plain values are allowed"),
    "merges that double": (_merges(40), "with its aliases written out"),
    "a merge of itself": ("a: &a {<<: *a}", "an alias stands inside of what it stands for"),
    "a merge of text": ("a: {<<: text}", "expected a mapping"),
    "two merges": ("a: &a {b: 1}\nc: {<<: *a, <<: *a}", "the key '<<' stands twice"),
    "a mapping as a key": ("{{a: 1}: 2}", "found unhashable key"),
    "a whole number of 5000 digits": (f"a: 0x{'f' * 5000}", "a number has more than 100 digits"),
    "a number in base sixty": (f"a: 1{':30' * 100}", "a number has more than 100 digits"),
    "too many values": ("\n".join(f"a{k}: b" for k in range(20_000)), "more than 20000 keys and values"),
    "deep lists": ("- " * 200 + "a", "nested too deeply"),
    "deep mappings": ("\n".join(f"{' ' * k}a:" for k in range(200)), "nested too deeply"),
    "deep JSON": ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    "JSON with a key twice": ('{"a": {"b": 1, "b": 2}}', "the key 'b' stands twice"),
    "JSON with NaN": ('{"a": NaN}', "'NaN' is not a number"),
    "JSON with infinity": ('{"a": -Infinity}', "'-Infinity' is not a number"),
    "JSON with a number too large": ('{"a": 1e400}', "the number 1e400 is too large"),
    "JSON with a number of 5000 digits": (f'{{"a": {"9" * 5000}}}', "a number has more than 100 digits"),
    "JSON with half of a character": ('{"a": "\\ud800"}', "surrogates not allowed"),
    "JSON with half of a character in a key": ('{"\\udc00": 1}', "surrogates not allowed"),
    "signs that a terminal obeys": ('{"\\u001b[2J": 1, "\\u001b[2J": 1}', "the key '\\x1b[2J' stands twice"),
    "another encoding": ("a: 1".encode("utf-16"), "not text in UTF-8"),
    "a long line of text": ("a: " + "x " * 300_000, "more than 400000 bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_at_once_in_one_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, says = REFUSED[name]
    path = tmp_path / "net.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    began = time.perf_counter()
    with pytest.raises(FileError) as caught:
        Network.load(path)
    assert time.perf_counter() - began < 3, "the slowest, 20,000 values, takes half a second; 3 s is for a busy machine"
    assert says in str(caught.value)
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == [path], "nothing was executed"


def test_a_bomb_is_refused_without_the_memory_it_asks_for(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(_merges(60), encoding="utf-8")
    tracemalloc.start()
    with pytest.raises(FileError):
        read_description(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6, "the file has 3 kB; what it asks for is 2**60 keys"


def test_without_the_bound_the_bomb_would_be_written_out(tmp_path, monkeypatch):
    path = tmp_path / "net.yaml"
    path.write_text(_merges(8), encoding="utf-8")
    assert read_description(path)["a7"]["k7"] == "v"
    monkeypatch.setattr(description_file, "MAX_EXPANDED", 100)
    with pytest.raises(FileError, match="with its aliases written out"):
        read_description(path)


@pytest.mark.parametrize(
    "text",
    [
        f"populations: {{yes: {POPULATION}}}",
        f"populations: {{2020-01-01: {POPULATION}}}",
        f"populations: {{null: {POPULATION}}}",
        f"populations: {{1.5: {POPULATION}}}",
        f"populations: {{a: {POPULATION}, b: !!set {{}}}}",
        "populations: {a: {size: .nan, neuron: {type: SpikeSource}}}",
        "populations: {a: {size: .inf, neuron: {type: SpikeSource}}}",
        "populations: {a: {size: 1e3, neuron: {type: SpikeSource}}}",
        "populations: {a: {size: '2', neuron: {type: SpikeSource}, size2: 3}}",
        "populations: {a: {size: 2, neuron: {type: NeuronModel, equations: !!binary gIGC}}}",
        "populations: {a: {size: 2, neuron: {type: NeuronModel, equations: 'v : 1', parameters: {p: .nan}}}}",
        "populations: {a: {size: 2, neuron: {type: NeuronModel, equations: 'v : 1', parameters: {p: 1.0e+400}}}}",
        "populations: {a: {size: 2, neuron: {type: NeuronModel, equations: 'v : 1', parameters: {p: 2020-01-01}}}}",
        "populations: {a: {size: 2, neuron: {type: NeuronModel, equations: 'v : 1', parameters: {p: 1:30}}}, b: 1}",
    ],
    ids=range(14),
)
def test_values_that_yaml_reads_as_something_else_are_refused(text, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SnncompareError) as caught:
        Network.load(path)
    assert str(caught.value).isprintable()


changes = st.lists(
    st.tuples(st.integers(0, len(TEXT)), st.integers(0, 3), st.one_of(st.text(max_size=4), st.sampled_from("*&<!:{}[]-#'\"|>%@"))),
    min_size=1,
    max_size=6,
)  # fmt: skip


@given(changes)
@settings(max_examples=150)
def test_a_damaged_file_is_a_network_or_is_refused(tmp_path_factory, edits):
    text = TEXT
    for position, removed, added in edits:
        text = text[:position] + added + text[position + removed :]
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        network = Network.load(path)
    except SnncompareError as error:
        assert str(error).isprintable()  # noqa: PT017 - either outcome is fine
        return
    assert Network.parse(network.plain(), "again") == network


@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
@settings(max_examples=150)
def test_any_bytes_are_refused_as_a_network(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(content)
    with pytest.raises(SnncompareError) as caught:
        Network.load(path)
    assert str(caught.value).isprintable()


def test_a_network_too_large_for_yaml_is_not_written_as_yaml_but_as_json(tmp_path):
    plain = {"pairs": [[k, k] for k in range(10_000)]}
    with pytest.raises(FileError, match=r"too large to be read again; save it as '.json'"):
        write_description(tmp_path / "net.yaml", plain)
    assert read_description(write_description(tmp_path / "net.json", plain)) == plain
    with pytest.raises(FileError, match="use fewer"):
        write_description(tmp_path / "net.json", {"text": "x" * 1_000_000})


def test_json_is_read_as_json_and_as_yaml_alike(tmp_path):
    plain = {"a": [1, 2.5, True, None, "é \U0001f600", {"b": {}}], "c": "x: [y"}
    for name, text in (
        ("a.json", json.dumps(plain)),
        ("b.yaml", json.dumps(plain, indent=1)),
        ("c.yaml", yaml.safe_dump(plain)),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert read_description(tmp_path / name) == plain
