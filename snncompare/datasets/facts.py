"""What is true of one dataset, as plain data: what a datasheet says and what stored spikes are kept under."""

from typing import Any

from snncompare.datasets.spike_dataset import SpikeDataset

__all__ = ["facts"]


def facts(dataset: SpikeDataset) -> dict[str, Any]:
    """Return a plain dictionary (JSON) of what a dataset is; nothing is encoded for it.

    Returns
    -------
    dict
        ``name``, ``n_trials``, ``n_units``, ``unit_columns``, ``label``, ``n_classes``, ``classes`` (text),
        ``trials_per_class``, ``parts`` (name to number of trials), ``duration_range_s`` (shortest, longest window),
        ``samples``, ``encoder``, ``seed`` (of the recipe; None without one), ``fingerprint`` (SHA-256 of recipe and
        files, or of the spikes where there is no recipe), ``files`` (path on the card to its hash), and of the card:
        ``title``, ``version``, ``licence``, ``source``, ``citation``, ``warnings``; None where there is no card.
    """
    card, made = dataset.card, dataset.source.recipe or dataset.source.provenance
    lengths = dataset.trials["stop"] - dataset.trials["start"]
    per_class = {} if dataset.label is None else dataset.source.labels[dataset.label].value_counts().to_dict()
    return {
        "name": dataset.name,
        "title": None if card is None else card.title,
        "version": None if card is None else card.version,
        "licence": None if card is None else card.licence,
        "source": None if card is None else card.source,
        "citation": None if card is None else list(card.citation),
        "warnings": None if card is None else list(card.warnings),
        "n_trials": len(dataset),
        "n_units": len(dataset.units),
        "unit_columns": [str(column) for column in dataset.units.columns],
        "label": dataset.label,
        "n_classes": len(dataset.classes),
        "classes": [str(value) for value in dataset.classes],
        "trials_per_class": {str(value): int(per_class.get(value, 0)) for value in dataset.classes},
        "parts": {str(name): len(part) for name, part in dataset.parts.items()},
        "duration_range_s": [float(lengths.min()), float(lengths.max())],
        "samples": made.get("samples"),
        "encoder": made.get("encoder"),
        "seed": made.get("seed"),
        "fingerprint": dataset.source.fingerprint(),
        "files": made.get("files", {}),
    }
