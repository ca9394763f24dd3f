"""Mean responses of single units to conditions, and how reliably they repeat."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from snncompare.comparison.prediction.session_parts import condition_coordinate, in_every_session
from snncompare.recording.arguments import whole_number
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions

__all__ = ["UnitResponses", "split_half_reliability", "unit_responses"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class UnitResponses:
    """What each unit fires for each condition.

    Attributes
    ----------
    mean : xarray.DataArray
        Dimensions ``condition, unit``; spikes per second, mean over trials.
    reliability : xarray.DataArray
        Dimension ``unit``; from `split_half_reliability`. NaN where there are fewer than three conditions,
        a condition has one trial, or a unit is constant.
    """

    mean: xr.DataArray
    reliability: xr.DataArray


def unit_responses(
    recording: Recording, by: str, *, join: str | None = None, n_splits: int = 100, seed: int = 0
) -> UnitResponses:
    """Return the mean rate of every unit in every condition, with its reliability.

    Parameters
    ----------
    recording : Recording
    by : str
        Column of the trials table that names the condition.
    join : str, optional
        Column of the units table and of the trials table, such as ``"session"``, where units were recorded in different
        sessions: each is then judged by the trials of its own.
    n_splits : int
        Random halvings of the trials that the reliability averages.
    seed : int
        Of the halvings.

    Raises
    ------
    InputError
        If the column does not exist or cannot name conditions, n_splits is below 1, or sessions differ in their
        conditions.
    """
    whole_number("n_splits", n_splits, 1)
    whole_number("seed", seed, 0)
    mean, reliability = in_every_session(recording, join, lambda part: _responses(part, by, n_splits, seed))
    return UnitResponses(mean, reliability)


def _responses(recording: Recording, by: str, n_splits: int, seed: int) -> list[xr.DataArray]:
    conditions = Conditions.of(recording, by)
    duration = (recording.trials["stop"] - recording.trials["start"]).to_numpy(dtype=np.float64)
    rates = recording.counts().to_numpy() / duration[:, None]
    units = {"unit": recording.units.index.to_numpy()}
    mean = _means(rates, np.ones((1, len(rates))), conditions)[0]
    labels = {"condition": condition_coordinate(conditions.labels)}
    reliability = split_half_reliability(rates, conditions, n_splits, seed)
    return [
        xr.DataArray(mean, dims=("condition", "unit"), coords={**labels, **units}, name="rate", attrs={"units": "Hz"}),
        xr.DataArray(reliability, dims=("unit",), coords=units, name="reliability"),
    ]


def split_half_reliability(responses: Array, conditions: Conditions, n_splits: int, seed: int) -> Array:
    r"""Return how much of the variance of each unit's condition means is signal, from halves of the trials.

    With r the mean over splits of the Pearson correlation between the condition means of two random halves,

    .. math:: \rho = \frac{2 r}{1 + r}

    and :math:`\sqrt \rho` is the expected correlation of the means over all trials with the noise-free response.
    Spearman (1910) and Brown (1910), British Journal of Psychology 3:271 and 3:296. With an odd number of trials one
    half has one more.

    Parameters
    ----------
    responses : array (n_trials, n_units)
    conditions : Conditions
        Of the trials.
    n_splits, seed : int

    Returns
    -------
    array (n_units,)
        NaN where there are fewer than three conditions, a condition has a single trial, or a unit's means are the same
        for all conditions in every half.
    """
    if (conditions.n_trials < 2).any() or conditions.n_conditions < 3:
        return np.full(responses.shape[1], np.nan)
    generator = np.random.default_rng(seed)
    order = np.argsort(generator.random((n_splits, len(conditions.index))) + conditions.index, axis=1)
    starts = np.concatenate([[0], np.cumsum(conditions.n_trials)[:-1]])
    rank = np.arange(len(conditions.index)) - np.repeat(starts, conditions.n_trials)
    in_first = np.zeros((n_splits, len(conditions.index)))
    half = np.repeat(conditions.n_trials // 2, conditions.n_trials)
    np.put_along_axis(in_first, order, np.broadcast_to((rank < half).astype(float), order.shape), axis=1)
    first, second = (_means(responses, weights, conditions) for weights in (in_first, 1 - in_first))
    correlation = _correlations(first, second)
    defined = np.isfinite(correlation)
    count = defined.sum(axis=0)
    r = np.where(defined, correlation, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan)
    return np.divide(2 * r, 1 + r, out=np.full(r.shape, np.nan), where=~(r <= -1))


def _means(responses: Array, weights: Array, conditions: Conditions) -> Array:
    """Return weighted condition means (n_samples, n_conditions, n_units) for weights (n_samples, n_trials)."""
    member = np.eye(conditions.n_conditions)[conditions.index]
    share = weights[:, :, None] * member
    share /= share.sum(axis=1, keepdims=True)
    return np.einsum("stc,tu->scu", share, responses, optimize=True)


def _correlations(a: Array, b: Array) -> Array:
    """Return correlations over conditions, (n_samples, n_units); NaN where one of the two is constant."""
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    size = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return (a * b).sum(axis=1) / np.where(size > 0, size, np.nan)
