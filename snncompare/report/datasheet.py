"""The datasheet of a dataset, as Markdown: what it is, how it was made, how it fires, and what to beware of."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from snncompare.errors import one_line
from snncompare.representation.firing_statistics import FiringStatistics
from snncompare.representation.label_information import LabelInformation

__all__ = ["datasheet"]

MISSING = "–"
LONGEST = 4000


def datasheet(
    facts: Mapping[str, Any],
    statistics: FiringStatistics | None = None,
    information: LabelInformation | None = None,
    *,
    notes: tuple[str, ...] = (),
    versions: Mapping[str, str] | None = None,
) -> str:
    """Return the datasheet of a dataset, Markdown, the sections those of Gebru et al. 2021 in short.

    Parameters
    ----------
    facts : mapping
        As `snncompare.datasets.facts.facts` returns them; what is missing or None is left out.
    statistics : FiringStatistics, optional
    information : LabelInformation, optional
    notes : tuple of str
        Which trials the statistics are of, and what else they depend on.
    versions : mapping of str to str, optional
        Of the packages that made the spikes.

    References
    ----------
    Gebru, Morgenstern, Vecchione, Vaughan, Wallach, Daumé & Crawford 2021, Commun. ACM 64(12):86.
    """
    parts = [f"# Datasheet: {_text(facts.get('title') or facts['name'])}", _whole(facts), _generation(facts, versions)]
    if statistics is not None:
        parts.append(_firing(statistics, notes))
    if information is not None:
        parts.append(_information(information))
    return "\n\n".join([*parts, _beware(facts), _distribution(facts)]) + "\n"


def _whole(facts: Mapping[str, Any]) -> str:
    rows = {
        "Name": f"`{facts['name']}`",
        "Version of the card": facts.get("version"),
        "Trials": facts.get("n_trials"),
        "Parts": _counted(facts.get("parts")),
        "Label": None if facts.get("label") is None else f"`{facts['label']}`, {facts.get('n_classes')} classes",
        "Trials per class": _range(facts.get("trials_per_class")),
        "Units": facts.get("n_units"),
        "Known of units": ", ".join(f"`{_text(name)}`" for name in facts.get("unit_columns") or ()),
        "Duration of a trial": _seconds(*facts["duration_range_s"]) if facts.get("duration_range_s") else None,
    }
    return "## Composition\n\n" + _table(rows)


def _generation(facts: Mapping[str, Any], versions: Mapping[str, str] | None) -> str:
    rows = {
        "Source": facts.get("source"),
        "Seed": facts.get("seed"),
        "Fingerprint (SHA-256)": None if facts.get("fingerprint") is None else f"`{facts['fingerprint']}`",
        "Versions": ", ".join(f"{name} {version}" for name, version in (versions or {}).items()),
    }
    parts = ["## Collection and generation", _table(rows)]
    for name in ("samples", "encoder"):
        if facts.get(name):
            parts += [f"{name.capitalize()}:", _block(facts[name])]
    return "\n\n".join(parts)


def _firing(statistics: FiringStatistics, notes: tuple[str, ...]) -> str:
    s = statistics.summary
    low, high = _number(s["rate_low"]), _number(s["rate_high"])
    synchrony = f"{_number(s['synchrony'])} ({_number(s['synchrony_shuffled'])})"
    rows = {
        "Trials looked at": _number(s["trials"]),
        "Spikes per trial, mean": _number(s["spikes_per_trial"]),
        "Rate of the units, mean (10 to 90 %)": f"{_number(s['rate'])} Hz ({low} to {high} Hz)",
        "Units that never fired": _percent(s["silent_units"]),
        "Trains without a spike": _percent(s["silent_trains"]),
        "First spike, median": _milliseconds(s["latency"]),
        "Interspike interval, median": _milliseconds(s["median_interval"]),
        "CV, CV2 of intervals, median unit": f"{_number(s['cv'])}, {_number(s['cv2'])}",
        "Fano factor within classes (of which stimuli may differ), median unit": _number(s["fano"]),
        "SPIKE-synchronisation of units (shuffled trials)": synchrony,
    }
    said = [_text(note) for note in (*notes, *statistics.statements)]
    return "\n\n".join(["## How the units fire", _table(rows), *([" ".join(said)] if said else [])])


def _information(information: LabelInformation) -> str:
    lives = information.lives_in()
    lines = [
        "| code | time scale | decoded (95 % interval) | chance | information | p |",
        "|---|---|---|---|---|---|",
    ]
    for code in information.table["code"].unique():
        row = information.best(code)
        share = f"{row['accuracy']:.1%} ({row['accuracy_low']:.1%} to {row['accuracy_high']:.1%})"
        scale = MISSING if np.isnan(row["time_scale"]) else f"{row['time_scale'] * 1e3:g} ms"
        bits = f"{row['information']:.2f} bits"
        lines.append(f"| {_text(code)} | {scale} | {share} | {row['chance']:.1%} | {bits} | {row['p_corrected']:.3g} |")
    said = [
        (
            f"Of `{_text(information.label)}`, {information.entropy:.2f} bits; {information.trials} trials, "
            f"{information.units} units. Codes with time scales at their best one; bits of codes given counts and of "
            "synchrony are the least that the accuracy implies."
        ),
        *map(_text, information.statements),
    ]
    head = f"The labels live in: **{', '.join(lives) if lives else 'no code that was found'}**."
    if "counts" in lives and "timing" not in lives and information.best("latencies")["p_corrected"] < 0.05:
        head += " First spikes tell them too, but nothing that was found beyond the counts."
    return "\n\n".join(["## Where the labels live", head, "\n".join(lines), " ".join(said)])


def _beware(facts: Mapping[str, Any]) -> str:
    warnings = [f"- {_text(warning)}" for warning in facts.get("warnings") or ()]
    return "## What to beware of\n\n" + ("\n".join(warnings) or "Nothing is known.")


def _distribution(facts: Mapping[str, Any]) -> str:
    parts = ["## Licence and citation", f"Licence: {_text(facts.get('licence') or 'not stated')}."]
    citations = [f"- {_text(one)}" for one in facts.get("citation") or ()]
    if citations:
        parts.append("\n".join(citations))
    files = [f"- `{_text(path)}`: `{_text(digits)}`" for path, digits in (facts.get("files") or {}).items()]
    if files:
        parts += ["Files and their hashes:", "\n".join(files)]
    return "\n\n".join(parts)


def _table(rows: Mapping[str, Any]) -> str:
    filled = {name: value for name, value in rows.items() if value not in (None, "")}
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {_text(value)} |" for name, value in filled.items())])


def _block(value: Any) -> str:
    """Return plain data as an indented block, which nothing inside can end."""
    shown = json.dumps(value, indent=2, ensure_ascii=False, default=str).splitlines()
    return "\n".join(f"    {line}" for line in shown)


def _text(value: Any) -> str:
    """Return text as one line that neither ends a cell of a table nor opens an element of HTML."""
    return one_line(str(value), LONGEST).replace("|", "\\|").replace("<", "&lt;")


def _counted(parts: Mapping[str, int] | None) -> str:
    return ", ".join(f"`{name}` {number}" for name, number in (parts or {}).items())


def _range(per_class: Mapping[str, int] | None) -> str | None:
    if not per_class:
        return None
    low, high = min(per_class.values()), max(per_class.values())
    return str(low) if low == high else f"{low} to {high}"


def _seconds(low: float, high: float) -> str:
    return f"{low:.4g} s" if np.isclose(low, high) else f"{low:.4g} to {high:.4g} s"


def _number(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) and abs(value) < 1000 else _large(value)


def _large(value: float) -> str:
    return f"{value:.0f}" if np.isfinite(value) else MISSING


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _milliseconds(value: float) -> str:
    return f"{value * 1e3:.3g} ms" if np.isfinite(value) else MISSING
