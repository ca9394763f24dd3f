"""Which condition each trial belongs to: the labels in order of first appearance, and an index per trial."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording.recording import Recording

__all__ = ["Conditions", "Label", "unique_labels"]

Label = str | int | float | bool


@dataclass(frozen=True, eq=False)
class Conditions:
    """The conditions of some trials.

    Parameters
    ----------
    labels : tuple of str or numbers
        One per condition, each once, in order of first appearance.
    index : array (n_trials,)
        Position in ``labels`` of the condition of each trial.
    """

    labels: tuple[Label, ...]
    index: NDArray[np.int64]

    def __post_init__(self) -> None:
        present = np.unique(self.index)
        if not np.array_equal(present, np.arange(len(self.labels))):
            raise InputError(
                f"every one of {len(self.labels)} conditions needs a trial, but the index names {present.tolist()}."
            )

    @classmethod
    def from_labels(cls, labels: Iterable[object], what: str = "the condition labels") -> Self:
        """Make conditions from one label per trial.

        Raises
        ------
        InputError
            If a label is missing or is neither text nor a number, or if there are fewer than two conditions.
        """
        given = pd.Series(list(labels), dtype=object)
        if given.isna().any():
            trial = int(given.isna().to_numpy().argmax())
            raise InputError(
                f"{what} are missing for {int(given.isna().sum())} trials, the first at position {trial}; "
                "label these trials or select the others."
            )
        index, found = pd.factorize(given)
        if len(found) < 2:
            raise InputError(f"{what} name {len(found)} condition(s), {list(found)}; an RDM needs at least two.")
        return cls(tuple(_plain(label, what) for label in found), index.astype(np.int64))

    @classmethod
    def of(cls, recording: Recording, by: str) -> Self:
        """Make conditions from a column of the trials table of a recording.

        Raises
        ------
        InputError
            If there is no such column (the nearest name is given), or as in `from_labels`.
        """
        if by not in recording.trials.columns:
            raise InputError(unknown("column in the trials table", by, recording.trials.columns))
        return cls.from_labels(recording.trials[by], f"the labels in column '{by}'")

    @property
    def n_conditions(self) -> int:
        """Number of conditions."""
        return len(self.labels)

    @property
    def n_trials(self) -> NDArray[np.int64]:
        """Number of trials of each condition, array (n_conditions,)."""
        return np.bincount(self.index, minlength=self.n_conditions)

    def require_trials(self, needed: int, why: str) -> None:
        """Raise an `InputError` if a condition has fewer than ``needed`` trials."""
        shortage = self.shortage(needed)
        if shortage:
            raise InputError(f"{why} needs at least {needed} trials of every condition; {shortage}.")

    def shortage(self, needed: int) -> str:
        """Return in words which condition has fewer than ``needed`` trials, or an empty text."""
        few = np.flatnonzero(self.n_trials < needed)
        if few.size == 0:
            return ""
        worst = few[np.argmin(self.n_trials[few])]
        more = f" ({few.size} of {self.n_conditions} conditions have too few)" if few.size > 1 else ""
        return f"condition {self.labels[worst]!r} has {self.n_trials[worst]}{more}"


def unique_labels(labels: Iterable[object]) -> tuple[Label, ...]:
    """Return the labels of an RDM's conditions, each of which may occur once.

    Raises
    ------
    InputError
        If a label is missing, occurs twice or is neither text nor a number, or if there are fewer than two.
    """
    given = list(labels)
    conditions = Conditions.from_labels(given, "the conditions of an RDM")
    if conditions.n_conditions < len(given):
        twice = Counter(conditions.index.tolist()).most_common(1)[0][0]
        raise InputError(f"condition {conditions.labels[twice]!r} is named more than once; an RDM has each once.")
    return conditions.labels


def _plain(label: object, what: str) -> Label:
    value = label.item() if isinstance(label, np.generic) else label
    if not isinstance(value, str | Real):
        raise InputError(f"{what} must be text or numbers, got {value!r} ({type(value).__name__}).")
    return value  # type: ignore[return-value]
