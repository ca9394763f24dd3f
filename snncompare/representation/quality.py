"""What a recording can support: structure that is there before the stimulus, and how well single units repeat."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.recording.arguments import a_recording, column_name, instance, two_times, whole_number
from snncompare.recording.checks import float_column
from snncompare.recording.cutting import cut_at_zero
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions
from snncompare.representation.distances import distances
from snncompare.representation.estimators import BetweenMinusWithin, Estimator, MeanDistance, checked_estimator
from snncompare.representation.metrics import Metric, SpikeCount
from snncompare.representation.nearest_mean import accuracy, root_counts
from snncompare.representation.rdm import rdm_from_distances
from snncompare.representation.repeats.split_halves import (
    half_correlations,
    response_correlation,
    spearman,
    spearman_brown,
)
from snncompare.units import QuantityLike, seconds

__all__ = ["Drift", "WindowQuality", "drift", "reliability"]


@dataclass(frozen=True, kw_only=True)
class WindowQuality:
    """What one window of the trials says about the conditions.

    Attributes
    ----------
    start, stop : float
        Seconds.
    reliability : float
        Mean Spearman correlation of the RDMs of two halves of the trials; NaN where an RDM is constant.
    reliability_p : float
        Share of permutations of the condition labels with at least this reliability.
    decoding : float
        Share of trials decoded by the nearest mean, the trial left out.
    decoding_p : float
        Share of permutations with at least this share.
    time_correlation : float
        Spearman correlation of the RDM with the differences of the mean times at which conditions were recorded; NaN if
        these times are not known.
    """

    start: float
    stop: float
    reliability: float
    reliability_p: float
    decoding: float
    decoding_p: float
    time_correlation: float


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Whether conditions differ before their stimulus, when only drift or chance can tell them apart.

    Attributes
    ----------
    baseline, response : WindowQuality
    shared : float
        Spearman correlation of the RDMs of the two windows.
    share : float
        Mean dissimilarity in the baseline divided by that in the response, both between minus within (so that noise
        adds nothing): how large what was there before is, measured by what the stimulus evokes.
    chance : float
        1 / number of conditions.
    verdict : {"drift", "slight drift", "no drift seen"}
        Drift, if the reliability or the decoding of the baseline has p below ``alpha`` / 2; slight, if ``share`` is
        below ``tolerated``.
    by, metric, time : str
        Label of the conditions; label of the metric; label of the trials' times, empty if not known.
    n_trials, n_units, n_conditions, n_splits, n_permutations, seed : int
    alpha : float
    """

    baseline: WindowQuality
    response: WindowQuality
    shared: float
    share: float
    chance: float
    verdict: Literal["drift", "slight drift", "no drift seen"]
    by: str
    metric: str
    time: str
    n_trials: int
    n_units: int
    n_conditions: int
    n_splits: int
    n_permutations: int
    alpha: float
    tolerated: float
    seed: int

    @property
    def passes(self) -> bool:
        """Whether responses can be compared: no drift, or a slight one."""
        return self.verdict != "drift"

    @property
    def table(self) -> pd.DataFrame:
        """One row per window, columns the attributes of `WindowQuality`."""
        rows = {"baseline": self.baseline, "response": self.response}
        return pd.DataFrame([vars(row) for row in rows.values()], index=pd.Index(list(rows), name="window"))

    def summary(self) -> str:
        """Return the verdict and its reasons as sentences."""
        before, after = self.baseline, self.response
        found = (
            f"From {before.start:g} to {before.stop:g} s, before the stimulus, {self.n_trials} trials of "
            f"{self.n_units} units are decoded into {self.n_conditions} conditions ('{self.by}') with "
            f"{before.decoding:.2f} (chance {self.chance:.2f}, p = {before.decoding_p:.2g}), and the RDM "
            f"({self.metric}) repeats between halves of the trials with rho = {before.reliability:.2f} (p = "
            f"{before.reliability_p:.2g}); from {after.start:g} to {after.stop:g} s with {after.decoding:.2f} and rho "
            f"= {after.reliability:.2f}. The two RDMs correlate with {self.shared:.2f}; the dissimilarities before "
            f"the stimulus are {round(100 * self.share)} % of those after it."
        )
        times = (
            f" With the times at which conditions were recorded the RDMs correlate by {before.time_correlation:.2f} "
            f"and {after.time_correlation:.2f}."
            if self.time
            else " When conditions were recorded is not known, so nothing can be said about the order."
        )
        if self.verdict == "drift":
            return (
                "Drift: conditions differ before their stimulus, so the reliability of the response RDM is not "
                f"evidence of what the stimulus evokes. {found}{times} Compare conditions recorded close in time, "
                "estimate dissimilarities across blocks only, or leave this recording out."
            )
        if self.verdict == "slight drift":
            return (
                f"Slight drift: conditions differ before their stimulus, but by little of what the stimulus evokes. "
                f"{found}{times}"
            )
        return f"No drift seen: nothing reliable tells conditions apart before their stimulus. {found}{times}"


def drift(
    recording: Recording,
    by: str,
    baseline: tuple[QuantityLike, QuantityLike],
    response: tuple[QuantityLike, QuantityLike],
    metric: Metric | None = None,
    estimator: Estimator | None = None,
    *,
    bins: QuantityLike | None = "100 ms",
    time: str | None = None,
    n_splits: int = 20,
    n_permutations: int = 400,
    alpha: float = 0.01,
    tolerated: float = 0.5,
    seed: int = 0,
) -> Drift:
    """Compare what a window before the stimulus says about the conditions with what a window after it says.

    A stimulus cannot act before it begins. If the RDM of the baseline window repeats between halves of the trials, or
    trials are decoded from it, then conditions differ for another reason: most often they were recorded one after the
    other while units or electrodes drifted.

    Parameters
    ----------
    recording : Recording
        Trials that contain both windows.
    by : str
        Column of the trials table that names the condition; every condition needs two trials.
    baseline, response : (time, time)
        Relative to the reference of the trials, for example ``("0 s", "2 s")``; of one length, because longer windows
        make dissimilarities larger and more reliable.
    metric : Metric, optional
        Of the RDMs; by default `SpikeCount`.
    estimator : Estimator, optional
        By default `BetweenMinusWithin` if every condition has four trials, else `MeanDistance`.
    bins : time or None
        Width of the bins whose square-rooted counts are decoded.
    time : str, optional
        Column of the trials table with the time of each trial in the session, or its number in the order of recording;
        by default ``onset``, if there is such a column and it differs between trials.
    n_splits, n_permutations : int
        Splits per reliability, and permutations of the labels; the same splits for data and permutations.
    alpha : float
        Level of the verdict, shared by the two tests (Bonferroni).
    tolerated : float
        Share of the response's dissimilarities that those of the baseline may reach; see `Drift`.
    seed : int

    Raises
    ------
    InputError
        If a condition has one trial only, units are of several sessions, a window does not fit, a column does not
        exist, or a number is out of its range.
    """
    for what, number, least in (("n_splits", n_splits, 1), ("n_permutations", n_permutations, 1), ("seed", seed, 0)):
        whole_number(what, number, least)
    for what, share, most in (("alpha", alpha, 1.0), ("tolerated", tolerated, np.inf)):
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < most:
            raise InputError(f"{what} lies between 0 and {most:g}, got {share!r}; give such a number.")
    if (n_permutations + 1) * alpha / 2 < 1:
        raise InputError(f"{n_permutations} permutations cannot reach p < {alpha / 2:g}; give more, or a higher alpha.")
    windows = {"baseline": baseline, "response": response}
    edges = [tuple(seconds(edge, name) for edge in two_times(window, name)) for name, window in windows.items()]
    lengths = [stop - start for start, stop in edges]
    if abs(lengths[0] - lengths[1]) > 1e-9:
        raise InputError(f"give two windows of one length; they last {lengths[0]:g} and {lengths[1]:g} s.")
    _refuse_sessions(a_recording(recording))
    conditions = Conditions.of(recording, by)
    conditions.require_trials(2, "the drift check")
    chosen = checked_estimator(estimator) or _estimator(conditions)
    _require_halves(conditions, chosen)
    used = SpikeCount() if metric is None else instance(metric, Metric, "metric", "one metric such as SpikeCount()")  # type: ignore[type-abstract]
    apart, named = _times_apart(recording, conditions, time)
    streams = np.random.default_rng(seed).spawn(n_permutations)
    trials = np.arange(recording.n_trials)
    orders = np.array([trials, *(stream.permutation(trials) for stream in streams)])
    found, vectors, sizes = [], [], []
    for window, (start, stop) in zip((baseline, response), edges, strict=True):
        part = cut_at_zero(recording, window)
        between = distances(part, used)
        features = root_counts(part, bins)
        halves = half_correlations(between, conditions, orders, chosen, n_splits, seed)
        decoded = np.array([accuracy(features[order], conditions.index) for order in orders])
        vector = rdm_from_distances(between, conditions, chosen).get_vectors()[0]
        vectors.append(vector)
        sizes.append(float(rdm_from_distances(between, conditions, BetweenMinusWithin()).get_vectors().mean()))
        found.append(
            WindowQuality(
                start=start,
                stop=stop,
                reliability=float(halves[0]),
                reliability_p=_p(halves),
                decoding=float(decoded[0]),
                decoding_p=_p(decoded),
                time_correlation=float("nan") if apart is None else spearman(vector, apart),
            )
        )
    share = sizes[0] / sizes[1] if sizes[1] > 0 else float("inf")
    there = min(found[0].reliability_p, found[0].decoding_p) < alpha / 2
    verdict: Literal["drift", "slight drift", "no drift seen"] = "no drift seen"
    if there:
        verdict = "slight drift" if share < tolerated else "drift"
    return Drift(
        baseline=found[0],
        response=found[1],
        shared=spearman(*vectors),
        share=share,
        chance=1 / conditions.n_conditions,
        verdict=verdict,
        by=by,
        metric=used.label,
        time=named,
        n_trials=recording.n_trials,
        n_units=recording.n_units,
        n_conditions=conditions.n_conditions,
        n_splits=n_splits,
        n_permutations=n_permutations,
        alpha=alpha,
        tolerated=tolerated,
        seed=seed,
    )


def reliability(
    recording: Recording,
    by: str,
    metric: Metric | None = None,
    estimator: Estimator | None = None,
    *,
    n_splits: int = 50,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how well each unit repeats over trials.

    Trials of each condition are split into halves. ``rdm`` is the mean Spearman correlation between the unit's RDMs of
    the two halves, ``response`` the mean Pearson correlation between its mean spike counts per condition. The columns
    with ``_corrected`` are Spearman-Brown's prediction for all trials, ``2 r / (1 + r)``.

    Parameters
    ----------
    recording : Recording
        With trials of one common window. Units with a label ``session`` are judged by the trials of their session.
    by : str
        Column of the trials table that names the condition.
    metric, estimator, seed
        As in `drift`.
    n_splits : int

    Returns
    -------
    pandas.DataFrame
        Index the names of the units; columns ``n_trials, spikes, rate`` (Hz)``, silent_trials, response,
        response_corrected, rdm, rdm_corrected``. NaN where a unit's response or RDM is constant, and for RDMs of fewer
        than three conditions.

    Raises
    ------
    InputError
        If conditions have too few trials for two halves, or the column does not exist.
    """
    whole_number("n_splits", n_splits, 1)
    whole_number("seed", seed, 0)
    a_recording(recording)
    used = SpikeCount() if metric is None else instance(metric, Metric, "metric", "one metric such as SpikeCount()")  # type: ignore[type-abstract]
    rows = []
    joint = "session" in recording.units and "session" in recording.trials
    for position in range(recording.n_units):
        keep = np.arange(recording.n_units) == position
        there = (recording.trials["session"] == recording.units["session"].iloc[position]).to_numpy() if joint else None
        rows.append(_unit(recording.select(units=keep, trials=there), by, used, estimator, n_splits, seed))
    return pd.DataFrame(rows, index=recording.units.index)


def _unit(
    unit: Recording, by: str, metric: Metric, estimator: Estimator | None, n_splits: int, seed: int
) -> dict[str, Any]:
    conditions = Conditions.of(unit, by)
    chosen = checked_estimator(estimator) or _estimator(conditions)
    _require_halves(conditions, chosen)
    counts = np.diff(unit.offsets).astype(np.float64)
    response = response_correlation(counts, conditions, n_splits, seed)
    rdm = float("nan")
    if conditions.n_conditions > 2:
        order = np.arange(unit.n_trials)[None]
        rdm = float(half_correlations(distances(unit, metric), conditions, order, chosen, n_splits, seed)[0])
    length = float((unit.trials["stop"] - unit.trials["start"]).sum())
    return {
        "n_trials": unit.n_trials,
        "spikes": int(counts.sum()),
        "rate": counts.sum() / length,
        "silent_trials": int((counts == 0).sum()),
        "response": response,
        "response_corrected": spearman_brown(response),
        "rdm": rdm,
        "rdm_corrected": spearman_brown(rdm),
    }


def _estimator(conditions: Conditions) -> Estimator:
    return BetweenMinusWithin() if conditions.n_trials.min() >= 4 else MeanDistance()


def _require_halves(conditions: Conditions, estimator: Estimator) -> None:
    if estimator.across is not None:
        raise UnsupportedError(
            f"halves of single trials are compared here, and {estimator!r} needs whole values of '{estimator.across}' "
            "in each half; give BetweenMinusWithin()."
        )
    conditions.require_trials(2 * estimator.trials_needed, f"split halves with {type(estimator).__name__}")


def _refuse_sessions(recording: Recording) -> None:
    if "session" in recording.units and recording.units["session"].nunique() > 1:
        first = recording.units["session"].iloc[0]
        raise InputError(
            f"units of {recording.units['session'].nunique()} sessions were not recorded in the same trials; check one "
            f"session at a time, such as {first!r}, by recording.select(units=..., trials=...)."
        )


def _times_apart(
    recording: Recording, conditions: Conditions, time: str | None
) -> tuple[NDArray[np.float64] | None, str]:
    """Return the differences of the mean times of conditions, shape (n_pairs,), and where the times come from."""
    name = "onset" if time is None else time
    column_name(name, "time")
    if name not in recording.trials:
        if time is None:
            return None, ""
        raise InputError(unknown("column in the trials table", time, recording.trials.columns))
    times = float_column(recording.trials, name, "trials")
    if time is None and np.ptp(times) == 0:
        return None, ""
    mean = np.bincount(conditions.index, weights=times) / conditions.n_trials
    first, second = np.triu_indices(conditions.n_conditions, 1)
    return np.abs(mean[first] - mean[second]), name


def _p(values: NDArray[np.float64]) -> float:
    """Return the share of permutations, the data counted as one, that reach the first value; 1 where it is NaN."""
    if np.isnan(values[0]):
        return 1.0
    return float((values >= values[0]).mean())
