r"""Distributions of mismatch: of a factor around 1 and of an offset around 0, from numbers in (0, 1).

Every distribution maps an evenly distributed :math:`u \in (0, 1)` by the inverse of a distribution function, so that
one draw by counter is one value. ``factor(u)`` has mean 1 and coefficient of variation ``cv``, exactly, unless its
docstring says otherwise; ``standard(u)`` has mean 0 and standard deviation 1, for potentials, whose mismatch is added.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown

__all__ = [
    "DISTRIBUTIONS",
    "Contaminated",
    "FoldedGaussian",
    "Gaussian",
    "LogNormal",
    "Mismatch",
    "StudentT",
    "TruncatedGaussian",
    "mismatch",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Mismatch(ABC):
    """A distribution of mismatch.

    Parameters
    ----------
    cv : float
        Standard deviation over mean of the factor; zero or more.
    """

    cv: float

    def __post_init__(self) -> None:
        if not (self.cv >= 0 and math.isfinite(self.cv)):
            raise InputError(f"cv must be a number from 0 on, got {self.cv!r}.")

    @abstractmethod
    def factor(self, u: Array) -> Array:
        """Return factors, of the shape of `u`."""

    def standard(self, u: Array) -> Array:
        """Return numbers of mean 0 and standard deviation 1, of the shape of `u`."""
        return _normal(u)


@dataclass(frozen=True)
class LogNormal(Mismatch):
    r"""Positive factors, :math:`F = e^{s z - s^2/2}` with :math:`s = \sqrt{\ln(1 + CV^2)}`."""

    def factor(self, u: Array) -> Array:
        """Return factors, of the shape of `u`."""
        return _log_normal(_normal(u), self.cv)


@dataclass(frozen=True)
class Gaussian(Mismatch):
    r"""Factors :math:`F = 1 + CV z`, which can be negative: at CV 0.3 one in 2300 is."""

    def factor(self, u: Array) -> Array:
        """Return factors, of the shape of `u`."""
        return 1.0 + self.cv * _normal(u)


@dataclass(frozen=True)
class FoldedGaussian(Mismatch):
    r"""Factors :math:`F = |1 + \sigma z|`, as Büchel et al. (2021) draw them.

    Here `cv` is :math:`\sigma`: the mean is :math:`1 + 2\sigma\varphi(1/\sigma) - 2\Phi(-1/\sigma)`, slightly above
    1, and the coefficient of variation follows from :math:`E F^2 = 1 + \sigma^2`. Code of Büchel et al. (2021) Sci.
    Rep. 11:23376 (``hey_snips_ads_network_mismatch_jax.py``).
    """

    def factor(self, u: Array) -> Array:
        """Return factors, of the shape of `u`."""
        return np.abs(1.0 + self.cv * _normal(u))


@dataclass(frozen=True)
class TruncatedGaussian(Mismatch):
    r"""Positive factors: a normal distribution :math:`N(\mu, \sigma^2)` cut off at zero.

    :math:`\mu, \sigma` are such that what is left has mean 1 and coefficient of variation `cv`, which must lie below 1,
    where the distribution becomes an exponential one. Up to a CV of 0.2 both are 1 and CV to six digits.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cv > 0.99:
            raise InputError(f"a truncated Gaussian has a cv of at most 0.99, got {self.cv:g}; use log_normal.")

    def factor(self, u: Array) -> Array:
        """Return factors, of the shape of `u`."""
        from scipy.special import ndtr, ndtri

        if self.cv == 0:
            return np.ones(np.shape(u))
        mean, sd = _before_truncation(self.cv)
        below = ndtr(-mean / sd)
        return np.asarray(mean + sd * ndtri(below + np.asarray(u) * (1.0 - below)))


@dataclass(frozen=True)
class StudentT(Mismatch):
    r"""Heavy tails: :math:`F = 1 + CV\sqrt{(\nu - 2)/\nu}\; t_\nu`.

    Factors are cut off symmetrically at 0 and 2, which keeps the mean; the scale makes up for it, so that `cv`, at most
    0.4, is exact. ``standard`` is not cut off.

    Parameters
    ----------
    cv : float
    degrees_of_freedom : float
        :math:`\nu`, above 2.
    """

    degrees_of_freedom: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.degrees_of_freedom > 2 and math.isfinite(self.degrees_of_freedom)):
            raise InputError(f"degrees_of_freedom must lie above 2, got {self.degrees_of_freedom!r}.")
        if self.cv > 0.4:
            raise InputError(f"Student's t has a cv of at most 0.4 between 0 and 2, got {self.cv:g}; use log_normal.")

    def factor(self, u: Array) -> Array:
        """Return factors, of the shape of `u`."""
        from scipy.special import stdtr, stdtrit

        if self.cv == 0:
            return np.ones(np.shape(u))
        scale = _scale_of_student(self.cv, self.degrees_of_freedom)
        below = stdtr(self.degrees_of_freedom, -1.0 / scale)
        inside = below + np.asarray(u) * (1.0 - 2.0 * below)
        return np.asarray(1.0 + scale * stdtrit(self.degrees_of_freedom, inside))

    def standard(self, u: Array) -> Array:
        """Return numbers of mean 0 and standard deviation 1, of the shape of `u`."""
        from scipy.special import stdtrit

        nu = self.degrees_of_freedom
        return np.asarray(math.sqrt((nu - 2.0) / nu) * stdtrit(nu, u))


@dataclass(frozen=True)
class Contaminated(Mismatch):
    r"""Most neurons narrow, a few wide: a mixture of two log-normal factors, both of mean 1.

    .. math::
        CV^2 = (1 - \varepsilon)\, CV_1^2 + \varepsilon\, (r\, CV_1)^2

    ``standard`` is the same mixture of two normal distributions.

    Parameters
    ----------
    cv : float
        Of all together.
    fraction : float
        :math:`\varepsilon`, share of the wide component.
    ratio : float
        :math:`r`, spread of the wide over that of the narrow component.
    """

    fraction: float = 0.1
    ratio: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.fraction < 1:
            raise InputError(f"fraction must lie from 0 to below 1, got {self.fraction!r}.")
        if not (self.ratio >= 1 and math.isfinite(self.ratio)):
            raise InputError(f"ratio must be at least 1, got {self.ratio!r}.")

    def factor(self, u: Array) -> Array:
        """Return factors, of the shape of `u`."""
        wide, z = self._split(u)
        narrow = self.cv * self._narrow()
        return np.where(wide, _log_normal(z, self.ratio * narrow), _log_normal(z, narrow))

    def standard(self, u: Array) -> Array:
        """Return numbers of mean 0 and standard deviation 1, of the shape of `u`."""
        wide, z = self._split(u)
        return self._narrow() * np.where(wide, self.ratio * z, z)

    def _narrow(self) -> float:
        return 1.0 / math.sqrt(1.0 - self.fraction + self.fraction * self.ratio**2)

    def _split(self, u: Array) -> tuple[NDArray[np.bool_], Array]:
        """Return which are of the wide component, and a standard normal number for each."""
        given = np.asarray(u)
        wide = given < self.fraction
        within = np.where(wide, given / max(self.fraction, 1e-300), (given - self.fraction) / (1.0 - self.fraction))
        return wide, _normal(np.clip(within, 2.0**-53, 1.0 - 2.0**-53))


DISTRIBUTIONS: dict[str, Callable[..., Mismatch]] = {
    "log_normal": LogNormal,
    "gaussian": Gaussian,
    "gaussian_truncated": TruncatedGaussian,
    "folded_gaussian": FoldedGaussian,
    "student": StudentT,
    "contaminated": Contaminated,
}
"""Name in a chip profile to distribution."""


def mismatch(name: str, cv: float, **tail: Any) -> Mismatch:
    """Return a distribution by its name in a profile.

    Parameters
    ----------
    name : str
        One of `DISTRIBUTIONS`.
    cv : float
    tail : float
        ``fraction`` and ``ratio`` of a contaminated distribution, ``degrees_of_freedom`` of Student's.

    Raises
    ------
    InputError
    """
    if name not in DISTRIBUTIONS:
        raise InputError("distribution: " + unknown("name", name, DISTRIBUTIONS))
    return DISTRIBUTIONS[name](cv, **tail)


def _normal(u: Any) -> Array:
    from scipy.special import ndtri

    return np.asarray(ndtri(u))


def _log_normal(z: Array, cv: float) -> Array:
    s = math.sqrt(math.log1p(cv * cv))
    return np.exp(s * z - s * s / 2.0)


@lru_cache(maxsize=256)
def _before_truncation(cv: float) -> tuple[float, float]:
    """Return mean and standard deviation of the normal distribution that has mean 1 and this CV above zero."""
    from scipy.optimize import brentq
    from scipy.special import log_ndtr

    def moments(start: float) -> tuple[float, float]:
        """Return mean and standard deviation of z - start, where z is standard normal above `start`."""
        ratio = math.exp(-start * start / 2 - math.log(2 * math.pi) / 2 - float(log_ndtr(-start)))
        return ratio - start, math.sqrt(max(1.0 + start * ratio - ratio * ratio, 0.0))

    def excess(start: float) -> float:
        mean, sd = moments(start)
        return sd / mean - cv

    start = brentq(excess, -1.0 / cv - 2.0, 30.0, xtol=1e-13)
    sd = 1.0 / moments(start)[0]
    return -start * sd, sd


@lru_cache(maxsize=256)
def _scale_of_student(cv: float, degrees_of_freedom: float) -> float:
    """Return the scale of t for which 1 + scale*t, cut off at 0 and 2, has the standard deviation `cv`."""
    from scipy.optimize import brentq
    from scipy.stats import t

    def excess(log_scale: float) -> float:
        end = math.exp(-log_scale)
        share = 1.0 - 2.0 * float(t.cdf(-end, degrees_of_freedom))
        second = t.expect(lambda x: x * x, args=(degrees_of_freedom,), lb=-end, ub=end)
        return math.exp(log_scale) * math.sqrt(float(second) / share) - cv

    return math.exp(brentq(excess, math.log(cv) - 4.0, math.log(cv) + 6.0, xtol=1e-12))
