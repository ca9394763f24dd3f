"""What happened during the trials besides spikes: named events and epochs."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from snncompare.errors import InputError
from snncompare.recording.checks import float_column, positions

__all__ = ["Marks"]


@dataclass(frozen=True, eq=False)
class Marks:
    """Events or epochs of one name.

    Parameters
    ----------
    kind : {"event", "epoch"}
        An event has a time, an epoch a start and a stop.
    table : pandas.DataFrame
        One row per mark: ``trial`` (label of the trial it lies in), ``start`` and ``stop`` (seconds, relative to
        that trial's reference; equal for events), and any labels.

    Raises
    ------
    InputError
        For another kind, missing columns, times that are not finite, or a stop before its start.
    """

    kind: Literal["event", "epoch"]
    table: pd.DataFrame

    def __post_init__(self) -> None:
        if self.kind not in {"event", "epoch"}:
            raise InputError(f"marks are of kind 'event' or 'epoch', not {self.kind!r}.")
        table = self.table.reset_index(drop=True)
        if "trial" not in table:
            raise InputError("the table of marks has no column 'trial'; give the label of the trial each mark lies in.")
        for name in ("start", "stop"):
            table[name] = float_column(table, name, "marks")
        backwards = table["stop"] < table["start"]
        if backwards.any():
            raise InputError(
                f"{int(backwards.sum())} marks stop before they start, the first in row {backwards.argmax()}."
            )
        if self.kind == "event" and (table["stop"] != table["start"]).any():
            raise InputError("events have stop equal to start; use kind 'epoch' for marks that last.")
        object.__setattr__(self, "table", table)

    def within(self, trials: pd.Index, name: str) -> "Marks":
        """Return the marks in the order of their trial, then start.

        Raises
        ------
        InputError
            For a trial that is not among ``trials``.
        """
        position = positions(self.table["trial"], trials, f"trial (marks '{name}')")
        order = np.lexsort((self.table["start"].to_numpy(), position))
        table = self.table.iloc[order].reset_index(drop=True)
        table["trial"] = trials[position[order]]
        return Marks(self.kind, table)

    def equals(self, other: "Marks") -> bool:
        """Whether kind and table are the same, to the last bit."""
        return self.kind == other.kind and self.table.equals(other.table)
