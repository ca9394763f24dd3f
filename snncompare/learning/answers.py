"""What a network is to answer over time, on the grid of its time steps."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError

__all__ = ["answers_in_steps", "outputs_of"]

_CLOSE = 1e-6
"""Part of a step by which times may miss the grid: rounding of decimals to floats."""


def outputs_of(dataset: SpikeDataset) -> int:
    """Return how many outputs the answers of a dataset have.

    Raises
    ------
    InputError
        If it has no answers over time.
    """
    return _table(dataset, 0)[1].shape[1]


def answers_in_steps(
    dataset: SpikeDataset, indices: NDArray[np.int64], dt: float, n_steps: int, *, exact: bool
) -> NDArray[np.float64]:
    """Return answers at every step, not a number before the first and after the last.

    An answer holds from its time until that of the next one; the last one as long as the one before it.

    Parameters
    ----------
    dataset : SpikeDataset
    indices : array of int
        Positions of trials.
    dt : float
        Time step, seconds.
    n_steps : int
    exact : bool
        Whether answers must be given in steps of `dt`, as those are that are spikes.

    Returns
    -------
    array, shape (n_steps, n_trials, n_outputs)

    Raises
    ------
    InputError
        If a trial has no answers, others than the first, or in other steps than `dt` where `exact`.
    """
    found = np.full((n_steps, indices.size, outputs_of(dataset)), np.nan)
    for k, index in enumerate(indices):
        time, values = _table(dataset, int(index))
        if values.shape[1] != found.shape[2]:
            raise InputError(
                f"trial {index} of '{dataset.name}' has {values.shape[1]} answers, others {found.shape[2]}."
            )
        every = time[-1] - time[-2] if time.size > 1 else dt
        if exact and np.abs(np.diff(time) - dt).max(initial=0.0) > _CLOSE * dt:
            raise InputError(
                f"the answers of '{dataset.name}' are spikes in steps of {every:g} s; train it with dt='{every:g} s'."
            )
        now = (np.arange(n_steps) + _CLOSE) * dt
        said = np.searchsorted(time, now, side="right") - 1
        inside = (said >= 0) & (now < time[-1] + every)
        found[inside, k] = values[said[inside]]
    return found


def _table(dataset: SpikeDataset, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times since the start of a trial (seconds) and answers (time, output)."""
    answer: xr.DataArray | None = dataset.target(index)
    if answer is None:
        raise InputError(
            f"the loss needs answers over time, but the trials of '{dataset.name}' have none (dataset.target(i)); take "
            "a loss that asks for a class, such as Classification."
        )
    if "time" not in answer.dims or answer.ndim > 2 or answer.sizes["time"] == 0:
        raise InputError(
            f"the answers of '{dataset.name}' need the dimensions time and output, they have {answer.dims}."
        )
    values = answer.transpose("time", ...).to_numpy().astype(np.float64)
    return answer["time"].to_numpy().astype(np.float64), values.reshape(len(values), -1)
