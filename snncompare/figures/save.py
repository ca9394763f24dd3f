"""Write a figure as PNG, PDF and SVG, and what it shows as CSV."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from snncompare.errors import FileError, InputError
from snncompare.figures.style import style

__all__ = ["save_figure", "svg_bytes"]

_DATELESS: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": "snncompare"},
    "svg": {"Date": None, "Creator": "snncompare"},
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def save_figure(
    figure: Figure,
    data: pd.DataFrame | Mapping[str, pd.DataFrame],
    directory: str | Path,
    name: str,
    dpi: float = 300.0,
) -> tuple[Path, ...]:
    """Write ``name.png``, ``name.pdf``, ``name.svg`` and the plotted data, and return the paths in this order.

    The same figure gives the same bytes: no dates, fixed identifiers.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    data : DataFrame or mapping of str to DataFrame
        One table becomes ``name.csv``; each of several becomes ``name_KEY.csv``. The index is written if it
        has a name.
    directory : path
        Made if absent.
    name : str
        Letters, digits, ``.``, ``_`` and ``-``.
    dpi : float
        Resolution of the PNG, dots per inch; at least 200.

    Raises
    ------
    InputError
        If a name cannot be a file name on every system, there is no table, or the resolution is below print quality.
    FileError
        If the directory cannot be written.
    """
    tables = {name: data} if isinstance(data, pd.DataFrame) else {f"{name}_{key}": table for key, table in data.items()}
    _check(name, tables, dpi)
    folder = Path(directory)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, metadata in _DATELESS.items():
            path = folder / f"{name}.{suffix}"
            with style():
                figure.savefig(path, format=suffix, dpi=dpi, metadata=metadata)
            written.append(path)
        for stem, table in tables.items():
            path = folder / f"{stem}.csv"
            table.to_csv(path, index=_has_named_index(table), lineterminator="\n")
            written.append(path)
    except OSError as error:
        raise FileError(f"cannot write the figure '{name}' to '{folder}': {error.strerror or error}.") from error
    return tuple(written)


def svg_bytes(figure: Figure) -> bytes:
    """Return the figure as an SVG document, the same bytes for the same figure."""
    from io import BytesIO

    buffer = BytesIO()
    with style():
        figure.savefig(buffer, format="svg", metadata=_DATELESS["svg"])
    return buffer.getvalue()


def _check(name: str, tables: Mapping[str, pd.DataFrame], dpi: float) -> None:
    for stem in (name, *tables):
        if not _NAME.fullmatch(stem):
            raise InputError(f"'{stem}' cannot name a file; use letters, digits, '.', '_' and '-'.")
    if not tables:
        raise InputError(f"figure '{name}' comes with no table of what it shows; give at least one.")
    if dpi < 200:
        raise InputError(f"dpi={dpi:g} is below print quality; give 200 or more.")


def _has_named_index(table: pd.DataFrame) -> bool:
    return any(level is not None for level in table.index.names)
