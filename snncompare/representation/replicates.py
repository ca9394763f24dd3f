"""What repeats of the same condition allow: RDMs of bootstrap samples and of split halves of the trials."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.conditions import Conditions, Label
from snncompare.representation.estimators import Estimator, default_estimator
from snncompare.representation.rdm import stacked

__all__ = ["Replicates", "replicates"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Replicates:
    """RDMs of resampled trials; pairs of conditions in the order of the upper triangle.

    Attributes
    ----------
    conditions : tuple of labels
        In the order of the RDM they belong to.
    n_trials : array (n_conditions,)
        Number of trials of each condition.
    metric, time_scale : tuples (n_metrics,)
        Labels and time scales (seconds) of the metrics, the first axis of the arrays.
    bootstrap : array (n_metrics, n_resamples, n_pairs), or None
        From trials drawn with replacement within each condition.
    half_a, half_b : arrays (n_metrics, n_splits, n_pairs), or None
        From two disjoint halves of the trials of each condition, drawn anew for each split.
    no_bootstrap, no_halves : str
        Why there are none, in words; empty where there are.
    estimator : Estimator
    seed : int
    """

    conditions: tuple[Label, ...]
    n_trials: NDArray[np.int64]
    metric: tuple[str, ...]
    time_scale: tuple[float, ...]
    bootstrap: NDArray[np.float64] | None
    half_a: NDArray[np.float64] | None
    half_b: NDArray[np.float64] | None
    no_bootstrap: str
    no_halves: str
    estimator: Estimator
    seed: int

    def __post_init__(self) -> None:
        for values in (self.n_trials, self.bootstrap, self.half_a, self.half_b):
            if values is not None:
                values.setflags(write=False)


def replicates(
    distances: xr.DataArray,
    conditions: Conditions | Iterable[Label],
    estimator: Estimator | None = None,
    *,
    n_resamples: int = 1000,
    n_splits: int = 100,
    seed: int = 0,
) -> Replicates:
    """Resample trials within conditions, from distances that are computed once.

    A bootstrap needs one trial more than the estimator: with `BetweenMinusWithin` and two trials every sample with two
    different trials is the data themselves. Samples in which a condition consists of copies of fewer trials than the
    estimator needs are drawn again. Split halves need twice the trials that the estimator needs; of an odd number, the
    odd trial goes to either half by chance. All metrics share the same samples and splits.

    Parameters
    ----------
    distances : xarray.DataArray
        From `distances`.
    conditions : Conditions or sequence of labels
        One label per trial.
    estimator : Estimator, optional
        As in `rdm`.
    n_resamples, n_splits : int
        At least 1.
    seed : int

    Raises
    ------
    InputError
        If the labels do not fit the trials, a condition has too few trials for the estimator, or a number is below 1.
    """
    values, euclidean = stacked(distances)
    of = conditions if isinstance(conditions, Conditions) else Conditions.from_labels(conditions)
    if of.index.size != values.shape[1]:
        raise InputError(f"{of.index.size} condition labels for {values.shape[1]} trials; give one label per trial.")
    for what, number in (("n_resamples", n_resamples), ("n_splits", n_splits)):
        if number < 1:
            raise InputError(f"{what} must be 1 or more, got {number}.")
    chosen = default_estimator(of) if estimator is None else estimator
    of.require_trials(chosen.trials_needed, type(chosen).__name__)
    resampling, splitting = np.random.default_rng(seed).spawn(2)

    no_bootstrap = _reason(of, chosen.trials_needed + 1, "a bootstrap of trials", chosen)
    no_halves = _reason(of, 2 * chosen.trials_needed, "split halves", chosen)
    bootstrap = half_a = half_b = None
    if not no_bootstrap:
        drawn = _multiplicities(of, n_resamples, chosen.trials_needed, resampling)
        bootstrap = chosen.estimate(values, euclidean, of, drawn)
    if not no_halves:
        first = _halves(of, n_splits, splitting)
        half_a, half_b = (chosen.estimate(values, euclidean, of, part) for part in (first, 1.0 - first))
    return Replicates(
        conditions=of.labels,
        n_trials=of.n_trials,
        metric=tuple(str(label) for label in np.atleast_1d(distances["label"].to_numpy())),
        time_scale=tuple(np.atleast_1d(distances["time_scale"].to_numpy()).tolist()),
        bootstrap=bootstrap,
        half_a=half_a,
        half_b=half_b,
        no_bootstrap=no_bootstrap,
        no_halves=no_halves,
        estimator=chosen,
        seed=seed,
    )


def _reason(conditions: Conditions, needed: int, what: str, estimator: Estimator) -> str:
    shortage = conditions.shortage(needed)
    if not shortage:
        return ""
    return f"{what} with {type(estimator).__name__} needs at least {needed} trials of every condition; {shortage}"


def _multiplicities(
    conditions: Conditions, n_samples: int, least_different: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw how often each trial occurs in each sample: ``(n_samples, n_trials)``."""
    drawn = np.zeros((n_samples, conditions.index.size))
    for condition in range(conditions.n_conditions):
        of = np.flatnonzero(conditions.index == condition)
        todo = np.arange(n_samples)
        while todo.size:
            drawn[np.ix_(todo, of)] = rng.multinomial(of.size, np.full(of.size, 1.0 / of.size), size=todo.size)
            todo = todo[(drawn[np.ix_(todo, of)] > 0).sum(axis=1) < least_different]
    return drawn


def _halves(conditions: Conditions, n_splits: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw which trials form the first half in each split, as ones: ``(n_splits, n_trials)``."""
    first = np.zeros((n_splits, conditions.index.size))
    for condition in range(conditions.n_conditions):
        of = np.flatnonzero(conditions.index == condition)
        rank = rng.permuted(np.tile(np.arange(of.size), (n_splits, 1)), axis=1)
        size = of.size // 2 + rng.integers(0, of.size % 2 + 1, size=(n_splits, 1))
        first[:, of] = rank < size
    return first
