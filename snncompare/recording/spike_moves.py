"""Moves of all spikes of a recording at once, on flat arrays: what the surrogates are made of."""

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording.arguments import column_name
from snncompare.recording.recording import Recording

__all__ = [
    "conditions_of",
    "exchanged_after_first",
    "grid",
    "reflected",
    "refuse_unlike_windows",
    "shuffled_within",
    "sorted_within",
    "windows_of_spikes",
    "with_shuffled_intervals",
    "with_trials_exchanged",
]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

SWEEPS = 12
"""Random pairings of all spikes: one in 2**12 spikes was never asked to move."""
WINDOW_TOLERANCE = 1e-9
"""Seconds; windows that differ by less are the same (the rounding of a difference of times)."""


def windows_of_spikes(recording: Recording) -> tuple[Array, Array]:
    """Return start and stop of the trial of every spike: two arrays (n_spikes,)."""
    trial, _ = recording.spike_index()
    start, stop = (recording.trials[side].to_numpy(dtype=np.float64)[trial] for side in ("start", "stop"))
    return start, stop


def conditions_of(recording: Recording, by: str, what: str) -> Integers:
    """Return the condition of every trial as a number, from a column of the trials table.

    Raises
    ------
    InputError
        If there is no such column; `what` says who asks.
    """
    column_name(by, what)
    if by not in recording.trials.columns:
        raise InputError(unknown("column in the trials table", by, recording.trials.columns))
    codes: Integers = recording.trials[by].astype("category").cat.codes.to_numpy().astype(np.int64)
    return codes


def refuse_unlike_windows(recording: Recording, what: str) -> None:
    """Raise an `InputError` if trials have different windows."""
    start, stop = (recording.trials[side].to_numpy(dtype=np.float64) for side in ("start", "stop"))
    unlike = (np.abs(start - start[0]) > WINDOW_TOLERANCE) | (np.abs(stop - stop[0]) > WINDOW_TOLERANCE)
    if unlike.any():
        k = int(unlike.argmax())
        names = recording.trials.index
        raise InputError(
            f"{what} needs trials with one common window; trial {names[0]!r} has {start[0]:g} to {stop[0]:g} s, "
            f"trial {names[k]!r} has {start[k]:g} to {stop[k]:g} s. Cut the recording first, with "
            "recording.cut(name, window)."
        )


def sorted_within(times: Array, offsets: Integers) -> Array:
    """Return ``times`` sorted within each train."""
    train = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    return times[np.lexsort((times, train))]


def reflected(times: Array, start: Array, stop: Array) -> Array:
    """Return times folded back into ``[start, stop]``, as often as needed; what lies inside stays to the last bit."""
    outside = (times < start) | (times > stop)
    folded = times.copy()
    low, length = start[outside], (stop - start)[outside]
    phase = np.mod(times[outside] - low, 2 * length)
    folded[outside] = np.clip(low + np.minimum(phase, 2 * length - phase), low, stop[outside])
    return folded


def grid(times: Array, start: Array, stop: Array, width: float) -> tuple[Integers, Array, Array]:
    """Return the number, the begin and the end of the window ``start + k width <= t`` that each time is in.

    The last window ends at ``stop`` and holds what lies there; a rest that is a rounding error is no window.
    """
    most = np.maximum(np.ceil((stop - start) / width * (1 - 4 * np.finfo(float).eps)), 1) - 1
    k = np.clip(np.floor((times - start) / width), 0, most)
    k -= (times < start + k * width) & (k > 0)
    k += (times >= start + (k + 1) * width) & (k < most)
    return k.astype(np.int64), start + k * width, np.where(k == most, stop, start + (k + 1) * width)


def shuffled_within(values: Array, group: Integers, rng: np.random.Generator) -> Array:
    """Return ``values`` in random order within each group."""
    home = np.argsort(group, kind="stable")
    away = np.lexsort((rng.random(values.size), group))
    result = np.empty_like(values)
    result[home] = values[away]
    return result


def with_shuffled_intervals(times: Array, offsets: Integers, rng: np.random.Generator) -> Array:
    """Return times whose intervals are in random order within each train; first and last spikes stay.

    The spikes of all trains are placed rank by rank, so that rounding cannot run from one train into the next.
    """
    lengths = np.diff(offsets)
    train = np.repeat(np.arange(lengths.size), lengths)
    follows = np.flatnonzero(train[1:] == train[:-1]) + 1
    interval = shuffled_within(times[follows] - times[follows - 1], train[follows], rng)
    place = np.full(times.size, -1)
    place[follows] = np.arange(follows.size)
    result = times.copy()
    longer = np.flatnonzero(lengths > 2)
    last = times[offsets[longer + 1] - 1]
    for rank in range(1, int(lengths.max(initial=0)) - 1):
        still = lengths[longer] > rank + 1
        longer, last = longer[still], last[still]
        spike = offsets[longer] + rank
        result[spike] = np.minimum(result[spike - 1] + interval[place[spike]], last)
    return result


def exchanged_after_first(recording: Recording, rng: np.random.Generator) -> Array:
    """Return times whose later spikes were exchanged between the unit's trials, never to before a train's first spike.

    In every sweep the later spikes of a unit are paired at random, and where both may, a pair changes places or not
    with equal probability. All allowed arrangements are reached with equal probability in the limit of many sweeps.
    """
    _, unit = recording.spike_index()
    first_of_train = recording.offsets[np.repeat(np.arange(recording.offsets.size - 1), np.diff(recording.offsets))]
    later = np.flatnonzero(first_of_train < np.arange(first_of_train.size))
    first, unit = recording.times[first_of_train[later]], unit[later]
    times = recording.times[later]
    begin = np.searchsorted(np.sort(unit), np.arange(recording.n_units))
    for _ in range(SWEEPS):
        order = np.lexsort((rng.random(later.size), unit))
        here, there = order[:-1], order[1:]
        pairs = (unit[here] == unit[there]) & ((np.arange(here.size) - begin[unit[here]]) % 2 == 0)
        here, there = here[pairs], there[pairs]
        allowed = (times[here] >= first[there]) & (times[there] >= first[here])
        allowed &= rng.random(allowed.size) < 0.5
        here, there = here[allowed], there[allowed]
        times[here], times[there] = times[there], times[here]
    result = recording.times.copy()
    result[later] = times
    return result


def with_trials_exchanged(
    recording: Recording, condition: NDArray[np.integer], rng: np.random.Generator
) -> tuple[Array, Integers]:
    """Return times and offsets after each unit's trials of the same condition were exchanged at random."""
    n_trials, n_units = recording.n_trials, recording.n_units
    key = rng.random((n_trials, n_units))
    source = np.empty((n_trials, n_units), dtype=np.int64)
    for label in np.unique(condition):
        rows = np.flatnonzero(condition == label)
        source[rows] = rows[np.argsort(key[rows], axis=0)]
    train = (source * n_units + np.arange(n_units)).ravel()
    lengths = np.diff(recording.offsets)[train]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    spikes = np.repeat(recording.offsets[train] - offsets[:-1], lengths) + np.arange(offsets[-1])
    return recording.times[spikes], offsets
