"""Rates of a population over time: events, bursts, burst probability, all spikes."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording.bursts import BURST, EVENT, recorded_trains, spike_kinds
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ensemble_rates"]

_BIN_TOLERANCE = 1e-6
"""Fraction of a bin by which a spike may lie before a bin's edge and still count as on it, as in `dense.raster`."""


def ensemble_rates(
    recording: Recording,
    bin: QuantityLike,  # noqa: A002  the word of the field
    *,
    by: str | None = None,
    populations: str | None = None,
    interval: QuantityLike = "16 ms",
    join: str | None = None,
) -> "xr.Dataset":
    r"""Return event rate, burst rate, burst probability and firing rate of populations over time.

    .. math::

        \mathrm{ER}(t) = \frac{E(t)}{N \, n \, \Delta}, \qquad \mathrm{BR}(t) = \frac{B(t)}{N \, n \, \Delta}, \qquad
        \mathrm{BP}(t) = \frac{B(t)}{E(t)}

    with :math:`E(t)` events and :math:`B(t)` bursts of the :math:`N` units in the :math:`n` trials in the bin at
    :math:`t` of width :math:`\Delta`. Bursts are counted at their second spike, so :math:`\mathrm{BP}` of a bin shorter
    than a burst may exceed 1. Kinds of spikes are found in whole trials, then binned: a burst may cross the edge.

    Parameters
    ----------
    recording : Recording
        With trials of one common window.
    bin : time
        :math:`\Delta`; the window must be a whole number of bins.
    by : str, optional
        Column of the trials table; the rates then have a dimension ``condition``. Default: all trials together.
    populations : str, optional
        Column of the units table that names the population. Default: ``"population"`` where the units have it (models
        do), else all units are one, ``"all"``.
    interval : time
        As in `snncompare.recording.bursts.events`.
    join : str, optional
        As in `snncompare.recording.bursts.burst_statistics`.

    Returns
    -------
    xarray.Dataset
        ``event_rate, burst_rate, firing_rate`` (Hz) and ``burst_probability``, dimensions ``(condition,) population,
        time``; ``time`` holds the left edges of the bins in seconds, attribute ``dt`` their width. The burst
        probability is NaN in a bin without events, a rate where nothing was recorded.

    Raises
    ------
    InputError
        If the window is no whole number of bins, trials have different windows, there is no such column, or a trial or
        unit has no label.
    """
    import xarray as xr

    kinds = spike_kinds(recording, interval)
    width = seconds(bin, "bin")
    start, n_bins = _window(recording, bin, width)
    condition, conditions = _labels(recording.trials, by, "trials")
    column = "population" if populations is None and "population" in recording.units else populations
    population, names = _labels(recording.units, column, "units")
    recorded = recorded_trains(recording, join)
    trial, unit = recording.spike_index()
    time = np.floor((recording.times - start) / width + _BIN_TOLERANCE).astype(np.int64).clip(0, n_bins - 1)
    shape = (len(conditions), len(names), n_bins)
    cell = np.ravel_multi_index((condition[trial], population[unit], time), shape)

    def number(of: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.bincount(cell[of], minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)

    trains = np.zeros(shape[:2])
    np.add.at(trains, (condition[:, None], population[None, :]), recorded)
    observed = np.where(trains > 0, trains, np.nan)[:, :, None] * width
    spikes, firsts, seconds_ = number(np.ones(kinds.size, bool)), number(kinds == EVENT), number(kinds == BURST)
    values = {
        "event_rate": (firsts / observed, "Hz"),
        "burst_rate": (seconds_ / observed, "Hz"),
        "burst_probability": (np.divide(seconds_, firsts, out=np.full(shape, np.nan), where=firsts > 0), "1"),
        "firing_rate": (spikes / observed, "Hz"),
    }
    dims = ("condition", "population", "time")
    data = xr.Dataset(
        {name: (dims, value, {"unit": unit_}) for name, (value, unit_) in values.items()},
        coords={"condition": conditions, "population": names, "time": start + width * np.arange(n_bins)},
        attrs={"dt": width, "interval_s": seconds(interval)},
    )
    return data if by is not None else data.isel(condition=0, drop=True)


def _window(recording: Recording, given: QuantityLike, width: float) -> tuple[float, int]:
    if not (np.isfinite(width) and width > 0):
        raise InputError(f"bin must be positive, got {given}; write for example '50 ms'.")
    windows = recording.trials[["start", "stop"]].to_numpy(dtype=np.float64)
    if np.ptp(windows, axis=0).max() > _BIN_TOLERANCE * width:
        raise InputError("rates over time need the same window in all trials; cut the recording to one window first.")
    start, stop = windows[0]
    n_bins = round((stop - start) / width)
    if n_bins < 1 or abs((stop - start) / width - n_bins) > _BIN_TOLERANCE * max(n_bins, 1):
        raise InputError(
            f"the window of {stop - start:g} s is no whole number of bins of {given}; choose a bin that divides it."
        )
    return float(start), n_bins


def _labels(table: pd.DataFrame, column: str | None, what: str) -> tuple[NDArray[np.int64], list[object]]:
    """Return the label of every row by number, and the labels in order of first appearance."""
    if column is None:
        return np.zeros(len(table), dtype=np.int64), ["all"]
    if column not in table.columns:
        raise InputError(unknown(f"column in the {what} table", column, table.columns))
    index, labels = pd.factorize(table[column])
    if (index < 0).any():
        raise InputError(f"{int((index < 0).sum())} {what} have no '{column}'; label them or select the others.")
    return index.astype(np.int64), list(labels)
