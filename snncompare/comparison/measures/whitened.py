"""Whitened measures: entries of an RDM that share a condition share its noise, and are weighted for it."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.measures.conditions import (
    Covariance,
    as_covariance,
    condition_counts,
    noise_covariance,
    square,
)
from snncompare.comparison.measures.measure import Measure
from snncompare.comparison.scores import standard_scores
from snncompare.errors import UnsupportedError

__all__ = ["WhitenedCosine", "WhitenedPearson"]

Array = NDArray[np.float64]
Integers = NDArray[np.intp]

ROUNDING = 1e-12
"""A whitened vector shorter than this part of the vector itself is zero up to rounding."""


class _Whitened(Measure):
    sigma_k: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma_k", noise_covariance(self.sigma_k, f"{type(self).__name__}.sigma_k"))

    @property
    def no_bootstrap(self) -> str:
        """Words where the noise is correlated between conditions; else empty."""
        if self.sigma_k is None or not isinstance(self.sigma_k[0], tuple):
            return ""
        return (
            "with noise correlated between conditions (sigma_k is a matrix) two copies of one condition would share "
            "all their noise, which can no longer be whitened; give the variances only, or resample subjects or trials"
        )

    @abstractmethod
    def entries(self, x: Array, weights: Array) -> Array:
        """Return the entries whose angle is taken, array (n_x, n_resamples, n_pairs)."""

    def resampled(self, x: Array, y: Array, weights: Array) -> Array:
        left, right = self.entries(x, weights), self.entries(y, weights)
        of_left, of_right = (self._whitened(entries, weights) for entries in (left, right))
        inner = np.einsum("xnp,ynp->nxy", left, of_right)
        return inner * _inverse_length(left, of_left)[..., None] * _inverse_length(right, of_right)[:, None, :]

    def relabelled(self, x: Array, y: Array, pairs: Integers) -> Array:
        """Return the similarities for every relabelling, array (n_relabellings, n_y); see `Measure.relabelled`.

        With equal noise the length of a vector does not depend on the order of the conditions, and one matrix product
        does.
        """
        if self.sigma_k is not None:
            return super().relabelled(x, y, pairs)
        once = np.ones((1, x.shape[1]))
        left, right = self.entries(x, once), self.entries(y, once)
        of_left, of_right = (self._whitened(entries, once) for entries in (left, right))
        scores = np.mean(left[:, 0] * _inverse_length(left, of_left)[0][:, None], axis=0)
        models = of_right[:, 0] * _inverse_length(right, of_right)[0][:, None]
        return scores[pairs] @ models.T

    def _whitened(self, entries: Array, weights: Array) -> Array:
        r"""Return :math:`V^{-1} d` up to a factor, for entries d of shape (n_x, n_resamples, n_pairs)."""
        covariance = as_covariance(self.sigma_k, square(weights[:1]).shape[1], f"{type(self).__name__}.sigma_k")
        if covariance is None or covariance.ndim == 1:
            precision = np.ones(1) if covariance is None else 1 / covariance
            return _independent_noise(entries, condition_counts(weights), precision)
        if not (weights == 1).all():
            raise UnsupportedError(f"{self.label} of resampled conditions is not defined: {self.no_bootstrap}.")
        return _correlated_noise(entries, covariance)


@final
@dataclass(frozen=True)
class WhitenedCosine(_Whitened):
    r"""Cosine of two RDMs whose entries are whitened by the covariance that noise gives them.

    .. math::

        \frac{x^T V^{-1} y}{\sqrt{x^T V^{-1} x} \sqrt{y^T V^{-1} y}}, \qquad
        V = (C \Sigma_k C^T) \circ (C \Sigma_k C^T)

    with :math:`C` the contrasts of all pairs of conditions. For RDMs of squared Euclidean distances and equal,
    independent noise it equals linear centred kernel alignment (CKA) of the Gram matrices.

    Computed without V: :math:`x^T V^{-1} y` is the inner product of the whitened Gram matrices :math:`-x / 2` after the
    additive terms :math:`\alpha_a + \alpha_b` were fitted and removed. In a bootstrap of conditions, copies of a
    condition count as conditions of their own whose distance from each other is unknown, as in rsatoolbox, which breaks
    down there from 100 conditions on.

    Parameters
    ----------
    sigma_k : array (n_conditions,) or (n_conditions, n_conditions), optional
        Noise variance of each condition, or noise covariance between them, in any unit. By default equal and
        independent. (For variances rsatoolbox uses an approximation when they are given as a vector, and the formula
        above when they are given as a diagonal matrix; here both are the formula.)

    Raises
    ------
    InputError
        If ``sigma_k`` is no such array.

    References
    ----------
    Diedrichsen, Berlot, Mur, Schuett, Shahbazi & Kriegeskorte 2021, Neurons, Behavior, Data Analysis and Theory 5(3)
    (arXiv 2007.02789).
    """

    sigma_k: Covariance | Any = None

    label: ClassVar[str] = "whitened cosine similarity"
    method: ClassVar[str] = "cosine_cov"

    def entries(self, x: Array, weights: Array) -> Array:
        """Return the dissimilarities as they are."""
        return np.broadcast_to(x[:, None], (len(x), *weights.shape))


@final
@dataclass(frozen=True)
class WhitenedPearson(_Whitened):
    """Pearson correlation of two RDMs with whitened entries: `WhitenedCosine` of entries less their mean.

    Parameters, refusals and source as in `WhitenedCosine`.
    """

    sigma_k: Covariance | Any = None

    label: ClassVar[str] = "whitened Pearson correlation"
    method: ClassVar[str] = "corr_cov"

    def entries(self, x: Array, weights: Array) -> Array:
        """Return the dissimilarities less their weighted mean; exact zeros where they are constant."""
        mean = x @ weights.T / weights.sum(axis=1)
        centred = x[:, None] - mean[..., None]
        size = np.abs(x).max(axis=1)[:, None, None]
        return np.where(np.abs(centred) > ROUNDING * size, centred, 0.0)

    def pooled(self, x: Array) -> Array:
        """Return the mean of the standard scores of the rows."""
        return standard_scores(x).mean(axis=0)


def _independent_noise(entries: Array, counts: Array, precision: Array) -> Array:
    r"""Whiten by independent noise.

    The fit :math:`G_{ab} \approx \alpha_a + \alpha_b`, :math:`G_{aa} = 0 \approx 2 \alpha_a`, with weights
    :math:`t_a t_b` for pairs and :math:`t_a \tau_a` for the diagonal, :math:`t = c \tau`, has the normal equations

    .. math:: \alpha_a (T - 2 t_a + 2 \tau_a) + \sum_b t_b \alpha_b = \sum_b t_b G_{ab}, \qquad T = \sum_a t_a.
    """
    tau = np.broadcast_to(precision, counts.shape)
    t = counts * tau
    total = t.sum(axis=1, keepdims=True)
    system = (total - 2 * t + 2 * tau)[..., None] * np.eye(t.shape[1]) + t[:, None, :]
    first, second = np.triu_indices(t.shape[1], 1)
    loads = np.einsum("xnab,nb->nax", square(entries), t) / -2
    alpha = np.moveaxis(np.linalg.solve(system, loads), 2, 0)
    residual = entries / -2 - alpha[..., first] - alpha[..., second]
    return -t[:, first] * t[:, second] * residual


def _correlated_noise(entries: Array, covariance: Array) -> Array:
    r"""Whiten by a covariance: :math:`-P H G H^T P` with :math:`P = \Sigma^{-1}, H = I - 11^TP / 1^TP1`."""
    precision = np.linalg.inv(covariance)
    centring = precision - np.outer(precision.sum(axis=1), precision.sum(axis=0)) / precision.sum()
    first, second = np.triu_indices(len(covariance), 1)
    return (centring @ square(entries) @ centring)[..., first, second] / 2


def _inverse_length(entries: Array, whitened: Array) -> Array:
    """Return one over the whitened length, array (n_resamples, n_x); 0 for a vector of length 0."""
    squared = np.einsum("xnp,xnp->nx", entries, whitened)
    usable = squared > 0
    return np.where(usable, 1 / np.sqrt(np.where(usable, squared, 1.0)), 0.0)
