"""The Riemannian distance of the second moments that two RDMs stand for, after the data's noise is accounted for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.measures.conditions import (
    Covariance,
    as_covariance,
    n_conditions,
    noise_covariance,
    square,
)
from snncompare.comparison.measures.measure import Measure
from snncompare.errors import InputError, UnsupportedError

__all__ = ["NegativeRiemannianDistance"]

Array = NDArray[np.float64]

SINGULAR = 1e-12
"""An eigenvalue below this part of the trace is zero up to rounding."""

GRID = np.linspace(-18.0, 18.0, 19)
"""Logarithms of noise over signal that are tried before the best is refined; beyond, one of the two is nothing."""

GOLDEN_STEPS = 24
"""Each keeps 0.618 of a bracket of two grid steps (4): an error of 4e-5 in the logarithm, 1e-9 in the distance."""


@final
@dataclass(frozen=True)
class NegativeRiemannianDistance(Measure):
    r"""Negative affine-invariant distance between the second moments of the data and of the model.

    .. math::

        -\min_{s, u > 0} \Big( \sum_i \log^2 \lambda_i \Big)^{1/2}, \qquad
        \lambda = \text{eigenvalues of } (s A + u \Sigma, B)

    with :math:`A_{ij} = (x_{0i} + x_{0j} - x_{ij}) / 2` the second moment of the data about the first condition, B that
    of the model, and :math:`\Sigma` the noise covariance about it. The scale s is found in closed form (mean log
    eigenvalue), the noise u on a grid and by golden section, so the minimum is global up to the grid; rsatoolbox
    descends once from s = u = 1, so its value may be a little more negative. 0 is the best value there is.

    Not symmetric: x is the data, y the model. The model's RDM must hold squared Euclidean distances of points in
    general position (a Gram matrix of full rank), which a model of few features or an ordinal one does not; a bootstrap
    sample with a condition twice never does. It takes about 45 eigenvalue decompositions per pair of RDMs: 8 ms for 40
    conditions, so 9999 relabellings take a minute.

    Parameters
    ----------
    sigma_k : array (n_conditions,) or (n_conditions, n_conditions), optional
        Noise variance of each condition, or noise covariance between them. By default equal and independent.

    Raises
    ------
    InputError
        If ``sigma_k`` is no such array.

    References
    ----------
    Pennec, Fillard & Ayache 2006, International Journal of Computer Vision 66:41 (the distance). Diedrichsen, Berlot,
    Mur, Schuett, Shahbazi & Kriegeskorte 2021, Neurons, Behavior, Data Analysis and Theory 5(3) (RDMs).
    """

    sigma_k: Covariance | Any = None

    label: ClassVar[str] = "negative Riemannian distance"
    method: ClassVar[str] = "neg_riem_dist"
    of_equals: ClassVar[float] = 0.0
    correlation_like: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma_k", noise_covariance(self.sigma_k, "NegativeRiemannianDistance.sigma_k"))

    @property
    def no_bootstrap(self) -> str:
        """A condition that is drawn twice makes the model's second moment singular."""
        return (
            "a condition that is drawn twice makes the second moment of the model singular, and the distance to it "
            "infinite; resample subjects or trials, or use Bures()"
        )

    def between(self, x: Array, y: Array) -> Array:
        """Return the negative distance of every row of x (data) and every row of y (models), array (n_x, n_y).

        Raises
        ------
        InputError
            If a model's RDM stands for no points in general position.
        """
        n = n_conditions(x.shape[1])
        covariance = as_covariance(self.sigma_k, n, "NegativeRiemannianDistance.sigma_k")
        matrix = np.eye(n) if covariance is None else np.diag(covariance) if covariance.ndim == 1 else covariance
        contrast = np.hstack([-np.ones((n - 1, 1)), np.eye(n - 1)])
        noise = contrast @ matrix @ contrast.T
        data = _about_the_first(x)
        return -np.stack([_distance(data, noise, model) for model in _about_the_first(y)], axis=1)

    def resampled(self, x: Array, y: Array, weights: Array) -> Array:
        """Return `between` where every condition occurs once; else raise `UnsupportedError` with `no_bootstrap`."""
        if not (weights == 1).all():
            raise UnsupportedError(f"{self.label} of resampled conditions is not defined: {self.no_bootstrap}.")
        return np.broadcast_to(self.between(x, y), (len(weights), len(x), len(y)))

    def pooled(self, x: Array) -> Array:
        """Return the mean of the rows; the nearest one is not known in closed form."""
        return x.mean(axis=0)

    def as_correlation(self, similarity: Array) -> Array:
        """Refuse: no correlation is behind this measure."""
        del similarity
        raise UnsupportedError(f"{self.label} is not a correlation; the Spearman-Brown formula says nothing about it.")

    def from_correlation(self, correlation: Array) -> Array:
        """Refuse, as `as_correlation`."""
        return self.as_correlation(correlation)


def _about_the_first(vectors: Array) -> Array:
    """Return the second moments about the first condition, array (n_rdms, n - 1, n - 1)."""
    full = square(vectors)
    to_first = full[:, 0, 1:]
    return (to_first[:, :, None] + to_first[:, None, :] - full[:, 1:, 1:]) / 2


def _distance(data: Array, noise: Array, model: Array) -> Array:
    """Return the smallest distance of each second moment (n_x, m, m) plus noise from the model's, array (n_x,)."""
    if np.linalg.eigvalsh(model)[0] <= SINGULAR * np.trace(model):
        raise InputError(
            "NegativeRiemannianDistance needs model RDMs of squared Euclidean distances between points in general "
            "position (more features than conditions); a model here has a singular or indefinite Gram matrix. Use "
            "Bures() or a correlation."
        )
    whitening = np.linalg.inv(np.linalg.cholesky(model))
    signal = whitening @ data @ whitening.T
    added = whitening @ noise @ whitening.T
    size = np.abs(np.trace(signal, axis1=1, axis2=2))
    signal /= np.where(size > 0, size, 1.0)[:, None, None]
    added /= np.trace(added)

    def at(log_noise: Array) -> Array:
        return _spread(signal + np.exp(log_noise)[:, None, None] * added)

    values = np.stack([at(np.full(len(data), point)) for point in GRID])
    best = GRID[values.argmin(axis=0)]
    step = GRID[1] - GRID[0]
    refined = _golden_section(at, best - step, best + step)
    return np.minimum(np.minimum(refined, values.min(axis=0)), _spread(signal))


def _spread(matrices: Array) -> Array:
    """Return the root of the summed squares of the log eigenvalues about their mean; inf where one is not positive."""
    values = np.linalg.eigvalsh(matrices)
    positive = values[:, 0] > SINGULAR * values[:, -1]
    logarithms = np.log(np.where(positive[:, None], values, 1.0))
    deviation = logarithms - logarithms.mean(axis=1, keepdims=True)
    return np.where(positive, np.sqrt((deviation**2).sum(axis=1)), np.inf)


def _golden_section(of: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return the smallest values found between low and high, where ``of`` has one minimum."""
    share = (np.sqrt(5) - 1) / 2
    left, right = high - share * (high - low), low + share * (high - low)
    at_left, at_right = of(left), of(right)
    for _ in range(GOLDEN_STEPS):
        down = at_left < at_right
        low, high = np.where(down, low, left), np.where(down, right, high)
        fresh = np.where(down, high - share * (high - low), low + share * (high - low))
        at_fresh = of(fresh)
        left, right = np.where(down, fresh, right), np.where(down, left, fresh)
        at_left, at_right = np.where(down, at_fresh, at_right), np.where(down, at_left, at_fresh)
    return np.minimum(at_left, at_right)
