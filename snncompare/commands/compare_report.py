"""The report of a comparison: question, answer, limits, figures, tables, configuration, provenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from snncompare.commands.compare_config import CompareConfig
from snncompare.commands.compare_data import is_blocked

if TYPE_CHECKING:
    from snncompare.comparison.result import Result
    from snncompare.recording.recording import Recording
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
    recording: "Recording"
    models: Mapping[str, str]
    result: "Result"
    estimator: str
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
        limits=limits_of(findings.recording, findings.config.recording.condition, result.statements),
        config=yaml.safe_dump(findings.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        provenance=findings.provenance,
        files=files,
    )


def limits_of(recording: "Recording", condition: str, statements: Sequence[str]) -> tuple[str, ...]:
    """Return what cannot be told: from the comparison, and from the order in which the trials were given."""
    if not is_blocked(recording, condition):
        return tuple(statements)
    blocked = (
        f"The trials of each '{condition}' follow each other in one block, so a slow drift of the recording looks like "
        "a difference between conditions. Compare a window before the stimulus in the same way: what is found there "
        "is not due to the stimulus."
    )
    return (blocked, *statements)


def _recorded(findings: Findings) -> tuple[str, ...]:
    recording, config = findings.recording, findings.config.recording
    repeats = recording.trials[config.condition].value_counts()
    start, stop = (float(recording.trials[edge].iloc[0]) for edge in ("start", "stop"))
    silent = int((recording.counts().sum("trial") == 0).sum())
    each = f"{repeats.min()}" if repeats.min() == repeats.max() else f"{repeats.min()} to {repeats.max()}"
    rate = recording.times.size / recording.n_units / recording.n_trials / (stop - start)
    what = (
        f"{recording.n_units} units ({silent} silent) in {recording.n_trials} trials of {Path(config.file).name}: "
        f"{len(repeats)} conditions ('{config.condition}') with {each} trials each, cut from {1e3 * start:g} to "
        f"{1e3 * stop:g} ms around the onset; {recording.times.size} spikes, on average {rate:.3g} Hz per unit."
    )
    return (what,)


def _models(findings: Findings) -> tuple[str, ...]:
    listed = "; ".join(f"'{name}': {words}" for name, words in findings.models.items())
    return (f"Dissimilarities of the recording: {_ESTIMATORS[findings.estimator]}. Models: {listed}.",)
