"""The datasets by name: their cards and the datasets."""

import os
from pathlib import Path
from typing import Any

from snncompare.datasets.card import DatasetCard, read_card
from snncompare.datasets.recipes import dataset_of
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError, InputError, unknown

__all__ = ["card", "cards_folder", "load", "names"]


def names() -> tuple[str, ...]:
    """Return the names of all datasets, for `load` and `card`."""
    return tuple(sorted(path.parent.name for path in cards_folder().glob("*/card.yaml")))


def load(name: str | Path | DatasetCard, **options: Any) -> SpikeDataset:
    """Return a dataset; its spikes are made, or read where `SpikeDataset.build` stored them, when they are asked for.

    Parameters
    ----------
    name : str, path or DatasetCard
        One of `names`, the path of a ``card.yaml`` of your own (or of its folder), or a card.
    **options
        ``encoder`` and ``seed``, see `recipes.dataset_of`, and those of the function of its samples, for example
        `samplers.song_envelopes.song_envelopes`.

    Raises
    ------
    InputError
        For a name or an option that does not exist.
    FileError
        If a file of the dataset is not here, or another one; says how to get it.
    MissingDependencyError
        If the package that carries the data is not installed; says how to install it.
    """
    return dataset_of(card(name), **options)


def card(name: str | Path | DatasetCard) -> DatasetCard:
    """Return the card of a dataset: source, licence, citation, what to beware of.

    Parameters
    ----------
    name : str, path or DatasetCard
        As for `load`; a text with a path separator or the ending ``.yaml`` is a path.

    Raises
    ------
    InputError
        For a name that does not exist.
    FileError
        If its card is missing or wrong.
    """
    if isinstance(name, DatasetCard):
        return name
    if isinstance(name, Path) or (isinstance(name, str) and _is_path(name)):
        path = Path(name)
        return read_card(path / "card.yaml" if path.is_dir() else path)
    if not isinstance(name, str) or name not in names():
        raise InputError(unknown("dataset", name, names()))
    return read_card(cards_folder() / name / "card.yaml")


def _is_path(name: str) -> bool:
    return "/" in name or os.sep in name or name.endswith((".yaml", ".yml"))


def cards_folder() -> Path:
    """Return the folder of the cards: inside the installed package, or at the top of the repository.

    Raises
    ------
    FileError
        If there is neither.
    """
    here = Path(__file__).resolve()
    candidates = (here.parent / "cards", here.parents[2] / "datasets")
    for folder in candidates:
        if any(folder.glob("*/card.yaml")):
            return folder
    raise FileError(f"no dataset cards in '{candidates[0]}' or '{candidates[1]}'; install snncompare again.")
