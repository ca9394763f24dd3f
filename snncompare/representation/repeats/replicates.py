"""What repeats of the same condition allow: RDMs of bootstrap samples and of split halves of the trials."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import whole_number
from snncompare.representation.conditions import Conditions, Label
from snncompare.representation.estimators import Estimator, checked_estimator, default_estimator
from snncompare.representation.labelled import stacked
from snncompare.representation.repeats.trial_draws import draw_samples, split_in_halves

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

    Where the estimator pairs trials of different sessions, trials of a session may share noise, so sessions are drawn
    and split whole, for all conditions together: a copy of a session is not a new session, and is not paired with it.
    A bootstrap then needs every condition in three sessions, split halves need it in four. With few sessions its spread
    is too small: by a fifth with 6 to 10 sessions in simulations, not measurably with 20.

    Parameters
    ----------
    distances : xarray.DataArray
        From `distances`.
    conditions : Conditions or sequence of labels
        One label per trial. `Conditions.of(recording, by, across="session")` for estimators that pair across sessions.
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
    for what, number, least in (("n_resamples", n_resamples, 1), ("n_splits", n_splits, 1), ("seed", seed, 0)):
        whole_number(what, number, least)
    chosen = checked_estimator(estimator) or default_estimator(of)
    chosen.check(of)
    resampling, splitting = np.random.default_rng(seed).spawn(2)

    drawn, no_bootstrap = draw_samples(of, n_resamples, chosen, resampling)
    first, no_halves = split_in_halves(of, n_splits, chosen, splitting)
    bootstrap = half_a = half_b = None
    if drawn is not None:
        bootstrap = chosen.estimate(values, euclidean, of, drawn)
    if first is not None:
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
