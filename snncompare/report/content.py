"""What a report consists of: frozen values, plain text, no markup."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from snncompare.errors import FileError, InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Report", "ReportFigure", "ReportTable", "Section"]

_MEDIA = {".svg": "image/svg+xml", ".png": "image/png"}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def _check_links(files: Mapping[str, str]) -> None:
    for label, target in files.items():
        if not target or _SCHEME.match(target) or target.startswith(("/", "\\")) or "\\" in target:
            raise InputError(
                f"the link '{label}' leads to '{target}'; a report links to files beside it only,"
                " by a relative path such as 'figures/rdm.csv'."
            )


@dataclass(frozen=True, kw_only=True)
class ReportFigure:
    """A picture held inside the report.

    Parameters
    ----------
    image : bytes
        An SVG or PNG document.
    media_type : str
        ``"image/svg+xml"`` or ``"image/png"``.
    caption : str
        What is seen, as under a figure of a paper.
    alt : str
        What a reader who cannot see the picture should know; not empty.
    files : mapping of str to str
        Label -> relative path of the same figure in other formats, and of its data.

    Raises
    ------
    InputError
        If the alternative text is empty, the format is another one, or a link leaves the folder of the report.
    """

    image: bytes
    media_type: str
    caption: str
    alt: str
    files: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.media_type not in _MEDIA.values():
            raise InputError(f"a report shows SVG or PNG, got '{self.media_type}'; save the figure as one of them.")
        if not self.alt.strip():
            raise InputError("the figure has no alternative text; say in a sentence what it shows with alt=.")
        _check_links(self.files)

    @classmethod
    def from_figure(cls, figure: "Figure", *, caption: str, alt: str, files: Mapping[str, str] | None = None) -> Self:
        """Return a matplotlib figure as a picture of a report, in SVG."""
        from snncompare.figures.save import svg_bytes

        return cls(
            image=svg_bytes(figure), media_type="image/svg+xml", caption=caption, alt=alt, files=dict(files or {})
        )

    @classmethod
    def from_file(cls, path: str | Path, *, caption: str, alt: str, files: Mapping[str, str] | None = None) -> Self:
        """Return a saved SVG or PNG as a picture of a report; the file is read now.

        Raises
        ------
        FileError
            If the file cannot be read.
        InputError
            If it is neither ``.svg`` nor ``.png``.
        """
        source = Path(path)
        if source.suffix not in _MEDIA:
            raise InputError(f"a report shows SVG or PNG, got '{source.name}'; give the .svg or .png of the figure.")
        try:
            image = source.read_bytes()
        except OSError as error:
            raise FileError(f"cannot read the figure '{source}': {error.strerror or error}.") from error
        return cls(image=image, media_type=_MEDIA[source.suffix], caption=caption, alt=alt, files=dict(files or {}))


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportTable:
    """A table of the report; its numbers can be downloaded unrounded.

    Parameters
    ----------
    frame : DataFrame
        One row per line; the index is shown if it has a name.
    caption : str
    headers : mapping of str to str
        Column -> heading, for columns whose name is not what a reader should see.
    name : str
        Name of the downloaded file, without ``.csv``.

    Raises
    ------
    InputError
        If a heading is for a column that does not exist, or the name cannot be a file name.
    """

    frame: pd.DataFrame
    caption: str
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = "table"

    def __post_init__(self) -> None:
        absent = [column for column in self.headers if column not in self.frame.columns]
        if absent:
            raise InputError(f"headings are given for {absent}; the table has {list(self.frame.columns)}.")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise InputError(f"'{self.name}' cannot name a file; use letters, digits, '.', '_' and '-'.")


@dataclass(frozen=True, kw_only=True)
class Section:
    """One heading with text, figures and tables, shown in this order."""

    title: str
    text: tuple[str, ...] = ()
    figures: tuple[ReportFigure, ...] = ()
    tables: tuple[ReportTable, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that a report says.

    Parameters
    ----------
    title : str
    question : str
        The question in one sentence.
    answer : tuple of str
        The answer, in paragraphs.
    sections : tuple of Section
    limits : tuple of str
        What cannot be told from these data, in sentences.
    config : str
        The resolved configuration, YAML text.
    provenance : mapping
        Versions, hashes, seeds; nested, values of any plain type.
    files : mapping of str to str
        Label -> relative path of files beside the report.

    Raises
    ------
    InputError
        If title, question or answer are empty, or a link leaves the folder of the report.
    """

    title: str
    question: str
    answer: tuple[str, ...]
    sections: tuple[Section, ...] = ()
    limits: tuple[str, ...] = ()
    config: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what in ("answer", "limits"):
            if isinstance(getattr(self, what), str):
                raise InputError(f"'{what}' must be a tuple of paragraphs, got one text; write ({what}_text,).")
        for what in ("title", "question"):
            if not getattr(self, what).strip():
                raise InputError(f"the report has no {what}; say it in one sentence.")
        if not self.answer:
            raise InputError("the report has no answer; give at least one paragraph, also when it cannot be told.")
        _check_links(self.files)
