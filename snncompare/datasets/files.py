"""Where the files of a card lie on this machine, each with the content its hash says."""

import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from snncompare.datasets.card import CardFile, DatasetCard, hash_of, refuse_changed_file
from snncompare.errors import FileError, MissingDependencyError

__all__ = ["cache_root", "download_folder", "hash_record", "located", "located_files", "missing_files"]

_MODULES = {"scikit-learn": "sklearn", "scikit-image": "skimage"}
"""Packages whose module is not called like them."""


def located_files(card: DatasetCard) -> Mapping[str, Path]:
    """Return the files of a card by their path on the card, each with the content its hash says.

    They are sought in the folders of ``SNNCOMPARE_DATA``, in the folder of the card, in the package that carries them,
    and among the downloads; nothing is downloaded here, see `snncompare.datasets.fetch`.

    Raises
    ------
    FileError
        If a file is nowhere to be found, or not the one on the card.
    MissingDependencyError
        If the package that carries it is not installed.
    """
    return {file.path: located(card, file) or _refuse_absent(card, file) for file in card.files}


def located(card: DatasetCard, file: CardFile) -> Path | None:
    """Return where a file of a card lies, or None if it is nowhere.

    A file that was unpacked from a download has the hash that was taken when it was unpacked. A copy that the user
    unpacked and named has no hash on the card; it is taken as it is.

    Raises
    ------
    FileError
        If a file is there and is another one.
    """
    for folder in _folders(card):
        path = folder / file.path
        if path.is_file():
            if file.unpack is None:
                refuse_changed_file(path, file)
            elif folder == download_folder(card):
                _refuse_changed_since_unpacked(path)
            return path
    return None


def missing_files(card: DatasetCard) -> tuple[CardFile, ...]:
    """Return the files of a card that are nowhere on this machine; those that are there are not read."""
    return tuple(file for file in card.files if not any((folder / file.path).is_file() for folder in _folders(card)))


def cache_root() -> Path:
    """Return the folder of downloads and stored spikes: ``SNNCOMPARE_CACHE``, or the user's cache folder."""
    named = os.environ.get("SNNCOMPARE_CACHE")
    if named:
        return Path(named)
    import pooch  # type: ignore[import-untyped]

    return Path(pooch.os_cache("snncompare"))


def download_folder(card: DatasetCard) -> Path:
    """Return the folder of the downloads of a card."""
    return cache_root() / "downloads" / card.name


def hash_record(path: Path) -> Path:
    """Return where the hash of an unpacked file is written down."""
    return path.with_name(path.name + ".sha256")


def _folders(card: DatasetCard) -> Iterator[Path]:
    yield from _named_folders()
    if card.folder is not None:
        yield card.folder
    package = _package_folder(card)
    if package is not None:
        yield package
    yield download_folder(card)


def _named_folders() -> list[Path]:
    return [Path(folder) for folder in os.environ.get("SNNCOMPARE_DATA", "").split(os.pathsep) if folder]


def _package_folder(card: DatasetCard) -> Path | None:
    if card.package is None:
        return None
    name = card.package.split()[0]
    package = find_spec(_MODULES.get(name, name.replace("-", "_")))
    if package is None or not package.submodule_search_locations:
        return None
    return Path(next(iter(package.submodule_search_locations)))


def _refuse_changed_since_unpacked(path: Path) -> None:
    record = hash_record(path)
    if not record.is_file() or record.read_text(encoding="ascii", errors="replace").strip() != hash_of(path, "sha256"):
        raise FileError(f"the unpacked file '{path}' changed since it was unpacked; remove it and get it again.")


def _refuse_absent(card: DatasetCard, file: CardFile) -> Path:
    if card.package is not None and _package_folder(card) is None:
        name = card.package.split()[0]
        raise MissingDependencyError(
            f"the dataset '{card.name}' is carried by the package {name}, which is not installed; "
            f"install it with: pip install '{card.package.replace(' ', '')}'"
        )
    named = os.pathsep.join(map(str, _named_folders())) or "which is not set"
    elsewhere = f"set SNNCOMPARE_DATA ({named}) to the folder that holds '{file.path}'"
    if file.url is None:
        raise FileError(f"the file '{file.path}' of the dataset '{card.name}' is not here; {elsewhere}.")
    raise FileError(
        f"the file '{file.path}' of the dataset '{card.name}' ({card.licence}) is not here; get it with: "
        f"snncompare dataset get {card.name}, or {elsewhere}."
    )
