"""What a comparison cannot tell, in words."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from snncompare.comparison.alignment import Aligned
from snncompare.comparison.ceiling import Ceiling
from snncompare.comparison.inference import LEVEL
from snncompare.comparison.permutation import Relabellings
from snncompare.comparison.resampling import (
    FEWEST_CONDITIONS,
    Conditions,
    ConditionsAndSubjects,
    Resampling,
    Subjects,
)
from snncompare.comparison.wording import listed, metric_words

if TYPE_CHECKING:
    from snncompare.representation.replicates import Replicates

__all__ = ["statements"]


def statements(
    aligned: Aligned,
    relabelled: Relabellings,
    resampling: Resampling | None,
    ceiling: Ceiling | None,
    table: pd.DataFrame,
    *,
    replicates: "Replicates | None",
) -> tuple[str, ...]:
    """Return the sentences that a reader of the tables must know."""
    found = [*_about_chance(aligned, relabelled, table), *_about_intervals(aligned, resampling, replicates)]
    found += [_about_no_ceiling(replicates)] if ceiling is None else _about_ceiling(ceiling, table)
    found += _about_constant_models(aligned)
    return tuple(found)


def _about_chance(aligned: Aligned, relabelled: Relabellings, table: pd.DataFrame) -> list[str]:
    symmetric = _about_symmetric_models(aligned, relabelled)
    if relabelled.smallest_p * len(table) <= LEVEL:
        return symmetric
    n = len(aligned.conditions)
    orders = f"{len(relabelled.orders)} {'orders' if relabelled.exact else 'random orders'}"
    shown = f"With {n} conditions and {orders} of them the smallest possible p is {relabelled.smallest_p:.2g}"
    if relabelled.smallest_p > LEVEL:
        return [f"{shown}: no model can be shown to be above chance. Record more stimuli."]
    text = (
        f"{shown}; corrected for {len(table)} comparisons a single model cannot come below {LEVEL}, so 'no match' "
        "may only mean too few stimuli. Compare fewer models and time scales, or record more stimuli."
    )
    return [text, *symmetric]


def _about_symmetric_models(aligned: Aligned, relabelled: Relabellings) -> list[str]:
    """Return which models cannot come above chance because many orders of the conditions leave them as they are."""
    smallest = relabelled.attainable_p(aligned.models).min(axis=0)
    hopeless = [(name, p) for name, p in zip(aligned.names, smallest, strict=True) if LEVEL < p < 1]
    if not hopeless:
        return []
    models = ", ".join(f"'{name}' not below p = {p:.2g}" for name, p in hopeless)
    text = (
        f"With {len(aligned.conditions)} conditions some models cannot be shown to be above chance, however well they "
        f"fit, because many orders of the conditions leave their matrix as it is: {models}. Record more stimuli, or "
        "compare models with less symmetry."
    )
    return [text]


def _about_intervals(aligned: Aligned, resampling: Resampling | None, replicates: "Replicates | None") -> list[str]:
    if isinstance(resampling, Conditions):
        return ["One animal: nothing is said about other animals."]
    if isinstance(resampling, ConditionsAndSubjects):
        few = len(aligned.subjects)
        return [f"The intervals rest on {few} animals and are wide for that reason."] if few < 5 else []
    few_conditions = (
        f"{len(aligned.conditions)} conditions are too few to be resampled (at least {FEWEST_CONDITIONS}), so nothing "
        "is said about other stimuli"
    )
    if resampling is None:
        why = _reason("resampled trials", "" if replicates is None else replicates.no_bootstrap)
        return [f"{few_conditions}; no intervals and no tests between models: one animal, and {why}."]
    animals = "" if isinstance(resampling, Subjects) else " or other animals"
    return [f"{few_conditions}{animals}."]


def _reason(what: str, given: str) -> str:
    return given or f"no {what}"


def _about_no_ceiling(replicates: "Replicates | None") -> str:
    why = _reason("split halves of repeated trials", "" if replicates is None else replicates.no_halves)
    return (
        f"No noise ceiling: one animal, and {why}. How similar a perfect model would be is unknown, so models above "
        "chance are called 'related'."
    )


def _about_ceiling(ceiling: Ceiling, table: pd.DataFrame) -> list[str]:
    found = list(ceiling.remarks)
    if (table["verdict"] == "match").any():
        found.append(
            "'match' means above chance and not told apart from the lower noise ceiling; it does not prove that the "
            "model computes the same."
        )
    wide = table[(table["verdict"] == "related") & (table["ceiling_low"] > 0) & table["ci_low"].notna()]
    if len(wide):
        places = zip(wide["model"], wide["metric"], wide["time_scale"], strict=True)
        rows = [f"'{model}', {metric_words(metric, scale)}" for model, metric, scale in places]
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        found.append(
            f"For {'; '.join(rows[:3])}{more} the interval reaches the noise ceiling but also holds less than half of "
            "it: related, but whether it is a match needs more stimuli or trials."
        )
    return found


def _about_constant_models(aligned: Aligned) -> list[str]:
    constant = np.ptp(aligned.models, axis=2) == 0
    names = [aligned.names[m] for m in range(len(aligned.names)) if constant[:, m].any()]
    flat = [aligned.metrics[k] for k in np.flatnonzero((np.ptp(aligned.data, axis=2) == 0).any(axis=1))]
    found = []
    if names:
        found.append(
            f"The model {listed(names)} sets all conditions equally apart somewhere; rank and linear "
            "correlations are 0 there by convention."
        )
    if flat:
        found.append(f"The data set all conditions equally apart for {listed(flat)}; nothing can be compared there.")
    return found
