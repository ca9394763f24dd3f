"""Datasets as their recipes say: samples of a kind, through an encoder, with a seed."""

from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from snncompare.datasets.card import DatasetCard, Recipe
from snncompare.datasets.files import located_files
from snncompare.datasets.samples import EncodedSource, Samples
from snncompare.datasets.source import SpikeSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.encoding.catalogue import encoder
from snncompare.encoding.encoder import Encoder
from snncompare.errors import InputError, unknown

__all__ = ["SOURCES", "dataset_of"]

SOURCES: dict[str, str] = {}
"""Kind of samples -> module with a function of that name ``(files: Mapping[str, Path], **options) -> Samples`` or
`SpikeSource`; ``files`` holds the card's files by their path on the card. Nothing else is ever imported."""


def dataset_of(
    card: DatasetCard, *, encoder: Encoder | Mapping[str, Any] | None = None, seed: int | None = None, **options: Any
) -> SpikeDataset:
    """Return the dataset of a card with a recipe.

    Parameters
    ----------
    card : DatasetCard
    encoder : Encoder or mapping, optional
        Instead of the card's; a mapping without ``kind`` changes parameters of the card's encoder.
    seed : int, optional
        Instead of the card's.
    **options
        Options of the samples, instead of the card's.

    Raises
    ------
    InputError
        For a kind, an option or a parameter that does not exist.
    FileError
        For files that are missing or changed.
    """
    recipe = _changed(card, encoder, seed, options)
    source = _samples(card, recipe)
    if isinstance(source, Samples):
        if recipe.encoder is None and not isinstance(encoder, Encoder):
            raise InputError(f"the samples of '{card.name}' are stimuli; its recipe needs an encoder.")
        chosen = encoder if isinstance(encoder, Encoder) else _encoder(recipe.encoder or {})
        source = EncodedSource(source, chosen, recipe.seed)
    elif recipe.encoder is not None:
        raise InputError(f"the samples of '{card.name}' are spikes already; they take no encoder.")
    return SpikeDataset(spikes=source, label=recipe.label, name=card.name, card=card)


def _encoder(data: Mapping[str, Any]) -> Encoder:
    return encoder(data)


def _changed(
    card: DatasetCard, encoder: Encoder | Mapping[str, Any] | None, seed: int | None, options: Mapping[str, Any]
) -> Recipe:
    if card.recipe is None:
        raise InputError(f"the card of '{card.name}' has no recipe.")
    changes: dict[str, Any] = {"samples": card.recipe.samples | dict(options)}
    if isinstance(encoder, Mapping):
        changes["encoder"] = dict(encoder) if "kind" in encoder else (card.recipe.encoder or {}) | dict(encoder)
    if seed is not None:
        changes["seed"] = seed
    return card.recipe.model_copy(update=changes)


def _samples(card: DatasetCard, recipe: Recipe) -> Samples | SpikeSource:
    options = dict(recipe.samples)
    kind = options.pop("kind", None)
    if kind not in SOURCES:
        raise InputError(unknown("kind of samples called", kind, SOURCES))
    make: Callable[..., Samples | SpikeSource] = getattr(import_module(SOURCES[kind]), kind)
    allowed = [parameter for parameter in signature(make).parameters if parameter != "files"]
    for option in options:
        if option not in allowed:
            raise InputError(unknown(f"option of dataset '{card.name}' called", option, allowed))
    files: Mapping[str, Path] = located_files(card)
    return make(files, **options)
