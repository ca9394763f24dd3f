"""Numbers drawn from the distributions of a description."""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.network.initialisers import Constant, Exponential, Gamma, Initialiser, LogNormal, Normal, Uniform

__all__ = ["draw_values", "generator"]


def generator(seed: int, name: str) -> np.random.Generator:
    """Return a generator that depends on seed and name, so that one draw more leaves the others as they were.

    Raises
    ------
    InputError
        If the seed is not a whole number from 0 on.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed must be a whole number from 0 on, got {seed!r}.")
    return np.random.default_rng([int(seed), zlib.crc32(name.encode())])


def draw_values(
    distribution: Initialiser, n: int, rng: np.random.Generator, *, fan_in: int | None = None
) -> NDArray[np.float64]:
    """Return n independent draws in SI units.

    Parameters
    ----------
    distribution : Initialiser
    n : int
    rng : numpy.random.Generator
    fan_in : int, optional
        Number of sources, for a normal distribution with ``scale_by_sources``.

    Raises
    ------
    InputError
        If a draw is too large for a float, or the distribution scales by sources where there are none.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        values = _draws(distribution, n, rng, fan_in)
    if not np.isfinite(values).all():
        raise InputError(f"{type(distribution).__name__} around '{distribution.unit_of}' draws infinite numbers.")
    return values


def _draws(distribution: Any, n: int, rng: np.random.Generator, fan_in: int | None) -> NDArray[np.float64]:
    match distribution:
        case Constant(value=value):
            return np.full(n, value.value)
        case Uniform(low=low, high=high):
            return rng.uniform(low.value, high.value, n)
        case Normal():
            return _normal(distribution, n, rng, fan_in)
        case Exponential(mean=mean):
            return mean.value * rng.standard_exponential(n)
        case LogNormal(mean=mean, sd=sd):
            variance = np.log1p((sd.value / mean.value) ** 2)
            return mean.value * rng.lognormal(-variance / 2, np.sqrt(variance), n)
        case Gamma(mean=mean, sd=sd):
            shape = (mean.value / sd.value) ** 2
            return mean.value / shape * rng.standard_gamma(shape, n)
        case _:
            raise TypeError(f"no draws from {type(distribution).__name__}")  # our own mistake, never a user's


def _normal(distribution: Normal, n: int, rng: np.random.Generator, fan_in: int | None) -> NDArray[np.float64]:
    mean, sd = distribution.mean.value, distribution.sd.value
    if distribution.scale_by_sources:
        if fan_in is None:
            raise InputError("scale_by_sources is for weights; a delay, parameter or state has no number of sources.")
        sd /= np.sqrt(fan_in)
    low = -np.inf if distribution.low is None else distribution.low.value
    high = np.inf if distribution.high is None else distribution.high.value
    values = rng.normal(mean, sd, n)
    outside = np.flatnonzero((values < low) | (values > high))
    while outside.size:
        values[outside] = rng.normal(mean, sd, outside.size)
        outside = outside[(values[outside] < low) | (values[outside] > high)]
    return values
