"""Where a file came from, the same every time."""

import hashlib

import pytest

from snncompare.errors import FileError, InputError
from snncompare.provenance import collect, file_hash, fingerprint, versions


def test_versions_are_those_installed():
    found = versions()
    assert {"python", "numpy", "neo", "snncompare"} <= set(found)
    assert all(isinstance(version, str) for version in found.values())


def test_a_file_hash_is_the_hash_of_its_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"spikes")
    assert file_hash(tmp_path / "x") == hashlib.sha256(b"spikes").hexdigest()
    with pytest.raises(FileError, match="cannot read"):
        file_hash(tmp_path / "y")


def test_a_fingerprint_depends_on_the_values_and_not_on_the_order():
    assert fingerprint({"a": 1, "b": [1.5, None]}) == fingerprint({"b": [1.5, None], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    for wrong in ({"a": object()}, float("nan")):
        with pytest.raises(InputError, match="plain JSON"):
            fingerprint(wrong)


def test_only_the_moment_differs_between_equal_calls(tmp_path):
    (tmp_path / "x").write_bytes(b"spikes")
    one, other = (collect({"tau": "20 ms"}, [tmp_path / "x"], 3, backend="torch") for _ in range(2))
    one.pop("created"), other.pop("created")
    assert one == other
    assert one["inputs"] == [{"file": "x", "sha256": file_hash(tmp_path / "x"), "bytes": 6}]
    assert (one["seed"], one["backend"]) == (3, "torch")
    assert one["config_sha256"] == fingerprint({"tau": "20 ms"})
