"""The figures and the report of a mismatch study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from snncompare.commands.compare_figures import Drawing
from snncompare.commands.mismatch.config import MismatchConfig, SweepConfig
from snncompare.commands.mismatch.measure import COLUMNS
from snncompare.commands.mismatch.probe import Probe
from snncompare.commands.mismatch.study import MismatchResult
from snncompare.datasets.spike_dataset import SpikeDataset

if TYPE_CHECKING:
    from snncompare.comparison.ceiling import Ceiling
    from snncompare.report.content import Report, ReportFigure, ReportTable

__all__ = ["Findings", "compose_report", "drawings_of"]

FEW_CONDITIONS = 6

_DRAWN = ("accuracy", "relative_distance", "similarity_to_ideal", "similarity_to_recording")
_TOLD = {"sigma": "mismatch", "bits": "bits"}
_ENERGY = (
    "The energy counts additions and multiplications of digital hardware (45 nm CMOS) for the spikes that were fired; "
    "what an analog chip takes is another matter, so only its changes with mismatch mean something."
)
_QUICK = "This is a quick run, with few devices, points, trials and epochs: it shows that all runs, and no result."


@dataclass(frozen=True, eq=False)
class Findings:
    """What a study found, before it is put into words."""

    config: MismatchConfig
    result: MismatchResult
    test: SpikeDataset
    probe: Probe | None = None
    ceiling: "Ceiling | None" = None
    quick: bool = False


def drawings_of(findings: Findings) -> list[Drawing]:
    """Return one figure per sweep: median and interquartile range over devices of all that was measured."""
    from snncompare.figures.mismatch import mismatch_data, mismatch_figure
    from snncompare.figures.style import colours_for

    config, result, classes = findings.config, findings.result, findings.test.classes
    colours = colours_for(config.schemes)
    levels = {"accuracy": {"chance": 1 / len(classes)}} if classes else {}
    ceiling = findings.ceiling
    bands = {} if ceiling is None else {"similarity_to_recording": (ceiling.low[0], ceiling.high[0])}
    table, found = _of_first_metric(result.table), []
    ideal = _of_first_metric(result.ideal)
    for number, (name, sweep) in enumerate(config.sweeps.items(), 1):
        rows = table[table["sweep"] == name]
        values = [value for value in _DRAWN if rows[value].notna().any()]
        if not values:
            continue
        lines, panels = _layout(config, sweep)
        many = rows.assign(panel=_panel_names(rows, panels))
        used = colours if lines == "scheme" else None
        given: dict[str, Any] = {"x": sweep.x, "values": values, "lines": lines, "panels": "panel" if panels else None}
        figure = mismatch_figure(many, **given, ideal=ideal, levels=levels, bands=bands, colours=used)
        caption = _caption(name, findings, lines)
        alt = f"Curves of {', '.join(value.replace('_', ' ') for value in values)} against {_TOLD[sweep.x]}."
        found.append(Drawing(f"sweep-{number}", figure, mismatch_data(many, **given), caption, alt))
    return found


def compose_report(findings: Findings, pictures: "Sequence[ReportFigure]", origin: Mapping[str, Any]) -> "Report":
    """Return the report."""
    from snncompare.report.content import Report, Section

    config, result = findings.config, findings.result
    name = config.trained or config.network or ""
    files = {"one row per device": "table.csv", "networks without a chip": "ideal.csv", "summary": "results.json"}
    return Report(
        title=f"Mismatch study of {name}",
        question=config.question or "How does the network bear that no device is as it was asked to be?",
        answer=tuple(_answers(config, result)),
        sections=(
            Section(title="What devices make of the network", figures=tuple(pictures)),
            Section(title="Numbers", tables=(_table(result),)),
        ),
        limits=tuple(_limits(findings)),
        config=yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        provenance=origin,
        files=files | {"configuration": "config.yaml", "provenance": "provenance.json"},
    )


def _limits(findings: Findings) -> list[str]:
    """Return what cannot be told, in sentences."""
    found = [*([_QUICK] if findings.quick else []), *findings.result.statements]
    if findings.result.table["energy"].notna().any():
        found.append(_ENERGY)
    if findings.probe is not None:
        shown = findings.probe.dataset.trials[findings.probe.by].nunique()
        if shown < FEW_CONDITIONS:
            found.append(
                f"The RDMs are over {shown} conditions, {shown * (shown - 1) // 2} dissimilarities: their similarity "
                "takes few values, and moves in jumps."
            )
    if findings.config.recording is not None and findings.ceiling is None:
        found.append("There is no noise ceiling of the recording: its conditions have single trials.")
    return found


def _of_first_metric(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first metric, one per device and point."""
    if table.empty:
        return table
    first = table.iloc[0]
    same = table["time_scale"].eq(first["time_scale"]) | table["time_scale"].isna()
    return table[table["metric"].fillna("").eq(first["metric"] or "") & same]


def _layout(config: MismatchConfig, sweep: SweepConfig) -> tuple[str, list[str]]:
    """Return what becomes lines, and what tells the rows of panels apart."""
    several = len(sweep.parameters) > 1 and len(sweep.sigma) > 0
    panels = ["bits"] if len(sweep.bits) > 1 and sweep.x == "sigma" else []
    if several and len(config.schemes) == 1:
        return "parameters", panels
    return "scheme", [*(["parameters"] if several else []), *panels]


def _panel_names(rows: pd.DataFrame, panels: Sequence[str]) -> list[str]:
    names = []
    for _, row in rows.iterrows():
        bits = "float weights" if pd.isna(row["bits"]) else f"{row['bits']:g} bits"
        words = {"parameters": str(row["parameters"]).replace("_", " "), "bits": bits}
        names.append(", ".join(words[panel] for panel in panels))
    return names


def _caption(name: str, findings: Findings, lines: str) -> str:
    config, result = findings.config, findings.result
    what = "schemes of training" if lines == "scheme" else "parameters with mismatch"
    metric = result.table["metric"].iloc[0]
    scale = result.table["time_scale"].iloc[0]
    by = (
        ""
        if not metric
        else f" Spike distances and RDMs: {metric}" + ("." if pd.isna(scale) else f", {1e3 * scale:g} ms.")
    )
    similarity = "" if config.representation is None else f" RDM similarity: {config.representation.similarity}."
    if findings.ceiling is not None:
        similarity += f" Grey: noise ceiling of the recording ({findings.ceiling.meaning})."
    return (
        f"Sweep '{name}': median (line) and interquartile range (band) over {len(config.devices)} devices; lines are "
        f"{what}; dotted: without a chip.{by}{similarity}"
    )


def _answers(config: MismatchConfig, result: MismatchResult) -> list[str]:
    """Return a sentence per sweep, scheme, class of parameters and bits: its first and its last point."""
    table, said = _of_first_metric(result.table), []
    for name, sweep in config.sweeps.items():
        each = ["scheme", "parameters", *(["bits"] if sweep.x == "sigma" and sweep.bits else [])]
        for (scheme, which, *bits), rows in table[table["sweep"] == name].groupby(each, sort=False, dropna=False):
            medians = rows.groupby(sweep.x, sort=False, dropna=False).median(numeric_only=True)
            ends = [medians.iloc[0], medians.iloc[-1]]
            places = [_place(medians.index[k], sweep.x) for k in (0, -1)]
            found = [_change(key, words, ends, scale) for key, words, scale in _WORDS if ends[0][key] == ends[0][key]]
            where = f"from {places[0]} to {places[1]}" if len(medians) > 1 else f"at {places[0]}"
            of = f" of {str(which).replace('_', ' ')}" if which else ""
            who = ", ".join([f"{name}{of}", f"'{scheme}'", *(_place(number, "bits") for number in bits)])
            said.append(f"{who}: {where}, {'; '.join(found)} (medians over {len(config.devices)} devices).")
    return said or ["Nothing could be measured."]


_WORDS = (
    ("accuracy", "the accuracy is {} %", 100.0),
    ("similarity_to_ideal", "the RDMs' similarity to the ideal network is {}", 1.0),
    ("similarity_to_recording", "that to the recording is {}", 1.0),
)


def _place(at: Any, x: str) -> str:
    if pd.isna(at):
        return "the profile itself" if x == "sigma" else "float weights"
    return f"{at:g} bits" if x == "bits" else f"mismatch {at:g}"


def _change(key: str, words: str, ends: Sequence[Any], scale: float) -> str:
    first, last = (f"{scale * end[key]:.3g}" for end in ends)
    return words.format(first if first == last else f"{first}, then {last}")


def _table(result: MismatchResult) -> "ReportTable":
    from snncompare.report.content import ReportTable

    numbers = ["accuracy", "relative_distance", "similarity_to_ideal", "similarity_to_recording", "rate", "energy"]
    shown = [name for name in numbers if result.table[name].notna().any()]
    keys = ["sweep", "scheme", "parameters", "sigma", "bits", "metric", "time_scale"]
    frame = result.table.groupby(keys, sort=False, dropna=False)[shown].median().reset_index()
    told = "; ".join(f"{name.replace('_', ' ')}: {COLUMNS[name]}" for name in shown)
    return ReportTable(
        frame=frame.dropna(axis="columns", how="all"),
        caption=f"Medians over devices. {told}.",
        name="medians",
    )
