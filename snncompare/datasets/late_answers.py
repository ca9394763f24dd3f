"""Answers that may come later than what they answer: a network of spikes needs a time step for every layer."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
import xarray as xr

from snncompare.datasets.source import SelectedSource
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError, unknown
from snncompare.units import QuantityLike, seconds

__all__ = ["late_answers"]


def late_answers(dataset: SpikeDataset, delay: QuantityLike, *, otherwise: Hashable | None = None) -> SpikeDataset:
    """Return the dataset with its answers over time asked for later, and trials that last as much longer.

    Parameters
    ----------
    dataset : SpikeDataset
        With `SpikeDataset.target`.
    delay : time
        Not negative.
    otherwise : hashable, optional
        The output that is right where the dataset's answer is 0 for all outputs.

    Raises
    ------
    InputError
        For a negative delay, a dataset without answers over time, or an output that is not there.
    """
    later = seconds(delay, "delay")
    if not 0 <= later < np.inf:
        raise InputError(f"delay must not be negative, got {delay}.")
    answer = dataset.target(0)
    if answer is None:
        raise InputError(f"the trials of '{dataset.name}' have no answers over time.")
    if answer.dims != ("time", "output"):
        raise InputError(f"answers need the dimensions time and output, they have {answer.dims}.")
    if otherwise is not None and otherwise not in answer["output"].values.tolist():
        raise InputError("otherwise: " + unknown("output", str(otherwise), map(str, answer["output"].values)))
    source = _LateSource(dataset, later, otherwise)
    return SpikeDataset(
        spikes=source, label=dataset.label, name=dataset.name, classes=dataset.classes, card=dataset.card
    )


class _LateSource(SelectedSource):
    """All trials of a dataset, with later answers."""

    def __init__(self, dataset: SpikeDataset, later: float, otherwise: Hashable | None) -> None:
        super().__init__(dataset.source, np.arange(len(dataset)))
        self._later, self._otherwise = later, otherwise

    @property
    def trials(self) -> pd.DataFrame:
        """Those of the dataset, longer."""
        return self._source.trials.assign(stop=self._source.trials["stop"] + self._later)

    def target(self, position: int) -> xr.DataArray | None:
        """Return what is asked, later."""
        answer = super().target(position)
        if answer is None:
            return None
        values = answer.to_numpy()
        if self._otherwise is not None:
            outputs = answer["output"].to_numpy()
            values = np.where((values.sum(axis=1) == 0)[:, None] & (outputs == self._otherwise), 1.0, values)
        time = answer["time"].to_numpy() + self._later
        return xr.DataArray(values, dims=answer.dims, coords={"time": time, "output": answer["output"].to_numpy()})
