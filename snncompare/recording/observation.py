"""A model seen through the experimenter's electrode: as few units, trials and spikes as were recorded."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording.arguments import a_recording, column_name, one_of, whole_number
from snncompare.recording.recording import Recording
from snncompare.recording.spike_moves import WINDOW_TOLERANCE, refuse_unlike_windows

__all__ = ["match", "with_equal_counts"]

Array = NDArray[np.float64]


def match(
    model: Recording,
    recording: Recording,
    seed: int,
    *,
    by: str | None = None,
    rates: Literal["population", "unit"] | None = "population",
) -> Recording:
    r"""Return a model's recording with the units, trials, window and rates of a recording.

    In this order: the window of the recording is cut out of the model's trials (both count time from their own
    reference, such as the onset of the stimulus); as many units as were recorded, and as many trials of every
    condition, are drawn at random; spikes are left out at random until the rates are those of the recording. A spike
    stays with probability

    .. math:: q = r_\text{recording} / r_\text{model}

    where r are mean rates over all units and trials (``"population"``), or those of the k-th most active unit of
    either (``"unit"``). Thinning keeps Poisson trains Poisson; it weakens correlations and bursts as a lower rate
    would not, which is the price of equal counts.

    Parameters
    ----------
    model : Recording
        Of the model; with at least the units, trials, window and rates of the recording.
    recording : Recording
        Of the animal.
    seed : int
    by : str, optional
        Column of both trials tables that names the condition. By default trials are drawn whatever their condition.
    rates : {"population", "unit"} or None
        None leaves the spikes as they are.

    Returns
    -------
    Recording
        Without traces; units and trials in their old order. ``provenance["matched"]`` has the numbers.

    Raises
    ------
    InputError
        If the model has fewer units or trials, another set of conditions, a window that does not hold the
        recording's, or fires less; the message has both numbers.
    """
    _check_seed(seed)
    _check(rates)
    a_recording(model, "model")
    a_recording(recording)
    if by is not None:
        column_name(by, "by")
    rng = np.random.default_rng(int(seed))
    seen = _same_window(model, recording)
    seen = seen.select(
        units=_drawn_units(seen, recording, rng), trials=_drawn_trials(seen, recording, by, rng), traces=[]
    )
    keep = _keep_probability(seen, recording, rates)
    thinned = _thinned(seen, rng.random(seen.times.size) < keep[seen.spike_index()[1]])
    numbers = {
        "seed": int(seed),
        "units": [model.n_units, recording.n_units],
        "trials": [model.n_trials, thinned.n_trials],
        "rates": rates,
        "kept_spikes": float(thinned.times.size / max(seen.times.size, 1)),
    }
    return replace(thinned, provenance=model.provenance | {"matched": numbers})


def with_equal_counts(recording: Recording, seed: int) -> Recording:
    """Return the recording with as many spikes in every train of a unit as in its shortest, left out at random.

    No measure can see the counts of what is left. A unit that is silent in one trial becomes silent in all.

    Raises
    ------
    InputError
        If the windows of the trials differ, or the seed is no whole number from 0 on.
    """
    _check_seed(seed)
    refuse_unlike_windows(a_recording(recording), "equal counts")
    counts = np.diff(recording.offsets).reshape(recording.n_trials, recording.n_units)
    _, unit = recording.spike_index()
    train = np.repeat(np.arange(counts.size), counts.ravel())
    order = np.lexsort((np.random.default_rng(seed).random(train.size), train))
    rank = np.empty(train.size, dtype=np.int64)
    rank[order] = np.arange(train.size) - recording.offsets[train[order]]
    equal = _thinned(recording, rank < counts.min(axis=0)[unit])
    return replace(equal, provenance=recording.provenance | {"equal_counts": {"seed": int(seed)}})


def _check_seed(seed: object) -> None:
    whole_number("seed", seed, 0)


def _check(rates: object) -> None:
    one_of("way to equalise rates", rates, ["population", "unit", None])


def _window(recording: Recording, whose: str) -> tuple[float, float]:
    refuse_unlike_windows(recording, f"matching {whose}")
    return float(recording.trials["start"].iloc[0]), float(recording.trials["stop"].iloc[0])


def _same_window(model: Recording, recording: Recording) -> Recording:
    start, stop = _window(recording, "the recording")
    has_start, has_stop = _window(model, "the model")
    if has_start > start + WINDOW_TOLERANCE or has_stop < stop - WINDOW_TOLERANCE:
        raise InputError(
            f"the model's trials last from {has_start:g} to {has_stop:g} s, the recording's from {start:g} to {stop:g} "
            "s; simulate the model for the recording's window, or cut the recording to the model's."
        )
    inside = _thinned(model, (model.times >= start) & (model.times <= stop))
    return replace(inside, trials=inside.trials.assign(start=start, stop=stop))


def _thinned(recording: Recording, keep: NDArray[np.bool_]) -> Recording:
    train = np.repeat(np.arange(recording.offsets.size - 1), np.diff(recording.offsets))
    lengths = np.bincount(train[keep], minlength=recording.offsets.size - 1)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return replace(recording, times=recording.times[keep], offsets=offsets, traces={})


def _drawn_units(model: Recording, recording: Recording, rng: np.random.Generator) -> NDArray[np.bool_]:
    return _drawn(np.arange(model.n_units), recording.n_units, model.n_units, "units", rng)


def _drawn_trials(
    model: Recording, recording: Recording, by: str | None, rng: np.random.Generator
) -> NDArray[np.bool_]:
    if by is None:
        return _drawn(np.arange(model.n_trials), recording.n_trials, model.n_trials, "trials", rng)
    theirs, ours = (_labels(table, by, whose) for table, whose in ((model, "model"), (recording, "recording")))
    wanted, given = list(pd.unique(ours)), list(pd.unique(theirs))
    if set(wanted) != set(given):
        raise InputError(
            f"the conditions in column '{by}' differ: the model has {_shown(given)}, the recording {_shown(wanted)}; "
            "select the trials of the conditions that both have."
        )
    keep = np.zeros(model.n_trials, dtype=bool)
    for label in wanted:
        rows = np.flatnonzero(theirs == label)
        keep |= _drawn(rows, int((ours == label).sum()), model.n_trials, f"trials of condition {label!r}", rng)
    return keep


def _drawn(rows: NDArray[np.intp], n: int, size: int, what: str, rng: np.random.Generator) -> NDArray[np.bool_]:
    if rows.size < n:
        raise InputError(f"the model has {rows.size} {what}, the recording {n}; simulate more, or record fewer.")
    keep = np.zeros(size, dtype=bool)
    keep[rng.choice(rows, n, replace=False)] = True
    return keep


def _labels(recording: Recording, by: str, whose: str) -> NDArray[Any]:
    if by not in recording.trials.columns:
        raise InputError(f"the {whose} has {unknown('column in its trials table', by, recording.trials.columns)}")
    labels = recording.trials[by]
    if labels.isna().any():
        raise InputError(
            f"{int(labels.isna().sum())} trials of the {whose} have no label in '{by}'; select the others."
        )
    return np.array(labels.tolist(), dtype=object)


def _shown(labels: list[Any]) -> str:
    more = f" and {len(labels) - 10} more" if len(labels) > 10 else ""
    return ", ".join(repr(label) for label in labels[:10]) + more


def _rates(recording: Recording) -> Array:
    """Return the mean rate of every unit, hertz, shape (n_units,)."""
    _, unit = recording.spike_index()
    duration = (recording.trials["stop"] - recording.trials["start"]).sum()
    return np.bincount(unit, minlength=recording.n_units) / float(duration)


def _keep_probability(model: Recording, recording: Recording, rates: str | None) -> Array:
    """Return with what probability the spikes of every unit of the model stay, shape (n_units,)."""
    has, wanted = _rates(model), _rates(recording)
    if rates is None:
        return np.ones(model.n_units)
    if rates == "population":
        if has.mean() < wanted.mean():
            raise InputError(
                f"the model fires {has.mean():.3g} Hz per unit, the recording {wanted.mean():.3g} Hz; spikes can only "
                "be left out. Drive the model harder, or match with rates=None."
            )
        return np.full(model.n_units, wanted.mean() / has.mean() if has.mean() > 0 else 1.0)
    order = np.argsort(has, kind="stable")
    ranked = np.empty_like(wanted)
    ranked[order] = np.sort(wanted)
    less = np.flatnonzero(has < ranked)
    if less.size:
        worst = less[np.argmax(ranked[less] - has[less])]
        raise InputError(
            f"{less.size} of {has.size} units of the model fire less than the recorded unit of the same rank, worst "
            f"'{model.units.index[worst]}' with {has[worst]:.3g} Hz for {ranked[worst]:.3g} Hz; spikes can only be "
            "left out. Drive the model harder, or match with rates='population'."
        )
    return np.divide(ranked, has, out=np.ones_like(has), where=has > 0)
