"""Spikes in labelled trials, as a configuration asks for them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.commands.compare_fields import joint_name
from snncompare.commands.compare_parts import RecordingConfig
from snncompare.errors import FileError, InputError, SnncompareError, unknown

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording

__all__ = [
    "at",
    "existing",
    "files_of",
    "is_blocked",
    "read_population",
    "read_trials",
    "with_condition",
]

_BEFORE_CUT = "trials_table"


@contextmanager
def at(place: str) -> Iterator[None]:
    """Begin every refusal inside with the place in the configuration that it is about."""
    try:
        yield
    except SnncompareError as problem:
        raise type(problem)(f"{place}: {problem}") from problem


def existing(folder: Path, name: str, key: str) -> Path:
    """Return the path of a file named in a configuration that lies in ``folder``.

    Raises
    ------
    FileError
        If it does not exist.
    """
    path = folder / Path(name).expanduser()
    if not path.exists():
        raise FileError(f"{key}: there is no file '{path}'; paths are relative to the configuration.")
    return path


def files_of(config: RecordingConfig, folder: Path, place: str) -> list[Path]:
    """Return the files that a recording is made from; refuse those that do not exist."""
    named = {key: getattr(config, key) for key in ("file", "trials_table", "labels")}
    return [existing(folder, name, f"{place}.{key}") for key, name in named.items() if name is not None]


def read_trials(config: RecordingConfig, folder: Path) -> "Recording":
    """Return the trials that are compared, with the condition among their labels.

    Raises
    ------
    FileError
        If a file cannot be read.
    InputError
        If marks, labels, units or the condition do not exist, the windows of the trials differ, or no spike is left.
    """
    recording = _cut(config, folder)
    if config.labels is not None:
        table = _table(folder / config.labels)
        if len(table) != recording.n_trials:
            raise InputError(f"'{config.labels}' has {len(table)} rows for {recording.n_trials} trials; give one each.")
        recording = recording.with_trials(**{str(name): table[name].to_list() for name in table})
    if config.where:
        recording = recording.select(trials=_mask(recording.trials, config.where, "trial label"))
    if config.units is not None:
        recording = recording.select(units=_unit_mask(recording.units, config.units))
    recording = with_condition(recording, config.condition)
    _refuse_unlike_windows(recording)
    if recording.times.size == 0:
        raise InputError(
            f"no spike of {recording.n_units} units lies in the window of any of {recording.n_trials} trials."
        )
    return recording


def read_population(config: RecordingConfig, folder: Path) -> "Recording":
    """Return the trials of one population: as `read_trials`, and every unit was recorded in every trial.

    Where sessions are joined, every unit was recorded in the trials of its own session.

    Raises
    ------
    FileError, InputError
        As `read_trials`; and for units of several sessions that are not joined, which would look silent in the trials
        of the others, or whose labels do not tell the sessions apart.
    """
    recording = read_trials(config, folder)
    if config.join is None:
        _refuse_sessions(recording)
    else:
        _check_sessions(recording, config.join)
    return recording


def with_condition(recording: "Recording", condition: str | tuple[str, ...]) -> "Recording":
    """Return the recording with the label that a configuration asks for, joined from several if need be.

    Raises
    ------
    InputError
        If the trials lack a label, or the joined label is there already or would not tell all conditions apart.
    """
    labels = [name for name in recording.trials if name not in {"start", "stop"}]
    parts = [condition] if isinstance(condition, str) else list(condition)
    for name in parts:
        if name not in labels:
            raise InputError(f"condition: {unknown('label of the trials', name, labels)}")
    joint = joint_name(condition)
    if len(parts) == 1:
        return recording
    if joint in labels:
        raise InputError(f"condition: the trials have a label '{joint}' already; give condition: '{joint}'.")
    table = recording.trials[parts]
    if table.isna().any(axis=None):
        lacking = [name for name in parts if table[name].isna().any()]
        raise InputError(f"condition: {int(table.isna().any(axis=1).sum())} trials have no label {lacking}.")
    words = [", ".join(map(_text, row)) for row in table.itertuples(index=False)]
    if len(set(words)) != len(table.drop_duplicates()):
        raise InputError(f"condition: labels of {parts} with ', ' in them look alike when joined; rename them.")
    return recording.with_trials(**{joint: words})


def is_blocked(recording: "Recording", condition: str) -> bool:
    """Whether all trials of each condition follow each other, so that slow drift looks like a difference."""
    trials = recording.trials
    if "onset" in trials:
        trials = trials.sort_values(["source_trial", "onset"], kind="stable")
    codes = pd.factorize(trials[condition])[0]
    n_conditions = len(np.unique(codes))
    return len(codes) > n_conditions and int((np.diff(codes) != 0).sum()) == n_conditions - 1


def _cut(config: RecordingConfig, folder: Path) -> "Recording":
    from snncompare.recording.cutting import cut_at_zero
    from snncompare.recording.read import read

    path = folder / Path(config.file).expanduser()
    stated: dict[str, Any] = {"time_unit": config.time_unit, "layout": config.layout, "extent": config.extent}
    if config.window is not None and config.trials is None and config.trials_table is None:
        recording = read(path, **stated)
        if recording.n_trials == 1:
            raise InputError("a window is relative to onsets; say which with trials or trials_table.")
        return cut_at_zero(recording, config.window)
    if config.trials_table is None:
        return read(path, trials=config.trials, window=config.window, windows=config.windows, **stated)
    recording = read(path, **stated)
    if recording.n_trials != 1:
        raise InputError(f"'{path.name}' has {recording.n_trials} trials already; label them with labels: file.csv.")
    return _with_onsets(recording, folder / config.trials_table).cut(_BEFORE_CUT, config.window)


def _with_onsets(recording: "Recording", path: Path) -> "Recording":
    from snncompare.recording.marks import Marks

    table = _table(path)
    if "start" not in table:
        raise InputError(f"'{path.name}' needs a column 'start' (seconds), it has {list(table.columns)}.")
    taken = {name: f"mark_{name}" for name in ("trial", "onset", "source_trial") if name in table}
    table = table.rename(columns=taken).assign(trial=recording.trials.index[0])
    if "stop" not in table:
        return replace(recording, marks={_BEFORE_CUT: Marks("event", table.assign(stop=table["start"]))})
    return replace(recording, marks={_BEFORE_CUT: Marks("epoch", table)})


def _table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, skipinitialspace=True)
    except (OSError, ValueError) as problem:
        raise FileError(f"cannot read '{path.name}' as a CSV table: {problem}.") from problem
    if table.empty:
        raise InputError(f"'{path.name}' has no rows.")
    return table


def _mask(table: pd.DataFrame, wanted: Mapping[str, tuple[Any, ...]], what: str) -> NDArray[np.bool_]:
    keep = np.ones(len(table), dtype=bool)
    for name, values in wanted.items():
        if name not in table:
            raise InputError(unknown(what, name, [column for column in table if column not in {"start", "stop"}]))
        for value in values:
            if not (table[name] == value).any():
                raise InputError(unknown(f"{what} '{name}' with the value", value, table[name].unique()))
        keep &= table[name].isin(values).to_numpy()
    if not keep.any():
        raise InputError(f"no row of the {what}s fits {dict(wanted)}.")
    return keep


def _unit_mask(units: pd.DataFrame, wanted: Mapping[str, tuple[Any, ...]] | tuple[Any, ...]) -> NDArray[np.bool_]:
    if isinstance(wanted, Mapping):
        return _mask(units, wanted, "unit label")
    known, chosen = units.index.astype(str), [str(name) for name in wanted]
    for name in chosen:
        if name not in known:
            raise InputError(f"units: {unknown('unit', name, known)}")
    return np.asarray(known.isin(chosen))


def _refuse_sessions(recording: "Recording") -> None:
    """Refuse units that were recorded in different trials: as one population they would look silent in most of them."""
    if "session" not in recording.units or "session" not in recording.trials:
        return
    sessions = list(dict.fromkeys(recording.units["session"]))
    others = recording.trials["session"].isin(sessions[:1])
    if len(sessions) > 1 or not others.all():
        raise InputError(
            f"{recording.n_units} units of {len(sessions)} sessions are not recorded in all of the trials; choose one "
            f"session by where: {{session: {sessions[0]}}} and units: {{session: {sessions[0]}}}, or join the sessions "
            "by condition with join: session."
        )


def _check_sessions(recording: "Recording", join: str) -> None:
    from snncompare.representation.sessions import split_sessions

    for what, table in (("units", recording.units), ("trials", recording.trials)):
        labels = [name for name in table if name not in {"start", "stop"}]
        if join not in labels:
            raise InputError(f"join: {unknown(f'label of the {what}', join, labels)}")
    of_units, of_trials = (set(table[join].dropna()) for table in (recording.units, recording.trials))
    for here, there, lacking in ((of_units, of_trials, "trials"), (of_trials, of_units, "units")):
        alone = sorted(here - there, key=str)
        if alone:
            raise InputError(
                f"join: the {join} {alone[0]!r} has no {lacking} ({len(alone)} of {len(here)} have none); choose the "
                "same ones with where: and units:."
            )
    with at("join"):
        split_sessions(recording, join)


def _text(label: Any) -> str:
    whole = isinstance(label, float) and label.is_integer()
    return str(int(label)) if whole else str(label)


def _refuse_unlike_windows(recording: "Recording") -> None:
    lengths = (recording.trials["stop"] - recording.trials["start"]).to_numpy()
    starts = recording.trials["start"].to_numpy()
    if np.ptp(lengths) > 1e-9 or np.ptp(starts) > 1e-9:
        raise InputError(
            f"the trials last {lengths.min():.6g} to {lengths.max():.6g} s, and distances need one window for all; "
            f"give for example window: [0 s, {np.floor(1e3 * lengths.min() + 1e-6):g} ms]."
        )
