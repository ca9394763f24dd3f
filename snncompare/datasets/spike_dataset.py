"""Labelled trials of spikes, ready to train on and to test with."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from snncompare.datasets.card import DatasetCard
from snncompare.errors import InputError, unknown
from snncompare.recording.recording import Recording
from snncompare.recording.time_steps import binary_raster, window_steps
from snncompare.units import QuantityLike, seconds

__all__ = ["SpikeDataset"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SpikeDataset:
    """A recording whose trials are samples, one of its trial labels being the class.

    Parameters
    ----------
    spikes : Recording
        One trial per sample.
    label : str
        Column of the trials table that names the class.
    name : str
        What the dataset is called.
    classes : tuple, optional
        All classes, in the order of their numbers; default: in order of first appearance. Parts of a dataset keep the
        classes of the whole.
    stimulus : xarray.DataArray, optional
        What was presented, first dimension ``trial`` with the names of the trials.
    card : DatasetCard, optional
        Where the data come from.

    Raises
    ------
    InputError
        If the label is no column of the trials table, a trial has no class or one that is not listed, or the stimulus
        has other trials.
    """

    spikes: Recording
    label: str
    name: str
    classes: tuple[Any, ...] = ()
    stimulus: xr.DataArray | None = None
    card: DatasetCard | None = None

    def __post_init__(self) -> None:
        if self.label not in self.spikes.trials:
            raise InputError(unknown("trial label", self.label, self.spikes.trials.columns))
        column = self.spikes.trials[self.label]
        if column.isna().any():
            raise InputError(f"{int(column.isna().sum())} trials have no '{self.label}'; leave them out first.")
        present = tuple(column.drop_duplicates())
        object.__setattr__(self, "classes", tuple(self.classes) or present)
        missing = [value for value in present if value not in self.classes]
        if missing or len(set(self.classes)) < len(self.classes):
            raise InputError(
                f"classes must be unique and hold every '{self.label}'; got {self.classes}, lacks {missing}."
            )
        if self.stimulus is not None:
            self._check_stimulus(self.stimulus)

    def _check_stimulus(self, stimulus: xr.DataArray) -> None:
        if stimulus.dims[:1] != ("trial",) or not np.array_equal(stimulus["trial"], self.spikes.trials.index):
            raise InputError(
                f"the stimulus needs 'trial' as first dimension, with the names of the {len(self)} trials; "
                f"it has dimensions {stimulus.dims} of shape {stimulus.shape}."
            )

    def __len__(self) -> int:
        return self.spikes.n_trials

    def __repr__(self) -> str:
        return (
            f"SpikeDataset('{self.name}': {len(self)} trials of {self.spikes.n_units} units, "
            f"{len(self.classes)} classes of '{self.label}')"
        )

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Number of the class of each trial: its position in `classes`, shape (n_trials,)."""
        number = {value: i for i, value in enumerate(self.classes)}
        labels = np.array([number[value] for value in self.spikes.trials[self.label]], dtype=np.int64)
        labels.setflags(write=False)
        return labels

    def subset(self, mask: ArrayLike) -> Self:
        """Return the trials that a boolean mask of shape (n_trials,) keeps, in their order, with the same classes.

        Raises
        ------
        InputError
            For a mask of another length or type, or one that keeps nothing.
        """
        spikes = self.spikes.select(trials=mask)
        stimulus = None if self.stimulus is None else self.stimulus[np.asarray(mask)]
        return replace(self, spikes=spikes, stimulus=stimulus)

    def split(self, fraction: float, *, seed: int) -> tuple[Self, Self]:
        """Return two disjoint parts that hold the same share of every class.

        Parameters
        ----------
        fraction : float
            Share of the trials of each class, rounded to whole trials, that goes into the first part.
        seed : int
            Which trials.

        Raises
        ------
        InputError
            For a fraction outside 0 to 1, or if a class would be missing from one of the parts.
        """
        if not 0 < fraction < 1:
            raise InputError(f"fraction must lie between 0 and 1, got {fraction}.")
        rng = np.random.default_rng(seed)
        first = np.zeros(len(self), dtype=bool)
        for number in np.unique(self.labels):
            members = np.flatnonzero(self.labels == number)
            taken = round(fraction * members.size)
            if not 0 < taken < members.size:
                raise InputError(
                    f"a fraction of {fraction} puts {taken} of the {members.size} trials of '{self.classes[number]}' "
                    "into the first part; both parts need one of each class."
                )
            first[rng.permutation(members)[:taken]] = True
        return self.subset(first), self.subset(~first)

    def split_by(self, column: str) -> dict[Any, Self]:
        """Return one part per value of a trial label, such as ``"split"`` or ``"session"``, by value.

        Raises
        ------
        InputError
            If there is no such label, or a trial has none.
        """
        trials = self.spikes.trials
        if column not in trials:
            raise InputError(unknown("trial label", column, trials.columns))
        if trials[column].isna().any():
            raise InputError(f"{int(trials[column].isna().sum())} trials have no '{column}'; leave them out first.")
        return {value: self.subset((trials[column] == value).to_numpy()) for value in trials[column].drop_duplicates()}

    def batches(self, batch_size: int, *, seed: int) -> Iterator[NDArray[np.int64]]:
        """Yield the positions of all trials once, in random order, in arrays of shape (batch_size,) or a smaller last.

        Raises
        ------
        InputError
            For a batch size below one.
        """
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, got {batch_size}.")
        order = np.random.default_rng(seed).permutation(len(self))
        return (order[i : i + batch_size] for i in range(0, order.size, batch_size))

    def raster(self, indices: ArrayLike, dt: QuantityLike) -> NDArray[np.bool_]:
        """Return which unit fires in which time step, for the trials at these positions.

        A spike falls into the step in which a Brian2 ``SpikeGeneratorGroup`` would emit it, see
        `snncompare.recording.time_steps.brian2_step`; one that Brian2 would emit in the step after the end of the
        window is absent.

        Parameters
        ----------
        indices : array of int, shape (n,)
            Positions of trials, in any order, also repeated.
        dt : time
            Time step; the windows of the trials must be equally long, and a whole number of steps.

        Returns
        -------
        array of bool, shape (n, n_steps, n_units)

        Raises
        ------
        InputError
            For two spikes of one unit in one step, positions that do not exist, windows of different length or that are
            no whole number of steps.
        """
        step = seconds(dt, "dt")
        n_steps = window_steps(self.spikes.trials, step)
        chosen = np.asarray(indices)
        whole = chosen.dtype.kind in "iu" and 0 <= chosen.min(initial=0) <= chosen.max(initial=0) < len(self)
        if chosen.ndim != 1 or (chosen.size and not whole):
            raise InputError(
                f"indices must be whole numbers from 0 to {len(self) - 1}, in one dimension; got {indices!r}."
            )
        return binary_raster(self.spikes, chosen.astype(np.int64), step, n_steps)
