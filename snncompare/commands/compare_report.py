"""The report of a comparison: question, answer, limits, figures, tables, configuration, provenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from snncompare.commands.compare_config import CompareConfig
from snncompare.commands.compare_data import is_blocked
from snncompare.commands.compare_spikes import Spikes

if TYPE_CHECKING:
    from snncompare.comparison.result import Result
    from snncompare.report.content import Report, ReportFigure

__all__ = ["Findings", "compose_report", "limits_of"]

_LIMITS = "What cannot be told:"
_ESTIMATORS = {
    "BetweenMinusWithin": "distance of trials between two conditions minus that within them, without bias by noise",
    "MeanDistance": "mean distance of trials between two conditions, which noise between trials makes larger",
}


@dataclass(frozen=True)
class Findings:
    """What a comparison found, before it is put into words."""

    config: CompareConfig
    data: Spikes
    models: Mapping[str, str]
    result: "Result"
    provenance: Mapping[str, Any]


def compose_report(findings: Findings, figures: "Mapping[str, ReportFigure]") -> "Report":
    """Return the report."""
    from snncompare.report.content import Report, Section
    from snncompare.report.result_tables import difference_table, similarity_table

    result = findings.result
    pictures = [figures[name] for name in ("similarity", "models") if name in figures]
    tables = [similarity_table(result)] + ([difference_table(result)] if len(result.differences) else [])
    answer = [line for line in result.summary().splitlines() if not line.startswith(_LIMITS)]
    source = Path(findings.config.recording.file).name
    files = {"table of similarities": "result/table.csv", "differences between models": "result/differences.csv"}
    files |= {"all dissimilarities": "dissimilarities.csv", "configuration": "config.yaml"}
    return Report(
        title=f"Comparison with {source}",
        question=findings.config.question or f"Which model represents the conditions as {source} does?",
        answer=tuple(answer),
        sections=(
            Section(title="What was recorded", text=_recorded(findings), figures=(figures["raster"],)),
            Section(title="Which conditions are alike", text=_models(findings), figures=(figures["rdms"],)),
            Section(title="How similar the models are", figures=tuple(pictures), tables=tuple(tables)),
        ),
        limits=limits_of(findings.data, result.statements),
        config=yaml.safe_dump(findings.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        provenance=findings.provenance,
        files=files,
    )


def limits_of(data: Spikes, statements: Sequence[str]) -> tuple[str, ...]:
    """Return what cannot be told: from the comparison, from joined sessions, and from the order of the trials."""
    limits = []
    if any(is_blocked(recording, data.by) for recording in data.sessions.values()):
        where = "" if data.join is None else f" of a {data.join}"
        limits.append(
            f"The trials of each '{data.by}'{where} follow each other in one block, so a slow drift of the recording "
            "looks like a difference between conditions. Compare a window before the stimulus in the same way: what is "
            "found there is not due to the stimulus."
        )
    if data.join is not None:
        limits.append(
            f"Units of different values of '{data.join}' were not recorded together: what their spikes tell only in "
            "the same trial, such as synchrony, is not in these dissimilarities."
        )
    return (*limits, *statements)


def _recorded(findings: Findings) -> tuple[str, ...]:
    data, config = findings.data, findings.config.recording
    recording, sessions = data.recording, data.sessions.values()
    repeats = pd.concat([part.trials[data.by].value_counts() for part in sessions])
    start, stop = (float(recording.trials[edge].iloc[0]) for edge in ("start", "stop"))
    silent = int((recording.counts().sum("trial") == 0).sum())
    each = f"{repeats.min()}" if repeats.min() == repeats.max() else f"{repeats.min()} to {repeats.max()}"
    rate = recording.times.size / sum(part.n_units * part.n_trials for part in sessions) / (stop - start)
    each += " trials each" if data.join is None else " trials each in every session"
    what = (
        f"{recording.n_units} units ({silent} silent){data.of_sessions} in {recording.n_trials} trials of "
        f"{Path(config.file).name}: {len(data.conditions)} conditions ('{data.by}') with {each}, cut from "
        f"{1e3 * start:g} to {1e3 * stop:g} ms around the onset; {recording.times.size} spikes, on average {rate:.3g} "
        "Hz per unit."
    )
    return (what, f"Left out, because not every session has them: {data.left_out}.") if data.left_out else (what,)


def _models(findings: Findings) -> tuple[str, ...]:
    data = findings.data
    how = _ESTIMATORS[type(data.estimator).__name__]
    if data.estimator.across is not None:
        how += f", over pairs of trials that differ in '{data.estimator.across}'"
    if data.join is not None:
        how += ", added up over the sessions"
    listed = "; ".join(f"'{name}': {words}" for name, words in findings.models.items())
    return (f"Dissimilarities of the recording: {how}. Models: {listed}.",)
