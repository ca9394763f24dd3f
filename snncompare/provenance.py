"""Where a file came from: versions, hashes, seeds."""

import hashlib
import json
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from snncompare.errors import FileError, InputError

__all__ = ["collect", "file_hash", "fingerprint", "versions"]

_PACKAGES = (
    "brian2", "elephant", "h5py", "matplotlib", "neo", "nixio", "numba", "numpy", "pandas", "pydantic", "pynwb",
    "quantities", "rsatoolbox", "scipy", "snncompare", "torch", "xarray",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that can change a result, by name.

    Nothing is imported; packages that are not installed are not listed.
    """
    return dict(_installed())


@cache
def _installed() -> tuple[tuple[str, str], ...]:
    found = [("python", platform.python_version())]
    for name in _PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, as 64 hexadecimal digits.

    Raises
    ------
    FileError
        If the file is missing or cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise FileError(f"cannot read '{path}' to take its hash: {problem.strerror or problem}.") from problem


def fingerprint(obj: Any) -> str:
    """Return the SHA-256 of an object's canonical JSON (sorted keys, no spaces), as 64 hexadecimal digits.

    Raises
    ------
    InputError
        For objects that are not plain JSON, NaN and infinity included.
    """
    try:
        text = json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise InputError(
            f"only plain JSON has a fingerprint (text, finite numbers, lists, dictionaries): {problem}."
        ) from problem
    return hashlib.sha256(text.encode()).hexdigest()


def collect(
    config: dict[str, Any] | None = None, inputs: Iterable[str | Path] = (), seed: int | None = None, **extra: Any
) -> dict[str, Any]:
    """Return the provenance of an output as plain JSON; only ``created`` differs between equal calls.

    Parameters
    ----------
    config : dict, optional
        The resolved configuration; kept together with its fingerprint.
    inputs : paths, optional
        Files that were read; kept as name, bytes and SHA-256, without their folders.
    seed : int, optional
    **extra
        Anything else worth keeping, as plain JSON, for example ``backend="torch"``.

    Raises
    ------
    FileError
        If an input cannot be read.
    InputError
        If configuration or extras are not plain JSON.
    """
    record: dict[str, Any] = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "inputs": [_input(Path(path)) for path in inputs],
        "seed": seed,
    }
    if config is not None:
        record |= {"config": config, "config_sha256": fingerprint(config)}
    fingerprint(extra)
    return record | extra


def _input(path: Path) -> dict[str, Any]:
    return {"file": path.name, "sha256": file_hash(path), "bytes": path.stat().st_size}
