"""Dataset cards: what is true of one dataset, read from YAML and checked."""

import hashlib
from pathlib import Path, PurePosixPath
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from snncompare.description_file import read_plain
from snncompare.errors import FileError, one_line

__all__ = ["CardFile", "DatasetCard", "Recipe", "hash_of", "read_card", "refuse_changed_file"]

_SPELLED = {"sha256": "SHA-256", "md5": "MD5"}
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
"""Names become folders of downloads and of spikes; a name that leaves them is refused."""
_PACKAGE = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}( .{1,100})?$"
"""No dots: to find ``a.b``, Python runs ``a``."""
_LONGEST_PATH = 200


class CardFile(BaseModel):
    """One file of a dataset: where it lies, what it holds, and the hash by which it is known.

    ``path``: below a folder of ``SNNCOMPARE_DATA``, the folder of the card, the package, or the download cache.
    ``sha256`` or ``md5``: one of them, the one its authors published. ``url``: where it can be had. ``size``: bytes.
    ``unpack``: the download is an archive (``.zip``, ``.tar.gz``, ``.gz``), of which this member becomes the file; hash
    and size are then those of the archive. ``copies``: SHA-256 of other files that serve as well, such as one with the
    same samples in another order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    content: str
    url: str | None = Field(default=None, pattern="^https?://")
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    md5: str | None = Field(default=None, pattern="^[0-9a-f]{32}$")
    size: int | None = Field(default=None, ge=0)
    unpack: str | None = None
    copies: tuple[str, ...] = ()

    @field_validator("path")
    @classmethod
    def _stays_below(cls, path: str) -> str:
        return _below(path)

    @model_validator(mode="after")
    def _one_hash(self) -> Self:
        if (self.sha256 is None) == (self.md5 is None):
            raise ValueError("a file needs its sha256, or the md5 that its authors published; one of the two")
        if self.unpack is not None and self.url is None:
            raise ValueError("'unpack' is for downloads; give the url of the archive")
        return self

    @property
    def known_hash(self) -> tuple[str, str]:
        """Algorithm and hexadecimal digits."""
        return ("sha256", self.sha256) if self.sha256 is not None else ("md5", self.md5 or "")


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

    @field_validator("samples")
    @classmethod
    def _folder_stays_below(cls, samples: dict[str, Any]) -> dict[str, Any]:
        if samples.get("folder") is not None:
            _below(samples["folder"])
        return samples


class DatasetCard(BaseModel):
    """Where a dataset comes from, what it may be used for, and what to beware of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=_NAME)
    version: int = Field(default=1, ge=1)
    title: str
    description: str
    source: str
    licence: str
    citation: tuple[str, ...] = Field(min_length=1)
    format: str
    recipe: Recipe | None = None
    package: str | None = Field(default=None, pattern=_PACKAGE)
    files: tuple[CardFile, ...] = ()
    units: str
    trials: str
    stimulus: str
    warnings: tuple[str, ...] = ()

    _folder: Path | None = PrivateAttr(default=None)

    @property
    def folder(self) -> Path | None:
        """Folder of the file the card was read from; None for a card made in memory."""
        return self._folder


def read_card(path: Path) -> DatasetCard:
    """Return the card in a YAML file.

    Raises
    ------
    FileError
        If the file is missing, not YAML, too large (also once its aliases are written out), or lacks or adds fields;
        names the first of them.
    """
    if not path.is_file():
        raise FileError(f"no dataset card at '{path}'; each dataset has a folder with a card.yaml.")
    try:
        card = DatasetCard.model_validate(read_plain(path, "dataset card", "a card is a page of text"))
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise FileError(f"the dataset card '{path}' is wrong at {one_line(field, 100)}: {first['msg']}.") from problem
    card._folder = path.absolute().parent
    return card


def _below(path: Any) -> str:
    """Return a path that stays below its folder on every system."""
    if not isinstance(path, str) or not path.isprintable() or len(path) > _LONGEST_PATH:
        raise ValueError(f"a path on a card is text of at most {_LONGEST_PATH} printable characters")
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path or ":" in path or not parts.parts:
        raise ValueError("a path on a card is relative, with '/', and does not leave its folder")
    return path


def refuse_changed_file(path: Path, file: CardFile) -> None:
    """Refuse a file that is missing, or whose hash is not the one on its card.

    Raises
    ------
    FileError
        Names the file and both hashes.
    """
    algorithm, digits = file.known_hash
    found = hash_of(path, algorithm)
    if found != digits and not (file.copies and hash_of(path, "sha256") in file.copies):
        raise FileError(
            f"the dataset file '{path}' is not the one on its card: {_SPELLED[algorithm]} {found[:12]}... instead of "
            f"{digits[:12]}...; take the version that the card names, or remove this one."
        )


def hash_of(path: Path, algorithm: str) -> str:
    """Return the hash of a file, hexadecimal.

    Raises
    ------
    FileError
        If it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, algorithm).hexdigest()
    except OSError as problem:
        raise FileError(
            f"the dataset file '{path}' cannot be read ({problem.strerror}); reinstall its package, or get it again."
        ) from problem
