"""What every measure of two RDMs can do and says about itself."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Measure"]

Array = NDArray[np.float64]
Integers = NDArray[np.intp]


class Measure(ABC):
    """A comparison of two RDMs: a similarity, 1 for equal ones, unless it says otherwise.

    Attributes
    ----------
    label : str
        The name in words.
    method : str
        The name that rsatoolbox gives the same measure.
    of_equals : float
        The value of an RDM with itself: 1 for similarities, 0 for distances and negative distances.
    distance : bool
        Whether a smaller value means more alike.
    correlation_like : bool
        Whether the Spearman-Brown formula applies, so that split halves of the trials give a noise ceiling.
    no_bootstrap : str
        Why a bootstrap of conditions is not defined, in words; empty where it is.
    """

    label: ClassVar[str]
    method: ClassVar[str]
    of_equals: ClassVar[float] = 1.0
    distance: ClassVar[bool] = False
    correlation_like: ClassVar[bool] = True

    @property
    def no_bootstrap(self) -> str:
        """Why a bootstrap of conditions is not defined, in words; empty where it is."""
        return ""

    def between(self, x: Array, y: Array) -> Array:
        """Return the similarity of every row of x with every row of y.

        Parameters
        ----------
        x, y : array (n_x, n_pairs), (n_y, n_pairs)
            Dissimilarities in the order of the upper triangle.

        Returns
        -------
        array (n_x, n_y)
            Equal to ``rsatoolbox.rdm.compare(x, y, method)``; 0 where one of the two is constant, for correlations.
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

        Raises
        ------
        UnsupportedError
            With `no_bootstrap`, where the measure of repeated conditions is not defined.
        """

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
        return np.mean([self.between(row[pairs], y) for row in x], axis=0)

    def pooled(self, x: Array) -> Array:
        r"""Return the one RDM that stands for several, as the noise ceiling across subjects needs it.

        Here the mean of the rows, each scaled to the same root mean square; measures of ranks average ranks, those of
        centred entries average standard scores. Equal to rsatoolbox's ``pool_rdm`` up to scale and offset, which
        supports neither of the Bures measures.

        Parameters
        ----------
        x : array (n_x, n_pairs)

        Returns
        -------
        array (n_pairs,)
        """
        return np.mean(x / np.sqrt(np.mean(x**2, axis=1, keepdims=True)), axis=0)

    def as_correlation(self, similarity: Array) -> Array:
        """Return the correlation that a similarity stands for in the Spearman-Brown formula: here, itself."""
        return similarity

    def from_correlation(self, correlation: Array) -> Array:
        """Return the similarity that stands for a correlation; the inverse of `as_correlation`."""
        return correlation
