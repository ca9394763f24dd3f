"""A NIR file from a stranger is read within bounds, touches nothing outside itself, and fails in one line."""

import pickle

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.backends.nir import export_nir, file_reading, import_nir
from snncompare.backends.realisation import realise
from snncompare.errors import FileError, SnncompareError, UnsupportedError
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import exponential

nir = pytest.importorskip("nir")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a file that can be read."""
    neuron = leaky_integrate_and_fire(refractory="0 ms")
    feed = Projection(
        source="source", target="cells", synapse=exponential(), into="I", weight=Normal(mean="1 mV", sd="1 mV")
    )
    populations = {"source": Population(size=4, neuron=SpikeSource()), "cells": Population(size=3, neuron=neuron)}
    network = Network(populations=populations, projections={"feed": feed})
    path = export_nir(tmp_path_factory.mktemp("nir") / "sound.nir", network, realise(network, 0), dt="0.1 ms")
    import_nir(path)
    return path.read_bytes()


@pytest.fixture
def file(sound, tmp_path):
    """A copy of the file, open for changes; `refused` closes it and reads it."""
    path = tmp_path / "a.nir"
    path.write_bytes(sound)
    with h5py.File(path, "r+") as opened:
        yield opened


def replaced(file, place, **made):
    del file[place]
    return file.create_dataset(place, **made)


def refused(file, reason, kind=FileError, **limits):
    path = file.filename
    file.close()
    with pytest.raises(kind, match=reason) as caught:
        import_nir(path, **limits)
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_no_file_or_no_hdf5_is_refused(tmp_path):
    with pytest.raises(FileError, match="there is no file"):
        import_nir(tmp_path / "nothing.nir")
    for content in (b"", b"# YAML", pickle.dumps({"node": 1})):
        (tmp_path / "a.nir").write_bytes(content)
        with pytest.raises(FileError, match=r"'a\.nir' cannot be read as a NIR file"):
            import_nir(tmp_path / "a.nir")
    with pytest.raises(FileError):
        import_nir(tmp_path)


def test_a_file_without_a_graph_is_refused(file):
    del file["node"]
    refused(file, "it holds no graph")


def test_a_node_that_is_no_graph_is_refused(file):
    file.move("node/nodes/cells", "cells")
    del file["node"]
    file.move("cells", "node")
    refused(file, "it holds no graph")


@pytest.mark.parametrize("kind", ["soft", "external"])
def test_links_are_not_followed(file, kind, tmp_path):
    del file["node/nodes/feed/weight"]
    link = h5py.SoftLink("/version") if kind == "soft" else h5py.ExternalLink(str(tmp_path / "secret.h5"), "/a")
    file["node/nodes/feed/weight"] = link
    refused(file, "'weight' is a link to another place or file")


def test_groups_that_contain_themselves_come_to_an_end(file):
    file["node/nodes/feed/metadata"] = file["node"]
    refused(file, "nested deeper than 12 levels")


def test_arrays_in_other_files_are_not_read(file, tmp_path):
    (tmp_path / "secret").write_bytes(np.ones(12).tobytes())
    replaced(file, "node/nodes/feed/weight", shape=(3, 4), dtype="f8", external=[(str(tmp_path / "secret"), 0, 96)])
    refused(file, "'weight' lies in another file")


def test_virtual_arrays_are_not_read(file, tmp_path):
    layout = h5py.VirtualLayout(shape=(3, 4), dtype="f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "a", shape=(3, 4))
    del file["node/nodes/feed/weight"]
    file.create_virtual_dataset("node/nodes/feed/weight", layout)
    refused(file, "'weight' lies in another file")


def test_arrays_that_unpack_to_too_much_are_not_allocated(file):
    replaced(file, "node/nodes/feed/weight", shape=(10**7, 10**6), dtype="f8", chunks=(1000, 1000), compression="gzip")
    refused(file, "unpacks to too many bytes")


def test_chunks_that_unpack_to_too_much_are_not_allocated(file):
    replaced(
        file, "node/nodes/feed/weight", shape=(3, 4), maxshape=(None, None), dtype="f8", chunks=(20_000, 20_000),
        compression="gzip",
    )  # fmt: skip
    refused(file, "unpacks to too many bytes")


def test_the_bounds_can_be_moved(file):
    refused(file, "it has more than 1,000 bytes; if you trust it, raise max_bytes", max_bytes=1000)


def test_long_texts_are_not_read(file):
    replaced(
        file, "node/edges", data=np.array([["x" * 600_000, "y" * 600_000]], dtype=object), dtype=h5py.string_dtype()
    )
    refused(file, "more than 1,000,000 characters")


def test_many_texts_are_not_read(file):
    replaced(file, "node/edges", shape=(10**9, 2), dtype=h5py.string_dtype(), chunks=(10, 2))
    refused(file, "'edges' holds too many texts")


def test_many_objects_are_not_read(file, monkeypatch):
    monkeypatch.setitem(file_reading._LIMITS, "objects", 100)
    for k in range(10):
        file.create_group(f"node/nodes/feed/metadata/{k}")
        for other in range(10):
            file[f"node/nodes/feed/metadata/{k}/{other}"] = file["version"]
    refused(file, "more than 100 objects")


@pytest.mark.parametrize(
    ("dtype", "said"),
    [([("a", "f8"), ("b", "f8")], "holds"), ("c16", "holds complex128"), (h5py.ref_dtype, "holds object")],
)
def test_arrays_of_other_things_than_numbers_are_refused(file, dtype, said):
    replaced(file, "node/nodes/feed/weight", shape=(3, 4), dtype=dtype)
    refused(file, f"'weight' {said}.* not real numbers or text")


@pytest.mark.parametrize(
    ("place", "data", "reason"),
    [
        ("node/nodes/cells/type", "Magic", "node 'cells' is of the type 'Magic', which nir .* does not know"),
        ("node/nodes/cells/type", "__import__", "does not know"),
        ("node/nodes/cells/type", "dict2NIRNode", "does not know"),
    ],
)
def test_unknown_kinds_of_nodes_are_refused_by_name(file, place, data, reason):
    replaced(file, place, data=data)
    refused(file, reason, UnsupportedError)


@pytest.mark.parametrize(
    ("place", "data"),
    [
        ("node/nodes/cells/type", 3.0),
        ("node/nodes/cells/tau_mem", "text"),
        ("node/nodes/cells/tau_mem", np.ones((2, 2))),
        ("node/nodes/cells/extra", 1.0),
        ("node/nodes/feed/weight", np.ones(3)),
        ("node/nodes/feed/weight", "text"),
        ("node/nodes/source/shape", np.array([-1])),
        ("node/nodes/source/shape", np.array([10**12])),
        ("node/nodes/source/shape", "text"),
        ("node/edges", 1.0),
        ("node/edges", np.ones((2, 2))),
        ("node/nodes", 1.0),
        ("node/type_check", 1),
    ],
)
def test_wrong_contents_are_refused_in_one_line(file, place, data):
    if place in file:
        del file[place]
    file[place] = data
    refused(file, r"'a\.nir'")


def test_our_notes_are_not_believed_blindly(file):
    replaced(file, "node/metadata/dt", data="0.1 ms; import os")
    replaced(file, "node/nodes/cells/metadata/method", data="__import__('os')")
    path = file.filename
    file.close()
    network, _ = import_nir(path, dt="0.1 ms")
    assert network.populations["cells"].model.method == "exact"


def test_notes_of_a_wrong_size_are_refused(file):
    replaced(file, "node/nodes/cells/metadata/initial", data=np.ones(7))
    refused(file, r"'cells' \(CubaLIF\) initial in the metadata must be 3 numbers")


def test_a_file_on_which_the_hdf5_library_never_returns_is_given_up(sound, tmp_path, monkeypatch):
    """A size in the heap of texts that wraps around to zero: h5py 3.16 loops for ever."""
    content = bytearray(sound)
    size = content.index(b"snncompare ") - 8
    content[size : size + 8] = (2**64 - 16).to_bytes(8, "little")
    (tmp_path / "a.nir").write_bytes(bytes(content))
    monkeypatch.setattr(file_reading, "MAX_SECONDS", 2)
    with pytest.raises(FileError, match="the HDF5 library does not come to an end within 2 s"):
        import_nir(tmp_path / "a.nir")


def test_a_file_on_which_the_hdf5_library_crashes_is_refused(sound, tmp_path, monkeypatch):
    (tmp_path / "crashes.py").write_text("import os; os.abort()")
    (tmp_path / "a.nir").write_bytes(sound)
    monkeypatch.setattr(file_reading, "__file__", str(tmp_path / "x.py"))
    (tmp_path / "crashes.py").rename(tmp_path / "hdf5_values.py")
    with pytest.raises(FileError, match=r"the HDF5 library crashes on it \(exit code -6\)"):
        import_nir(tmp_path / "a.nir")


def outcome(path):
    """What becomes of a file: the message of the one kind of error that is allowed, or the name of the network."""
    try:
        network, _ = import_nir(path)
    except SnncompareError as error:
        return str(error)
    return network.name


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=20), st.data())
def test_damaged_files_end_in_one_line_or_in_a_network(tmp_path_factory, sound, damage, data):
    content = bytearray(sound)
    for place, value in damage:
        content[int(place * len(content))] = value
    content = content[: data.draw(st.integers(len(content) // 2, len(content)))]
    path = tmp_path_factory.mktemp("damaged") / "a.nir"
    path.write_bytes(bytes(content))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(file_reading, "MAX_SECONDS", 10)  # some damage lets the library never return
        said = outcome(path)
    assert len(said.splitlines()) == 1
