"""What a comparison cannot tell, in words."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from snncompare.comparison.alignment import Aligned
from snncompare.comparison.ceiling import Ceiling
from snncompare.comparison.inference import LEVEL
from snncompare.comparison.measures import Measure
from snncompare.comparison.permutation import Relabellings
from snncompare.comparison.resampling.choice import (
    FEWEST_CONDITIONS,
    Conditions,
    ConditionsAndSessions,
    ConditionsAndSubjects,
    Resampling,
    Seeds,
    Sessions,
    Subjects,
)
from snncompare.comparison.wording import listed, metric_words

if TYPE_CHECKING:
    from snncompare.representation.repeats.replicates import Replicates

__all__ = ["about_seeds", "statements"]

FEW_SEEDS = 5
FEW_MEMBERS = 8


def statements(
    aligned: Aligned,
    relabelled: Relabellings,
    resampling: Resampling | None,
    ceilings: tuple[Ceiling, ...],
    table: pd.DataFrame,
    *,
    measure: Measure,
    replicates: "Replicates | None",
) -> tuple[str, ...]:
    """Return the sentences that a reader of the tables must know."""
    found = [*_about_chance(aligned, relabelled, table), *_about_intervals(aligned, resampling, measure, replicates)]
    found += about_seeds(aligned)
    found += _about_ceiling(ceilings[0], table) if ceilings else [_about_no_ceiling(measure, replicates)]
    found += _about_other_ceilings(ceilings, aligned)
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
    each, owner = relabelled.attainable_p(aligned.instances.vectors).min(axis=0), aligned.instances.owner
    smallest = [each[owner == model].min() for model in range(len(aligned.names))]
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


def _about_intervals(
    aligned: Aligned, resampling: Resampling | None, measure: Measure, replicates: "Replicates | None"
) -> list[str]:
    if isinstance(resampling, Conditions):
        return ["One animal: nothing is said about other animals."]
    if isinstance(resampling, ConditionsAndSubjects):
        few = len(aligned.subjects)
        return [f"The intervals rest on {few} animals and are wide for that reason."] if few < 5 else []
    if isinstance(resampling, ConditionsAndSessions):
        return [f"One animal, {aligned.recordings.n_members} sessions: nothing is said about other animals."]
    n = len(aligned.conditions)
    if n >= FEWEST_CONDITIONS:
        few_conditions = (
            f"Conditions are not resampled with the {measure.label}, so nothing is said about other stimuli: "
            f"{measure.no_bootstrap}"
        )
    else:
        few_conditions = (
            f"{n} conditions are too few to be resampled (at least {FEWEST_CONDITIONS}), so nothing "
            "is said about other stimuli"
        )
    if resampling is None or isinstance(resampling, Seeds):
        why = _reason("resampled trials", "" if replicates is None else replicates.no_bootstrap)
        what = "no intervals and no tests between models" if resampling is None else "the intervals hold the data fixed"
        return [f"{few_conditions}; {what}: one animal, and {why}."]
    animals = "" if isinstance(resampling, Subjects) else " or other animals"
    return [f"{few_conditions}{animals}.", *_about_few(aligned, resampling)]


def _about_few(aligned: Aligned, resampling: Resampling) -> list[str]:
    """Return what a t interval over few animals or sessions with the same stimuli is worth."""
    if not isinstance(resampling, Subjects | Sessions):
        return []
    what = "animals" if isinstance(resampling, Subjects) else "sessions"
    number = len(aligned.subjects) if isinstance(resampling, Subjects) else aligned.recordings.n_members
    if number >= FEW_MEMBERS:
        return []
    return [f"The intervals rest on {number} {what}; of 4 to 6, nominal 95 % intervals held the truth in 91 to 97 %."]


def about_seeds(aligned: Aligned) -> list[str]:
    """Return what is not said about other seeds of the networks."""
    if aligned.seeds is None:
        return []
    number = aligned.seeds.number
    labels = aligned.seeds.labels or ("",) * aligned.seeds.n_members
    named = {owner for owner, label in zip(aligned.seeds.owner, labels, strict=True) if label != ""}
    one = [name for k, name in enumerate(aligned.names) if number[k] == 1 and k in named]
    few = [f"'{name}' ({number[k]})" for k, name in enumerate(aligned.names) if 1 < number[k] < FEW_SEEDS]
    found = [f"One seed of {listed(one)}: nothing is said about other seeds of it."] if one else []
    if few:
        found.append(f"Few seeds of {', '.join(few)}: how far other seeds differ is known roughly only.")
    return found


def _reason(what: str, given: str) -> str:
    return given or f"no {what}"


def _about_no_ceiling(measure: Measure, replicates: "Replicates | None") -> str:
    if not (measure.correlation_like and measure.of_equals == 1):
        return (
            f"No noise ceiling: from split halves none is defined for the {measure.label}, so models above chance are "
            "called 'related'."
        )
    why = _reason("split halves of repeated trials", "" if replicates is None else replicates.no_halves)
    return (
        f"No noise ceiling: one animal, and {why}. How similar a perfect model would be is unknown, so models above "
        "chance are called 'related'."
    )


def _about_other_ceilings(ceilings: tuple[Ceiling, ...], aligned: Aligned) -> list[str]:
    """Return the ceilings that are not in the table, at their first metric, with the questions of all."""
    if len(ceilings) < 2:
        return []
    where = "" if len(aligned.metrics) == 1 else f" for {aligned.metrics[0]}"
    others = [f"{ceiling.low[0]:.2f} to {ceiling.high[0]:.2f} ({ceiling.question})" for ceiling in ceilings[1:]]
    return [f"The ceiling of the table answers: {ceilings[0].question} Other ceilings{where}: {'; '.join(others)}."]


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
    constant = np.ptp(aligned.instances.vectors, axis=2) == 0
    names = [aligned.names[m] for m in sorted(set(aligned.instances.owner[constant.any(axis=0)]))]
    flat = [aligned.metrics[k] for k in np.flatnonzero((np.ptp(aligned.recordings.vectors, axis=2) == 0).any(axis=1))]
    found = []
    if names:
        found.append(
            f"The model {listed(names)} sets all conditions equally apart somewhere; rank and linear "
            "correlations are 0 there by convention."
        )
    if flat:
        found.append(f"The data set all conditions equally apart for {listed(flat)}; nothing can be compared there.")
    return found
