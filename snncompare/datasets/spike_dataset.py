"""Labelled trials of spikes, ready to train on and to test with."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from snncompare.datasets.card import DatasetCard
from snncompare.datasets.source import RecordingSource, SelectedSource, SpikeSource
from snncompare.errors import InputError, unknown
from snncompare.recording.recording import Recording
from snncompare.recording.time_steps import spike_steps, window_steps
from snncompare.units import QuantityLike, seconds

__all__ = ["Sample", "SpikeDataset"]


class Sample(NamedTuple):
    """One trial as events, ordered by unit, then time.

    ``times``: seconds from the start of the trial. ``units``: position of the unit of each spike. ``duration``:
    seconds. ``label``: number of the class, -1 where the dataset has no classes.
    """

    times: NDArray[np.float64]
    units: NDArray[np.int64]
    duration: float
    label: int


class SpikeDataset:
    """Trials of spikes as samples, one of their labels being the class.

    Spikes are made when they are asked for: a dataset of encoded stimuli costs nothing until its trials are used.

    Parameters
    ----------
    spikes : Recording or SpikeSource
        One trial per sample.
    label : str, optional
        Column of the trials table that names the class. None: a task without classes, see `target`.
    name : str
        What the dataset is called.
    classes : tuple, optional
        All classes, in the order of their numbers; default: in order of first appearance. Parts of a dataset keep the
        classes of the whole.
    stimulus : xarray.DataArray, optional
        What was presented, first dimension ``trial`` with the names of the trials; for a `Recording` only, a source
        knows its own.
    card : DatasetCard, optional
        Where the data come from.

    Raises
    ------
    InputError
        If the label is no column of the trials table, a trial has no class or one that is not listed, or the stimulus
        has other trials.
    """

    def __init__(
        self,
        *,
        spikes: Recording | SpikeSource,
        label: str | None,
        name: str,
        classes: tuple[Any, ...] = (),
        stimulus: xr.DataArray | None = None,
        card: DatasetCard | None = None,
    ) -> None:
        self.source = RecordingSource(spikes, stimulus) if isinstance(spikes, Recording) else spikes
        self.label = label
        self.name = name
        self.stimulus = stimulus
        self.card = card
        self.classes = () if label is None else _checked_classes(self.source.trials, label, tuple(classes))
        if stimulus is not None:
            self._check_stimulus(stimulus)

    def _check_stimulus(self, stimulus: xr.DataArray) -> None:
        if stimulus.dims[:1] != ("trial",) or not np.array_equal(stimulus["trial"], self.trials.index):
            raise InputError(
                f"the stimulus needs 'trial' as first dimension, with the names of the {len(self)} trials; "
                f"it has dimensions {stimulus.dims} of shape {stimulus.shape}."
            )

    @property
    def units(self) -> pd.DataFrame:
        """One row per unit: its name, and what is known of it."""
        return self.source.units

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial: its name, window and labels."""
        return self.source.trials

    @cached_property
    def spikes(self) -> Recording:
        """All trials; what was not made yet is made now."""
        return self.source.recording()

    def recording(self, indices: ArrayLike) -> Recording:
        """Return the trials at these positions, in this order.

        Raises
        ------
        InputError
            For positions that do not exist or occur twice.
        """
        return self.source.recording(self._positions(indices))

    def target(self, index: int) -> xr.DataArray | None:
        """Return what a network is to answer over time in a trial; None where the class is the answer."""
        return self.source.target(int(self._positions([index])[0]))

    def __len__(self) -> int:
        return len(self.trials)

    def __getitem__(self, index: int) -> Sample:
        if not -len(self) <= index < len(self):
            raise IndexError(f"trial {index} of {len(self)}")
        position = index % len(self)
        times, counts = self.source.spikes(np.array([position]))
        start, stop = self.trials["start"].iloc[position], self.trials["stop"].iloc[position]
        units = np.repeat(np.arange(counts.shape[1]), counts[0])
        label = -1 if self.label is None else int(self.labels[position])
        return Sample(times - start, units, float(stop - start), label)

    def __repr__(self) -> str:
        what = "no classes" if self.label is None else f"{len(self.classes)} classes of '{self.label}'"
        return f"SpikeDataset('{self.name}': {len(self)} trials of {len(self.units)} units, {what})"

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Number of the class of each trial: its position in `classes`, shape (n_trials,).

        Raises
        ------
        InputError
            For a dataset without classes.
        """
        if self.label is None:
            raise InputError(f"the dataset '{self.name}' has no classes; its answers over time are dataset.target(i).")
        number = {value: i for i, value in enumerate(self.classes)}
        labels = np.array([number[value] for value in self.trials[self.label]], dtype=np.int64)
        labels.setflags(write=False)
        return labels

    def subset(self, mask: ArrayLike) -> Self:
        """Return the trials that a boolean mask of shape (n_trials,) keeps, in their order, with the same classes.

        Raises
        ------
        InputError
            For a mask of another length or type, or one that keeps nothing.
        """
        kept = np.asarray(mask)
        if kept.dtype != np.bool_ or kept.shape != (len(self),) or not kept.any():
            raise InputError(
                f"a mask holds {len(self)} truth values, one per trial, at least one of them True; got {kept.dtype} of "
                f"shape {kept.shape}."
            )
        stimulus = None if self.stimulus is None else self.stimulus[kept]
        source = self.source
        part: Recording | SpikeSource = (
            source.recording().select(trials=kept)
            if isinstance(source, RecordingSource)
            else SelectedSource(source, np.flatnonzero(kept))
        )
        return type(self)(
            spikes=part, label=self.label, name=self.name, classes=self.classes, stimulus=stimulus, card=self.card
        )

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
        trials = self.trials
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
        n_steps = window_steps(self.trials, step)
        chosen = self._positions(indices)
        where = self._spike_steps(chosen, step, n_steps)
        raster = np.zeros((chosen.size, n_steps, len(self.units)), dtype=bool)
        raster[where] = True
        if np.count_nonzero(raster) < where[0].size:
            self._refuse_twice(chosen, where, step)
        return raster

    def _spike_steps(self, chosen: NDArray[np.int64], dt: float, n_steps: int) -> tuple[NDArray[np.int64], ...]:
        starts = self.trials["start"].to_numpy(dtype=np.float64)[chosen]
        return spike_steps(*self.source.spikes(chosen), starts, dt, n_steps)

    def _refuse_twice(self, chosen: NDArray[np.int64], where: tuple[NDArray[np.int64], ...], dt: float) -> None:
        cells = pd.DataFrame(dict(zip(("row", "step", "unit"), where, strict=True)))
        twice = cells[cells.duplicated()]
        row, step, unit = twice.iloc[0]
        raise InputError(
            f"{len(twice)} spikes share a step of {dt:g} s with another spike of their unit, the first in trial "
            f"{self.trials.index[chosen[row]]!r}, unit {self.units.index[unit]!r}, step {step}; take a smaller dt."
        )

    def _positions(self, indices: ArrayLike) -> NDArray[np.int64]:
        chosen = np.asarray(indices)
        if chosen.size == 0 and chosen.ndim == 1:
            return np.empty(0, dtype=np.int64)
        whole = chosen.dtype.kind in "iu" and 0 <= chosen.min(initial=0) <= chosen.max(initial=0) < len(self)
        if chosen.ndim != 1 or not whole:
            raise InputError(
                f"indices must be whole numbers from 0 to {len(self) - 1}, in one dimension; got {indices!r}."
            )
        return chosen.astype(np.int64)


def _checked_classes(trials: pd.DataFrame, label: str, classes: tuple[Any, ...]) -> tuple[Any, ...]:
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
