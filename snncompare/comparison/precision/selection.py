"""The time scale of a model chosen on one part of the data and scored on another."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned, MetricKey, align, pair_numbers
from snncompare.comparison.checks import similarity_measure
from snncompare.comparison.measures import Measure, Spearman
from snncompare.comparison.members import Members
from snncompare.comparison.permutation import observed_similarity
from snncompare.errors import InputError
from snncompare.recording.arguments import whole_number

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["FEWEST_PER_FOLD", "TimeScaleSelection", "conditions_part", "select_time_scale", "subjects_part"]

Integers = NDArray[np.intp]

FEWEST_PER_FOLD = 4
"""Three conditions give three pairs, whose rank correlation takes few values; four give six."""


@dataclass(frozen=True, eq=False)
class TimeScaleSelection:
    """The (metric, time scale) chosen in every fold, and its similarity in the part that was held out.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per fold: ``repeat, fold, held_out`` (labels), ``metric, time_scale`` (chosen; seconds), ``training``
        (similarity where it was chosen), ``score`` (similarity where it was held out).
    scales : pandas.DataFrame
        One row per (metric, time scale): ``metric, time_scale, similarity`` (all data), ``chosen`` (share of folds).
    score : float
        Mean of the scores: how similar the model is where its time scale was not fitted.
    same_data : float
        Largest similarity over time scales on all data: chosen and scored on the same data, hence optimistic.
    over : str
        What was held out.
    measure : Measure
    seed : int
    """

    table: pd.DataFrame
    scales: pd.DataFrame
    score: float
    same_data: float
    over: str
    measure: Measure
    seed: int

    def summary(self) -> str:
        """Return the outcome in words."""
        often = self.scales.iloc[int(self.scales["chosen"].argmax())]
        where = MetricKey(str(often["metric"]), float(often["time_scale"]))
        return (
            f"Scored on {self.over} that its time scale was not chosen on, the model has {self.measure.label} "
            f"{self.score:.2f} (chosen and scored on the same data, which is optimistic: {self.same_data:.2f}). Most "
            f"often chosen: {where}, in {often['chosen']:.0%} of {len(self.table)} folds."
        )


def select_time_scale(
    data: "RDMs",
    model: "RDMs",
    by: Measure = Spearman(),  # noqa: B008  a frozen value
    folds: int | None = None,
    seed: int = 0,
    *,
    over: Literal["conditions", "subjects"] = "conditions",
    repeats: int = 10,
) -> TimeScaleSelection:
    r"""Return how similar a model is at a time scale that was chosen on other conditions or other subjects.

    .. math:: \text{score} = \operatorname{mean}_f S_{k_f}(\text{held out}_f), \qquad
              k_f = \arg\max_k S_k(\text{training}_f)

    Held-out conditions are compared among themselves: no pair of them was seen when the time scale was chosen. With
    ``over="subjects"`` the held-out animals saw the same stimuli, so the score holds for other animals and these
    stimuli only. For a model that has nothing to do with the data the mean score over conditions is 0, that of the
    largest similarity on the same data is above 0 (measured in tests/comparison/test_time_scale_is_chosen_apart.py).

    Parameters
    ----------
    data : rsatoolbox.rdm.RDMs
        With several metrics or time scales.
    model : rsatoolbox.rdm.RDMs
        One RDM for every one of them (and every seed).
    by : Measure
    folds : int, optional
        Conditions: at least 2, each fold of at least 4 conditions; by default 5 or as many as that allows. Subjects: at
        least 2; by default one per subject.
    seed : int
        Of the division into folds.
    over : {"conditions", "subjects"}
    repeats : int
        Number of divisions, averaged; where every subject is a fold of its own there is one.

    Raises
    ------
    InputError
        If data and model do not fit together, there is nothing to choose from, or too little to hold out.
    """
    measure = similarity_measure(by)
    whole_number("seed", seed, 0)
    whole_number("repeats", repeats, 1)
    aligned = align(data, {"model": model})
    if len(aligned.metrics) < 2:
        raise InputError(f"the data have one metric and time scale, {aligned.metrics[0]}; give several to choose from.")
    if not isinstance(over, str) or over not in {"conditions", "subjects"}:
        raise InputError(f"over must be 'conditions' or 'subjects', got {over!r}.")
    n = len(aligned.conditions) if over == "conditions" else len(aligned.subjects)
    n_folds = _number_of_folds(n, folds, over)
    part = conditions_part if over == "conditions" else subjects_part
    labels = aligned.conditions if over == "conditions" else aligned.subjects
    rows = []
    for repeat, fold, held in _folds(n, n_folds, repeats if n_folds < n else 1, seed):
        training = observed_similarity(part(aligned, np.setdiff1d(np.arange(n), held)), measure)[:, 0]
        best = int(training.argmax())
        score = observed_similarity(part(aligned, held), measure)[best, 0]
        shown = ", ".join(str(labels[k]) for k in held)
        rows.append((repeat, fold, shown, *aligned.metrics[best], float(training[best]), float(score), best))
    columns = ["repeat", "fold", "held_out", "metric", "time_scale", "training", "score", "chosen"]
    table = pd.DataFrame(rows, columns=columns)
    alone = observed_similarity(aligned, measure)[:, 0]
    chosen = np.bincount(table["chosen"], minlength=len(aligned.metrics)) / len(table)
    scales = pd.DataFrame(aligned.metrics, columns=["metric", "time_scale"]).assign(similarity=alone, chosen=chosen)
    score, table = float(table["score"].mean()), table.drop(columns="chosen")
    return TimeScaleSelection(table, scales, score, float(alone.max()), over, measure, int(seed))


def conditions_part(aligned: Aligned, positions: Integers) -> Aligned:
    """Return data and models over some of the conditions, given by their positions."""
    pairs = pair_numbers(len(aligned.conditions))[positions[:, None], positions][np.triu_indices(len(positions), 1)]

    def cut(members: Members | None) -> Members | None:
        return None if members is None else replace(members, vectors=members.vectors[..., pairs])

    return replace(
        aligned,
        conditions=tuple(aligned.conditions[k] for k in positions),
        data=aligned.data[..., pairs],
        models=aligned.models[..., pairs],
        sessions=cut(aligned.sessions),
        seeds=cut(aligned.seeds),
    )


def subjects_part(aligned: Aligned, positions: Integers) -> Aligned:
    """Return the data of some of the subjects, given by their positions, with the same models."""
    each = aligned.recordings
    mine = np.isin(each.owner, positions)
    owner = np.searchsorted(positions, each.owner[mine])
    labels = tuple(label for label, kept in zip(each.labels, mine, strict=True) if kept) if each.labels else ()
    return replace(
        aligned,
        subjects=tuple(aligned.subjects[k] for k in positions),
        data=aligned.data[:, positions],
        sessions=None if aligned.sessions is None else Members(each.vectors[:, mine], owner, labels),
    )


def _number_of_folds(n: int, folds: int | None, over: str) -> int:
    if over == "subjects":
        if n < 2:
            raise InputError("the data hold one subject, so none can be held out; choose over='conditions'.")
        most, default = n, n
    else:
        if n < 2 * FEWEST_PER_FOLD:
            raise InputError(
                f"{n} conditions are too few to hold some out: at least {2 * FEWEST_PER_FOLD}, two folds of "
                f"{FEWEST_PER_FOLD}. Record more stimuli, or test all time scales with time_scale_test."
            )
        most = n // FEWEST_PER_FOLD
        default = min(5, most)
    if folds is None:
        return default
    whole_number("folds", folds, 2)
    if folds > most:
        raise InputError(f"folds must be at most {most} with {n} {over}, got {folds}.")
    return folds


def _folds(n: int, n_folds: int, repeats: int, seed: int) -> Iterator[tuple[int, int, Integers]]:
    """Yield repeat, fold and sorted positions that are held out, in divisions of equal size up to one."""
    generator = np.random.default_rng(seed)
    for repeat in range(repeats):
        for fold, held in enumerate(np.array_split(generator.permutation(n), n_folds)):
            yield repeat, fold, np.sort(held)
