"""What the verbs of ``dataset`` share: settings such as ``encoder.n_channels=40``, samples of trials, written files."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snncompare.errors import InputError, one_line

if TYPE_CHECKING:
    from snncompare.datasets.card import DatasetCard
    from snncompare.datasets.spike_dataset import SpikeDataset

__all__ = ["limited", "loaded", "parsed_settings", "written"]

PARTS = ("samples", "encoder")
EXAMPLE = "write for example --set samples.n_per_class=10 or --set encoder.n_channels=40"


def parsed_settings(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return settings such as ``encoder.eyes.duration=300 ms`` as nested dictionaries of samples and encoder.

    Values are YAML without tags: numbers, text, true, false, null, ``[a, b]``.

    Raises
    ------
    InputError
        For what is no setting, is about something else than samples or encoder, is no plain YAML, or comes twice.
    """
    found: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for setting in settings:
        name, sign, text = setting.partition("=")
        path = name.strip().split(".")
        if not sign or len(path) < 2 or path[0] not in PARTS or not all(path):
            raise InputError(f"--set: cannot read '{one_line(setting, 100)}'; {EXAMPLE}.")
        place: Any = found
        for key in path[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise InputError(f"--set: '{name}' is set as a whole and in parts; set one of them.")
        if path[-1] in place:
            raise InputError(f"--set: '{name}' is set twice; set it once.")
        place[path[-1]] = _value(text, name)
    return found


def loaded(given: str, settings: Sequence[str] = (), seed: int | None = None) -> "SpikeDataset":
    """Return the dataset of a name or a card, with the settings of the command line.

    Raises
    ------
    SnncompareError
        For a name, an option or a value that does not exist, or files that are not here.
    """
    from snncompare import datasets

    card = datasets.card(given)
    changed = parsed_settings(settings)
    options: dict[str, Any] = dict(changed["samples"])
    if changed["encoder"]:
        options["encoder"] = _encoder(card, changed["encoder"])
    if seed is not None:
        options["seed"] = seed
    return datasets.load(card, **options)


def limited(dataset: "SpikeDataset", most: int | None, seed: int) -> "SpikeDataset":
    """Return at most so many trials, drawn at random, evenly from the classes; nothing is encoded for it."""
    if most is None or len(dataset) <= most:
        return dataset
    import numpy as np

    from snncompare.representation.decoding.samples import balanced_draw

    index = np.zeros(len(dataset), dtype=np.int64) if dataset.label is None else dataset.labels
    return dataset.subset(balanced_draw(index, most, np.random.default_rng(seed)))


def _encoder(card: "DatasetCard", changes: Mapping[str, Any]) -> dict[str, Any]:
    if card.recipe is None or card.recipe.encoder is None:
        raise InputError(f"--set: the dataset '{card.name}' has no encoder that could be changed.")
    return dict(changes) if "kind" in changes else _merged(card.recipe.encoder, changes)


def _merged(whole: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = deepcopy(dict(whole))
    for key, value in changes.items():
        nested = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) and "kind" not in value
        merged[key] = _merged(merged[key], value) if nested else value
    return merged


def _value(text: str, name: str) -> Any:
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise InputError(f"--set: the value of '{name}' is not YAML: {one_line(text, 80)!r}; {EXAMPLE}.") from problem
    if isinstance(value, str):  # YAML 1.1 takes 1e-3 for text
        try:
            return float(value)
        except ValueError:
            return value
    return value


def written(folder: Path, name: str, text: str) -> Path:
    """Write text into a folder that is made if need be, and return the path.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    from snncompare.commands.result_files import made_folder
    from snncompare.errors import FileError

    path = made_folder(folder) / name
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise FileError(f"cannot write '{path}': {problem.strerror or problem}.") from problem
    return path
