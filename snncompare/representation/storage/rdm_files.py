"""RDMs as a file: one ``.npz`` of plain arrays and a JSON header, read without unpickling and checked throughout."""

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import FileError, InputError
from snncompare.number_archive import read_arrays, write_arrays
from snncompare.representation.conditions import unique_labels
from snncompare.representation.storage.replicate_fields import pack_replicates, unpack_replicates

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

    from snncompare.representation.repeats.replicates import Replicates

__all__ = ["MAX_BYTES", "StoredRdms", "load_rdms", "read_rdm_file", "save_rdms"]

MAX_BYTES = 8_000_000_000
"""Bytes that the arrays of a file may have, unpacked, unless the caller allows more."""
_MOST_ARRAYS = 100
_FORMAT, _VERSION = "snncompare rdms", 1
_KEYS = {"format", "version", "measure", "descriptors", "rdm_descriptors", "pattern_descriptors"}
_KEYS |= {"replicates", "provenance"}
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


@dataclass(frozen=True, eq=False)
class StoredRdms:
    """What a file of RDMs holds.

    Attributes
    ----------
    rdms : rsatoolbox.rdm.RDMs
    replicates : Replicates or None
        RDMs of resampled trials and of split halves of the same recording.
    provenance : dict
        Plain JSON.
    """

    rdms: "RDMs"
    replicates: "Replicates | None" = None
    provenance: dict[str, Any] = field(default_factory=dict)


def save_rdms(
    rdms: "RDMs",
    path: str | Path,
    replicates: "Replicates | None" = None,
    provenance: Mapping[str, Any] | None = None,
) -> Path:
    """Write RDMs and return the path; `load_rdms` gives them back to the last bit.

    The file holds ``dissimilarities`` (n_rdms, n_pairs), ``header`` (JSON as UTF-8 bytes) and the arrays of the
    replicates. The same content gives the same bytes. An existing file is replaced only once the new one is complete.

    Parameters
    ----------
    rdms : rsatoolbox.rdm.RDMs
        With ``pattern_descriptors["condition"]``. Descriptors are lists of text, numbers, booleans or None; they come
        back as lists of plain Python values.
    path : path
        Ends in ``.npz``.
    replicates : Replicates, optional
    provenance : mapping, optional
        Plain JSON.

    Raises
    ------
    InputError
        If the RDMs name no conditions, a dissimilarity is infinite, or something cannot be stored.
    FileError
        If the name does not end in ``.npz`` or the file cannot be written.
    """
    target = Path(path)
    if target.suffix != ".npz":
        raise FileError(f"RDMs are saved as .npz, got '{target.name}'; write for example '{target.stem}.npz'.")
    arrays = {"dissimilarities": np.ascontiguousarray(rdms.get_vectors(), dtype=np.float64)}
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "measure": rdms.dissimilarity_measure,
        "descriptors": {str(key): _scalar(value, key) for key, value in rdms.descriptors.items()},
        "rdm_descriptors": _columns(rdms.rdm_descriptors),
        "pattern_descriptors": _columns(rdms.pattern_descriptors),
        "replicates": None,
        "provenance": dict(provenance or {}),
    }
    _check(header, arrays["dissimilarities"])
    if replicates is not None:
        plain, packed = pack_replicates(replicates)
        header["replicates"] = {key: _encoded(value, key) for key, value in plain.items()}
        arrays |= {f"replicates/{name}": array for name, array in packed.items()}
    try:
        text = json.dumps(header, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"labels and provenance must be plain JSON without NaN: {error}.") from error
    arrays["header"] = np.frombuffer(text, dtype=np.uint8)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        write_arrays(partial, arrays, ZIP_DEFLATED)
        partial.replace(target)
    except OSError as error:
        raise FileError(f"cannot write '{target}': {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def load_rdms(path: str | Path, *, max_bytes: int = MAX_BYTES) -> "RDMs":
    """Return the RDMs in a file that `save_rdms` wrote; nothing in the file is executed.

    Raises
    ------
    FileError
        As `read_rdm_file`.
    """
    return read_rdm_file(path, max_bytes=max_bytes).rdms


def read_rdm_file(path: str | Path, *, max_bytes: int = MAX_BYTES) -> StoredRdms:
    """Return everything in a file that `save_rdms` wrote; nothing in the file is executed.

    Parameters
    ----------
    path : path
    max_bytes : int
        What the file may unpack to; a small file from a stranger can unpack to more than the memory holds.

    Raises
    ------
    FileError
        If the file is missing, is none of these files, is damaged, was written by a later version, or unpacks to more
        than `max_bytes`.
    """
    source = Path(path)
    if not source.is_file():
        raise FileError(f"there is no file '{source}'; make RDMs with 'snncompare rdm' or save_rdms.")
    try:
        arrays = read_arrays(source, max_bytes, _MOST_ARRAYS)
        if "header" not in arrays or "dissimilarities" not in arrays:
            raise InputError(f"it holds {sorted(arrays)[:8]}, not 'header' and 'dissimilarities'")
        header = json.loads(arrays.pop("header").tobytes().decode(), parse_constant=_no_constant)
        return _stored(header, arrays)
    except Exception as error:  # damaged files make zipfile and numpy raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileError(f"'{source}' is not a file of RDMs: {reason[:300].rstrip('.')}.") from error


def _stored(header: Any, arrays: dict[str, NDArray[Any]]) -> StoredRdms:
    from rsatoolbox.rdm import RDMs

    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise InputError(f"its header does not say '{_FORMAT}'")
    if header.get("version") != _VERSION or header["version"] is True:
        raise InputError(f"it has version {header.get('version')!r:.20}; this program reads version {_VERSION}")
    if set(header) != _KEYS:
        raise InputError(f"its header has the keys {sorted(header)!r:.150}")
    vectors = arrays.pop("dissimilarities").copy()
    _check(header, vectors)
    rdms = RDMs(
        vectors,
        dissimilarity_measure=header["measure"],
        descriptors={key: _value(value) for key, value in header["descriptors"].items()},
        rdm_descriptors=_decoded(header["rdm_descriptors"]),
        pattern_descriptors=_decoded(header["pattern_descriptors"]),
    )
    packed = {name.removeprefix("replicates/"): array for name, array in arrays.items()}
    if any(not name.startswith("replicates/") for name in arrays) or (packed and header["replicates"] is None):
        raise InputError(f"it holds arrays that its header does not name: {sorted(arrays)!r:.100}")
    replicates = None
    if header["replicates"] is not None:
        plain = {key: _plain(value) for key, value in header["replicates"].items()}
        replicates = unpack_replicates(plain, packed, rdms)
    return StoredRdms(rdms, replicates, header["provenance"])


def _check(header: dict[str, Any], vectors: NDArray[Any]) -> None:
    """Refuse RDMs that cannot be: sizes that do not fit, descriptors of another length, conditions that repeat."""
    if vectors.ndim != 2 or vectors.dtype != np.float64 or not len(vectors):
        raise InputError(
            f"dissimilarities must be numbers (n_rdms, n_pairs), got {vectors.dtype} {vectors.shape!s:.40}"
        )
    if np.isinf(vectors).any():
        raise InputError("a dissimilarity is infinite; RDMs hold numbers, or NaN where a condition is missing.")
    for key in ("descriptors", "rdm_descriptors", "pattern_descriptors", "provenance"):
        if not isinstance(header[key], dict):
            raise InputError(f"'{key}' must be a mapping, got {type(header[key]).__name__}")
    if not isinstance(header["measure"], str | None):
        raise InputError("'measure' must be text")
    if not isinstance(header["pattern_descriptors"].get("condition"), list):
        raise InputError("the RDMs name no conditions; set pattern_descriptors={'condition': [...]}.")
    conditions = unique_labels(_value(label) for label in header["pattern_descriptors"]["condition"])
    n = len(conditions)
    if n * (n - 1) // 2 != vectors.shape[1]:
        raise InputError(f"{n} conditions have {n * (n - 1) // 2} pairs, but there are {vectors.shape[1]} per RDM")
    for key, length in (("rdm_descriptors", len(vectors)), ("pattern_descriptors", n)):
        for name, values in header[key].items():
            if not isinstance(values, list) or len(values) != length:
                raise InputError(f"{key}['{name:.40}'] must be a list of {length} values")


def _columns(descriptors: Mapping[Any, Iterable[Any]]) -> dict[str, list[Any]]:
    return {str(key): [_scalar(value, key) for value in values] for key, values in descriptors.items()}


def _decoded(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {key: [_value(value) for value in values] for key, values in columns.items()}


def _scalar(value: Any, name: object) -> Any:
    """Return a descriptor as JSON; numbers that JSON does not know stand as ``{"float": "nan"}``."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return {"float": str(float(plain))}
    if plain is None or isinstance(plain, str | bool | int | float):
        return plain
    raise InputError(
        f"the descriptor '{name}' holds {plain!r:.60}; only text, numbers, true, false and none are stored."
    )


def _value(given: Any) -> Any:
    if isinstance(given, dict) and set(given) == {"float"} and given["float"] in _NOT_FINITE:
        return _NOT_FINITE[given["float"]]
    if given is None or isinstance(given, str | bool | int | float):
        return given
    raise InputError(f"{given!r:.60} stands where text, a number, true, false or null belong")


def _encoded(value: Any, name: object) -> Any:
    if isinstance(value, tuple | list):
        return {"list": [_encoded(item, name) for item in value]}
    if isinstance(value, Mapping):
        return {"mapping": {str(key): _encoded(item, name) for key, item in value.items()}}
    return _scalar(value, name)


def _plain(given: Any) -> Any:
    """Return what `_encoded` was given, with tuples for lists."""
    if isinstance(given, dict) and isinstance(given.get("list"), list):
        return tuple(_plain(item) for item in given["list"])
    if isinstance(given, dict) and isinstance(given.get("mapping"), dict):
        return {key: _plain(item) for key, item in given["mapping"].items()}
    return _value(given)


def _no_constant(name: str) -> float:
    raise InputError(f"its header holds the number {name}, which is no JSON")
