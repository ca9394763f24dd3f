"""Broken and hostile arrays: nothing is unpickled, and sizes are refused from the headers before anything is unpacked."""

import io
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from snncompare.errors import FileError, InputError
from snncompare.recording import array_files
from snncompare.recording.array_files import array_headers, npz_headers, read_arrays
from snncompare.recording.read import read

LAYOUT = {"type": "counts", "times": "t", "offsets": "o", "time_unit": "s", "window": ["0 s", "1 s"]}


class Canary:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def archive(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def npy(array=None, shape=None, dtype="<f8", body=b""):
    stream = io.BytesIO()
    if array is not None:
        np.save(stream, array)
        return stream.getvalue()
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


GOOD = {"t.npy": npy(np.array([0.1, 0.2])), "o.npy": npy(np.array([0, 1, 2]))}


def test_the_good_file_is_read(tmp_path):
    """Negative control of the refusals below."""
    assert read(archive(tmp_path / "x.npz", GOOD), layout=LAYOUT).times.tolist() == [0.1, 0.2]


def test_pickled_objects_are_refused_before_anything_runs(tmp_path):
    canary = tmp_path / "ran"
    objects = np.empty(1, dtype=object)
    objects[0] = Canary(canary)
    np.savez(tmp_path / "x.npz", t=objects, o=np.array([0, 1]))
    with pytest.raises(FileError, match="pickled objects, which can run code"):
        read(tmp_path / "x.npz", layout=LAYOUT)
    (tmp_path / "y.npz").write_bytes(pickle.dumps(Canary(canary)))
    with pytest.raises(FileError, match=r"damaged or no \.npz"):
        read(tmp_path / "y.npz", layout=LAYOUT)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (npy(shape=(10**12,), body=b"x" * 16), "header says float64 of shape"),
        (npy(shape=(10**9, 10**9, 10**9)), "header says float64 of shape"),
        (npy(shape=(-2,), body=b""), "damaged"),
        (npy(shape=(2,), dtype="|O", body=b"x" * 16), "pickled objects"),
        (npy(np.zeros(4))[:-8], "it holds 24 bytes"),
        (b"no numpy file at all", "damaged or no .npz"),
        (b"\x93NUMPY\x09\x00", "version"),
    ],
    ids=["huge", "overflowing", "negative", "objects", "cut", "other", "version"],
)
def test_headers_that_lie_are_refused_without_allocating(tmp_path, member, message):
    path = archive(tmp_path / "x.npz", {**GOOD, "t.npy": member})
    tracemalloc.start()
    with pytest.raises(FileError, match=message) as caught:
        read(path, layout=LAYOUT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6  # reading a directory of three members; the smallest lie above claims eight terabytes
    assert "\n" not in str(caught.value)


def test_a_zip_bomb_is_refused_from_its_directory(tmp_path, monkeypatch):
    """Five members of 10 MB of zeros in a file of 50 kB, at a limit of 40 MB instead of 4 GiB."""
    path = archive(tmp_path / "x.npz", {f"a{k}.npy": npy(np.zeros(1_250_000)) for k in range(5)})
    assert path.stat().st_size < 1e5
    assert len(npz_headers(path)) == 5
    monkeypatch.setattr(array_files, "MOST_BYTES", 40_000_000)
    with pytest.raises(FileError, match=r"would unpack to 0\.0466 GiB"):
        npz_headers(path)


def test_a_directory_that_claims_more_than_deflate_can_pack_is_refused(tmp_path):
    path = archive(tmp_path / "x.npz", {"t.npy": npy(np.zeros(3))})
    content = bytearray(path.read_bytes())
    where = content.index(b"PK\x01\x02") + 24
    content[where : where + 4] = struct.pack("<I", 2**31)
    path.write_bytes(bytes(content))
    with pytest.raises(FileError, match="claims 2147483648 bytes packed into"):
        npz_headers(path)


@pytest.mark.parametrize("size", [10, 100, 300])
def test_files_that_are_cut_short_are_refused(tmp_path, size):
    path = archive(tmp_path / "x.npz", GOOD)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FileError, match="damaged"):
        read(path, layout=LAYOUT)


def test_members_that_are_no_arrays_or_packed_in_another_way_are_refused(tmp_path):
    for members, compression in (({"t.txt": "1"}, zipfile.ZIP_DEFLATED), (GOOD, zipfile.ZIP_LZMA)):
        with pytest.raises(FileError, match=r"no array as numpy\.savez writes it"):
            npz_headers(archive(tmp_path / "x.npz", members, compression))


def test_wrong_bytes_in_a_member_are_noticed(tmp_path):
    path = archive(tmp_path / "x.npz", {"t.npy": npy(np.arange(100.0)), "o.npy": npy(np.array([0, 100]))}, 0)
    content = bytearray(path.read_bytes())
    content[400] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(FileError, match="damaged"):
        read_arrays(path, ["t"])


def test_hdf5_claims_are_refused_before_they_are_read(tmp_path):
    import h5py

    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("t", shape=(10**12,), dtype="f8", chunks=(1000,))
        file["o"] = np.array([0, 1])
        file["text"] = np.array(["a", "b"], dtype=h5py.string_dtype())
    with pytest.raises(FileError, match=r"would fill 7\.\d+e\+03 GiB"):
        read(tmp_path / "x.h5", layout=LAYOUT)
    assert read_arrays(tmp_path / "x.h5", ["text"])["text"].tolist() == ["a", "b"]
    (tmp_path / "y.h5").write_bytes((tmp_path / "x.h5").read_bytes()[:700])
    with pytest.raises(FileError, match="cannot be read as HDF5"):
        read(tmp_path / "y.h5", layout=LAYOUT)


def test_missing_labels_in_a_table_are_refused(tmp_path):
    (tmp_path / "x.csv").write_text("t,cell\n0.1,a\n0.2,\n")
    with pytest.raises(InputError, match="1 values of a text column are missing, first in row 1"):
        read_arrays(tmp_path / "x.csv", ["cell"])
    with pytest.raises(FileError, match="no named arrays"):
        array_headers(tmp_path / "x.mat")
