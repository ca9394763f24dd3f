"""A configuration for ``snncompare compare`` that fits a recording, with its best marks and label filled in."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from snncompare.errors import InputError

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording

__all__ = ["as_yaml", "suggest"]

FEWEST_CONDITIONS = 3
LADDER = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_NOT_LABELS = frozenset({"start", "stop", "trial", "onset", "source_trial"})
_ANGLES = {"orient": 180, "direction": 360, "angle": 360, "phase": 360, "heading": 360}


def suggest(
    recording: "Recording",
    file: str,
    time_unit: str | None = None,
    seed: int = 0,
    name: str = "compare.yaml",
    layout: dict[str, Any] | None = None,
) -> str:
    """Return YAML text that begins with comments; valid where the file has a label with three values or more.

    Parameters
    ----------
    recording : Recording
        As read, before it is cut.
    file : str
        How the configuration is to name it.
    time_unit : str, optional
    seed : int
    name : str
        Of the configuration, for the line to type.
    layout : dict, optional
        By which the file was read.
    """
    recording, chosen = _one_session(recording)
    best = _best(recording)
    begin: dict[str, Any] = {"file": file} | ({} if time_unit is None else {"time_unit": time_unit})
    begin |= ({} if layout is None else {"layout": layout}) | _extent(recording) | chosen
    if best is None:
        return _without_condition(recording, begin, seed, name)
    trials, window, condition, cut = best
    begin |= {} if trials is None else {"trials": trials}
    begin |= {} if window is None else {"window": window}
    begin |= {"condition": condition}
    config = {
        "question": f"Which model represents '{condition}' as these spikes do?",
        "recording": begin,
        "metrics": [{"type": "VanRossum", "time_scales": _time_scales(cut)}, {"type": "SpikeCount"}],
        "models": _models(condition, list(pd.unique(cut.trials[condition]))),
        "similarity": "Spearman",
        "resamples": 1000,
        "seed": seed,
    }
    return f"# snncompare compare {name}\n{as_yaml(config)}{_ALL_SESSIONS if chosen else ''}{_HINTS}"


def _one_session(recording: "Recording") -> "tuple[Recording, dict[str, Any]]":
    """Return the first session, and how a configuration chooses it, where there are several."""
    if "session" not in recording.units or "session" not in recording.trials:
        return recording, {}
    first = recording.units["session"].iloc[0]
    if (recording.units["session"] == first).all():
        return recording, {}
    part = recording.select(trials=recording.trials["session"] == first, units=recording.units["session"] == first)
    plain = first.item() if hasattr(first, "item") else first
    return part, {"where": {"session": plain}, "units": {"session": plain}}


def _extent(recording: "Recording") -> dict[str, Any]:
    """Return the extent of the spikes where the file states an impossible one."""
    from snncompare.recording.doubts import refuse_impossible_extents

    try:
        refuse_impossible_extents(recording)
    except InputError:
        return {"extent": ["0 s", f"{math.ceil(float(recording.times.max()))} s"]}
    return {}


_ALL_SESSIONS = """# All sessions, joined by condition: join: session, instead of where and units.
"""
_HINTS = """# More models:
#   my matrix: {type: matrix, file: my_rdm.csv}
#   other spikes: {type: recording, file: other.nwb, trials: trials, condition: stimulus}
#   my network: {type: network, network: network.yaml, weights: weights.npz, inputs: {source: spikes.npz},
#                condition: stimulus, duration: 1 s}
"""


def _best(recording: "Recording") -> "tuple[str | None, list[str] | None, str, Recording] | None":
    """Return marks, window, label and the cut recording of the candidate with most trials in usable conditions."""
    found = []
    for trials, window, cut in _candidates(recording):
        for label in cut.trials:
            score = 0 if label in _NOT_LABELS else _score(cut.trials[label])
            if score:
                found.append((score, trials, window, str(label), cut))
    return max(found, key=lambda candidate: candidate[0])[1:] if found else None


def _candidates(recording: "Recording") -> "list[tuple[str | None, list[str] | None, Recording]]":
    """Return the ways to cut that work, with the trials that the file brings first."""
    found: list[tuple[str | None, list[str] | None, Recording]] = [(None, None, recording)]
    for name in recording.marks:
        for window in _windows(recording, name):
            try:
                found.append((name, window, recording.cut(name, None if window is None else (window[0], window[1]))))
            except InputError:
                continue
            break
    return found


def _windows(recording: "Recording", name: str) -> list[list[str] | None]:
    """Return windows worth trying: the marks' own, or from the onset to the next one, one second at most."""
    table = recording.marks[name].table
    length = (table["stop"] - table["start"]).to_numpy()
    if length.size and length.min() > 0 and np.ptp(length) <= 1e-9:
        return [None]
    if length.size and length.min() > 0:
        return [["0 s", _milliseconds(length.min())]]
    gaps = table.groupby("trial")["start"].diff().dropna()
    gaps = gaps[gaps > 0]
    room = recording.trials["stop"].reindex(table["trial"]).to_numpy() - table["start"].to_numpy()
    shortest = min([1.0, *gaps.tolist(), *room[room > 0].tolist()])
    return [["0 s", _milliseconds(shortest)]] if shortest >= 1e-3 else []


def _milliseconds(length: float) -> str:
    return f"{math.floor(1e3 * length + 1e-6):g} ms"


def _score(column: pd.Series) -> int:
    """Return the number of trials in conditions, 0 where conditions or repeats are too few or values are missing."""
    repeats = column.value_counts()
    usable = len(repeats) >= FEWEST_CONDITIONS and repeats.min() >= 2 and not column.isna().any()
    return int(repeats.sum()) if usable else 0


def _time_scales(cut: "Recording") -> list[str]:
    """Return three time scales up to a third of the trials' length."""
    length = float((cut.trials["stop"] - cut.trials["start"]).min())
    fitting = [scale for scale in LADDER if scale <= 1e3 * length / 3] or [LADDER[0]]
    return [f"{scale} ms" for scale in fitting[-6::2]]


def _models(condition: str, labels: list[Any]) -> dict[str, Any]:
    values = [label.item() if hasattr(label, "item") else label for label in labels]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    period = next((period for word, period in _ANGLES.items() if word in condition.lower()), None)
    if numbers:
        circle = {} if period is None else {"circle": {"type": "circular", "period": period}}
        return {**circle, "line": {"type": "linear"}}
    middle = len(values) // 2
    groups = {"first group": values[:middle], "second group": values[middle:]}
    return {"two groups (invented, edit)": {"type": "categorical", "groups": groups}}


def _without_condition(recording: "Recording", begin: dict[str, Any], seed: int, name: str) -> str:
    """Return a configuration that names the file with the stimuli that its user still has to write."""
    if recording.n_trials > 1:
        begin |= {"labels": "labels.csv", "condition": "stimulus"}
        need = f"labels.csv: a column 'stimulus' and {recording.n_trials} rows, one per trial in order"
    else:
        begin |= {"trials_table": "trials.csv", "window": ["0 s", "1 s"], "condition": "stimulus"}
        need = "trials.csv: columns 'start' (onset in seconds) and 'stimulus', one row per trial"
    config = {
        "recording": begin,
        "metrics": [{"type": "VanRossum", "time_scales": ["10 ms", "30 ms", "100 ms"]}, {"type": "SpikeCount"}],
        "models": {"my hypothesis": {"type": "matrix", "file": "my_rdm.csv"}},
        "seed": seed,
    }
    return (
        f"# snncompare compare {name}\n"
        "# No label in this file has three values or more with two trials or more each, so nothing says which\n"
        f"# stimulus was given when.\n# Write {need}.\n{as_yaml(config)}"
    )


def as_yaml(config: dict[str, Any]) -> str:
    """Return plain data as YAML."""
    return yaml.safe_dump(config, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)
