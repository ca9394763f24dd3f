"""The datasets by name: their cards and their loaders."""

from collections.abc import Callable
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from snncompare.datasets.card import DatasetCard, read_card
from snncompare.datasets.recipes import dataset_of
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError, InputError, unknown

__all__ = ["card", "cards_folder", "load", "names"]

_LOADERS = {
    "grasshopper_receptor": ("snncompare.datasets.grasshopper", "grasshopper_receptor"),
    "song_envelopes": ("snncompare.datasets.songs", "song_envelopes"),
}


def names() -> tuple[str, ...]:
    """Return the names of all datasets, for `load` and `card`."""
    return tuple(sorted(path.parent.name for path in cards_folder().glob("*/card.yaml")))


def load(name: str, **options: Any) -> SpikeDataset:
    """Return a dataset.

    Parameters
    ----------
    name : str
        One of `names`.
    **options
        Arguments of its loader: `grasshopper.grasshopper_receptor` has none, for the others see `songs.song_envelopes`.

    Raises
    ------
    InputError
        For a name or an option that does not exist.
    MissingDependencyError
        If the package that carries the data is not installed; says how to install it.
    """
    chosen = card(name)
    if chosen.recipe is not None:
        return dataset_of(chosen, **options)
    loader = _loader(name)
    allowed = [parameter for parameter in signature(loader).parameters if parameter != "card"]
    for option in options:
        if option not in allowed:
            raise InputError(unknown(f"option of dataset '{name}' called", option, allowed))
    return loader(chosen, **options)


def card(name: str) -> DatasetCard:
    """Return the card of a dataset: source, licence, citation, what to beware of.

    Raises
    ------
    InputError
        For a name that does not exist.
    FileError
        If its card is missing or wrong.
    """
    if name not in names():
        raise InputError(unknown("dataset", name, names()))
    return read_card(cards_folder() / name / "card.yaml")


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


def _loader(name: str) -> Callable[..., SpikeDataset]:
    module, function = _LOADERS[name]
    loader: Callable[..., SpikeDataset] = getattr(import_module(module), function)
    return loader
