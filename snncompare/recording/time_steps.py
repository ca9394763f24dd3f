"""Spike times into time steps, by the rule of the simulators that receive them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.recording import Recording

__all__ = ["binary_raster", "brian2_step", "window_steps"]

_WHOLE = 1e-6
"""Fraction of a step by which a window may miss a whole number of steps: rounding of decimals to floats."""


def brian2_step(times: NDArray[np.float64], dt: float) -> NDArray[np.int64]:
    r"""Return the step in which Brian2's ``SpikeGeneratorGroup`` emits spikes at these times.

    .. math:: k = \lfloor (t + 10^{-3} dt) / dt \rfloor

    The thousandth of a step keeps :math:`t = k\,dt`, which floats do not hold exactly, in step :math:`k`.

    Parameters
    ----------
    times : array, shape (n,)
        Seconds from the start of the run.
    dt : float
        Seconds.
    """
    return ((times + 1e-3 * dt) / dt).astype(np.int64)


def window_steps(trials: pd.DataFrame, dt: float) -> int:
    """Return the number of steps in the window that all trials share.

    Raises
    ------
    InputError
        If dt is not positive, windows differ in length, or are no whole number of steps.
    """
    if not dt > 0:
        raise InputError(f"dt must be positive, got {dt:g} s.")
    lengths = (trials["stop"] - trials["start"]).to_numpy() / dt
    if np.ptp(lengths) > _WHOLE:
        raise InputError(
            f"the windows of the trials last from {lengths.min() * dt:g} to {lengths.max() * dt:g} s; cut them to one"
            " length (windows='500 ms' where the file is read, or Recording.cut_windows in Python)."
        )
    steps = round(float(lengths[0]))
    if abs(lengths[0] - steps) > _WHOLE or steps < 1:
        raise InputError(
            f"a window of {lengths[0] * dt:g} s is {lengths[0]:g} steps of {dt:g} s; take a dt that divides it."
        )
    return steps


def binary_raster(spikes: Recording, trials: NDArray[np.int64], dt: float, n_steps: int) -> NDArray[np.bool_]:
    """Return which unit fires in which step of the trials at these positions.

    Parameters
    ----------
    spikes : Recording
    trials : array of int, shape (n,)
        Positions of trials, in any order, also repeated.
    dt : float
        Seconds.
    n_steps : int
        Steps in a trial; spikes that belong to a later step are absent.

    Returns
    -------
    array of bool, shape (n, n_steps, n_units)

    Raises
    ------
    InputError
        For two spikes of one unit in one step.
    """
    n_units = spikes.n_units
    first = spikes.offsets[trials * n_units]
    counts = spikes.offsets[(trials + 1) * n_units] - first
    row = np.repeat(np.arange(trials.size), counts)
    ends = np.cumsum(counts)
    spike = np.arange(row.size) + np.repeat(first - (ends - counts), counts)
    start = spikes.trials["start"].to_numpy()[trials]
    step = brian2_step(spikes.times[spike] - start[row], dt)
    unit = spikes.spike_index()[1][spike]
    inside = step < n_steps
    row, step, unit = row[inside], step[inside], unit[inside]
    raster = np.zeros((trials.size, n_steps, n_units), dtype=bool)
    raster[row, step, unit] = True
    if np.count_nonzero(raster) < row.size:
        _refuse_twice(spikes, trials, (row, unit, step), dt)
    return raster


def _refuse_twice(
    spikes: Recording, trials: NDArray[np.int64], where: tuple[NDArray[np.int64], ...], dt: float
) -> None:
    cells = pd.DataFrame(dict(zip(("row", "unit", "step"), where, strict=True)))
    twice = cells[cells.duplicated()]
    row, unit, step = twice.iloc[0]
    raise InputError(
        f"{len(twice)} spikes share a step of {dt:g} s with another spike of their unit, the first in trial "
        f"{spikes.trials.index[trials[row]]!r}, unit {spikes.units.index[unit]!r}, step {step}; take a smaller dt."
    )
