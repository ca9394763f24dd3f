"""How well a model's features, or its kernel, predict single units in conditions that were left out of the fit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.comparison.labelled_arrays import aligned_rows
from snncompare.comparison.prediction.ridge import choose_penalties, ridge_predictions, split_into_folds
from snncompare.comparison.prediction.unit_responses import UnitResponses
from snncompare.errors import InputError
from snncompare.recording.arguments import number_array, one_of, whole_number
from snncompare.representation.conditions import Conditions

__all__ = ["PENALTIES", "Predictivity", "predictivity"]

Array = NDArray[np.float64]
Score = Literal["pearson", "r2"]

PENALTIES = tuple(10.0 ** np.arange(-4, 4.5, 0.5))
"""Relative to the mean squared length of the centred predictors: from hardly any shrinkage to nothing but the mean."""

FEWEST_PER_FOLD = 3
"""A correlation over two conditions is 1 or -1, whatever they are."""

LEAST_RELIABILITY = 0.3
"""A score over the root of a small and noisy reliability is large whatever the model is: measured on 64 neurons before
the stimulus (median reliability 0.03), the median of all with a positive one was 0.5 for raw scores of 0.15."""

NEGATIVE = 1e-8
"""A Gram matrix with an eigenvalue below minus this part of the largest is not positive semidefinite."""


@dataclass(frozen=True, eq=False)
class Predictivity:
    """How well each unit is predicted.

    Attributes
    ----------
    table : pandas.DataFrame
        Index the units; columns ``score`` (raw), ``reliability`` (of the unit's responses), ``ceiling`` (the score that
        a perfect model is expected to reach), ``corrected`` (score over ceiling). NaN for a unit that never changes its
        response, and ceiling and correction where the reliability is unknown or below ``least_reliability``.
    predictions : xarray.DataArray
        Of each row by the model that was fitted without its fold, dimensions as the responses.
    score : {"pearson", "r2"}
    """

    table: pd.DataFrame
    predictions: xr.DataArray
    score: Score

    @property
    def median(self) -> float:
        """Median raw score of the units that have one."""
        return float(self.table["score"].median())

    @property
    def median_corrected(self) -> float:
        """Median corrected score of the units that have one."""
        return float(self.table["corrected"].median())


def predictivity(
    responses: UnitResponses | xr.DataArray,
    predictors: xr.DataArray,
    *,
    score: Score = "pearson",
    groups: Sequence[object] | None = None,
    n_folds: int = 5,
    n_inner_folds: int = 4,
    penalties: Iterable[float] = PENALTIES,
    least_reliability: float = LEAST_RELIABILITY,
    seed: int = 0,
) -> Predictivity:
    r"""Return how well ridge regression on a model predicts units, in nested cross-validation over conditions.

    Each outer fold is predicted from the others; the penalty of each unit is chosen on inner folds of those others only
    (smallest squared error). With features the regression is linear, with a Gram matrix it is kernel ridge regression.

    ``"pearson"`` is the mean over outer folds of the correlation inside the fold; it is 0 on average for an unrelated
    model. (The correlation of all predictions with all responses is not: predictions of a fold contain the mean of the
    others, which is high where the fold's is low.) ``"r2"`` is
    :math:`1 - \sum (y - \hat y)^2 / \sum (y - \bar y_{train})^2` over all folds: 0 for a model that knows no more than
    the mean of the training conditions, negative for a worse one.

    With :math:`\rho` the reliability, the ceiling of ``"pearson"`` is :math:`\sqrt\rho`, that of ``"r2"`` :math:`\rho`.

    Parameters
    ----------
    responses : UnitResponses or xarray.DataArray
        From `unit_responses`; or an array with dimensions ``condition, unit`` or ``trial, unit``, of unknown
        reliability.
    predictors : xarray.DataArray
        Features ``(condition, anything)``, or a Gram matrix ``(condition, condition_)`` such as
        ``condition_gram(..., unbiased=False)``; over the same labels as the responses (or ``trial`` in place of
        ``condition``), in any order.
    score : {"pearson", "r2"}
    groups : sequence of labels, optional
        One per row of the responses; rows of one group are never split between fitting and testing. Give the conditions
        when the rows are trials. By default every row is its own group.
    n_folds, n_inner_folds : int
        For ``"pearson"`` a fold needs three groups.
    penalties : numbers above 0
        Relative to the mean squared length of the centred predictors.
    least_reliability : float
        Above 0, at most 1. Units below it get no corrected score.
    seed : int
        Of the folds.

    Raises
    ------
    InputError
        If labels differ (both sets are shown) or are missing, folds are too small, or the Gram matrix is not positive
        semidefinite.

    References
    ----------
    Schrimpf et al. 2018, bioRxiv 407007 (neural predictivity with internal consistency). Cawley & Talbot 2010, J. Mach.
    Learn. Res. 11:2079 (why nested).
    """
    one_of("score", score, ["pearson", "r2"])
    whole_number("seed", seed, 0)
    mean = responses.mean if isinstance(responses, UnitResponses) else responses
    gram = _gram(mean, predictors)
    values = mean.to_numpy().astype(np.float64)
    of = _groups(groups, mean)
    _check_folds(len(np.unique(of)), n_folds, n_inner_folds, score)
    strengths = _penalties(penalties)
    if (
        isinstance(least_reliability, bool)
        or not isinstance(least_reliability, int | float)
        or not 0 < least_reliability <= 1
    ):
        raise InputError(f"least_reliability must be above 0 and at most 1, got {least_reliability!r}.")
    generator = np.random.default_rng(seed)
    folds = split_into_folds(of, n_folds, generator)
    predicted, baseline = np.empty_like(values), np.empty_like(values)
    for k, test in enumerate(folds):
        train = np.concatenate([fold for j, fold in enumerate(folds) if j != k])
        inner = [train[fold] for fold in split_into_folds(of[train], n_inner_folds, generator)]
        chosen = choose_penalties(gram, values, inner, strengths)
        every = ridge_predictions(gram, values, train, test, strengths)
        predicted[test] = np.take_along_axis(every, chosen[None, None], axis=0)[0]
        baseline[test] = values[train].mean(axis=0)
    raw = _mean_correlation(values, predicted, folds) if score == "pearson" else _r2(values, predicted, baseline)
    reliability = (
        responses.reliability.to_numpy() if isinstance(responses, UnitResponses) else np.full(len(raw), np.nan)
    )
    usable = np.where(reliability >= least_reliability, reliability, np.nan)
    ceiling = np.sqrt(usable) if score == "pearson" else usable
    table = pd.DataFrame(
        {"score": raw, "reliability": reliability, "ceiling": ceiling, "corrected": raw / ceiling},
        index=pd.Index(mean["unit"].to_numpy() if "unit" in mean.coords else np.arange(len(raw)), name="unit"),
    )
    return Predictivity(table, mean.copy(data=predicted), score)


def _gram(responses: xr.DataArray, predictors: xr.DataArray) -> Array:
    """Return the Gram matrix of the predictors in the order of the responses."""
    if not isinstance(responses, xr.DataArray) or responses.ndim != 2 or responses.dims[1] != "unit":
        raise InputError(
            "responses must come from unit_responses(recording, by), or have dimensions (condition, unit)."
        )
    row = str(responses.dims[0])
    if not isinstance(predictors, xr.DataArray) or predictors.ndim != 2 or predictors.dims[0] != row:
        raise InputError(
            f"predictors must be an xarray.DataArray with dimensions ({row}, feature) or ({row}, {row}_), so that they "
            f"can be aligned by label; got {getattr(predictors, 'dims', type(predictors).__name__)}."
        )
    order = aligned_rows(predictors, responses, row)
    values = predictors.to_numpy().astype(np.float64)[order]
    if not (np.isfinite(values).all() and np.isfinite(responses.to_numpy()).all()):
        raise InputError("responses and predictors must be finite; leave out what was not measured.")
    if predictors.dims[1] != f"{row}_":
        return values @ values.T
    columns = predictors.coords[f"{row}_"].to_numpy().tolist() if f"{row}_" in predictors.coords else []
    if columns != predictors.coords[row].to_numpy().tolist():
        raise InputError("rows and columns of the Gram matrix must carry the same labels, in the same order.")
    gram = values[:, order]
    eigenvalues = np.linalg.eigvalsh(gram)
    if eigenvalues[0] < -NEGATIVE * eigenvalues[-1]:
        raise InputError(
            "the Gram matrix is not positive semidefinite, so it is no kernel to predict from; use "
            "condition_gram(..., unbiased=False)."
        )
    return gram


def _groups(groups: Sequence[object] | None, responses: xr.DataArray) -> NDArray[np.int64]:
    n = responses.shape[0]
    if groups is None:
        return np.arange(n)
    of = Conditions.from_labels(groups, "groups").index
    if of.size != n:
        raise InputError(f"{of.size} groups for {n} rows of the responses; give one label per row.")
    return of


def _check_folds(n_groups: int, n_folds: int, n_inner_folds: int, score: Score) -> None:
    for name, value in (("n_folds", n_folds), ("n_inner_folds", n_inner_folds)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 2:
            raise InputError(f"{name} must be a whole number of at least 2, got {value!r}.")
    fewest = FEWEST_PER_FOLD if score == "pearson" else 1
    if n_groups < fewest * n_folds:
        raise InputError(
            f"{n_groups} conditions in {n_folds} folds leave fewer than {fewest} in one; use "
            f"{'at most ' + str(n_groups // fewest) + ' folds' if n_groups >= 2 * fewest else 'more conditions'}."
        )
    training = n_groups - -(-n_groups // n_folds)
    if training < n_inner_folds + 1:
        raise InputError(
            f"{training} conditions to fit are too few for {n_inner_folds} inner folds; use fewer inner folds."
        )


def _penalties(penalties: Iterable[float]) -> Array:
    listed = list(penalties) if isinstance(penalties, Iterable) and not isinstance(penalties, str) else penalties
    values = number_array(listed, "penalties")
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all() or (values <= 0).any():
        raise InputError(f"penalties must be numbers above 0, got {values.tolist()}.")
    return values


def _mean_correlation(values: Array, predicted: Array, folds: Sequence[NDArray[np.intp]]) -> Array:
    """Return the mean correlation over the folds in which a unit changes; 0 where the predictions do not."""
    each = np.empty((len(folds), values.shape[1]))
    for k, rows in enumerate(folds):
        y, p = (x[rows] - x[rows].mean(axis=0) for x in (values, predicted))
        variable = np.ptp(values[rows], axis=0) > 0
        size = np.sqrt((y * y).sum(axis=0) * (p * p).sum(axis=0))
        each[k] = np.where(variable, (y * p).sum(axis=0) / np.where(size > 0, size, 1.0), np.nan)
    count = np.isfinite(each).sum(axis=0)
    return np.nansum(each, axis=0) / np.where(count > 0, count, np.nan)


def _r2(values: Array, predicted: Array, baseline: Array) -> Array:
    """Return one minus the error over the error of the training means; NaN for a unit that never changes."""
    variable = np.ptp(values, axis=0) > 0
    total = ((values - baseline) ** 2).sum(axis=0)
    return 1 - ((values - predicted) ** 2).sum(axis=0) / np.where(variable, total, np.nan)
