r"""Dissimilarities between conditions as plain arrays by the cheapest exact route: for many surrogates.

The unbiased estimate needs no distance between single trials. For a metric that is the norm of filtered trains,

.. math::

    d(a, b) = \frac{G_{aa} - S_a}{n_a (n_a - 1)} + \frac{G_{bb} - S_b}{n_b (n_b - 1)} - \frac{2 G_{ab}}{n_a n_b}, \qquad
    G_{ab} = \sum_{i \in a, j \in b} K_{ij}, \quad S_a = \sum_{i \in a} K_{ii}

and :math:`G_{ab}` is the kernel of the trials of a, laid on top of each other, with those of b. With C conditions of R
repeats that is a Gram matrix of C trains instead of C R.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snncompare.recording.recording import Recording
from snncompare.representation.compiled.trains import Trains, pool_units
from snncompare.representation.conditions import Conditions
from snncompare.representation.estimators import BetweenMinusWithin, Estimator
from snncompare.representation.metrics import Metric, SpikeCount, VanRossum
from snncompare.representation.rdm import rdm

__all__ = ["condition_dissimilarities"]

Array = NDArray[np.float64]


def condition_dissimilarities(recording: Recording, metrics: Sequence[Metric], by: str, estimator: Estimator) -> Array:
    """Return the vectors of `snncompare.representation.rdm.rdm`, equal to it up to rounding.

    Parameters
    ----------
    recording : Recording
        With trials of one common window.
    metrics : sequence of Metric
    by : str
        Column of the trials table that names the condition.
    estimator : Estimator

    Returns
    -------
    array (n_metrics, n_pairs)
        Pairs of conditions, in order of first appearance, in the order of the upper triangle.
    """
    fast = estimator == BetweenMinusWithin()
    pooled = [k for k, metric in enumerate(metrics) if fast and isinstance(metric, VanRossum | SpikeCount)]
    others = [k for k in range(len(metrics)) if k not in pooled]
    parts: list[tuple[list[int], Array]] = []
    if others:
        every = rdm(recording, [metrics[k] for k in others], by, estimator).get_vectors()
        parts.append((others, np.asarray(every, dtype=np.float64)))
    if pooled:
        parts.append((pooled, _unbiased(recording, [metrics[k] for k in pooled], Conditions.of(recording, by))))
    result = np.empty((len(metrics), parts[0][1].shape[1]))
    for rows, values in parts:
        result[rows] = values
    return result


def _unbiased(recording: Recording, metrics: Sequence[Metric], conditions: Conditions) -> Array:
    conditions.require_trials(BetweenMinusWithin.trials_needed, "BetweenMinusWithin")
    trains = Trains(recording.times, recording.offsets, recording.n_units, 0.0, 1.0)
    n = conditions.n_trials
    first, second = np.triu_indices(conditions.n_conditions, k=1)
    result = np.empty((len(metrics), first.size))
    for k, (products, own) in enumerate(_grams(trains, metrics, conditions)):
        within = (np.diagonal(products) - own) / (n * (n - 1))
        between = products[first, second] / (n[first] * n[second])
        result[k] = within[first] + within[second] - 2 * between
    return result


def _grams(trains: Trains, metrics: Sequence[Metric], conditions: Conditions) -> list[tuple[Array, Array]]:
    """Return ``G (n_conditions, n_conditions)`` and ``S (n_conditions,)`` of every metric."""
    filters = [metric for metric in metrics if isinstance(metric, VanRossum)]
    taus = np.unique([metric.time_scale for metric in filters])
    labelled = _laplacian(trains, taus, conditions) if any(metric.mixing < 1 for metric in filters) else []
    summed = _laplacian(pool_units(trains), taus, conditions) if any(metric.mixing > 0 for metric in filters) else []
    result = []
    for metric in metrics:
        if isinstance(metric, VanRossum):
            at = int(np.searchsorted(taus, metric.time_scale))
            parts = [(1 - metric.mixing, labelled), (metric.mixing, summed)]
            used = [(share, *grams[at]) for share, grams in parts if share > 0]
            result.append(
                (np.sum([s * g for s, g, _ in used], axis=0), np.sum([s * own for s, _, own in used], axis=0))
            )
        else:
            result.append(_counts(trains, conditions))
    return result


def _counts(trains: Trains, conditions: Conditions) -> tuple[Array, Array]:
    counts = np.diff(trains.offsets).reshape(trains.n_trials, trains.n_units).astype(np.float64)
    of_condition = np.eye(conditions.n_conditions)[conditions.index].T
    total = of_condition @ counts
    return total @ total.T, of_condition @ (counts**2).sum(axis=1)


def _laplacian(trains: Trains, taus: Array, conditions: Conditions) -> list[tuple[Array, Array]]:
    """Return G and S of the exponentially filtered trains for every time constant."""
    from snncompare.representation.compiled.cross_intensity import laplacian_norms, laplacian_products

    every = range(conditions.n_conditions)
    products = laplacian_products(_trials_on_top(trains, conditions), taus, every, every)
    norms = laplacian_norms(trains, taus, range(trains.n_trials))
    own = norms @ np.eye(conditions.n_conditions)[conditions.index]
    return list(zip(products, own, strict=True))


def _trials_on_top(trains: Trains, conditions: Conditions) -> Trains:
    """Return one trial per condition that holds the spikes of all its trials."""
    train = np.repeat(np.arange(trains.offsets.size - 1), np.diff(trains.offsets))
    trial, unit = np.divmod(train, trains.n_units)
    group = conditions.index[trial] * trains.n_units + unit
    offsets = np.zeros(conditions.n_conditions * trains.n_units + 1, dtype=np.int64)
    np.cumsum(np.bincount(group, minlength=offsets.size - 1), out=offsets[1:])
    times = trains.times[np.lexsort((trains.times, group))]
    return Trains(times, offsets, trains.n_units, trains.start, trains.stop)
