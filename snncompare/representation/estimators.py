"""Distances between trials into dissimilarities between conditions."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.conditions import Conditions

__all__ = ["BetweenMinusWithin", "Estimator", "MeanDistance", "default_estimator"]


class Estimator(ABC):
    """How the distances between trials become one dissimilarity per pair of conditions.

    Attributes
    ----------
    trials_needed : int
        Smallest number of trials of each condition.
    """

    trials_needed: ClassVar[int]

    @abstractmethod
    def estimate(
        self,
        distances: NDArray[np.float64],
        euclidean: NDArray[np.bool_],
        conditions: Conditions,
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return dissimilarities ``(n_metrics, n_samples, n_pairs)``.

        Parameters
        ----------
        distances : array (n_metrics, n_trials, n_trials)
            Symmetric, zero diagonal.
        euclidean : array (n_metrics,)
            Which metrics are Euclidean.
        conditions : Conditions
            Of the trials.
        weights : array (n_samples, n_trials)
            How often each trial occurs in each sample: ones for the data as they are, multiplicities for a bootstrap
            sample, zeros and ones for a part of the trials. A trial is never paired with itself or its own copies.

        Returns
        -------
        array (n_metrics, n_samples, n_pairs)
            Pairs of conditions in the order of the upper triangle.
        """


@final
@dataclass(frozen=True)
class MeanDistance(Estimator):
    r"""Mean distance over all pairs of trials, one of each condition.

    .. math:: d(a, b) = \frac{1}{n_a n_b} \sum_{i \in a} \sum_{j \in b} D_{ij}

    Biased upwards by the noise between trials: two conditions with the same response are as far apart as two trials
    of one of them. It is the only choice where a condition has a single trial; else use `BetweenMinusWithin`.
    """

    trials_needed: ClassVar[int] = 1

    def estimate(
        self,
        distances: NDArray[np.float64],
        euclidean: NDArray[np.bool_],
        conditions: Conditions,
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return dissimilarities ``(n_metrics, n_samples, n_pairs)``; see `Estimator.estimate`."""
        del euclidean  # a mean of distances, whatever their geometry
        first, second = np.triu_indices(conditions.n_conditions, k=1)
        size = _sums_per_condition(weights, conditions)
        return np.stack(
            [
                _block_sums(d, conditions, weights)[:, first, second] / (size[:, first] * size[:, second])
                for d in distances
            ]
        )


@final
@dataclass(frozen=True)
class BetweenMinusWithin(Estimator):
    r"""Mean between the conditions minus the mean within them, over pairs of different trials (a U-statistic).

    .. math::

        d(a, b) = \frac{1}{n_a n_b} \sum_{i \in a, j \in b} S_{ij}
        - \frac{1}{2 n_a (n_a - 1)} \sum_{i \neq i' \in a} S_{ii'}
        - \frac{1}{2 n_b (n_b - 1)} \sum_{j \neq j' \in b} S_{jj'}

    For a Euclidean metric :math:`S = D^2` is the squared distance and :math:`d` is an unbiased estimate of the squared
    distance between the mean responses (the squared maximum mean discrepancy of Gretton et al. 2012, lemma 6; for
    spike counts the crossnobis idea over trials). For any other metric :math:`S = D`, the energy-distance form, zero
    on average for conditions with the same responses, without a guarantee that it is positive for others. Single
    estimates may be negative: that is what keeps the mean right.

    A bootstrap sample holds copies of trials; a copy is not a new trial, so pairs of copies are left out of sum and
    count alike.

    References
    ----------
    Gretton et al. 2012, J. Mach. Learn. Res. 13:723. Naud, Gerhard, Mensi & Gerstner 2011, Neural Comput. 23:3016.
    """

    trials_needed: ClassVar[int] = 2

    def estimate(
        self,
        distances: NDArray[np.float64],
        euclidean: NDArray[np.bool_],
        conditions: Conditions,
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return dissimilarities ``(n_metrics, n_samples, n_pairs)``; see `Estimator.estimate`."""
        conditions.require_trials(self.trials_needed, "BetweenMinusWithin")
        first, second = np.triu_indices(conditions.n_conditions, k=1)
        size = _sums_per_condition(weights, conditions)
        different = size**2 - _sums_per_condition(weights**2, conditions)
        result = np.empty((len(distances), len(weights), first.size))
        for k, (distance, square) in enumerate(zip(distances, euclidean, strict=True)):
            sums = _block_sums(distance**2 if square else distance, conditions, weights)
            within = np.diagonal(sums, axis1=1, axis2=2) / different
            between = sums[:, first, second] / (size[:, first] * size[:, second])
            result[k] = between - (within[:, first] + within[:, second]) / 2
        return result


def default_estimator(conditions: Conditions) -> Estimator:
    """Return `BetweenMinusWithin` if every condition has two trials or more, else `MeanDistance`."""
    enough = bool((conditions.n_trials >= BetweenMinusWithin.trials_needed).all())
    return BetweenMinusWithin() if enough else MeanDistance()


def _sums_per_condition(values: NDArray[np.float64], conditions: Conditions) -> NDArray[np.float64]:
    """Add ``values (n_samples, n_trials)`` over the trials of each condition: ``(n_samples, n_conditions)``."""
    return values @ np.eye(conditions.n_conditions)[conditions.index]


def _block_sums(
    matrix: NDArray[np.float64], conditions: Conditions, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add ``w_i w_j matrix_ij`` over the trials of each two conditions: ``(n_samples, n_conditions, n_conditions)``.

    Trials are first put in the order of their conditions; ``matrix`` is symmetric, so half of the blocks is computed.
    """
    order = np.argsort(conditions.index, kind="stable")
    starts = np.concatenate([[0], np.cumsum(conditions.n_trials)])
    matrix, weights = matrix[np.ix_(order, order)], np.ascontiguousarray(weights[:, order])
    sums = np.empty((len(weights), conditions.n_conditions, conditions.n_conditions))
    for c in range(conditions.n_conditions):
        begin, end = starts[c], starts[c + 1]
        products = weights[:, begin:end] @ matrix[begin:end, begin:]
        products *= weights[:, begin:]
        sums[:, c, c:] = np.add.reduceat(products, starts[c:-1] - begin, axis=1)
        sums[:, c:, c] = sums[:, c, c:]
    return sums
