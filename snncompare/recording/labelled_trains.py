"""Trains that each come with the labels of their unit and of their trial: text files and JSON records."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording import checks
from snncompare.recording.layouts import Session
from snncompare.recording.parts import Parts, ragged
from snncompare.recording.spike_rows import refuse_outside_window, session_of_units
from snncompare.recording.text_units import to_seconds
from snncompare.units import Quantity, seconds

__all__ = ["LabelledTrain", "parts_of_trains"]


class LabelledTrain(NamedTuple):
    """Spike times as the file has them, and what tells its unit and its trial from others."""

    times: NDArray[np.float64]
    unit: dict[str, Any]
    trial: dict[str, Any]
    source: str


def parts_of_trains(
    trains: Sequence[LabelledTrain],
    *,
    time_unit: str,
    window: tuple[Quantity, Quantity],
    session: Session | str | None,
    provenance: dict[str, Any],
) -> Parts:
    """Return trains as a recording: every unit has a train in every trial of its session.

    Units and trials come in the order in which they first occur.

    Raises
    ------
    InputError
        For times that are not finite or outside the window, for two trains of one unit in one trial, and for units
        without a train in a trial.
    """
    given = [_checked(train) for train in trains]
    values = [np.sort(to_seconds(times, time_unit)) for times in given]
    everything = np.concatenate(values) if values else np.zeros(0)
    begin, end = (seconds(edge) for edge in window)
    refuse_outside_window(everything, begin, end, time_unit)
    unit_of, units = _numbered([train.unit for train in trains])
    names = ["/".join(map(str, unit.values())) for unit in units]
    table = pd.DataFrame(units, index=pd.Index(names))
    of_session = session_of_units(table, session)
    extra = [{} if of_session is None else {"session": of_session[u]} for u in unit_of]
    trial_of, trials = _numbered([{**more, **train.trial} for more, train in zip(extra, trains, strict=True)])
    if of_session is not None:
        table["session"] = of_session
    if len(units[0]) < 2:
        table = table.drop(columns=list(units[0]))
    place = np.full((len(trials), len(units)), -1)
    for k, (trial, unit) in enumerate(zip(trial_of, unit_of, strict=True)):
        if place[trial, unit] >= 0:
            raise InputError(
                f"{trains[k].source} and {trains[place[trial, unit]].source} are both unit {names[unit]} in the trial "
                f"{trials[trial]}; add what tells them apart to the labels."
            )
        place[trial, unit] = k
    _refuse_holes(place, names, trials, of_session)
    empty = np.zeros(0)
    times, offsets = ragged([values[k] if k >= 0 else empty for k in place.ravel()])
    return Parts(
        times=times,
        offsets=offsets,
        units=table,
        trials=pd.DataFrame([{"start": begin, "stop": end, **trial} for trial in trials]),
        marks={},
        provenance=provenance,
    )


def _checked(train: LabelledTrain) -> NDArray[np.float64]:
    try:
        return checks.spike_times(train.times)
    except InputError as problem:
        raise InputError(f"{train.source}: {problem}") from problem


def _numbered(labels: Sequence[dict[str, Any]]) -> tuple[list[int], list[dict[str, Any]]]:
    number: dict[tuple[Any, ...], int] = {}
    positions = [number.setdefault(tuple(label.items()), len(number)) for label in labels]
    return positions, [dict(key) for key in number]


def _refuse_holes(
    place: NDArray[np.int64], names: list[str], trials: list[dict[str, Any]], session: NDArray[Any] | None
) -> None:
    holes = place < 0
    if session is not None:
        holes &= np.array([trial["session"] for trial in trials])[:, None] == session[None, :]
    if holes.any():
        trial, unit = (int(position) for position in np.argwhere(holes)[0])
        raise InputError(
            f"unit {names[unit]} has no train in the trial {trials[trial]}, in which others were recorded; add an "
            "empty one where it was silent, or say by 'session' which units were recorded together."
        )
