"""What in a recording may not be as its file says: found, said, and refused where nothing could follow from it."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from snncompare.errors import InputError

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording

__all__ = ["doubts", "duplicate_spikes", "refuse_impossible_extents"]

_EXPECTED = 20.0
"""Spikes that a unit should have fired and did not: by chance once in 5e8 Poisson trains (exp(-20))."""

_MOST_VALUES = 200
_HOUR = 3600.0
_SILENT_SHARE = 100.0
"""A trial that lasts an hour more, and a hundred times longer, than the spikes in all trials: ``t_stop`` is no stop."""


def duplicate_spikes(recording: "Recording") -> int:
    """Return how many spikes have exactly the time of the spike before them in their train."""
    same = np.diff(recording.times) == 0
    borders = recording.offsets[(recording.offsets > 0) & (recording.offsets < recording.times.size)]
    same[borders - 1] = False
    return int(same.sum())


def refuse_impossible_extents(recording: "Recording") -> None:
    """Refuse trials that end at a time that cannot be the end of what was recorded.

    Raises
    ------
    InputError
        Says what to give instead.
    """
    problem = _impossible(recording)
    if problem:
        last = np.ceil(1e3 * recording.times.max()) / 1e3
        raise InputError(
            f"{problem}, which cannot be what was recorded; give the extent of the trials, for example extent: "
            f"[0 s, {last:g} s] in a configuration (in Python extent=('0 s', '{last:g} s'))."
        )


def _absent(recording: "Recording") -> list[str]:
    """Return which units never fire in the trials of one label, where their rate elsewhere says that they would."""
    found = []
    counts = np.diff(recording.offsets).reshape(recording.n_trials, recording.n_units)
    for label in recording.trials.columns.difference(["start", "stop", "onset", "source_trial"], sort=False):
        codes, values = pd.factorize(recording.trials[label])
        if not 2 <= len(values) <= _MOST_VALUES or "session" in recording.trials:
            continue
        sums = np.zeros((len(values), recording.n_units))
        np.add.at(sums, codes[codes >= 0], counts[codes >= 0])
        number = np.bincount(codes[codes >= 0], minlength=len(values))[:, None]
        elsewhere = (sums.sum(axis=0) - sums) / np.maximum(number.sum() - number, 1)
        value, unit = np.nonzero((sums == 0) & (elsewhere * number >= _EXPECTED))
        if value.size:
            found.append(
                f"{len(np.unique(unit))} units have no spike in any trial of some values of '{label}' (unit "
                f"{recording.units.index[unit[0]]} for {values[value[0]]}), where their other trials promise "
                f"{elsewhere[value[0], unit[0]] * number[value[0], 0]:.0f}: were they recorded there? If not, say by "
                "'session' in the layout which units were, or leave them out"
            )
    return found


def _impossible(recording: "Recording") -> str:
    if recording.times.size == 0:
        return ""
    stop, last = float(recording.trials["stop"].max()), float(recording.times.max())
    span = last - float(recording.trials["start"].min())
    if stop - last > max(_HOUR, _SILENT_SHARE * span):
        return f"trials end at {stop:g} s, but the last spike of all is at {last:.6g} s"
    return ""


def doubts(recording: "Recording") -> list[str]:
    """Return in words what a user should look at: impossible windows, duplicated spikes, units without a spike."""
    found = []
    impossible = _impossible(recording)
    if impossible:
        found.append(f"{impossible}; give the extent of the trials (extent: [0 s, ...] in a configuration)")
    twice = duplicate_spikes(recording)
    if twice:
        found.append(
            f"{twice} spikes have exactly the time of another spike of the same unit and trial; they are kept and count"
        )
    found += _absent(recording)
    if "complete" in recording.units:
        lacking = list(recording.units.index[~recording.units["complete"].to_numpy(dtype=bool)])
        if lacking:
            found.append(
                f"not recorded in every condition, so that they look silent in some: units "
                f"{', '.join(map(str, lacking[:5]))}; leave them out by units: {{complete: true}}"
            )
    if "session" in recording.units and "session" in recording.trials:
        number = recording.units["session"].nunique()
        if number > 1:
            found.append(
                f"units of {number} sessions share no trials: join them by condition, or choose one by units: "
                "{session: ...} and where: {session: ...}"
            )
    return found
