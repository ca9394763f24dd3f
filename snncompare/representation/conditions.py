"""Which condition each trial belongs to: the labels in order of first appearance, and an index per trial."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording.arguments import a_recording, column_name
from snncompare.recording.recording import Recording

__all__ = ["Conditions", "Label", "label_column", "label_list", "only_conditions", "unique_labels"]

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
    across : str, optional
        What the trials are grouped by besides, such as ``"session"``, for estimators that pair trials of different
        groups only.
    group : array (n_trials,), optional
        Group of each trial, counted from 0.
    """

    labels: tuple[Label, ...]
    index: NDArray[np.int64]
    across: str | None = None
    group: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        present = np.unique(self.index)
        if not np.array_equal(present, np.arange(len(self.labels))):
            raise InputError(
                f"every one of {len(self.labels)} conditions needs a trial, but the index names {present.tolist()}."
            )
        if (self.across is None) != (self.group is None) or (self.group is not None and self.group.size != self.n_all):
            raise InputError(f"grouped conditions need a name and one group for each of {self.n_all} trials.")

    @classmethod
    def from_labels(
        cls,
        labels: Iterable[object],
        what: str = "the condition labels",
        *,
        across: str | None = None,
        groups: Iterable[object] | None = None,
    ) -> Self:
        """Make conditions from one label per trial, and from one group per trial where trials are grouped.

        Raises
        ------
        InputError
            If a label is missing or is neither text nor a number, or if there are fewer than two conditions.
        """
        index, found = _factorised(labels, what)
        if len(found) < 2:
            raise InputError(f"{what} name {len(found)} condition(s), {list(found)}; an RDM needs at least two.")
        group = None if groups is None else _factorised(groups, f"the groups '{across}'")[0]
        return cls(tuple(_plain(label, what) for label in found), index, across, group)

    @classmethod
    def of(cls, recording: Recording, by: str, across: str | None = None) -> Self:
        """Make conditions from columns of the trials table of a recording: the condition, and the group if any.

        Raises
        ------
        InputError
            If there is no such column (the nearest name is given), or as in `from_labels`.
        """
        groups = None if across is None else label_column(recording, across)
        return cls.from_labels(
            label_column(recording, by), f"the labels in column '{by}'", across=across, groups=groups
        )

    @property
    def n_all(self) -> int:
        """Number of trials of all conditions."""
        return int(self.index.size)

    @property
    def n_conditions(self) -> int:
        """Number of conditions."""
        return len(self.labels)

    @property
    def n_trials(self) -> NDArray[np.int64]:
        """Number of trials of each condition, array (n_conditions,)."""
        return np.bincount(self.index, minlength=self.n_conditions)

    @property
    def in_group(self) -> NDArray[np.bool_]:
        """Which condition has a trial in which group, array (n_conditions, n_groups)."""
        if self.group is None:
            raise InputError("these trials are not grouped; give Conditions.of(recording, by, across='session').")
        present = np.zeros((self.n_conditions, int(self.group.max()) + 1), dtype=bool)
        present[self.index, self.group] = True
        return present

    def ordered(self, labels: Sequence[Label]) -> Self:
        """Return the same conditions with their labels in the order given."""
        position = [labels.index(label) for label in self.labels]
        return type(self)(tuple(labels), np.array(position)[self.index], self.across, self.group)

    def require_trials(self, needed: int, why: str) -> None:
        """Raise an `InputError` if a condition has fewer than ``needed`` trials."""
        shortage = self.shortage(needed)
        if shortage:
            raise InputError(f"{why} needs at least {needed} trials of every condition; {shortage}.")

    def shortage(self, needed: int) -> str:
        """Return in words which condition has fewer than ``needed`` trials, or an empty text."""
        return self._shortage(self.n_trials, needed, "")

    def group_shortage(self, needed: int) -> str:
        """Return in words which condition has trials in fewer than ``needed`` groups, or an empty text."""
        return self._shortage(self.in_group.sum(axis=1), needed, f" different values of '{self.across}'")

    def _shortage(self, numbers: NDArray[np.int64], needed: int, of_what: str) -> str:
        few = np.flatnonzero(numbers < needed)
        if few.size == 0:
            return ""
        worst = few[np.argmin(numbers[few])]
        more = f" ({few.size} of {self.n_conditions} conditions have too few)" if few.size > 1 else ""
        return f"condition {self.labels[worst]!r} has {numbers[worst]}{of_what}{more}"


def label_column(recording: Recording, name: str) -> pd.Series:
    """Return a column of the trials table, or refuse a name that it does not have."""
    column_name(name, "the column that labels trials")
    if name not in a_recording(recording).trials.columns:
        raise InputError(unknown("column in the trials table", name, recording.trials.columns))
    return recording.trials[name]


def only_conditions(recording: Recording, by: str, labels: Iterable[Label]) -> tuple[Recording, tuple[Label, ...]]:
    """Return the recording without the trials of other conditions, and the labels that were asked for.

    Raises
    ------
    InputError
        If a label is asked for twice or has no trial; all that have none are named.
    """
    wanted = unique_labels(labels)
    column = label_column(recording, by)
    present = list(dict.fromkeys(column.dropna()))
    absent = [label for label in wanted if label not in present]
    if absent:
        raise InputError(
            f"no trial of {_listed(absent)} in column '{by}'; it has {_listed(present)}. Ask for conditions that occur."
        )
    return recording.select(trials=column.isin(wanted).to_numpy(dtype=bool)), wanted


def unique_labels(labels: Iterable[object]) -> tuple[Label, ...]:
    """Return the labels of an RDM's conditions, each of which may occur once.

    Raises
    ------
    InputError
        If a label is missing, occurs twice or is neither text nor a number, or if there are fewer than two.
    """
    given = label_list(labels, "conditions")
    conditions = Conditions.from_labels(given, "the conditions of an RDM")
    if conditions.n_conditions < len(given):
        twice = Counter(conditions.index.tolist()).most_common(1)[0][0]
        raise InputError(f"condition {conditions.labels[twice]!r} is named more than once; an RDM has each once.")
    return conditions.labels


def _factorised(labels: Iterable[object], what: str) -> tuple[NDArray[np.int64], pd.Index]:
    given = pd.Series(label_list(labels, what), dtype=object)
    if given.isna().any():
        trial = int(given.isna().to_numpy().argmax())
        raise InputError(
            f"{what} are missing for {int(given.isna().sum())} trials, the first at position {trial}; "
            "label these trials or select the others."
        )
    strange = [label for label in given if not isinstance(label, str | Real | np.generic)]
    if strange:
        raise InputError(f"{what} must be text or numbers, got {strange[0]!r} ({type(strange[0]).__name__}).")
    truth = {bool(label) for label in given if isinstance(label, bool | np.bool_)}
    if truth & {label for label in given if not isinstance(label, str | bool | np.bool_)}:
        raise InputError(f"{what} hold both True or False and the number that is equal to it (1 or 0); use text.")
    index, found = pd.factorize(given)
    return index.astype(np.int64), found


def label_list(labels: Any, what: str) -> list[Any]:
    """Return labels as a list; refuse text, tables and what holds no labels.

    Raises
    ------
    InputError
    """
    if isinstance(labels, str | bytes | Mapping | pd.DataFrame) or not isinstance(labels, Iterable):
        raise InputError(f"{what} must be a list of labels such as ['a', 'b'], got {labels!r:.80}.")
    return list(labels)


def _listed(labels: Iterable[object], most: int = 12) -> str:
    given = [repr(label) for label in labels]
    return ", ".join(given[:most]) + (f" and {len(given) - most} more" if len(given) > most else "")


def _plain(label: object, what: str) -> Label:
    value = label.item() if isinstance(label, np.generic) else label
    if not isinstance(value, str | Real):
        raise InputError(f"{what} must be text or numbers, got {value!r} ({type(value).__name__}).")
    return value  # type: ignore[return-value]
