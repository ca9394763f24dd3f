"""Which trials are left out together, and label permutations that keep what every fold was trained on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.conditions import Conditions

__all__ = ["Folds", "folds_of", "permuted_labels"]

USUAL = 5
"""Folds where nothing else is asked for: four fifths of the trials train."""


@dataclass(frozen=True, eq=False)
class Folds:
    """A cross-validation.

    Parameters
    ----------
    fold : array (n_trials,)
        Fold in which each trial is tested, counted from 0.
    block : array (n_trials,)
        Trials whose labels are exchangeable if they tell nothing: those of a fold, or of a group.
    words : str
        What is left out, in words.
    """

    fold: NDArray[np.int64]
    block: NDArray[np.int64]
    words: str

    def __iter__(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield positions of the trials that train and of those that are tested, fold by fold."""
        for k in range(int(self.fold.max()) + 1):
            yield np.flatnonzero(self.fold != k), np.flatnonzero(self.fold == k)


def folds_of(conditions: Conditions, n_folds: int | None, rng: np.random.Generator) -> Folds:
    """Return folds that hold an equal share of every class, or whole groups where the conditions are grouped.

    Parameters
    ----------
    conditions : Conditions
        With ``across`` for groups that are left out whole.
    n_folds : int, optional
        Default: 5, or one per group.
    rng : numpy.random.Generator

    Raises
    ------
    InputError
        If a class has fewer trials than there are folds, groups than folds, or a class would be missing in training.
    """
    if conditions.group is not None:
        return _grouped(conditions, n_folds, rng)
    chosen = USUAL if n_folds is None else n_folds
    fewest = int(conditions.n_trials.min())
    if fewest < chosen:
        label = conditions.labels[int(conditions.n_trials.argmin())]
        raise InputError(
            f"{chosen} folds need {chosen} trials of every class, {label!r} has {fewest}"
            f"{f'; take folds={fewest}.' if fewest > 1 else ', which cannot be decoded; leave it out.'}"
        )
    fold = np.empty(conditions.n_all, dtype=np.int64)
    for c in range(conditions.n_conditions):
        members = rng.permutation(np.flatnonzero(conditions.index == c))
        fold[members] = (np.arange(members.size) + c) % chosen
    return Folds(fold, fold, f"{chosen} folds")


def _grouped(conditions: Conditions, n_folds: int | None, rng: np.random.Generator) -> Folds:
    group = conditions.group
    if group is None:
        raise InputError("these trials are not grouped.")
    n_groups = int(group.max()) + 1
    chosen = n_groups if n_folds is None else n_folds
    if not 2 <= chosen <= n_groups:
        raise InputError(
            f"{chosen} folds of whole groups need as many groups, '{conditions.across}' has {n_groups} "
            "(at least two); take fewer folds, or no groups."
        )
    fold = (rng.permutation(n_groups) % chosen)[group]
    for k in range(chosen):
        trained = np.bincount(conditions.index[fold != k], minlength=conditions.n_conditions)
        if (trained == 0).any():
            label = conditions.labels[int(trained.argmin())]
            raise InputError(
                f"class {label!r} has no trial outside one fold of '{conditions.across}'; it cannot be learned there. "
                "Leave it out, or take other groups."
            )
    varied = any(np.unique(conditions.index[group == g]).size > 1 for g in range(n_groups))
    if not varied:
        raise InputError(
            f"every value of '{conditions.across}' has one class only, so that the class cannot be told from it; "
            "take groups in which the class varies, or none."
        )
    each = "every" if chosen == n_groups else f"{chosen} folds of whole values of"
    return Folds(fold, group, f"{each} '{conditions.across}' left out")


def permuted_labels(
    index: NDArray[np.int64], block: NDArray[np.int64], n_permutations: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the labels, and after them permutations inside the blocks, shape (1 + n_permutations, n_trials).

    Every fold trains and tests with the same number of trials of each class in all of them.
    """
    labels = np.tile(index, (1 + n_permutations, 1))
    for b in np.unique(block):
        members = np.flatnonzero(block == b)
        labels[1:, members] = rng.permuted(labels[1:, members], axis=1)
    return labels
