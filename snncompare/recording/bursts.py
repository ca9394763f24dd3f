"""Events and bursts: which spikes begin something, and which make it a burst.

A spike that follows the last one of its train after more than the burst interval is an *event*: an isolated spike or
the first of a burst. The spike after an event, if it comes within the interval, marks a *burst*, at its own time. All
further spikes of the burst are neither (Payeur, Guerguiev, Zenke, Richards & Naud 2021, Nat. Neurosci. 24:1010; the
authors' analysis uses the same 16 ms).

The first spike of a trial is an event: what was before the trial is unknown. Detect first and cut afterwards where the
trials of a long recording should not begin anew: ``events(recording).cut("picture", window)``.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording.arguments import a_recording, column_name
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = [
    "BURST",
    "EVENT",
    "LATER",
    "SAME_INTERVAL",
    "burst_interval",
    "burst_statistics",
    "bursts",
    "events",
    "later_spikes",
    "recorded_trains",
    "spike_kinds",
]

EVENT = 0
"""A spike that begins an event: isolated, or the first of a burst."""
BURST = 1
"""The second spike of a burst, which makes the event one."""
LATER = 2
"""A further spike of a burst."""

SAME_INTERVAL = 1e-9
"""Seconds; intervals that exceed the burst interval by less equal it (the rounding of a difference of times)."""


def events(recording: Recording, interval: QuantityLike = "16 ms") -> Recording:
    r"""Return the recording with only the spikes that begin an event.

    A spike at :math:`t_k` of a train is an event if :math:`k = 1` or :math:`t_k - t_{k-1} > T`. The first spike of
    every trial is one, whatever was before the trial.

    Parameters
    ----------
    recording : Recording
    interval : time
        :math:`T`; an interval that equals it, up to a nanosecond of rounding, is inside a burst.

    Returns
    -------
    Recording
        Same units, trials, marks, labels and traces; ``provenance["bursts"]`` says what was kept.

    Raises
    ------
    InputError
        If the interval is not positive or has no unit of time.

    References
    ----------
    Payeur, Guerguiev, Zenke, Richards & Naud 2021, Nat. Neurosci. 24:1010.
    """
    return _kept(recording, interval, (EVENT,), "events")


def bursts(recording: Recording, interval: QuantityLike = "16 ms") -> Recording:
    r"""Return the recording with one spike per burst: the second, which makes the event a burst.

    A spike at :math:`t_k` marks a burst if :math:`t_k - t_{k-1} \le T` and spike :math:`k - 1` is an event. Of a burst
    that began before the trial the first spike inside counts as an event.

    Parameters
    ----------
    recording, interval
        As in `events`.

    Returns
    -------
    Recording
        As from `events`.

    Raises
    ------
    InputError
        As in `events`.
    """
    return _kept(recording, interval, (BURST,), "bursts")


def later_spikes(recording: Recording, interval: QuantityLike = "16 ms") -> Recording:
    """Return the recording without the events: second and further spikes of bursts; see `events`.

    With `events` they are all spikes, each once.
    """
    return _kept(recording, interval, (BURST, LATER), "later spikes")


def spike_kinds(recording: Recording, interval: QuantityLike = "16 ms") -> NDArray[np.int8]:
    """Return what each spike is, array (n_spikes,): `EVENT`, `BURST` (second spike) or `LATER`.

    Raises
    ------
    InputError
        As in `events`.
    """
    times, longest = a_recording(recording).times, burst_interval(interval)
    begins = np.ones(times.size, dtype=bool)
    begins[1:] = times[1:] - times[:-1] > longest + SAME_INTERVAL
    first = recording.offsets[:-1]
    begins[first[first < times.size]] = True
    kinds = np.full(times.size, LATER, dtype=np.int8)
    kinds[1:][begins[:-1]] = BURST
    kinds[begins] = EVENT
    return kinds


def burst_statistics(
    recording: Recording, interval: QuantityLike = "16 ms", *, by: str | None = None, join: str | None = None
) -> pd.DataFrame:
    r"""Return how often each unit fires events and bursts.

    .. math:: \mathrm{ER} = E / T_{rec}, \qquad \mathrm{BR} = B / T_{rec}, \qquad \mathrm{BP} = B / E

    with :math:`E` events, :math:`B` bursts and the recorded time :math:`T_{rec}`.

    Parameters
    ----------
    recording, interval
        As in `events`.
    by : str, optional
        Column of the trials table: a row for every unit and condition.
    join : str, optional
        Column of units *and* trials, such as ``"session"``: a unit was recorded in the trials of its own session only.

    Returns
    -------
    pandas.DataFrame
        Index ``unit`` or ``(condition, unit)``; columns ``trials`` (in which it was recorded), ``spikes, events,
        bursts`` (numbers), ``rate, event_rate, burst_rate`` (Hz), ``burst_probability``, which is NaN for a unit
        without events, and ``spikes_per_burst``, NaN without bursts. Rates are NaN where nothing was recorded.

    Raises
    ------
    InputError
        If there is no such column, a trial has no condition, or as in `events`.
    """
    kinds, recorded = spike_kinds(recording, interval), recorded_trains(recording, join)
    index, labels = _conditions(recording, by)
    n_units, n_groups = recording.n_units, len(labels)
    trial, unit = recording.spike_index()
    cell = index[trial] * n_units + unit
    numbers = {
        name: np.bincount(cell[np.isin(kinds, of)], minlength=n_groups * n_units)
        for name, of in {"spikes": (EVENT, BURST, LATER), "events": (EVENT,), "bursts": (BURST,)}.items()
    }
    lasts = (recording.trials["stop"] - recording.trials["start"]).to_numpy(dtype=np.float64)
    trials, duration = np.zeros((n_groups, n_units), dtype=np.int64), np.zeros((n_groups, n_units))
    np.add.at(trials, index, recorded.astype(np.int64))
    np.add.at(duration, index, recorded * lasts[:, None])
    later = numbers["spikes"] - numbers["events"]
    table = pd.DataFrame({"trials": trials.ravel(), **numbers}, index=_rows(labels, recording.units.index, by))
    for rate, of in {"rate": "spikes", "event_rate": "events", "burst_rate": "bursts"}.items():
        table[rate] = _ratio(numbers[of], duration.ravel())
    table["burst_probability"] = _ratio(numbers["bursts"], numbers["events"])
    table["spikes_per_burst"] = 1 + _ratio(later, numbers["bursts"])
    return table


def recorded_trains(recording: Recording, join: str | None) -> NDArray[np.bool_]:
    """Return whether each unit was recorded in each trial, array (n_trials, n_units); see `burst_statistics`.

    Raises
    ------
    InputError
        If units or trials have no such column, or a unit fired in a trial of another session.
    """
    if join is None:
        return np.ones((recording.n_trials, recording.n_units), dtype=bool)
    column_name(join, "join")
    for what, table in (("units", recording.units), ("trials", recording.trials)):
        if join not in table.columns:
            raise InputError(unknown(f"column in the {what} table", join, table.columns))
    recorded = recording.trials[join].to_numpy()[:, None] == recording.units[join].to_numpy()[None, :]
    trial, unit = recording.spike_index()
    strange = ~recorded[trial, unit]
    if strange.any():
        k = int(strange.argmax())
        raise InputError(
            f"unit {recording.units.index[unit[k]]!r} fired in trial {recording.trials.index[trial[k]]!r}, which is of "
            f"another '{join}' ({int(strange.sum())} such spikes); leave join out or label units and trials rightly."
        )
    return recorded


def burst_interval(interval: QuantityLike) -> float:
    """Return the burst interval in seconds; refuse one that is not positive or not finite.

    Raises
    ------
    InputError
    """
    longest = seconds(interval, "the burst interval")
    if not (np.isfinite(longest) and longest > 0):
        raise InputError(f"the burst interval must be positive, got {interval}; the usual one is '16 ms'.")
    return float(longest)


def _kept(recording: Recording, interval: QuantityLike, kinds: tuple[int, ...], what: str) -> Recording:
    keep = np.isin(spike_kinds(recording, interval), kinds)
    before = np.concatenate([[0], np.cumsum(keep)])
    return replace(
        recording,
        times=recording.times[keep],
        offsets=before[recording.offsets],
        provenance=recording.provenance | {"bursts": {"kept": what, "interval_s": burst_interval(interval)}},
    )


def _conditions(recording: Recording, by: str | None) -> tuple[NDArray[np.int64], list[object]]:
    """Return the condition of every trial by number, and the labels in order of first appearance."""
    if by is None:
        return np.zeros(recording.n_trials, dtype=np.int64), ["all"]
    if column_name(by, "by") not in recording.trials.columns:
        raise InputError(unknown("column in the trials table", by, recording.trials.columns))
    index, labels = pd.factorize(recording.trials[by])
    if (index < 0).any():
        raise InputError(f"{int((index < 0).sum())} trials have no '{by}'; label them or select the others.")
    return index.astype(np.int64), list(labels)


def _rows(labels: list[object], units: pd.Index, by: str | None) -> pd.Index:
    if by is None:
        return units.rename("unit")
    return pd.MultiIndex.from_product([labels, units], names=["condition", "unit"])


def _ratio(above: NDArray[np.generic], below: NDArray[np.generic]) -> NDArray[np.float64]:
    a, b = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0)
