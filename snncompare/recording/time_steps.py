"""Spike times into time steps, by the rule of the simulators that receive them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError

__all__ = ["brian2_step", "spike_steps", "window_steps"]

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


def spike_steps(
    times: NDArray[np.float64], counts: NDArray[np.int64], starts: NDArray[np.float64], dt: float, n_steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return trial, time step and unit of every spike that lies in the steps.

    Parameters
    ----------
    times : array, shape (n_spikes,)
        Seconds, ordered by trial, then unit.
    counts : array, shape (n_trials, n_units)
        Number of spikes of each train.
    starts : array, shape (n_trials,)
        Seconds: where step 0 of each trial begins.
    dt : float
        Seconds.
    n_steps : int
        Steps in a trial; spikes that belong to a later step are absent.
    """
    n_units = counts.shape[1]
    train = np.repeat(np.arange(counts.size), counts.ravel())
    trial, unit = train // n_units, train % n_units
    step = brian2_step(times - starts[trial], dt)
    inside = step < n_steps
    return trial[inside], step[inside], unit[inside]
