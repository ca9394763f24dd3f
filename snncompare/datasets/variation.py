"""Varied copies of the trials of a dataset: faster, slower, higher, lower, thinned; more to learn from."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.source import SpikeSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.encoding.encoder import Spikes
from snncompare.encoding.parameters import check_between, check_whole, keep_times
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["Variation", "varied"]


@dataclass(frozen=True, kw_only=True)
class Variation:
    """How copies of a trial differ from it; the values of a copy are drawn evenly from the ranges given.

    Parameters
    ----------
    time_scale : (float, float)
        Factor of all times and of the trial's window: below 1 is faster.
    unit_shift : int
        Largest number of places by which all spikes move to other units, up or down; for units in an order, such as
        that of characteristic frequency. Spikes that would leave the ends are lost.
    unit_step : int
        Number of units at a place, for example the fibres of one hair cell.
    drop : float
        Largest probability with which each spike is left out.
    jitter : time
        Standard deviation of a Gaussian that moves each spike; spikes that would leave the window are lost.

    Raises
    ------
    InputError
        For values that are no such ranges.

    References
    ----------
    Cramer, Stradmann, Schemmel & Zenke (2022) IEEE Trans Neural Netw Learn Syst 33:2744-2757 (shifts between channels
    against overfitting of spoken digits); Nowotny, Turner & Knight (2025) Neuromorph Comput Eng 5:014001 (shifts).
    """

    time_scale: tuple[float, float] = (1.0, 1.0)
    unit_shift: int = 0
    unit_step: int = 1
    drop: float = 0.0
    jitter: QuantityLike = "0 ms"

    def __post_init__(self) -> None:
        scale = tuple(self.time_scale)
        if len(scale) != 2 or not 0.0 < scale[0] <= scale[1] < np.inf:
            raise InputError(f"time_scale must be a lowest and a highest factor above 0, got {self.time_scale}.")
        object.__setattr__(self, "time_scale", scale)
        check_whole(self, "unit_shift", 0)
        check_whole(self, "unit_step", 1)
        check_between(self, "drop", 0.0, 1.0)
        keep_times(self, "jitter", zero=True)

    def factor(self, randomness: np.random.SeedSequence) -> float:
        """Return the factor of time of a copy."""
        return float(np.random.default_rng(randomness).uniform(*self.time_scale))

    def applied(self, spikes: Spikes, duration: float, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of a copy of one trial.

        Parameters
        ----------
        spikes : Spikes
            From 0 to `duration`, counts of shape (n_units,).
        duration : float
            Seconds.
        randomness : numpy.random.SeedSequence
        """
        rng = np.random.default_rng(randomness)
        n_units = spikes.counts.size
        factor = rng.uniform(*self.time_scale)
        shift = self.unit_step * int(rng.integers(-self.unit_shift, self.unit_shift + 1))
        kept_with = 1.0 - self.drop * rng.random()
        times = spikes.times * factor + self.jitter.value * rng.standard_normal(spikes.times.size)
        units = np.repeat(np.arange(n_units), spikes.counts) + shift
        inside = (units >= 0) & (units < n_units) & (times >= 0.0) & (times <= duration * factor)
        inside &= rng.random(times.size) < kept_with
        times, units = times[inside], units[inside]
        order = np.lexsort((times, units))
        return Spikes(times[order], np.bincount(units, minlength=n_units))


def varied(dataset: SpikeDataset, variation: Variation, *, copies: int, seed: int) -> SpikeDataset:
    """Return a dataset of the trials as they are, followed by varied copies of all of them.

    Parameters
    ----------
    dataset : SpikeDataset
    variation : Variation
    copies : int
        Number of copies of each trial besides the trial itself; the trials table names them in the column ``copy``.
    seed : int
        Copy k of trial i depends on the seed, i and k only.

    Raises
    ------
    InputError
        For no copies, or a dataset with targets over time, which would have to vary too.
    """
    if copies < 1 or seed < 0:
        raise InputError(f"copies must be at least 1 and seed at least 0, got copies={copies}, seed={seed}.")
    if dataset.target(0) is not None:
        raise InputError(f"the trials of '{dataset.name}' have targets over time, which copies would not follow.")
    source = _VariedSource(dataset.source, variation, copies, seed)
    return SpikeDataset(
        spikes=source, label=dataset.label, name=dataset.name, classes=dataset.classes, card=dataset.card
    )


class _VariedSource(SpikeSource):
    """Trial ``i + n k`` is copy k of trial i of n; copy 0 is the trial itself."""

    def __init__(self, source: SpikeSource, variation: Variation, copies: int, seed: int) -> None:
        self._source = source
        self._variation = variation
        self._copies = copies
        self._seed = seed
        self._trials = self._table()

    @property
    def units(self) -> pd.DataFrame:
        return self._source.units

    @property
    def trials(self) -> pd.DataFrame:
        return self._trials

    def spikes(self, positions: NDArray[np.int64]) -> Spikes:
        n = len(self._source.trials)
        times, counts = self._source.spikes(positions % n)
        ends = np.cumsum(counts.sum(axis=1))
        made = [
            self._varied(Spikes(train, counts[row]), int(positions[row]))
            for row, train in enumerate(np.split(times, ends[:-1]))
        ]
        if not made:
            return Spikes(times, counts)
        return Spikes(np.concatenate([one.times for one in made]), np.stack([one.counts for one in made]))

    def stimulus(self, position: int) -> object:
        return self._source.stimulus(position % len(self._source.trials))

    def target(self, position: int) -> xr.DataArray | None:
        return self._source.target(position % len(self._source.trials))

    def _varied(self, spikes: Spikes, position: int) -> Spikes:
        copy, trial = divmod(position, len(self._source.trials))
        if copy == 0:
            return spikes
        start, stop = (float(self._source.trials[name].iloc[trial]) for name in ("start", "stop"))
        moved = self._variation.applied(
            Spikes(spikes.times - start, spikes.counts), stop - start, self._randomness(trial, copy)
        )
        return Spikes(moved.times + start, moved.counts)

    def _randomness(self, trial: int, copy: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self._seed, spawn_key=(trial, copy))

    def _table(self) -> pd.DataFrame:
        whole = self._source.trials
        tables = [whole.assign(copy=0)]
        for copy in range(1, self._copies + 1):
            factors = [self._variation.factor(self._randomness(trial, copy)) for trial in range(len(whole))]
            stop = whole["start"] + (whole["stop"] - whole["start"]) * factors
            table = whole.assign(stop=stop, copy=copy)
            tables.append(table.set_axis([f"{name} copy {copy}" for name in whole.index]))
        return pd.concat(tables)
