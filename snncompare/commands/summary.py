"""The verb ``summary``: several stored results in one table, or in one report."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml

from snncompare.commands.figure import FIGURES, drawn, kinds_of
from snncompare.commands.result_files import StoredComparison, load_comparison, made_folder, writable, write_provenance
from snncompare.errors import InputError

if TYPE_CHECKING:
    from snncompare.report.content import Report, Section

__all__ = ["run_summary", "summary_table"]

_COLUMNS = ["model", "metric", "time_scale", "similarity", "ci_low", "ci_high", "p", "p_corrected"]
_COLUMNS += ["ceiling_low", "ceiling_high", "verdict"]


def run_summary(folders: Sequence[str | Path], out: str | Path, seed: int | None = None) -> Path:
    """Write similarity, interval, ceiling and verdict of every model at every time scale, and return the file.

    Parameters
    ----------
    folders : sequence of paths
        What ``snncompare compare`` wrote; the name of the folder names the comparison, for example the area.
    out : path
        Ends in ``.csv`` (a table; provenance beside it) or ``.html`` (a report with figures).
    seed : int, optional
        Nothing is random; kept in the provenance.

    Raises
    ------
    SnncompareError
        If a result does not exist, two have the same name, or the file cannot be written.
    """
    from snncompare import provenance
    from snncompare.report.write import write_report

    target = writable(out, (".csv", ".html"), "summaries")
    stored: dict[str, StoredComparison] = {}
    for folder in folders:
        name = Path(folder).resolve().name
        if name in stored:
            raise InputError(f"two results are named '{name}'; the name of the folder names the comparison.")
        stored[name] = load_comparison(folder)
    inputs = [path for one in stored.values() for path in one.files]
    record = provenance.collect(inputs=inputs, seed=seed, verb="summary", comparisons=list(stored))
    if target.suffix == ".html":
        return write_report(_report(stored, record), target)
    made_folder(target.parent)
    summary_table(stored).to_csv(target, index=False, lineterminator="\n")
    write_provenance(target, record)
    return target


def summary_table(stored: "dict[str, StoredComparison]") -> pd.DataFrame:
    """Return the tables of several results below each other.

    Returns
    -------
    pandas.DataFrame
        ``comparison``, the columns of `Result.table`, ``measure``, and ``generalises_over``: what the intervals are
        about, in words.
    """
    parts = []
    for name, one in stored.items():
        rows = one.result.table[_COLUMNS].copy()
        rows.insert(0, "comparison", name)
        rows["measure"] = one.result.measure.label
        rows["generalises_over"] = one.result.resampled
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def _report(stored: "dict[str, StoredComparison]", record: "dict[str, object]") -> "Report":
    from snncompare.report.content import Report

    answer, limits = [], []
    for name, one in stored.items():
        told = [line for line in one.result.summary().splitlines() if not line.startswith("What cannot be told")]
        answer.append(f"{name}: {' '.join(told)}")
        limits += [f"{name}: {statement}" for statement in one.result.statements]
    questions = {one.result.provenance.get("config", {}).get("question") for one in stored.values()} - {None}
    asked = questions.pop() if len(questions) == 1 else "Which model represents the conditions as the recordings do?"
    return Report(
        title=f"Summary of {', '.join(stored)}",
        question=str(asked),
        answer=tuple(answer),
        sections=(_in_short(stored), *(_section(name, one) for name, one in stored.items())),
        limits=tuple(limits),
        config=_config(stored),
        provenance=record,
    )


def _in_short(stored: "dict[str, StoredComparison]") -> "Section":
    """Return the closest model of every comparison in one table."""
    from snncompare.report.content import ReportTable, Section

    rows = [{"comparison": name, **one.result.best()[_COLUMNS].to_dict()} for name, one in stored.items()]
    frame = pd.DataFrame(rows).drop(columns="p")
    frame.insert(3, "time_scale_ms", 1e3 * frame.pop("time_scale").astype(float))
    caption = "The model of the largest similarity in each comparison, at the precision where it is largest."
    headers = {"time_scale_ms": "time scale (ms)", "ci_low": "interval, low", "ci_high": "interval, high"}
    headers |= {"ceiling_low": "ceiling, low", "ceiling_high": "ceiling, high", "p_corrected": "p, corrected"}
    return Section(title="In short", tables=(ReportTable(frame=frame, caption=caption, headers=headers, name="best"),))


def _config(stored: "dict[str, StoredComparison]") -> str:
    """Return the configuration of the comparisons, if all had the same."""
    texts = {
        yaml.safe_dump(one.result.provenance.get("config"), sort_keys=False, allow_unicode=True)
        for one in stored.values()
    }
    text = texts.pop() if len(texts) == 1 else ""
    return "" if text.startswith("null") else text


def _section(name: str, one: StoredComparison) -> "Section":
    from snncompare.report.content import ReportFigure, Section
    from snncompare.report.result_tables import difference_table, similarity_table

    figures = tuple(
        ReportFigure.from_figure(drawn(one, kind)[0], caption=FIGURES[kind], alt=f"{name}: {FIGURES[kind]}")
        for kind in kinds_of(one)
    )
    tables = (similarity_table(one.result), *([difference_table(one.result)] if len(one.result.differences) else []))
    return Section(title=name, figures=figures, tables=tables)
