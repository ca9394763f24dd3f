"""Classes of trials, and trials divided so that every part holds the same share of each class."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown

__all__ = ["checked_classes", "stratified_part"]


def checked_classes(trials: pd.DataFrame, label: str, classes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the classes: those given, or the values of a label in order of first appearance.

    Raises
    ------
    InputError
        If there is no such label, a trial has none, or has one that is not among the classes given.
    """
    if label not in trials:
        raise InputError(unknown("trial label", label, trials.columns))
    column = trials[label]
    if column.isna().any():
        raise InputError(f"{int(column.isna().sum())} trials have no '{label}'; leave them out first.")
    present = tuple(column.drop_duplicates())
    chosen = classes or present
    missing = [value for value in present if value not in chosen]
    if missing or len(set(chosen)) < len(chosen):
        raise InputError(f"classes must be unique and hold every '{label}'; got {chosen}, lacks {missing}.")
    return chosen


def stratified_part(
    labels: NDArray[np.int64], classes: tuple[Any, ...], fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Return which trials go into the first part; see `SpikeDataset.split`.

    Raises
    ------
    InputError
        For a fraction outside 0 to 1, or if a class would be missing from one of the parts.
    """
    if not 0 < fraction < 1:
        raise InputError(f"fraction must lie between 0 and 1, got {fraction}.")
    rng = np.random.default_rng(seed)
    first = np.zeros(labels.size, dtype=bool)
    for number in np.unique(labels):
        members = np.flatnonzero(labels == number)
        taken = round(fraction * members.size)
        if not 0 < taken < members.size:
            raise InputError(
                f"a fraction of {fraction} puts {taken} of the {members.size} trials of '{classes[number]}' "
                "into the first part; both parts need one of each class."
            )
        first[rng.permutation(members)[:taken]] = True
    return first
