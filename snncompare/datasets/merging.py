"""Units that belong together as one: the fibres of a hair cell, the receptors of a glomerulus, the cells of a site."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.source import SpikeSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.encoding.encoder import Spikes
from snncompare.errors import InputError, unknown

__all__ = ["merged"]


def merged(dataset: SpikeDataset, by: str) -> SpikeDataset:
    """Return a dataset whose units are groups of units, each with the spikes of all its members.

    Parameters
    ----------
    dataset : SpikeDataset
    by : str
        Column of the units table; units with one value become one unit, in order of first appearance. Of the other
        columns those remain that are the same for all members of every group.

    Raises
    ------
    InputError
        If there is no such column, or a unit has no value in it.
    """
    if by not in dataset.units:
        raise InputError(unknown("unit label", by, dataset.units.columns))
    if dataset.units[by].isna().any():
        raise InputError(f"{int(dataset.units[by].isna().sum())} units have no '{by}'; they belong to no group.")
    source = _MergedSource(dataset.source, by)
    return SpikeDataset(
        spikes=source, label=dataset.label, name=dataset.name, classes=dataset.classes, card=dataset.card
    )


class _MergedSource(SpikeSource):
    """Another source with its units in groups."""

    def __init__(self, source: SpikeSource, by: str) -> None:
        self._source = source
        numbers, names = pd.factorize(source.units[by])
        self._group = numbers.astype(np.int64)
        self._units = _group_table(source.units, by, list(names))

    @property
    def units(self) -> pd.DataFrame:
        return self._units

    @property
    def trials(self) -> pd.DataFrame:
        return self._source.trials

    def spikes(self, positions: NDArray[np.int64]) -> Spikes:
        times, counts = self._source.spikes(positions)
        n_trials, n_groups = len(counts), len(self._units)
        train = np.repeat(np.arange(counts.size), counts.ravel())
        trial, unit = np.divmod(train, max(counts.shape[1], 1))
        group = trial * n_groups + self._group[unit]
        order = np.lexsort((times, group))
        return Spikes(times[order], np.bincount(group, minlength=n_trials * n_groups).reshape(n_trials, n_groups))

    def stimulus(self, position: int) -> object:
        return self._source.stimulus(position)

    def target(self, position: int) -> xr.DataArray | None:
        return self._source.target(position)


def _group_table(units: pd.DataFrame, by: str, names: list[Hashable]) -> pd.DataFrame:
    groups = units.groupby(by, sort=False, dropna=False)
    shared = [name for name in units.columns if name == by or bool((groups[name].nunique(dropna=False) == 1).all())]
    table = groups[[name for name in shared if name != by]].first()
    table.insert(0, by, names)
    return table.set_axis([f"{by} {name}" for name in names])
