"""Distributions of mismatch have the moments that they say, by integration over all draws."""

import math

import numpy as np
import pytest

from snncompare.backends.analog.frozen.distributions import (
    Contaminated,
    FoldedGaussian,
    Gaussian,
    LogNormal,
    StudentT,
    TruncatedGaussian,
    mismatch,
)
from snncompare.errors import InputError

EXACT = [
    LogNormal(0.1), LogNormal(0.5), Gaussian(0.3), TruncatedGaussian(0.05), TruncatedGaussian(0.3),
    TruncatedGaussian(0.7), StudentT(0.12, 3.0), StudentT(0.3, 5.0), Contaminated(0.12, 0.1, 5.2),
]  # fmt: skip


def _moments(distribution):
    """Return mean and standard deviation of the factor, integrated over u with a grid refined where it diverges."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    half = np.concatenate([[0.0], 0.5 ** np.arange(46, 0, -1)])
    whole = np.concatenate([half, 1 - half[:-1][::-1]])
    split = getattr(distribution, "fraction", 0.5)
    edges = np.concatenate([split * whole, split + (1 - split) * whole[1:]])
    left, right = edges[:-1, None], edges[1:, None]
    u = np.clip(left + (right - left) * (nodes + 1) / 2, 2.0**-53, 1 - 2.0**-53)
    w = (right - left) * weights / 2
    f = distribution.factor(u)
    mean = float((w * f).sum())
    return mean, math.sqrt(float((w * (f - mean) ** 2).sum()))


@pytest.mark.parametrize("distribution", EXACT, ids=repr)
def test_mean_is_one_and_the_spread_is_the_cv(distribution):
    mean, sd = _moments(distribution)
    assert mean == pytest.approx(1, abs=1e-7)  # what the grid leaves out at both ends
    assert sd == pytest.approx(distribution.cv, rel=1e-5)


def test_the_integration_would_see_a_wrong_moment():
    class Naive(LogNormal):
        """exp(cv z): the mean is exp(cv**2/2)."""

        def factor(self, u):
            return super().factor(u) * math.exp(math.log1p(self.cv**2) / 2)

    mean, _ = _moments(Naive(0.1))
    assert mean == pytest.approx(math.sqrt(1.01), abs=1e-7)
    assert abs(mean - 1) > 1e-3


def test_log_normal_scale_has_the_published_values():
    """In closed form s = sqrt(ln(1 + CV^2)) is 0.0998 for 10 % and 0.1980 for 20 %."""
    one_sd = 0.841344746068543  # distribution function of the normal distribution at 1
    for cv, s in ((0.1, 0.0998), (0.2, 0.1980)):
        ratio = LogNormal(cv).factor(np.array(one_sd)) / LogNormal(cv).factor(np.array(0.5))
        assert math.log(float(ratio)) == pytest.approx(s, abs=5e-5)


def test_a_gaussian_at_cv_03_is_negative_once_in_2300_draws_and_the_others_never():
    """Below -1/0.3 standard deviations: 4.3e-4 of draws."""
    u = (np.arange(300_000) + 0.5) / 300_000
    assert (Gaussian(0.3).factor(u) < 0).mean() == pytest.approx(4.3e-4, rel=0.02)
    for other in (LogNormal(0.3), TruncatedGaussian(0.3), StudentT(0.3, 3.0), Contaminated(0.3), FoldedGaussian(0.3)):
        assert other.factor(u).min() > 0


def test_the_folded_gaussian_has_the_mean_of_its_formula():
    sigma = 0.5
    mean, sd = _moments(FoldedGaussian(sigma))
    tail, density = 0.5 * math.erfc(1 / sigma / math.sqrt(2)), math.exp(-0.5 / sigma**2) / math.sqrt(2 * math.pi)
    assert mean == pytest.approx(1 + 2 * sigma * density - 2 * tail, abs=1e-5)  # the kink at zero limits the grid
    assert sd**2 + mean**2 == pytest.approx(1 + sigma**2, rel=1e-5)


@pytest.mark.parametrize("distribution", [LogNormal(0.3), Gaussian(0.3), Contaminated(0.3, 0.05, 4.0)], ids=repr)
def test_standard_numbers_have_mean_zero_and_spread_one(distribution):
    u = (np.arange(100_000) + 0.5) / 100_000
    z = distribution.standard(u)
    assert z.mean() == pytest.approx(0, abs=1e-9)
    assert z.std() == pytest.approx(1, rel=5e-4)  # the grid leaves out the outermost 5e-6


def test_a_contaminated_distribution_has_the_robust_cv_of_the_measured_time_constants():
    """Measured on silicon (Robust-Classification-EBN): CV 0.12 with a robust CV (IQR/1.349/median) of 0.07; fraction 0.1, ratio 5.2."""
    f = Contaminated(0.12, 0.1, 5.2).factor((np.arange(100_000) + 0.5) / 100_000)

    def robust(x):
        low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
        return (high - low) / 1.349 / middle

    assert robust(f) == pytest.approx(0.07, abs=0.005)
    assert robust(LogNormal(0.12).factor(np.linspace(1e-5, 1 - 1e-5, 100_000))) == pytest.approx(0.12, abs=0.005)


def test_heavy_tails_are_heavier_than_those_of_a_gaussian():
    u = (np.arange(100_000) + 0.5) / 100_000

    def kurtosis(z):
        return float((z**4).mean() / (z**2).mean() ** 2)

    assert kurtosis(StudentT(0.1, 5.0).factor(u) - 1) > 5
    assert kurtosis(Contaminated(0.1).standard(u)) > 5
    assert kurtosis(Gaussian(0.1).standard(u)) == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: mismatch("normal", 0.1), "'gaussian'"),
        (lambda: LogNormal(-0.1), "from 0 on"),
        (lambda: LogNormal(float("nan")), "from 0 on"),
        (lambda: TruncatedGaussian(1.2), "log_normal"),
        (lambda: StudentT(0.1, 2.0), "above 2"),
        (lambda: StudentT(0.5, 4.0), "log_normal"),
        (lambda: Contaminated(0.1, 1.0), "below 1"),
        (lambda: Contaminated(0.1, 0.1, 0.5), "at least 1"),
    ],
    ids=["name", "negative", "not a number", "truncated", "degrees of freedom", "student", "fraction", "ratio"],
)
def test_impossible_distributions_are_refused_with_what_is_allowed(make, says):
    with pytest.raises(InputError, match=says):
        make()
