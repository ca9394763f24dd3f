"""How units fire: rates, interspike intervals, variability over repeats, synchrony, silence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.recording.arguments import a_recording, whole_number
from snncompare.recording.recording import Recording
from snncompare.recording.surrogates import ShuffledTrials
from snncompare.representation.compiled.trains import Trains, distinct_times
from snncompare.representation.conditions import Conditions
from snncompare.representation.decoding.samples import TOLERANCE, balanced_draw, with_common_window

__all__ = ["FiringStatistics", "firing_statistics"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class FiringStatistics:
    """How units fire.

    Attributes
    ----------
    units : pandas.DataFrame
        One row per unit: ``rate`` (Hz, spikes over recorded time), ``silent`` (share of trials without a spike),
        ``latency`` (s, median first spike from the start of the window), ``cv`` and ``cv2`` of the intervals, and
        ``fano``, the mean over classes of variance over mean of the counts.
    fano : pandas.DataFrame
        One row per unit and class with at least two trials: ``unit, class, trials, mean, variance, fano``.
    intervals : array (n_intervals,)
        All interspike intervals, seconds, in the order of the trains.
    synchrony : pandas.DataFrame
        One row per drawn trial: ``trial``, ``synchrony``, the mean SPIKE-synchronisation of pairs of units, and
        ``shuffled``, the same with trials of a class exchanged unit by unit, which keeps what the stimulus does.
    summary : mapping
        One number each, see `firing_statistics`.
    statements : tuple of str
        What was drawn at random, and whether trials last unequally long.
    """

    units: pd.DataFrame
    fano: pd.DataFrame
    intervals: Array
    synchrony: pd.DataFrame
    summary: Mapping[str, float]
    statements: tuple[str, ...]

    def __repr__(self) -> str:
        return f"FiringStatistics({len(self.units)} units, {self.intervals.size} intervals)"


def firing_statistics(
    recording: Recording, by: str | None = None, *, most_trials: int = 60, most_units: int = 60, seed: int = 0
) -> FiringStatistics:
    r"""Return how the units of a recording fire.

    Intervals are those inside trials. With interspike intervals :math:`x_i` of a unit, CV is :math:`s / \bar x` over
    all its trials, and CV2 the mean of :math:`2 |x_{i+1} - x_i| / (x_{i+1} + x_i)` over neighbours, which ignores slow
    changes of rate. The Fano factor is :math:`s^2 / \bar n` of the counts :math:`n` over the trials of one class
    (unbiased variance), so it holds what differs between the stimuli of a class; units silent in a class have none.

    ``summary`` holds ``trials, units, spikes``, ``rate`` (Hz, mean over units) with its 10 and 90 % points ``rate_low,
    rate_high``, ``silent_units`` (share of units that never fire), ``silent_trains`` (share of trains),
    ``spikes_per_trial``, ``median_interval`` (s), and medians
    over units ``cv, cv2, fano, latency``, means over trials ``synchrony, synchrony_shuffled``; NaN where there is none.

    Parameters
    ----------
    recording : Recording
    by : str, optional
        Column of the trials table with the class; None: all trials are of one.
    most_trials, most_units : int
        Of which synchrony is computed, drawn at random if there are more (statements say it): pairs of units cost.
    seed : int

    Raises
    ------
    InputError
        If there is no such column, or a limit is no whole number.

    References
    ----------
    CV2: Holt, Softky, Koch & Douglas 1996, J. Neurophysiol. 75:1806. SPIKE-synchronisation: Kreuz, Mulansky & Bozanic
    2015, J. Neurophysiol. 113:3432. Shuffled trials: Perkel, Gerstein & Moore 1967, Biophys. J. 7:419.
    """
    a_recording(recording)
    for name, value, least in (("most_trials", most_trials, 1), ("most_units", most_units, 2), ("seed", seed, 0)):
        whole_number(name, value, least)
    index, labels = _classes(recording, by)
    counts = np.diff(recording.offsets).reshape(recording.n_trials, recording.n_units)
    fano = _fano(counts, index, labels, recording.units.index)
    intervals, units = _intervals_and_units(recording, counts)
    units["fano"] = fano.groupby("unit", sort=False)["fano"].mean().reindex(recording.units.index)
    synchrony, said = _synchrony(recording, index, most_trials, most_units, seed)
    lasting = recording.trials["stop"] - recording.trials["start"]
    if lasting.max() - lasting.min() > TOLERANCE:
        unlike = f"Trials last {lasting.min():.3g} to {lasting.max():.3g} s: Fano factors hold that, too."
        said = (unlike, *said)
    return FiringStatistics(units, fano, intervals, synchrony, _summary(counts, units, intervals, synchrony), said)


def _classes(recording: Recording, by: str | None) -> tuple[NDArray[np.int64], tuple[Any, ...]]:
    if by is None:
        return np.zeros(recording.n_trials, dtype=np.int64), ("all",)
    conditions = Conditions.of(recording, by)
    return conditions.index, conditions.labels


def _fano(
    counts: NDArray[np.int64], index: NDArray[np.int64], labels: tuple[Any, ...], units: pd.Index
) -> pd.DataFrame:
    tables = []
    for c, label in enumerate(labels):
        own = counts[index == c]
        if len(own) < 2:
            continue
        mean, variance = own.mean(axis=0), own.var(axis=0, ddof=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            fano = np.where(mean > 0, variance / mean, np.nan)
        one = {"unit": units, "class": label, "trials": len(own), "mean": mean, "variance": variance, "fano": fano}
        tables.append(pd.DataFrame(one))
    columns = ["unit", "class", "trials", "mean", "variance", "fano"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns, dtype=np.float64)


def _intervals_and_units(recording: Recording, counts: NDArray[np.int64]) -> tuple[Array, pd.DataFrame]:
    """Return all intervals, and the table of units without Fano factors."""
    n_units, windows = recording.n_units, recording.trials
    duration = (windows["stop"] - windows["start"]).to_numpy(dtype=np.float64)
    train = np.repeat(np.arange(counts.size), counts.ravel())
    same = train[1:] == train[:-1]
    intervals, of_train = np.diff(recording.times)[same], train[1:][same]
    unit = of_train % n_units
    pairs = of_train[1:] == of_train[:-1]
    first, second = intervals[:-1][pairs], intervals[1:][pairs]
    both = first + second
    ratio = np.divide(2 * np.abs(second - first), both, out=np.zeros(both.size), where=both > 0)
    number, total = (np.bincount(unit, weights, n_units) for weights in (None, intervals))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / number
        spread = np.sqrt(np.bincount(unit, (intervals - mean[unit]) ** 2, n_units) / number)
        cv = np.where(number > 1, spread / mean, np.nan)
        n_pairs = np.bincount(unit[1:][pairs], minlength=n_units)
        cv2 = np.bincount(unit[1:][pairs], ratio, n_units) / n_pairs
    table = {
        "rate": counts.sum(axis=0) / duration.sum(),
        "silent": (counts == 0).mean(axis=0),
        "latency": _median_latency(recording, counts),
        "cv": cv,
        "cv2": cv2,
    }
    return intervals, pd.DataFrame(table, index=recording.units.index)


def _median_latency(recording: Recording, counts: NDArray[np.int64]) -> Array:
    start = recording.trials["start"].to_numpy(dtype=np.float64)
    fired = counts > 0
    latency = np.full(counts.shape, np.nan)
    latency[fired] = recording.times[recording.offsets[:-1].reshape(counts.shape)[fired]]
    latency -= start[:, None]
    ever = fired.any(axis=0)
    median = np.full(counts.shape[1], np.nan)
    median[ever] = np.nanmedian(latency[:, ever], axis=0)
    return median


def _synchrony(
    recording: Recording, index: NDArray[np.int64], most_trials: int, most_units: int, seed: int
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the synchrony of drawn trials, with that of shuffled ones, and in words what was drawn."""
    rng, said = np.random.default_rng(seed), []
    fires = np.bincount(recording.spike_index()[1], minlength=recording.n_units) > 0
    if fires.sum() < 2:
        return pd.DataFrame({"trial": [], "synchrony": [], "shuffled": []}, dtype=np.float64), ()
    labelled = recording.with_trials(_class=index)
    if recording.n_trials > most_trials:
        labelled = labelled.select(trials=balanced_draw(index, most_trials, rng), traces=[])
        said.append(f"Synchrony of {most_trials} of {recording.n_trials} trials, drawn at random.")
    if fires.sum() > most_units:
        kept = np.zeros(recording.n_units, dtype=bool)
        kept[rng.choice(np.flatnonzero(fires), most_units, replace=False)] = True
        labelled = labelled.select(units=kept, traces=[])
        said.append(f"Synchrony of {most_units} of {int(fires.sum())} units that fire, drawn at random.")
    shuffled = ShuffledTrials("_class").apply(with_common_window(labelled)[0], seed)
    table = {"trial": labelled.trials.index, "synchrony": _of_pairs(labelled), "shuffled": _of_pairs(shuffled)}
    return pd.DataFrame(table), tuple(said)


def _of_pairs(recording: Recording) -> Array:
    """Return the mean SPIKE-synchronisation of the pairs of units that fire in each trial; NaN with less than two."""
    from snncompare.representation.compiled.spike_sync import spike_sync

    found = np.full(recording.n_trials, np.nan)
    for i, (start, stop) in enumerate(recording.trials[["start", "stop"]].to_numpy(dtype=np.float64)):
        ends = recording.offsets[i * recording.n_units : (i + 1) * recording.n_units + 1]
        counts = np.diff(ends)
        firing = counts[counts > 0]
        if firing.size < 2:
            continue
        offsets = np.concatenate([[0], np.cumsum(firing)]).astype(np.int64)
        trains = distinct_times(Trains(recording.times[ends[0] : ends[-1]], offsets, 1, start, stop))
        units = range(firing.size)
        distance = spike_sync(trains, np.zeros(1), units, units)[0]
        found[i] = 1 - distance[np.triu_indices(firing.size, k=1)].mean()
    return found


def _summary(
    counts: NDArray[np.int64], units: pd.DataFrame, intervals: Array, synchrony: pd.DataFrame
) -> dict[str, float]:
    low, high = np.quantile(units["rate"], [0.1, 0.9])
    return {
        "trials": float(counts.shape[0]),
        "units": float(counts.shape[1]),
        "spikes": float(counts.sum()),
        "spikes_per_trial": float(counts.sum(axis=1).mean()),
        "rate": float(units["rate"].mean()),
        "rate_low": float(low),
        "rate_high": float(high),
        "silent_units": float((counts.sum(axis=0) == 0).mean()),
        "silent_trains": float((counts == 0).mean()),
        "median_interval": float(np.median(intervals)) if intervals.size else float("nan"),
        **{name: float(units[name].median()) for name in ("cv", "cv2", "fano", "latency")},
        "synchrony": float(synchrony["synchrony"].mean()),
        "synchrony_shuffled": float(synchrony["shuffled"].mean()),
    }
