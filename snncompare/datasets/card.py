"""Dataset cards: what is true of one dataset, read from YAML and checked."""

import hashlib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from snncompare.errors import FileError

__all__ = ["CardFile", "DatasetCard", "Recipe", "read_card", "refuse_changed_file"]


class CardFile(BaseModel):
    """One file of a dataset: where it lies inside its package, its SHA-256, and what it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    url: str | None = None
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    content: str


class Recipe(BaseModel):
    """How the spikes come about: which samples, which encoder, which seed.

    ``samples``: ``kind``, one of `snncompare.datasets.recipes.SOURCES`, and its options. ``encoder``: ``kind``, one of
    `snncompare.encoding.catalogue.KINDS`, and its parameters; none where the samples are spikes already. ``label``: the
    column that names the class; none for tasks without classes. ``split``: the column that tells training from test.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: dict[str, Any]
    encoder: dict[str, Any] | None = None
    seed: int = Field(default=0, ge=0)
    label: str | None = None
    split: str | None = None


class DatasetCard(BaseModel):
    """Where a dataset comes from, what it may be used for, and what to beware of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int = Field(default=1, ge=1)
    title: str
    description: str
    source: str
    licence: str
    citation: tuple[str, ...] = Field(min_length=1)
    format: str
    recipe: Recipe | None = None
    package: str | None = None
    files: tuple[CardFile, ...] = ()
    units: str
    trials: str
    stimulus: str
    warnings: tuple[str, ...] = ()


def read_card(path: Path) -> DatasetCard:
    """Return the card in a YAML file.

    Raises
    ------
    FileError
        If the file is missing, not YAML, or lacks or adds fields; names the first of them.
    """
    try:
        return DatasetCard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise FileError(f"no dataset card at '{path}'; each dataset has a folder with a card.yaml.") from problem
    except yaml.YAMLError as problem:
        raise FileError(f"the dataset card '{path}' is not YAML: {' '.join(str(problem).split())}.") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise FileError(f"the dataset card '{path}' is wrong at {field}: {first['msg']}.") from problem


def refuse_changed_file(path: Path, file: CardFile) -> None:
    """Refuse a file that is missing, or whose SHA-256 is not the one on its card.

    Raises
    ------
    FileError
        Names the file and both hashes.
    """
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as problem:
        raise FileError(
            f"the dataset file '{path}' cannot be read ({problem.strerror}); reinstall its package."
        ) from problem
    if found != file.sha256:
        raise FileError(
            f"the dataset file '{path}' is not the one on its card: SHA-256 {found[:12]}... instead of "
            f"{file.sha256[:12]}...; install the version of its package that the card names."
        )
