"""The scoreboard of all analyses: what was published, what came out here, failures included."""

import json
from pathlib import Path
from typing import Any

from snncompare.errors import FileError

__all__ = ["scoreboard", "write_scoreboard"]

HEAD = """# Analyses

One folder per question: `run.py` (a page), its configuration, a README with the answer, `results.json` of the full
run. Every run takes `--out DIR` and `--quick`. This page is made from the stored results by `make scoreboard`.

## Published and found

| study | what | published | here | source |
|---|---|---|---|---|
"""
STUDIES = """
## All studies

| study | question | numbers | minutes |
|---|---|---|---|
"""


def scoreboard(folder: str | Path) -> str:
    """Return the scoreboard as Markdown.

    Parameters
    ----------
    folder : path
        With one folder per analysis; those with ``results.json`` and a README are listed.

    Raises
    ------
    FileError
        If stored results cannot be read.
    """
    published, studies = [], []
    for file in sorted(Path(folder).glob("*/results.json")):
        name, found = file.parent.name, _read(file)
        question = (file.parent / "README.md").read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        for what, entry in found["metrics"].items():
            if entry.get("published") is not None:
                told, value, source = (entry.get(key) for key in ("published", "value", "source"))
                told = told if isinstance(told, str) else f"{told:g}"  # a range or a comparison is told in words
                published.append(f"| [{name}]({name}) | {what} | {told} | {_number(value)} | {source} |")
        minutes = f"{found['seconds'] / 60:.1f}"
        studies.append(f"| [{name}]({name}) | {question} | {len(found['metrics'])} | {minutes} |")
    return HEAD + "\n".join(published) + "\n" + STUDIES + "\n".join(studies) + "\n"


def write_scoreboard(folder: str | Path) -> Path:
    """Write the scoreboard of a folder of analyses into its README and return the path."""
    target = Path(folder) / "README.md"
    target.write_text(scoreboard(folder), encoding="utf-8")
    return target


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise FileError(f"cannot read the results in '{file}': {problem}.") from problem
    if not isinstance(found, dict) or not {"metrics", "seconds"} <= set(found):
        raise FileError(f"'{file}' holds no results; run the analysis again, which writes 'metrics' and 'seconds'.")
    return found


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
