"""The verb ``dataset show``: what a card says, and what follows from it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from snncompare.errors import FileError, MissingDependencyError, one_line

if TYPE_CHECKING:
    from snncompare.datasets.card import DatasetCard

__all__ = ["show_dataset"]


def show_dataset(given: str, settings: Sequence[str] = (), seed: int | None = None, as_json: bool = False) -> str:
    """Return the card of a dataset and, where its files are here, its facts.

    Parameters
    ----------
    given : str
        Name, or path of a card.
    settings, seed
        See `options.loaded`.
    as_json : bool
        As one JSON object, with ``facts`` null and ``missing`` in words where files are not here.

    Raises
    ------
    SnncompareError
        For a name or an option that does not exist.
    """
    from snncompare import datasets
    from snncompare.commands.dataset.options import loaded
    from snncompare.datasets.facts import facts

    card = datasets.card(given)
    missing, known = None, None
    try:
        known = facts(loaded(given, settings, seed))
    except (FileError, MissingDependencyError) as problem:
        missing = one_line(str(problem))
    if as_json:
        whole = {"card": card.model_dump(mode="json"), "facts": known, "missing": missing}
        return json.dumps(whole, indent=2, ensure_ascii=False)
    lines = [f"{card.name}: {card.title}", "", one_line(card.description, 4000), ""]
    lines += [f"{name}: {one_line(value, 2000)}" for name, value in _of_card(card).items()]
    lines += [missing or ""] if known is None else [f"{name}: {value}" for name, value in _of_facts(known).items()]
    lines += [f"cite: {one_line(one, 2000)}" for one in card.citation]
    return "\n".join([*lines, *(f"beware: {one_line(one, 2000)}" for one in card.warnings)])


def _of_card(card: "DatasetCard") -> dict[str, str]:
    return {
        "licence": card.licence,
        "source": card.source,
        "units": card.units,
        "trials": card.trials,
        "stimulus": card.stimulus,
    }


def _of_facts(known: dict[str, Any]) -> dict[str, str]:
    low, high = known["duration_range_s"]
    rows = {
        "label": f"{known['label']}, {known['n_classes']} classes" if known["label"] else "none, a task over time",
        "here": f"{known['n_trials']} trials of {known['n_units']} units",
        "duration": f"{low:.4g} s" if low == high else f"{low:.4g} to {high:.4g} s",
        "parts": ", ".join(f"{name} {number}" for name, number in known["parts"].items()),
        "samples": json.dumps(known["samples"], ensure_ascii=False) if known["samples"] else "",
        "encoder": json.dumps(known["encoder"], ensure_ascii=False) if known["encoder"] else "",
        "seed": "" if known["seed"] is None else str(known["seed"]),
        "fingerprint": known["fingerprint"] or "",
    }
    return {name: value for name, value in rows.items() if value}
