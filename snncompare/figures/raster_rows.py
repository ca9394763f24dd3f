"""Which spike of a recording stands in which row of a raster, and the rates of a stretch of time."""

from collections.abc import Hashable, Mapping
from enum import StrEnum

import numpy as np
import pandas as pd

from snncompare.errors import InputError, unknown
from snncompare.recording.recording import Recording

__all__ = ["UnitOrder", "population_rate", "raster_rows", "raster_spikes", "trial_mask"]

_TOLERANCE = 1e-9


class UnitOrder(StrEnum):
    """How the units of a raster are sorted, inside each population."""

    RATE = "rate"
    """Most active unit first."""
    LATENCY = "latency"
    """Unit with the earliest first spike (mean over trials) first."""
    GIVEN = "given"
    """As in the recording."""


def trial_mask(recording: Recording, where: Mapping[str, Hashable] | None, name: str) -> np.ndarray:
    """Return which trials carry the labels ``where``, as booleans of shape ``(n_trials,)``.

    Raises
    ------
    InputError
        If the recording ``name`` lacks a column of ``where``, or no trial carries the value.
    """
    mask = np.ones(len(recording.trials), dtype=bool)
    for column, value in (where or {}).items():
        if column not in recording.trials.columns:
            raise InputError(f"{name}: " + unknown("trial label", column, recording.trials.columns))
        mask &= (recording.trials[column] == value).to_numpy()
        if not mask.any():
            raise InputError(f"{name}: " + unknown(f"trial with {column} =", value, recording.trials[column].unique()))
    if not mask.any():
        raise InputError(f"{name}: the recording has no trials; nothing can be drawn.")
    return mask


def raster_spikes(recording: Recording, mask: np.ndarray, start: float, stop: float, name: str) -> pd.DataFrame:
    """Return the spikes of the masked trials with ``start <= time < stop``.

    Parameters
    ----------
    recording : Recording
    mask : ndarray of bool, shape (n_trials,)
    start, stop : float
        Seconds, on the clock of the trials.
    name : str
        Of the recording, for messages.

    Returns
    -------
    DataFrame
        Columns ``trial`` and ``unit`` (positions in the recording's tables) and ``time_s``.

    Raises
    ------
    InputError
        If a masked trial was not recorded over the whole stretch.
    """
    windows = recording.trials.loc[mask, ["start", "stop"]]
    late, early = float(windows["start"].max()), float(windows["stop"].min())
    if start < late - _TOLERANCE or stop > early + _TOLERANCE:
        raise InputError(
            f"{name}: {start:g} to {stop:g} s was not recorded in every chosen trial;"
            f" choose a stretch inside {late:g} to {early:g} s."
        )
    train = np.repeat(np.arange(len(recording.offsets) - 1), np.diff(recording.offsets))
    trial, unit = np.divmod(train, max(len(recording.units), 1))
    kept = mask[trial] & (recording.times >= start) & (recording.times < stop)
    return pd.DataFrame({"trial": trial[kept], "unit": unit[kept], "time_s": recording.times[kept]})


def raster_rows(recording: Recording, mask: np.ndarray, spikes: pd.DataFrame, order: UnitOrder) -> pd.DataFrame:
    """Return the rows of a raster from top to bottom: unit by unit, and trial by trial within a unit.

    Returns
    -------
    DataFrame
        Columns ``row`` (from 1), ``unit``, ``trial`` (labels), ``population`` (empty where units have none),
        ``n_spikes``, and ``unit_position``, ``trial_position``.
    """
    n_units, trials = len(recording.units), np.flatnonzero(mask)
    if "population" in recording.units.columns:
        population = recording.units["population"].astype(str).to_numpy()
    else:
        population = np.full(n_units, "")
    block = pd.factorize(population)[0]
    units = np.lexsort((np.arange(n_units), _sort_key(spikes, n_units, order), block))
    counts = np.zeros((len(recording.trials), n_units), dtype=int)
    np.add.at(counts, (spikes["trial"].to_numpy(), spikes["unit"].to_numpy()), 1)
    unit_position, trial_position = np.repeat(units, len(trials)), np.tile(trials, n_units)
    return pd.DataFrame(
        {
            "row": np.arange(1, len(unit_position) + 1),
            "unit": recording.units.index.to_numpy()[unit_position],
            "trial": recording.trials.index.to_numpy()[trial_position],
            "population": population[unit_position],
            "n_spikes": counts[trial_position, unit_position],
            "unit_position": unit_position,
            "trial_position": trial_position,
        }
    )


def _sort_key(spikes: pd.DataFrame, n_units: int, order: UnitOrder) -> np.ndarray:
    if order is UnitOrder.RATE:
        return -np.bincount(spikes["unit"].to_numpy(), minlength=n_units).astype(float)
    if order is UnitOrder.LATENCY:
        first = spikes.groupby(["unit", "trial"])["time_s"].min().groupby("unit").mean()
        return first.reindex(range(n_units)).fillna(np.inf).to_numpy()
    return np.zeros(n_units)


def population_rate(
    spikes: pd.DataFrame, n_trains: int, start: float, stop: float, bin_width: float
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return bin edges and the rate per unit, averaged over trials and units (a peri-stimulus time histogram).

    .. math:: r_k = \frac{n_k}{N \, (e_{k+1} - e_k)}

    with :math:`n_k` the spikes in bin k of all trains, :math:`N` the number of trains (units times trials) and
    :math:`e_k` the edges in seconds; the last bin ends at ``stop``.

    Returns
    -------
    edges : ndarray, shape (n_bins + 1,)
        Seconds.
    rate : ndarray, shape (n_bins,)
        Hertz.
    """
    n_bins = max(int(np.ceil((stop - start) / bin_width - _TOLERANCE)), 1)
    edges = np.minimum(start + bin_width * np.arange(n_bins + 1), stop)
    edges[-1] = stop
    counts = np.histogram(spikes["time_s"].to_numpy(), edges)[0]
    return edges, counts / (max(n_trains, 1) * np.diff(edges))
