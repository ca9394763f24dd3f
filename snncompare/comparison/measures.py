"""How similar two RDMs are: values that name the measure and evaluate it over many resamples at once."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.scores import centred_scores, plain_scores, rank_scores
from snncompare.errors import InputError, unknown

__all__ = ["Cosine", "KendallTauA", "Measure", "Pearson", "Spearman", "SpearmanRhoA", "check_measure", "measure_named"]

Array = NDArray[np.float64]
Integers = NDArray[np.intp]


class Measure(ABC):
    """A similarity of two RDMs, 1 for equal ones.

    Attributes
    ----------
    label : str
        The name in words.
    method : str
        The name that rsatoolbox gives the same measure.
    """

    label: ClassVar[str]
    method: ClassVar[str]

    def between(self, x: Array, y: Array) -> Array:
        """Return the similarity of every row of x with every row of y.

        Parameters
        ----------
        x, y : array (n_x, n_pairs), (n_y, n_pairs)
            Dissimilarities in the order of the upper triangle.

        Returns
        -------
        array (n_x, n_y)
            Equal to ``rsatoolbox.rdm.compare(x, y, method)``; 0 where one of the two is constant.
        """
        return self.resampled(x, y, np.ones((1, x.shape[1])))[0]

    @abstractmethod
    def resampled(self, x: Array, y: Array, weights: Array) -> Array:
        """Return the similarities when pair p occurs ``weights[n, p]`` times, for every resample n.

        Parameters
        ----------
        x, y : array (n_x, n_pairs), (n_y, n_pairs)
        weights : array (n_resamples, n_pairs)

        Returns
        -------
        array (n_resamples, n_x, n_y)
        """

    @abstractmethod
    def relabelled(self, x: Array, y: Array, pairs: Integers) -> Array:
        """Return the similarities of ``x[:, pairs[n]]`` with y, averaged over the rows of x, for every n.

        Parameters
        ----------
        x, y : array (n_x, n_pairs), (n_y, n_pairs)
        pairs : integer array (n_relabellings, n_pairs)

        Returns
        -------
        array (n_relabellings, n_y)
        """

    def as_correlation(self, similarity: Array) -> Array:
        """Return the correlation that a similarity stands for in the Spearman-Brown formula: here, itself."""
        return similarity

    def from_correlation(self, correlation: Array) -> Array:
        """Return the similarity that stands for a correlation; the inverse of `as_correlation`."""
        return correlation


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


@dataclass(frozen=True)
class Spearman(_ScoreMeasure):
    """Spearman's rank correlation, corrected for ties: the linear correlation of the mid-ranks."""

    label: ClassVar[str] = "Spearman correlation"
    method: ClassVar[str] = "spearman"

    def scores(self, x: Array, weights: Array) -> Array:
        """Return the centred mid-ranks, scaled to unit length."""
        return rank_scores(x, weights, tie_corrected=True)


@dataclass(frozen=True)
class SpearmanRhoA(_ScoreMeasure):
    """Spearman's rank correlation expected when ties are broken at random; for models that predict ties.

    Schuett, Kipnis, Diedrichsen and Kriegeskorte (2023), eLife 12:e82566.
    """

    label: ClassVar[str] = "Spearman correlation (rho-a)"
    method: ClassVar[str] = "rho-a"

    def scores(self, x: Array, weights: Array) -> Array:
        """Return the centred mid-ranks over the length that ranks without ties have."""
        return rank_scores(x, weights, tie_corrected=False)


@dataclass(frozen=True)
class Pearson(_ScoreMeasure):
    """Pearson's linear correlation."""

    label: ClassVar[str] = "Pearson correlation"
    method: ClassVar[str] = "corr"

    def scores(self, x: Array, weights: Array) -> Array:
        """Return the centred vector, scaled to unit length."""
        return centred_scores(x, weights)


@dataclass(frozen=True)
class Cosine(_ScoreMeasure):
    """Cosine of the angle between the two vectors; the point 0 of the dissimilarities counts."""

    label: ClassVar[str] = "cosine similarity"
    method: ClassVar[str] = "cosine"

    def scores(self, x: Array, weights: Array) -> Array:
        """Return the vector, scaled to unit length."""
        return plain_scores(x, weights)


@dataclass(frozen=True)
class KendallTauA(Measure):
    r"""Kendall's rank correlation tau-a: concordant minus discordant pairs of entries over all pairs of entries.

    In the Spearman-Brown formula it stands for the correlation :math:`r = \sin(\pi \tau / 2)` (Greiner's relation;
    Kendall, Rank Correlation Methods).
    """

    label: ClassVar[str] = "Kendall correlation (tau-a)"
    method: ClassVar[str] = "tau-a"

    def resampled(self, x: Array, y: Array, weights: Array) -> Array:
        """Return tau-a for every row of weights, array (n_resamples, n_x, n_y)."""
        from snncompare.comparison.concordance import net_concordance

        n = weights.sum(axis=1)
        result = [[net_concordance(a, b, weights) for b in y] for a in x]
        return np.moveaxis(np.array(result), 2, 0) / (n * (n - 1) / 2)[:, None, None]

    def relabelled(self, x: Array, y: Array, pairs: Integers) -> Array:
        """Return tau-a for every relabelling, averaged over the rows of x, array (n_relabellings, n_y)."""
        from snncompare.comparison.concordance import relabelled_concordance

        n = x.shape[1]
        net = [np.mean([relabelled_concordance(a, b, pairs) for a in x], axis=0) for b in y]
        return np.stack(net, axis=1) / (n * (n - 1) / 2)

    def as_correlation(self, similarity: Array) -> Array:
        r"""Return :math:`\sin(\pi \tau / 2)`."""
        return np.sin(np.pi * similarity / 2)

    def from_correlation(self, correlation: Array) -> Array:
        r"""Return :math:`2 \arcsin(r) / \pi`."""
        return np.arcsin(correlation) * 2 / np.pi


FINAL: tuple[type[Measure], ...] = (Spearman, SpearmanRhoA, Pearson, Cosine, KendallTauA)


def measure_named(name: str) -> Measure:
    """Return the measure whose class has this name.

    Raises
    ------
    InputError
    """
    for cls in FINAL:
        if cls.__name__ == name:
            return cls()
    raise InputError(unknown("measure", name, [cls.__name__ for cls in FINAL]))


def check_measure(by: object) -> Measure:
    """Return ``by`` if it is a measure; refuse a text or a class with the line to write.

    Raises
    ------
    InputError
    """
    if isinstance(by, Measure):
        return by
    wanted = str(by).lower().replace("_", "-")
    meant = [cls for cls in FINAL if by is cls or wanted in {cls.__name__.lower(), cls.method}]
    guess = meant[0] if meant else Spearman
    available = ", ".join(f"{cls.__name__}()" for cls in FINAL)
    raise InputError(f"by must be a measure, got {by!r}; write by={guess.__name__}(). Available: {available}.")
