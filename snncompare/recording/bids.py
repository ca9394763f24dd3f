"""A derivatives tree in the manner of BIDS: where the results of many recordings go, one file per result.

::

    derivatives/
      dataset_description.json
      sub-locust01/ses-20010214/sub-locust01_ses-20010214_desc-vanrossum_rdm.npz
      sub-locust01/ses-20010214/sub-locust01_ses-20010214_desc-vanrossum_rdm.json
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from snncompare import provenance
from snncompare.errors import FileError, InputError
from snncompare.recording.recording import Recording

__all__ = ["Derivative", "find_derivatives", "write_derivative"]

BIDS_VERSION = "1.10.0"
_ORDER = ("sub", "ses", "task", "acq", "run", "space", "desc")
_LABEL = re.compile(r"[A-Za-z0-9]+")
_NAME = re.compile(r"(?:[a-z]+-[A-Za-z0-9]+_)+[A-Za-z0-9]+\.[a-z0-9]+")


@dataclass(frozen=True)
class Derivative:
    """One file of a derivatives tree.

    Attributes
    ----------
    path : Path
    entities : dict
        ``sub``, ``ses``, ``desc``, ... as they stand in the name.
    suffix : str
        What it is: ``rdm``, ``spikes``, ``result``, ...
    """

    path: Path
    entities: dict[str, str]
    suffix: str

    @property
    def sidecar(self) -> Path:
        """The JSON file with the metadata; itself for JSON."""
        return self.path.with_suffix(".json")


def write_derivative(
    root: str | Path,
    value: Any,
    *,
    suffix: str,
    subject: str,
    session: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    sources: tuple[str | Path, ...] = (),
    pipeline: str = "snncompare",
    **entities: str,
) -> Derivative:
    """Write a result where its subject, session and description say, with a sidecar that says where it came from.

    The tree gets a ``dataset_description.json`` (``DatasetType`` derivative, ``GeneratedBy``) with its first file. The
    sidecar holds the metadata, ``Sources`` (name and SHA-256 of the files given) and ``Versions``. No file is ever
    written half: it gets its name when it is complete.

    Parameters
    ----------
    root : path
        Of the tree; made if needed.
    value : Recording, mapping of name to array, pandas.DataFrame, or mapping of plain JSON values
        Written as ``.npz``, ``.npz``, ``.csv`` and ``.json``.
    suffix : str
        What it is, letters and digits: ``rdm``, ``spikes``, ``result``.
    subject, session, description : str
        Letters and digits, as BIDS asks; ``sub-``, ``ses-`` and ``desc-`` of the name.
    metadata : mapping, optional
        Plain JSON values.
    sources : paths
        Files the result was made from.
    pipeline : str
        ``GeneratedBy`` in the description of the tree.
    **entities : str
        ``task``, ``acq``, ``run``, ``space``.

    Raises
    ------
    InputError
        For names that are not letters and digits, unknown entities, or values of another kind.
    FileError
        If the tree cannot be written or was made by another pipeline.
    """
    labels = {"sub": subject, "ses": session, "desc": description, **entities}
    named = {key: _label(key, labels[key]) for key in _ORDER if labels.get(key) is not None}
    _refuse_unknown(entities)
    stem = "_".join([*(f"{key}-{label}" for key, label in named.items()), _label("suffix", suffix)])
    folder = Path(root) / f"sub-{named['sub']}"
    folder = folder / f"ses-{named['ses']}" if "ses" in named else folder
    kind = _kind(value)
    about = {
        **(metadata or {}),
        "Sources": [{"File": Path(source).name, "SHA256": provenance.file_hash(source)} for source in sources],
        "Versions": provenance.versions(),
    }
    try:
        text = json.dumps(about, indent=2, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise InputError(f"the metadata must be plain JSON: {problem}.") from problem
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _describe(Path(root), pipeline)
        target = folder / f"{stem}.{kind}"
        _write(value, target, kind, text)
    except OSError as problem:
        raise FileError(f"cannot write to '{root}': {getattr(problem, 'strerror', None) or problem}.") from problem
    return Derivative(target, named, suffix)


def find_derivatives(root: str | Path, suffix: str | None = None, **entities: str) -> list[Derivative]:
    """Return the files of a tree whose names fit, sorted by name; sidecars are not listed by themselves.

    Parameters
    ----------
    root : path
    suffix : str, optional
    **entities : str
        ``sub``, ``ses``, ``desc``, ...

    Raises
    ------
    FileError
        If there is no such tree.
    InputError
        For an unknown entity.
    """
    _refuse_unknown({key: value for key, value in entities.items() if key not in {"sub", "ses", "desc"}})
    folder = Path(root)
    if not (folder / "dataset_description.json").is_file():
        raise FileError(f"'{folder}' is no derivatives tree: it has no dataset_description.json.")
    found = []
    for path in sorted(folder.rglob("sub-*_*.*")):
        if not path.is_file() or not _NAME.fullmatch(path.name):
            continue
        *pairs, last = path.stem.split("_")
        here = dict(pair.split("-", 1) for pair in pairs)
        sidecar = path.suffix == ".json" and any(path.with_suffix(f".{k}").exists() for k in ("npz", "csv"))
        fits = all(here.get(key) == value for key, value in entities.items()) and suffix in {None, last}
        if fits and not sidecar:
            found.append(Derivative(path, here, last))
    return found


def _label(what: str, given: Any) -> str:
    if not isinstance(given, str) or not _LABEL.fullmatch(given):
        raise InputError(f"{what} is made of letters and digits only (BIDS), got {given!r}.")
    return given


def _refuse_unknown(entities: Mapping[str, Any]) -> None:
    for name in entities:
        if name not in {"task", "acq", "run", "space"}:
            raise InputError(
                f"no entity '{name}'; available: task, acq, run, space, besides subject, session, description."
            )


def _kind(value: Any) -> str:
    if isinstance(value, Recording):
        return "npz"
    if isinstance(value, pd.DataFrame):
        return "csv"
    if isinstance(value, Mapping) and value:
        arrays = [isinstance(item, np.ndarray) for item in value.values()]
        if all(arrays) and not any(item.dtype.hasobject for item in value.values()):
            return "npz"
        if not any(arrays):
            return "json"
    raise InputError(
        "a derivative is a Recording, a DataFrame, a mapping of names to arrays of numbers or text, or a mapping of "
        f"plain JSON values; got {type(value).__name__}."
    )


def _write(value: Any, target: Path, kind: str, about: str) -> None:
    part = target.with_name(f".{target.stem}.part.{kind}")
    if isinstance(value, Recording):
        value.save(part)
    elif kind == "npz":
        np.savez_compressed(part, **dict(value))
    elif kind == "csv":
        value.to_csv(part, index=value.index.name is not None, lineterminator="\n")
    else:
        try:
            whole = json.dumps({**value, "About": json.loads(about)}, indent=2, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as problem:
            raise InputError(f"the value must be plain JSON: {problem}.") from problem
        part.write_text(whole, encoding="utf-8")
    if kind != "json":
        target.with_suffix(".json").write_text(about, encoding="utf-8")
    part.replace(target)


def _describe(root: Path, pipeline: str) -> None:
    target = root / "dataset_description.json"
    if target.is_file():
        try:
            made = json.loads(target.read_text(encoding="utf-8"))["GeneratedBy"][0]["Name"]
        except (ValueError, KeyError, IndexError, TypeError) as problem:
            raise FileError(f"'{target}' does not say what made the tree; choose another folder.") from problem
        if made != pipeline:
            raise FileError(f"'{root}' was made by '{made}', not by '{pipeline}'; choose another folder.")
        return
    version = provenance.versions().get("snncompare", "unknown")
    content = {
        "Name": f"{pipeline} derivatives",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": pipeline, "Version": version}],
    }
    part = root / ".dataset_description.part"
    part.write_text(json.dumps(content, indent=2), encoding="utf-8")
    part.replace(target)
