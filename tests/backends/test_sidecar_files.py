"""Realisations survive their files exactly; a hostile or broken file is refused in one line and runs nothing."""

import io
import json
import os
import pickle
import struct
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.lib.format import write_array_header_2_0

from snncompare.backends import sidecar
from snncompare.backends.connections import Connections
from snncompare.backends.realisation import Realisation
from snncompare.backends.sidecar import load_realisation, save_realisation
from snncompare.errors import FileError, InputError, MissingDependencyError

SUFFIXES = (".npz", ".safetensors")
SPARSE = Connections((40, 30), np.array([0, 3, 3]), np.array([1, 2, 2]), np.array([0.5, -1.0, 0.0]))
DENSE = Connections.from_dense(np.arange(1.0, 13.0).reshape(4, 3))
FULL = Connections(
    (4, 3), np.array([0, 1, 3]), np.array([2, 1, 0]), np.array([1.0, 3.0, 1.0]), np.array([1e-3, 0.0, 2e-3]),
    np.array([5, 2, 5]), {"u": np.array([0.1, 0.2, 0.3])},
)  # fmt: skip
EMPTY = Connections((4, 3), *(np.zeros(0, dtype=np.int64) for _ in range(2)), np.zeros(0))
ALL = Realisation(
    {"feed": SPARSE, "dense": DENSE, "file": FULL, "values": EMPTY, "allow_pickle": DENSE},
    {"cells": {"tau": np.array([0.01, 0.02]), "v": np.array([-0.07, -0.06])}, "connections": {"weight": np.ones(3)}},
)


def same(a, b):
    assert list(a.connections) == list(b.connections)
    for name, one in a.connections.items():
        other = b.connections[name]
        assert one.shape == other.shape
        assert set(one.values) == set(other.values)
        for part in ("source", "target", "weight", "delay", "shared"):
            mine, theirs = getattr(one, part), getattr(other, part)
            assert (mine is None) == (theirs is None)
            assert mine is None or (mine.tobytes() == theirs.tobytes() and mine.dtype == theirs.dtype)
        assert all(np.array_equal(one.values[key], other.values[key]) for key in one.values)
    assert {p: {k: v.tolist() for k, v in part.items()} for p, part in a.values.items()} == {
        p: {k: v.tolist() for k, v in part.items()} for p, part in b.values.items()
    }


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_realisation_comes_back_exactly(suffix, tmp_path):
    path = save_realisation(tmp_path / f"weights{suffix}", ALL)
    loaded = load_realisation(path)
    same(Realisation({name: ALL.connections[name] for name in loaded.connections}, ALL.values), loaded)
    assert set(loaded.connections) == set(ALL.connections)
    again = save_realisation(tmp_path / f"again{suffix}", ALL)
    assert again.read_bytes() == path.read_bytes(), "the same arrays give the same file"
    none = save_realisation(tmp_path / f"none{suffix}", Realisation())
    assert load_realisation(none).connections == {}


def test_a_dense_array_is_written_under_the_name_of_its_projection(tmp_path):
    """So that a file made with numpy.savez alone is a weights file, and the other way round."""
    path = save_realisation(tmp_path / "weights", ALL)
    assert path == tmp_path / "weights.npz"
    with np.load(path) as stored:
        assert np.array_equal(stored["dense"], DENSE.dense())
        assert "connections/feed/source" in stored.files
    np.savez(tmp_path / "mine.npz", feed=np.eye(3, dtype=np.float32))
    mine = load_realisation(tmp_path / "mine.npz").connections["feed"]
    assert mine.n_synapses == 3
    assert np.array_equal(mine.dense(), np.eye(3))


def test_a_mapping_of_dense_arrays_and_values_is_written_too(tmp_path):
    parts = {"feed": np.eye(2), "sparse": SPARSE, "cells": {"tau": np.array([1.0, 2.0])}}
    loaded = load_realisation(save_realisation(tmp_path / "weights.safetensors", parts))
    assert np.array_equal(loaded.connections["feed"].dense(), np.eye(2))
    assert loaded.connections["sparse"].n_synapses == 3
    assert loaded.values["cells"]["tau"].tolist() == [1.0, 2.0]


class _Canary:
    def __reduce__(self):
        return os.system, ("touch CANARY",)


def _npz(name="feed.npy", *, header=None, data=b"", compression=zipfile.ZIP_DEFLATED):
    def write(path):
        with zipfile.ZipFile(path, "w", compression) as archive, archive.open(name, "w") as member:
            if header is not None:
                write_array_header_2_0(member, {"fortran_order": False} | header)
            member.write(data)

    return write


def _savez(**arrays):
    return lambda path: np.savez(path, **arrays, allow_pickle=True)


def _parts(**changes):
    arrays = {"shape": np.array([4, 3]), "source": np.array([0, 1]), "target": np.array([2, 1]), "weight": np.ones(2)}
    arrays |= changes
    return lambda path: np.savez(path, **{f"connections/feed/{k}": v for k, v in arrays.items() if v is not None})


def _corrupt(path):
    save_realisation(path, {"feed": np.random.default_rng(0).normal(size=(50, 20))})
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(bytes(data))


def _twice(path):
    with zipfile.ZipFile(path, "w") as archive:
        data = io.BytesIO()
        np.save(data, np.eye(2))
        archive.writestr("feed.npy", data.getvalue())
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("feed.npy", data.getvalue())


def _dense_and_sparse(path):
    np.savez(path, feed=np.eye(2), **{"connections/feed/shape": np.array([2, 2])})


HOSTILE = {
    "pickled objects": _savez(feed=np.array([_Canary()], dtype=object)),
    "a plain pickle": lambda path: path.write_bytes(pickle.dumps(_Canary())),
    "a pickle in a zip": lambda path: zipfile.ZipFile(path, "w").writestr("feed.npy", pickle.dumps(_Canary())),
    "an empty file": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("weights"),
    "one array": lambda path: np.save(path.open("wb"), np.zeros(3)),
    "words": _savez(feed=np.array([["a", "b"]])),
    "complex numbers": _savez(feed=np.array([[1j]])),
    "dates": _savez(feed=np.array([["2026-01-01"]], dtype="datetime64[D]")),
    "records": _savez(feed=np.zeros((2, 2), dtype=[("x", float)])),
    "not finite": _savez(feed=np.array([[np.nan]])),
    "three axes": _savez(feed=np.zeros((2, 2, 2))),
    "a header that lies": _npz(header={"descr": "<f8", "shape": (10**9, 10**9)}),
    "a negative shape": _npz(header={"descr": "<f8", "shape": (-1, -2)}, data=bytes(16)),
    "a shape that is none": _npz(header={"descr": "<f8", "shape": ("a",)}),
    "more data than announced": _npz(header={"descr": "<f8", "shape": (1, 1)}, data=bytes(16)),
    "code in a header": _npz(
        data=b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + b"__import__('os').system('touch CANARY')".ljust(118)
    ),
    "another compression": _npz(header={"descr": "<f8", "shape": (1, 1)}, data=bytes(8), compression=zipfile.ZIP_LZMA),
    "another kind of file": _npz("feed.py", data=b"import os; os.system('touch CANARY')"),
    "a path out of the archive": _npz("../../feed.npy", header={"descr": "<f8", "shape": (1, 1)}, data=bytes(8)),
    "damaged data": _corrupt,
    "an array twice": _twice,
    "a projection twice": _dense_and_sparse,
    "a nameless array": _npz(".npy", header={"descr": "<f8", "shape": (1, 1)}, data=bytes(8)),
    "an unknown part": _parts(colour=np.ones(2)),
    "a part that is missing": _parts(weight=None),
    "neurons that do not exist": _parts(source=np.array([0, 4])),
    "neurons as fractions": _parts(source=np.array([0.0, 1.0])),
    "neurons beyond any": _parts(source=np.array([0, 2**63], dtype=np.uint64)),
    "an absurd shape": _parts(shape=np.array([10**15, 10**15])),
    "arrays that do not fit together": _parts(weight=np.ones(3)),
    "delays below zero": _parts(delay=np.array([-1.0, 0.0])),
    "a kernel index beyond any": _parts(shared=np.array([0, 10**12])),
    "values of neurons in two axes": lambda path: np.savez(path, **{"values/cells/tau": np.ones((2, 2))}),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("write", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_or_broken_npz_file_is_refused_and_runs_nothing(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.npz"
    write(path)
    with pytest.raises(FileError, match=r"weights\.npz'") as caught:
        load_realisation(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert not (tmp_path / "CANARY").exists()


def test_files_like_the_hostile_ones_but_harmless_are_read(tmp_path):
    """Negative control of the table above: the same makers, nothing wrong."""
    path = tmp_path / "weights.npz"
    _parts()(path)
    assert load_realisation(path).connections["feed"].n_synapses == 2
    _npz(header={"descr": "<f8", "shape": (1, 1)}, data=np.ones(1).tobytes())(path)
    assert load_realisation(path).connections["feed"].weight.tolist() == [1.0]


def test_the_canary_would_sing_where_pickles_are_allowed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    HOSTILE["pickled objects"](tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz", allow_pickle=True) as stored:
        stored["feed"]
    assert (tmp_path / "CANARY").exists()


def _safetensors(header, data=b""):
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    return struct.pack("<Q", len(text)) + text + data


HOSTILE_TENSORS = {
    "an empty file": b"",
    "a plain pickle": pickle.dumps(_Canary()),
    "a header beyond any": struct.pack("<Q", 2**62),
    "no header": _safetensors(b"weights"),
    "brain floats": _safetensors({"feed": {"dtype": "BF16", "shape": [1, 1], "data_offsets": [0, 2]}}, bytes(2)),
    "an unknown type": _safetensors({"feed": {"dtype": "PICKLE", "shape": [1, 1], "data_offsets": [0, 2]}}, bytes(2)),
    "a shape that lies": _safetensors({"feed": {"dtype": "F64", "shape": [9, 9], "data_offsets": [0, 8]}}, bytes(8)),
    "offsets beyond the file": _safetensors({"feed": {"dtype": "F64", "shape": [1, 1], "data_offsets": [0, 8]}}),
    "an unknown part": _safetensors({"x/y": {"dtype": "F64", "shape": [1, 1], "data_offsets": [0, 8]}}, bytes(8)),
    "not finite": _safetensors(
        {"feed": {"dtype": "F64", "shape": [1, 1], "data_offsets": [0, 8]}}, struct.pack("<d", float("nan"))
    ),
}


@pytest.mark.parametrize("data", HOSTILE_TENSORS.values(), ids=HOSTILE_TENSORS)
def test_a_hostile_or_broken_safetensors_file_is_refused_and_runs_nothing(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.safetensors"
    path.write_bytes(data)
    with pytest.raises(FileError, match=r"weights\.safetensors'") as caught:
        load_realisation(path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "CANARY").exists()
    path.write_bytes(
        _safetensors({"feed": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]}}, struct.pack("<f", 2.0))
    )
    assert load_realisation(path).connections["feed"].weight.tolist() == [2.0], "negative control"


def test_a_file_that_unpacks_to_too_much_is_refused_unread(tmp_path):
    bomb = _npz(header={"descr": "<f8", "shape": (2**11, 2**10)}, data=bytes(2**24))
    bomb(tmp_path / "weights.npz")
    assert (tmp_path / "weights.npz").stat().st_size < 2**15
    save_realisation(tmp_path / "weights.safetensors", {"feed": np.zeros((2**11, 2**10))})
    assert load_realisation(tmp_path / "weights.npz").connections["feed"].n_synapses == 0
    _npz(header={"descr": "|i1", "shape": (2**11, 2**10)}, data=bytes(2**21))(tmp_path / "small.npz")
    for name in ("weights.npz", "weights.safetensors", "small.npz"):
        tracemalloc.start()
        with pytest.raises(FileError, match="unpacks to more than 8,388,608 bytes"):
            load_realisation(tmp_path / name, max_bytes=2**23)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2**23, name


def test_missing_files_folders_and_other_formats_are_file_errors(tmp_path):
    for path in (tmp_path / "no.npz", tmp_path):
        with pytest.raises(FileError, match="no weights file"):
            load_realisation(path)
    (tmp_path / "weights.pt").write_bytes(pickle.dumps(_Canary()))
    with pytest.raises(FileError, match=r"weights come from files that end in \.npz or \.safetensors"):
        load_realisation(tmp_path / "weights.pt")
    for suffix in SUFFIXES:
        with pytest.raises(FileError, match="cannot write"):
            save_realisation(tmp_path / "no" / f"weights{suffix}", ALL)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"feed": np.array([[None]])}, "weights of 'feed' must be real numbers"),
        ({"feed": np.ones(3)}, r"weights of 'feed' must have the shape \(source, target\), got \(3,\)"),
        ({"feed": np.array([[np.nan]])}, "1 of 1 are not finite"),
        ({"cells": {"tau": "20 ms"}}, "values of 'cells' must be real numbers"),
    ],
    ids=range(4),
)
def test_what_is_no_array_of_numbers_is_not_written(parts, says, tmp_path):
    with pytest.raises(InputError, match=says):
        save_realisation(tmp_path / "weights.npz", parts)
    assert not (tmp_path / "weights.npz").exists()


def test_without_the_package_its_format_is_refused_with_the_line_to_type(tmp_path, monkeypatch):
    path = save_realisation(tmp_path / "weights.safetensors", ALL)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for use in (lambda: load_realisation(path), lambda: save_realisation(path, ALL)):
        with pytest.raises(MissingDependencyError, match="pip install safetensors"):
            use()
    assert load_realisation(save_realisation(tmp_path / "weights.npz", ALL)).values


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    return {suffix: save_realisation(folder / f"good{suffix}", ALL) for suffix in SUFFIXES}


def _faulty(path):
    """Return whether a file is accepted that is not sound, or refused in more than one line."""
    try:
        loaded = load_realisation(path)
    except FileError as error:
        return "\n" in str(error)
    for connections in loaded.connections.values():
        connections.checked()
    return not all(np.isfinite(array).all() for part in loaded.values.values() for array in part.values())


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=300)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=9)), min_size=1, max_size=4), cut=st.floats(0.5, 1.5)
)
def test_a_file_with_changed_bytes_is_refused_or_harmless(suffix, changes, cut, files):
    data = bytearray(files[suffix].read_bytes())
    for place, replacement in changes:
        start = int(place * len(data))
        data[start : start + len(replacement)] = replacement
    path = files[suffix].with_name(f"changed{suffix}")
    path.write_bytes(bytes(data[: int(cut * len(data))]))
    assert not _faulty(path)


def test_the_check_behind_the_fuzzing_finds_a_file_that_was_not_checked(tmp_path, monkeypatch):
    path = tmp_path / "weights.npz"
    _parts(source=np.array([0, 4]))(path)
    assert not _faulty(path)
    monkeypatch.setattr(
        sidecar, "_connections", lambda parts: Connections(**{**parts, "shape": tuple(parts["shape"].tolist())})
    )
    with pytest.raises(InputError, match="source must lie from 0 to 3"):
        _faulty(path)


PARTS = ["shape", "source", "target", "weight", "delay", "shared", "values/u", "values", "other"]
NAMES = ["feed", "values/cells/tau", "values/cells", "x/y/z", *(f"connections/feed/{part}" for part in PARTS)]
ARRAYS = arrays(
    st.sampled_from(["<i8", ">i8", "<u8", "i1", "?", "<f8", "<f4", "<c8", "<U2", "<M8[s]"]),
    st.sampled_from([(), (2,), (3,), (0,), (2, 2), (1, 2, 1)]),
    elements=None,
)


@settings(max_examples=400)
@given(contents=st.dictionaries(st.sampled_from(NAMES), ARRAYS, max_size=7), whole=st.booleans())
def test_a_file_of_arbitrary_arrays_is_refused_or_harmless(contents, whole, files):
    path = files[".npz"].with_name("arbitrary.npz")
    base = {"shape": np.array([2, 2]), "source": np.array([0, 1]), "target": np.array([1, 1]), "weight": np.ones(2)}
    parts = {f"connections/feed/{name}": array for name, array in base.items()} if whole else {}
    np.savez(path, **(parts | contents))
    assert not _faulty(path)
