"""Metrics of spike counts in bins: Euclidean, correlation, and Poisson divergence."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Real
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics.bins import binned_counts, checked_width, seconds_of
from snncompare.representation.metrics.metric import Metric
from snncompare.representation.metrics.time_scales import several_time_scales
from snncompare.units import QuantityLike, hertz, quantity

__all__ = ["BinnedCount", "CountCorrelation", "PoissonKL"]


@final
@dataclass(frozen=True, repr=False)
class BinnedCount(Metric):
    r"""Euclidean distance between the spike counts of all units in all bins.

    .. math:: D = \sqrt{\sum_u \sum_k (n_{a,u,k} - n_{b,u,k})^2}

    Its square is rsatoolbox's ``"euclidean"`` times the number of units and bins.

    Parameters
    ----------
    width : quantity, s
        Of a bin; the bins must fill the window of the trials. `SpikeCount` takes the whole window.

    Raises
    ------
    InputError
        If the width is not above zero or without unit, or if the bins leave a part of the window over.
    """

    width: QuantityLike

    euclidean: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.width is None:
            raise InputError("BinnedCount needs a width such as '10 ms'; SpikeCount() takes the whole window.")
        object.__setattr__(self, "width", checked_width(self.width, "BinnedCount.width"))

    def __repr__(self) -> str:
        return f"BinnedCount(width='{self.width}')"

    @property
    def label(self) -> str:
        """``"binned count"``."""
        return "binned count"

    @property
    def time_scale(self) -> float:
        """Width of a bin in seconds."""
        return seconds_of(self.width)

    @property
    def additive(self) -> bool:
        """True."""
        return True

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike]) -> tuple[Self, ...]:
        """Return one metric for each width, for example ``["10 ms", "50 ms"]``."""
        return tuple(cls(scale) for scale in several_time_scales(time_scales))

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""

        def distance(counts: NDArray[np.float64]) -> NDArray[np.float64]:
            norm = (counts**2).sum(axis=1)  # whole numbers: the sums are exact, in whatever order
            products = counts[rows] @ counts[columns].T
            return np.sqrt(norm[rows, None] + norm[None, columns] - 2 * products)

        return np.stack([distance(binned_counts(trains, metric.width)) for metric in metrics])


@final
@dataclass(frozen=True, repr=False)
class CountCorrelation(Metric):
    r"""One minus the Pearson correlation of the spike counts of two trials, over all units and bins; from 0 to 2.

    .. math:: D = 1 - r(n_a, n_b)

    A trial whose counts are all equal, a silent one for instance, has no correlation. Here it is uncorrelated with
    every other trial, at distance 1, and two such trials are at 0. (In rsatoolbox 0.3.2 a silent pattern makes the
    whole row of the RDM not a number.) The distance does not depend on the total count; its square root is a metric
    between standardised patterns.

    Parameters
    ----------
    width : quantity, s, optional
        Of a bin; the bins must fill the window of the trials. By default one bin, the window.

    Raises
    ------
    InputError
        If the width is not above zero or without unit, if the bins leave a part of the window over, or if there is one
        unit and one bin, which have no correlation.
    """

    width: QuantityLike | None = None

    euclidean: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", checked_width(self.width, "CountCorrelation.width"))

    def __repr__(self) -> str:
        return "CountCorrelation()" if self.width is None else f"CountCorrelation(width='{self.width}')"

    @property
    def label(self) -> str:
        """``"count correlation"``."""
        return "count correlation"

    @property
    def time_scale(self) -> float:
        """Width of a bin in seconds; not a number for the whole window."""
        return seconds_of(self.width)

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike]) -> tuple[Self, ...]:
        """Return one metric for each width, for example ``["10 ms", "50 ms"]``."""
        return tuple(cls(scale) for scale in several_time_scales(time_scales))

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        return np.stack([_one_minus_r(binned_counts(trains, m.width), rows, columns) for m in metrics])


@final
@dataclass(frozen=True, repr=False)
class PoissonKL(Metric):
    r"""Square root of the symmetrised Kullback-Leibler divergence of Poisson counts, over all units and bins.

    .. math::

        D^2 = \sum_u \sum_k (\lambda_a - \lambda_b)(\log \lambda_a - \log \lambda_b), \qquad
        \lambda = \frac{n + w \, r \, \Delta}{1 + w}

    the sum of both directions, :math:`KL(a \| b) + KL(b \| a)`, without a factor 1/2. The prior, a rate :math:`r`
    that counts like :math:`w` trials, keeps empty bins of width :math:`\Delta` away from :math:`\log 0`. For single
    trials :math:`D^2` is rsatoolbox's ``"poisson"`` times the number of units and bins, with its ``prior_lambda`` =
    :math:`r \Delta` and ``prior_weight`` = :math:`w`.

    `BetweenMinusWithin` averages :math:`D^2`, which gives an unbiased estimate of the product of the differences of
    the mean :math:`\lambda` and of the mean :math:`\log \lambda`; over sessions it is rsatoolbox's ``"poisson_cv"``.
    That is why ``euclidean`` is true, although :math:`D` itself need not satisfy the triangle inequality.

    Parameters
    ----------
    width : quantity, s, optional
        :math:`\Delta`; the bins must fill the window of the trials. By default one bin, the window.
    prior_rate : quantity, 1/s
        :math:`r`, above zero: a rate that is plausible before any spike is seen.
    prior_weight : float
        :math:`w`, above zero.

    Raises
    ------
    InputError
        If a parameter is not above zero or without unit, or if the bins leave a part of the window over.

    References
    ----------
    Schütt et al. 2023, eLife 12:e82566 (rsatoolbox).
    """

    width: QuantityLike | None = None
    _: KW_ONLY
    prior_rate: QuantityLike
    prior_weight: float = 0.1

    euclidean: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", checked_width(self.width, "PoissonKL.width"))
        if hertz(self.prior_rate, "PoissonKL.prior_rate") <= 0:
            raise InputError(
                f"PoissonKL.prior_rate must be above zero, got {self.prior_rate}. Write for example '5 Hz'."
            )
        weight = self.prior_weight
        if isinstance(weight, bool) or not isinstance(weight, Real) or not 0 < weight < np.inf:
            raise InputError(f"PoissonKL.prior_weight must be a finite number above zero such as 0.1, got {weight!r}.")
        object.__setattr__(self, "prior_rate", quantity(self.prior_rate))
        object.__setattr__(self, "prior_weight", float(weight))

    def __repr__(self) -> str:
        width = "" if self.width is None else f"width='{self.width}', "
        return f"PoissonKL({width}prior_rate='{self.prior_rate}', prior_weight={self.prior_weight!r})"

    @property
    def label(self) -> str:
        """``"Poisson KL"`` and the prior."""
        return f"Poisson KL, prior {self.prior_rate} x {self.prior_weight:g}"

    @property
    def time_scale(self) -> float:
        """Width of a bin in seconds; not a number for the whole window."""
        return seconds_of(self.width)

    @property
    def additive(self) -> bool:
        """True."""
        return True

    @classmethod
    def sweep(
        cls, time_scales: Sequence[QuantityLike], *, prior_rate: QuantityLike, prior_weight: float = 0.1
    ) -> tuple[Self, ...]:
        """Return one metric for each width, for example ``["10 ms", "50 ms"]``."""
        return tuple(
            cls(scale, prior_rate=prior_rate, prior_weight=prior_weight) for scale in several_time_scales(time_scales)
        )

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.vectors import product_of_differences

        squared = []
        for metric in metrics:
            counts = binned_counts(trains, metric.width)
            bin_seconds = (trains.stop - trains.start) * trains.n_units / counts.shape[1]
            prior = metric.prior_weight * metric.prior_rate.value * bin_seconds
            expected = (counts + prior) / (1 + metric.prior_weight)
            squared.append(product_of_differences(expected, np.log(expected), rows, columns))
        return np.sqrt(squared)


def _one_minus_r(counts: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    """Return one minus the correlation; of whole numbers, so that the sums are exact in any block."""
    n = counts.shape[1]
    if n < 2:
        raise InputError(
            "one unit with one bin has no correlation; give CountCorrelation a width, or use SpikeCount()."
        )
    total = counts.sum(axis=1)
    variance = n * (counts**2).sum(axis=1) - total**2
    covariance = n * (counts[rows] @ counts[columns].T) - total[rows, None] * total[None, columns]
    flat = variance == 0
    scale = np.sqrt(variance[rows, None] * variance[None, columns])  # of equal trials exactly their variance
    r = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)
    r[flat[rows, None] & flat[None, columns]] = 1.0
    return np.clip(1.0 - r, 0.0, 2.0)
