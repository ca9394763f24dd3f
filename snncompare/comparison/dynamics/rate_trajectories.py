"""Condition-averaged firing rates over time, smoothed by the causal kernel of the van Rossum metric."""

import numpy as np
import xarray as xr

from snncompare.comparison.prediction.session_parts import condition_coordinate, in_every_session
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions
from snncompare.units import QuantityLike, seconds

__all__ = ["rate_trajectories"]

TOLERANCE = 1e-9
"""In steps, how little after a sample a spike counts as on it; in seconds, how different windows are that are equal."""


def rate_trajectories(
    recording: Recording, by: str, tau: QuantityLike, step: QuantityLike, *, join: str | None = None
) -> xr.DataArray:
    r"""Return the mean rate of every unit in every condition, filtered causally and sampled.

    .. math::

        r(t_k) = \frac{1}{n_c} \sum_{\text{trials of } c} \; \sum_{t_i \le t_k} \frac{1}{\tau} e^{-(t_k - t_i) / \tau},
        \qquad t_k = t_{start} + k \, \Delta

    The filter is evaluated at the exact spike times; only the samples are on a grid. Spikes before the window are not
    known, so the first few :math:`\tau` rise from 0: start the window early, or leave them out.

    Parameters
    ----------
    recording : Recording
        With trials of one common window.
    by : str
        Column of the trials table that names the condition.
    tau : quantity, s
        Time constant.
    step : quantity, s
        Between samples.
    join : str, optional
        Column that names the session of units and trials, as in `unit_responses`.

    Returns
    -------
    xarray.DataArray
        Dimensions ``condition, time, unit``; spikes per second. ``time`` in seconds from the reference of the trials.

    Raises
    ------
    InputError
        If windows differ, tau or step are not positive, fewer than two samples fit into the window, the column does not
        exist, or sessions differ in their conditions.
    """
    constant, width = seconds(tau, "tau"), seconds(step, "step")
    if not (constant > 0 and width > 0):
        raise InputError(f"tau and step must be above zero, got {tau!r} and {step!r}.")
    return in_every_session(recording, join, lambda part: [_trajectories(part, by, constant, width)])[0]


def _trajectories(recording: Recording, by: str, constant: float, width: float) -> xr.DataArray:
    from scipy.signal import lfilter

    conditions = Conditions.of(recording, by)
    start, stop = (recording.trials[side].to_numpy(dtype=np.float64) for side in ("start", "stop"))
    if np.ptp(start) > TOLERANCE or np.ptp(stop) > TOLERANCE:
        raise InputError("rate trajectories need trials with one common window; cut the recording first.")
    n_samples = int(np.floor((stop[0] - start[0]) / width + TOLERANCE)) + 1
    if n_samples < 2:
        raise InputError(f"a step of {width:g} s gives one sample in {stop[0] - start[0]:g} s; use a shorter one.")
    trial, unit = recording.spike_index()
    after = (recording.times - start[0]) / width
    sample = np.ceil(after - TOLERANCE).astype(np.int64)
    inside = sample < n_samples
    condition = conditions.index[trial]
    share = np.exp(-np.maximum(sample - after, 0.0) * width / constant) / constant / conditions.n_trials[condition]
    shape = (conditions.n_conditions, n_samples, recording.n_units)
    place = np.ravel_multi_index((condition[inside], sample[inside], unit[inside]), shape)
    arrived = np.bincount(place, weights=share[inside], minlength=int(np.prod(shape))).reshape(shape)
    return xr.DataArray(
        lfilter([1.0], [1.0, -np.exp(-width / constant)], arrived, axis=1),
        dims=("condition", "time", "unit"),
        coords={
            "condition": condition_coordinate(conditions.labels),
            "time": ("time", start[0] + width * np.arange(n_samples), {"units": "s"}),
            "unit": recording.units.index.to_numpy(),
        },
        name="rate",
        attrs={"units": "Hz", "tau": constant, "step": width},
    )
