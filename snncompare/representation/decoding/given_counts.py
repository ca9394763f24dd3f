"""Spike times without what the counts tell: each trial minus the mean of training trials of like count."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.decoding.folds import Folds

__all__ = ["Strata", "strata_of"]

Array = NDArray[np.float64]
MOST = 10
"""Most classes of like count per unit: with more, their means would rest on few trials."""


@dataclass(frozen=True, eq=False)
class Strata:
    """The trials of one unit by how often it fired.

    Parameters
    ----------
    member : array (n_trials, n_strata)
        1 where a trial belongs to a stratum; silent trials belong to none.
    means : array (n_folds, n_strata, n_trials)
        Weights of the training trials in the mean of each stratum; of all training trials that fired, where the
        stratum has none.
    """

    member: Array
    means: Array

    def residual(self, values: Array) -> Array:
        """Return values (n_trials,) minus the mean of their stratum, fold by fold, (n_folds, n_trials); silent: 0."""
        return (values - (self.means @ values) @ self.member.T) * self.member.any(axis=1)

    def correction(self, gram: Array) -> Array:
        """Return what to add to inner products to make them those of the residuals, (n_folds, n_trials, n_trials).

        Parameters
        ----------
        gram : array (n_trials, n_trials)
            Inner products of the unit's trains, 0 for silent ones.
        """
        half = self.means @ gram
        half -= 0.5 * (half @ self.means.transpose(0, 2, 1)) @ self.member.T
        once = self.member @ half
        return -(once + once.transpose(0, 2, 1))


def strata_of(counts: Array, folds: Folds) -> Strata:
    """Return the strata of one unit: its different counts, or ten classes of like count if there are more.

    Parameters
    ----------
    counts : array (n_trials,)
    folds : Folds
    """
    firing = counts > 0
    values, inverse = np.unique(counts[firing], return_inverse=True)
    if values.size > MOST:
        edges = np.unique(np.quantile(counts[firing], np.arange(1, MOST) / MOST))
        inverse = np.unique(np.searchsorted(edges, counts[firing], side="right"), return_inverse=True)[1]
    member = np.zeros((counts.size, int(inverse.max(initial=-1)) + 1))
    member[np.flatnonzero(firing), inverse] = 1.0
    means = np.stack([_means(member, train) for train, _ in folds])
    return Strata(member, means)


def _means(member: Array, train: NDArray[np.int64]) -> Array:
    trained = np.zeros(member.shape)
    trained[train] = member[train]
    empty = trained.sum(axis=0) == 0
    trained[:, empty] = (trained.sum(axis=1) > 0)[:, None]
    weights: Array = (trained / np.maximum(trained.sum(axis=0), 1)).T
    return weights
