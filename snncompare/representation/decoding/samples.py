"""Trials that can be compared, and not more of them than the work is worth: windows of one length, random subsets."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import whole_number
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions

__all__ = ["TOLERANCE", "balanced_draw", "sampled", "with_common_window"]

TOLERANCE = 1e-9
"""Seconds; below any resolution of spike times."""


def with_common_window(recording: Recording) -> tuple[Recording, list[str]]:
    """Return the recording with all windows as long as the longest, and what was done, in words.

    Raises
    ------
    InputError
        If windows begin at different times.
    """
    start, stop = (recording.trials[side].to_numpy(dtype=np.float64) for side in ("start", "stop"))
    if np.ptp(start) > TOLERANCE:
        raise InputError(
            f"the windows of the trials begin between {start.min():g} and {start.max():g} s of their own clock; cut "
            "the recording first, with recording.cut(name, window=...)."
        )
    if np.ptp(stop) <= TOLERANCE:
        return recording, []
    trials = recording.trials.copy()
    trials["stop"] = stop.max()
    said = (
        f"Windows end between {stop.min():g} and {stop.max():g} s; the shorter ones are silent afterwards, so that the "
        "duration of a trial is part of every code."
    )
    return replace(recording, trials=trials, traces={}), [said]


def sampled(
    recording: Recording,
    conditions: Conditions,
    most_trials: int | None,
    most_units: int | None,
    rng: np.random.Generator,
) -> tuple[Recording, list[str]]:
    """Return at most so many trials, evenly from the classes, and units, drawn at random; and what was left out.

    Raises
    ------
    InputError
        For a limit that is no whole number, or that leaves less than two trials of a class.
    """
    said, trials, units = [], None, None
    if most_trials is not None:
        whole_number("most_trials", most_trials, 2 * conditions.n_conditions)
        if recording.n_trials > most_trials:
            trials = balanced_draw(conditions.index, most_trials, rng)
            said.append(f"{most_trials} of {recording.n_trials} trials, drawn at random, evenly from the classes.")
    if most_units is not None:
        whole_number("most_units", most_units, 1)
        if recording.n_units > most_units:
            units = np.zeros(recording.n_units, dtype=bool)
            units[rng.choice(recording.n_units, most_units, replace=False)] = True
            said.append(f"{most_units} of {recording.n_units} units, drawn at random: all of them may tell more.")
    if trials is None and units is None:
        return recording, []
    return replace(recording, traces={}).select(trials=trials, units=units), said


def balanced_draw(index: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return a mask of ``most`` trials, drawn in turn from the classes until they run out.

    Parameters
    ----------
    index : array (n_trials,)
        Class of each trial, numbers from 0.
    most : int
    rng : numpy.random.Generator
    """
    order = rng.permutation(index.size)
    turn = np.empty(index.size, dtype=np.int64)
    for c in np.unique(index):
        members = order[index[order] == c]
        turn[members] = np.arange(members.size)
    place = np.empty(index.size, dtype=np.int64)
    place[order] = np.arange(index.size)
    mask = np.zeros(index.size, dtype=bool)
    mask[np.lexsort((place, turn))[:most]] = True
    return mask
