"""Turn a `Report` into one HTML file that needs nothing but itself."""

from base64 import b64encode
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from snncompare.errors import FileError, InputError
from snncompare.report.content import Report, ReportFigure, ReportTable
from snncompare.report.numbers import column_text, is_numeric, provenance_rows

__all__ = ["render_report", "write_report"]


_LONG = 30
"""Rows from which a table scrolls on a screen."""


def render_report(report: Report) -> str:
    """Return the report as an HTML document.

    Every text of the report is escaped. Pictures and tables are embedded as ``data:`` addresses; a content
    security policy forbids scripts and every request.
    """
    from jinja2 import Environment, StrictUndefined

    folder = files("snncompare.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(folder.joinpath("template.html").read_text(encoding="utf-8"))
    return template.render(
        report=report,
        css=folder.joinpath("report.css").read_text(encoding="utf-8"),
        sections=_numbered(report),
        provenance=provenance_rows(report.provenance),
        address=quote,
    )


def write_report(report: Report, path: str | Path) -> Path:
    """Write the report to ``path`` and return it; the same report gives the same bytes.

    Raises
    ------
    InputError
        If the name does not end in ``.html``.
    FileError
        If the file cannot be written.
    """
    target = Path(path)
    if target.suffix != ".html":
        raise InputError(f"a report is an HTML file, got '{target.name}'; end the name in '.html'.")
    text = render_report(report)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise FileError(f"cannot write the report '{target}': {error.strerror or error}.") from error
    return target


def _numbered(report: Report) -> list[dict[str, Any]]:
    """Return the sections with figures and tables numbered through the whole report."""
    n_figures = n_tables = 0
    sections = []
    for section in report.sections:
        figures = [_picture(figure, n_figures + i) for i, figure in enumerate(section.figures, 1)]
        tables = [_grid(table, n_tables + i) for i, table in enumerate(section.tables, 1)]
        n_figures, n_tables = n_figures + len(figures), n_tables + len(tables)
        sections.append({"title": section.title, "text": section.text, "figures": figures, "tables": tables})
    return sections


def _data_address(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{b64encode(content).decode('ascii')}"


def _picture(figure: ReportFigure, number: int) -> dict[str, Any]:
    return {
        "number": number,
        "source": _data_address(figure.media_type, figure.image),
        "caption": figure.caption,
        "alt": figure.alt,
        "files": figure.files,
    }


def _grid(table: ReportTable, number: int) -> dict[str, Any]:
    frame = table.frame
    if any(level is not None for level in frame.index.names):
        frame = frame.reset_index()
    columns = [str(column) for column in frame.columns]
    cells = [column_text(frame.iloc[:, i], column) for i, column in enumerate(columns)]
    csv = frame.to_csv(index=False, lineterminator="\n").encode()
    return {
        "number": number,
        "caption": table.caption,
        "headers": [table.headers.get(column, column.replace("_", " ")) for column in columns],
        "numeric": [is_numeric(frame.iloc[:, i]) for i in range(len(columns))],
        "rows": list(zip(*cells, strict=True)),
        "csv": _data_address("text/csv;charset=utf-8", csv),
        "name": f"{table.name}.csv",
        "long": len(frame) > _LONG,
    }
