"""A comparison in a few sentences for an electrophysiologist."""

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from snncompare.comparison.inference import LEVEL
from snncompare.comparison.wording import listed, metric_words, p_words

if TYPE_CHECKING:
    from snncompare.comparison.result import Result

__all__ = ["summary_text"]


def summary_text(result: "Result") -> str:
    """Return which model is closest, at which precision, how surely, and what cannot be told."""
    best = result.best()
    sentences = [_closest(result, best), *_ceiling(result, best), *_chosen(result), *_next_best(result, best)]
    sentences += _others(result)
    if result.resamples is not None:
        sentences.append(f"The intervals generalise over {result.resampled}.")
    if result.statements:
        sentences.append("What cannot be told: " + " ".join(result.statements))
    return "\n".join(sentences)


def _interval(row: "pd.Series[Any]") -> str:
    return "" if math.isnan(row["ci_low"]) else f" [{row['ci_low']:.2f}, {row['ci_high']:.2f}]"


def _closest(result: "Result", best: "pd.Series[Any]") -> str:
    where = metric_words(best["metric"], best["time_scale"])
    value = f"{result.measure.label} {best['similarity']:.2f}{_interval(best)}"
    over = f"corrected for {len(result.table)} comparison{'s' * (len(result.table) > 1)}"
    if best["verdict"] == "no match":
        return (
            f"No model is above chance at any precision. The largest similarity is that of '{best['model']}' for "
            f"{where}: {value}, {p_words(best['p_corrected'])} {over}."
        )
    return (
        f"The closest model is '{best['model']}' for {where}: {value}; it is above chance "
        f"({p_words(best['p_corrected'])}, {over}). Verdict: {best['verdict']}."
    )


def _ceiling(result: "Result", best: "pd.Series[Any]") -> list[str]:
    if result.ceiling is None:
        return []
    low, high = best["ceiling_low"], best["ceiling_high"]
    if low <= 0:
        return [f"There is no noise ceiling there: {result.ceiling.absent}, so nothing can match."]
    return [f"The noise ceiling there is {low:.2f} to {high:.2f} ({result.ceiling.meaning})."]


def _chosen(result: "Result") -> list[str]:
    scales = len(result.table[["metric", "time_scale"]].drop_duplicates())
    if scales == 1:
        return []
    return [f"This precision was picked as the best of {scales} after the fact, so its similarity is on the high side."]


def _next_best(result: "Result", best: "pd.Series[Any]") -> list[str]:
    here = _same_place(result.table, best)
    rivals = here[here["model"] != best["model"]]
    if rivals.empty:
        return []
    rival = rivals.loc[rivals["similarity"].idxmax(), "model"]
    pairs = _same_place(result.differences, best)
    pair = pairs[pairs[["model_a", "model_b"]].isin([best["model"], rival]).all(axis=1)].iloc[0]
    sign = 1 if pair["model_a"] == best["model"] else -1
    amount = f"difference {sign * pair['difference']:.2f}"
    if math.isnan(pair["p_corrected"]):
        return [f"Whether it is better than the next, '{rival}' ({amount}), cannot be tested."]
    low, high = sorted((sign * pair["ci_low"], sign * pair["ci_high"]))
    amount += f" [{low:.2f}, {high:.2f}], {p_words(pair['p_corrected'])} corrected for {len(result.differences)}"
    if pair["p_corrected"] <= LEVEL:
        return [f"It is better than the next, '{rival}' ({amount})."]
    return [f"It cannot be told from the next, '{rival}' ({amount})."]


def _others(result: "Result") -> list[str]:
    above = result.table[result.table["verdict"] != "no match"]
    never = [name for name in result.table["model"].unique() if name not in set(above["model"])]
    if not never or above.empty:
        return []
    return [f"Not above chance at any precision: {listed(never)}."]


def _same_place(table: pd.DataFrame, row: "pd.Series[Any]") -> pd.DataFrame:
    scale = table["time_scale"]
    same = scale.isna() if math.isnan(row["time_scale"]) else scale == row["time_scale"]
    return table[(table["metric"] == row["metric"]) & same]
