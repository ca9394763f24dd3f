"""Labelled trials of spikes, ready to train on and to test with."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from snncompare.datasets.card import DatasetCard
from snncompare.datasets.partition import checked_classes, stratified_part
from snncompare.datasets.saving import save_spikes
from snncompare.datasets.source import RecordingSource, SelectedSource, SpikeSource
from snncompare.datasets.time_grid import counts_in_steps, raster_of
from snncompare.errors import InputError, unknown
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    import neo

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
        self.card = card
        self.classes = () if label is None else checked_classes(self.source.labels, label, tuple(classes))
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

    @cached_property
    def stimulus(self) -> xr.DataArray | None:
        """What was presented, first dimension ``trial``; None where the stimuli do not make one array."""
        return self.source.stimuli()

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
        return len(self.source.labels)

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
        labels = np.array([number[value] for value in self.source.labels[self.label]], dtype=np.int64)
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
        source = self.source
        stimulus = None
        part: Recording | SpikeSource = SelectedSource(source, np.flatnonzero(kept))
        if type(source) is RecordingSource:  # one that knows more, such as answers over time, is asked for it
            part = source.recording().select(trials=kept)
            stimulus = None if self.stimulus is None else self.stimulus[kept]
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
        first = stratified_part(self.labels, self.classes, fraction, seed)
        return self.subset(first), self.subset(~first)

    @property
    def parts(self) -> dict[Any, Self]:
        """The parts its card tells apart, such as ``"train"`` and ``"test"``; empty where it has no such column."""
        recipe = None if self.card is None else self.card.recipe
        return {} if recipe is None or recipe.split is None else self.split_by(recipe.split)

    def part(self, name: Any) -> Self:
        """Return one of the `parts`.

        Raises
        ------
        InputError
            If there is no such part.
        """
        parts = self.parts
        if not parts:
            raise InputError(
                f"the card of '{self.name}' names no parts; split it with dataset.split(0.8, seed=0) or "
                "dataset.split_by(column)."
            )
        if name not in parts:
            raise InputError(unknown(f"part of '{self.name}' called", name, parts))
        return parts[name]

    def split_by(self, column: str) -> dict[Any, Self]:
        """Return one part per value of a trial label, such as ``"split"`` or ``"session"``, by value.

        Raises
        ------
        InputError
            If there is no such label, or a trial has none.
        """
        trials = self.source.labels
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
        return raster_of(self.source, self._positions(indices), seconds(dt, "dt"))

    def counts(self, indices: ArrayLike, dt: QuantityLike, duration: QuantityLike | None = None) -> NDArray[np.float32]:
        """Return how often each unit fires in each time step, for the trials at these positions.

        Steps are those of `raster`, whose values it has where no two spikes share a step and windows are equal.

        Parameters
        ----------
        indices : array of int, shape (n,)
            Positions of trials, in any order, also repeated.
        dt : time
            Time step. A last step that the window only partly fills counts what the window holds.
        duration : time, optional
            What the steps cover; default: the longest window of this dataset, so that a trial is the same in every
            batch. Shorter trials are followed by silence, spikes of longer ones after it are left out.

        Returns
        -------
        array of float32, shape (n, n_steps, n_units)

        Raises
        ------
        InputError
            For positions that do not exist, and times that are not positive.
        """
        limit = None if duration is None else seconds(duration, "duration")
        return counts_in_steps(self.source, self._positions(indices), seconds(dt, "dt"), limit)

    def build(self, folder: str | Path | None = None, *, workers: int | None = 1, progress: bool = True) -> Path | None:
        """Encode all trials now and keep their spikes on disk, from where they are read from then on.

        An interrupted build goes on where it was; the bytes do not depend on the number of workers.

        Parameters
        ----------
        folder : path, optional
            Where; default ``SNNCOMPARE_CACHE/spikes``, where every later `datasets.load` of the same recipe finds them.
        workers : int, optional
            Processes; None uses all processors. More than one need ``if __name__ == "__main__":`` in a script.
        progress : bool
            Say how much disk it takes before it starts, and show a progress bar, on stderr.

        Returns
        -------
        Path or None
            The folder of the stored spikes; None where there is nothing to encode.

        Raises
        ------
        FileError
            If the disk has too little space; what was stored stays.
        """
        return self.source.build(folder=folder, workers=workers, progress=progress)

    def save(self, path: str | Path, metadata: Any = None) -> Path:
        """Write all trials to ``path`` and return it: ``.npz``, ``.nwb``, ``.nix``, or ``.h5`` as the Heidelberg sets.

        ``metadata`` is what an NWB file says of its session, see `recording.writers.save`; trials that were never
        recorded follow one another there with pauses of 0.1 s.

        Raises
        ------
        InputError
            For another ending, or what a format cannot hold.
        """
        return save_spikes(self.source, Path(path), label=self.label, classes=self.classes, metadata=metadata)

    def to_neo(self) -> "neo.Block":
        """Return all trials as a Neo Block, see `Recording.to_neo`."""
        return self.spikes.to_neo()

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
