"""Measures that are inner products of scores: cosine, Pearson and Spearman correlation."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.measures.measure import Measure
from snncompare.comparison.scores import centred_scores, plain_scores, rank_scores, standard_scores, weighted_ranks

__all__ = ["Cosine", "Pearson", "Spearman", "SpearmanRhoA"]

Array = NDArray[np.float64]
Integers = NDArray[np.intp]


class _ScoreMeasure(Measure):
    """A measure that is the weighted inner product of scores."""

    @abstractmethod
    def scores(self, x: Array, weights: Array) -> Array:
        """Return the scores of one vector under every row of weights, array (n_resamples, n_pairs)."""

    def resampled(self, x: Array, y: Array, weights: Array) -> Array:
        models = np.stack([self.scores(row, weights) for row in y])
        similarities = [np.einsum("np,mnp->nm", weights * self.scores(row, weights), models) for row in x]
        return np.stack(similarities, axis=1)

    def relabelled(self, x: Array, y: Array, pairs: Integers) -> Array:
        once = np.ones((1, x.shape[1]))
        scores = np.mean([self.scores(row, once)[0] for row in x], axis=0)
        models = np.stack([self.scores(row, once)[0] for row in y])
        return scores[pairs] @ models.T


class _RankMeasure(_ScoreMeasure):
    def pooled(self, x: Array) -> Array:
        return np.mean([weighted_ranks(row, np.ones((1, len(row))))[0] for row in x], axis=0)


@final
@dataclass(frozen=True)
class Spearman(_RankMeasure):
    """Spearman's rank correlation, corrected for ties: the linear correlation of the mid-ranks."""

    label: ClassVar[str] = "Spearman correlation"
    method: ClassVar[str] = "spearman"

    def scores(self, x: Array, weights: Array) -> Array:
        """Return the centred mid-ranks, scaled to unit length."""
        return rank_scores(x, weights, tie_corrected=True)


@final
@dataclass(frozen=True)
class SpearmanRhoA(_RankMeasure):
    """Spearman's rank correlation expected when ties are broken at random; for models that predict ties.

    Schuett, Kipnis, Diedrichsen and Kriegeskorte (2023), eLife 12:e82566.
    """

    label: ClassVar[str] = "Spearman correlation (rho-a)"
    method: ClassVar[str] = "rho-a"

    def scores(self, x: Array, weights: Array) -> Array:
        """Return the centred mid-ranks over the length that ranks without ties have."""
        return rank_scores(x, weights, tie_corrected=False)


@final
@dataclass(frozen=True)
class Pearson(_ScoreMeasure):
    """Pearson's linear correlation."""

    label: ClassVar[str] = "Pearson correlation"
    method: ClassVar[str] = "corr"

    def scores(self, x: Array, weights: Array) -> Array:
        """Return the centred vector, scaled to unit length."""
        return centred_scores(x, weights)

    def pooled(self, x: Array) -> Array:
        """Return the mean of the standard scores of the rows."""
        return standard_scores(x).mean(axis=0)


@final
@dataclass(frozen=True)
class Cosine(_ScoreMeasure):
    """Cosine of the angle between the two vectors; the point 0 of the dissimilarities counts."""

    label: ClassVar[str] = "cosine similarity"
    method: ClassVar[str] = "cosine"

    def scores(self, x: Array, weights: Array) -> Array:
        """Return the vector, scaled to unit length."""
        return plain_scores(x, weights)
