"""Measures of two RDMs by the Gram matrices they stand for: Bures similarity and squared Bures distance."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.fidelity import bures_cosine, bures_squared, root
from snncompare.comparison.measures.conditions import centred_grams, condition_counts, n_conditions
from snncompare.comparison.measures.measure import Measure
from snncompare.errors import UnsupportedError

__all__ = ["Bures", "BuresMetric"]

Array = NDArray[np.float64]


class _OfGrams(Measure):
    correlation_like: ClassVar[bool] = False

    @abstractmethod
    def of_grams(self, root_a: Array, a: Array, b: Array) -> Array:
        """Return the measure of centred Gram matrices; ``root_a`` is the square root of the first."""

    def between(self, x: Array, y: Array) -> Array:
        """Return the measure of every row of x with every row of y; see `Measure.between`."""
        return self._of_counts(x, y, np.ones((1, n_conditions(x.shape[1]))))[0]

    def resampled(self, x: Array, y: Array, weights: Array) -> Array:
        """Return the measure of resampled conditions, array (n_resamples, n_x, n_y).

        Copies of a condition are the same point: their distance is 0, and the point counts as often as it was drawn.
        """
        return self._of_counts(x, y, condition_counts(weights))

    def _of_counts(self, x: Array, y: Array, counts: Array) -> Array:
        left, right = centred_grams(x, counts), centred_grams(y, counts)
        roots = root(left)
        columns = [self.of_grams(roots, left, right[:, k : k + 1]) for k in range(len(y))]
        return np.stack(columns, axis=2)

    def as_correlation(self, similarity: Array) -> Array:
        """Refuse: no correlation is behind this measure."""
        del similarity
        raise UnsupportedError(f"{self.label} is not a correlation; the Spearman-Brown formula says nothing about it.")

    def from_correlation(self, correlation: Array) -> Array:
        """Refuse, as `as_correlation`."""
        return self.as_correlation(correlation)


@final
@dataclass(frozen=True)
class Bures(_OfGrams):
    r"""Bures similarity: the cosine of the angular Procrustes distance of the points that two RDMs stand for.

    .. math::

        \frac{\mathrm{tr}\,(A^{1/2} B A^{1/2})^{1/2}}{\sqrt{\mathrm{tr} A \, \mathrm{tr} B}}, \qquad
        A = -\tfrac12 H X H, \quad B = -\tfrac12 H Y H, \quad H = I - 11^T / n

    for RDMs X, Y of *squared* Euclidean distances: those of `BetweenMinusWithin` for Euclidean metrics. 1 for RDMs that
    are equal up to scale. Never negative and above 0 for unrelated RDMs, so judge it against relabelled conditions. An
    RDM that is not squared Euclidean loses the negative part of its Gram matrix; which of the two comes first then
    matters (x is the data), as in rsatoolbox.

    References
    ----------
    Williams, Kunz, Kornblith & Linderman 2021, arXiv 2110.14739, section 2.
    """

    label: ClassVar[str] = "Bures similarity"
    method: ClassVar[str] = "bures"

    def of_grams(self, root_a: Array, a: Array, b: Array) -> Array:
        """Return the cosine of the angular Procrustes distance."""
        return bures_cosine(root_a, a, b)

    def pooled(self, x: Array) -> Array:
        """Return the mean of the rows, each scaled to the same mean; the best one is not known in closed form."""
        size = x.mean(axis=1, keepdims=True)
        return np.mean(x / np.where(size > 0, size, 1.0), axis=0)


@final
@dataclass(frozen=True)
class BuresMetric(_OfGrams):
    r"""Squared Bures distance: the squared Procrustes distance of the points that two RDMs stand for.

    .. math:: \mathrm{tr} A + \mathrm{tr} B - 2\, \mathrm{tr}\,(A^{1/2} B A^{1/2})^{1/2}

    with A and B as in `Bures`. A distance: 0 for equal RDMs, larger for less similar ones, and it depends on the scale
    of both. (rsatoolbox returns the square under this name, too.) Bhatia, Jain & Lim 2019, Expositiones Mathematicae
    37:165.
    """

    label: ClassVar[str] = "squared Bures distance"
    method: ClassVar[str] = "bures_metric"
    of_equals: ClassVar[float] = 0.0
    distance: ClassVar[bool] = True

    def of_grams(self, root_a: Array, a: Array, b: Array) -> Array:
        """Return the squared Procrustes distance."""
        return bures_squared(root_a, a, b)

    def pooled(self, x: Array) -> Array:
        """Return the mean of the rows; the nearest one is not known in closed form."""
        return x.mean(axis=0)
