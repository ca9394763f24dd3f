"""Spike-train metrics as frozen values that carry their parameters and their population coding."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.trains import Trains, pool_units
from snncompare.units import FREQUENCY, Quantity, QuantityLike, hertz, quantity, seconds

__all__ = ["Metric", "SpikeCount", "VanRossum", "VictorPurpura"]


class Metric(ABC):
    r"""A distance between two trials of the same units.

    A new metric is a frozen subclass with the attributes below and `between_trials`.

    Attributes
    ----------
    euclidean : bool
        Whether the distance is a norm of differences in a vector space, so that averages of *squared* distances
        have unbiased estimators.
    """

    euclidean: ClassVar[bool]

    @property
    @abstractmethod
    def label(self) -> str:
        """Name of the metric and of its population coding, without the time scale."""

    @property
    @abstractmethod
    def time_scale(self) -> float:
        """Time scale in seconds; not a number for a metric without one."""

    @classmethod
    @abstractmethod
    def between_trials(cls, metrics: Sequence[Self], trains: Trains) -> NDArray[np.float64]:
        """Return the distances ``(n_metrics, n_trials, n_trials)`` for several metrics of this class at once.

        Parameters
        ----------
        metrics : sequence of metrics of this class
        trains : Trains
        """


@final
@dataclass(frozen=True, repr=False)
class VictorPurpura(Metric):
    r"""Victor-Purpura spike-time metric: the cheapest way to edit one train into the other.

    .. math:: D = \min \left( \#\text{insertions} + \#\text{deletions} + q \sum_{\text{shifts}} |\Delta t| \right)

    Adding or removing a spike costs 1, moving it by :math:`\Delta t` costs :math:`q |\Delta t|`. No spike is moved
    further than :math:`2/q`, the widest shift worth paying: beyond it, removing and adding is cheaper. With
    :math:`q = 0` only the difference in spike count is left. The space is not Euclidean (Aronov & Victor 2004).

    Several units: the distances of the units are added (labelled line), or the trains of all units are first pooled
    into one (``pooled=True``); these are the ends :math:`k = 2` and :math:`k = 0` of Aronov's relabelling cost.

    Parameters
    ----------
    cost : quantity, 1/s
        :math:`q`, zero or more, for example ``"100 Hz"``.
    pooled : bool
        Whether units lose their names.

    Raises
    ------
    InputError
        If the cost is negative or without unit, or ``pooled`` is not a truth value.

    References
    ----------
    Victor & Purpura 1996, J. Neurophysiol. 76:1310; 1997, Network 8:127. Aronov 2003, J. Neurosci. Methods 124:175.
    """

    cost: QuantityLike
    pooled: bool = False

    euclidean: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if hertz(self.cost, "VictorPurpura.cost") < 0:
            raise InputError(f"VictorPurpura.cost must be zero or more, got {self.cost}. Write for example '100 Hz'.")
        if not isinstance(self.pooled, bool):
            raise InputError(f"VictorPurpura.pooled must be True or False, got {self.pooled!r}.")
        object.__setattr__(self, "cost", quantity(self.cost))

    def __repr__(self) -> str:
        return f"VictorPurpura(cost='{self.cost}'{', pooled=True' if self.pooled else ''})"

    @property
    def label(self) -> str:
        """``"Victor-Purpura"``, with the coding where it is not the labelled line."""
        return "Victor-Purpura, pooled" if self.pooled else "Victor-Purpura"

    @property
    def time_scale(self) -> float:
        """:math:`1/q` in seconds, to 12 digits; infinite for cost zero. A shift is worth paying up to twice that."""
        return float(f"{1.0 / self.cost.value:.12g}") if self.cost.value > 0 else math.inf

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike], *, pooled: bool = False) -> tuple[Self, ...]:
        """Return one metric of cost ``1 / time_scale`` for each time scale, for example ``["1 ms", "10 ms"]``."""
        costs = [1.0 / _positive_seconds(scale, "VictorPurpura time scale") for scale in _several(time_scales)]
        return tuple(cls(Quantity(cost, FREQUENCY, f"{cost:.12g} Hz"), pooled) for cost in costs)

    @classmethod
    def between_trials(cls, metrics: Sequence[Self], trains: Trains) -> NDArray[np.float64]:
        """Return the distances ``(n_metrics, n_trials, n_trials)``; see `Metric.between_trials`."""
        from snncompare.representation.victor_purpura import victor_purpura

        result = np.empty((len(metrics), trains.n_trials, trains.n_trials))
        for pooled in {metric.pooled for metric in metrics}:
            chosen = [k for k, metric in enumerate(metrics) if metric.pooled == pooled]
            costs = np.array([metrics[k].cost.value for k in chosen])
            result[chosen] = victor_purpura(pool_units(trains) if pooled else trains, costs)
        return result


@final
@dataclass(frozen=True, repr=False)
class VanRossum(Metric):
    r"""Van Rossum metric: the Euclidean distance of the trains after exponential filtering.

    .. math::

        D^2 = \frac{2}{\tau} \int_0^\infty \left( f_a(t) - f_b(t) \right)^2 dt, \qquad
        f(t) = \sum_i H(t - t_i) \, e^{-(t - t_i)/\tau}

    so that one spike against an empty train is 1, as in Elephant; the paper's distance is :math:`1/\sqrt{2}` of this.
    As :math:`\tau \to 0` it counts spikes that do not coincide, as :math:`\tau \to \infty` it becomes the difference
    in spike count.

    Several units: with mixing :math:`c`,

    .. math:: D^2 = (1 - c) \, D^2_\text{labelled line} + c \, D^2_\text{summed population}

    where the first adds the squared distances of the units, and the second is that of the pooled trains; :math:`c` is
    the cosine of Houghton & Sen's angle between the units' directions.

    Parameters
    ----------
    tau : quantity, s
        Time constant of the filter, for example ``"10 ms"``.
    mixing : float
        :math:`c` from 0 (labelled line) to 1 (summed population).

    Raises
    ------
    InputError
        If tau is not positive or without unit, or mixing lies outside 0 to 1.

    References
    ----------
    van Rossum 2001, Neural Comput. 13:751, eq. 2.2. Houghton & Sen 2008, Neural Comput. 20:1495.
    """

    tau: QuantityLike
    mixing: float = 0.0

    euclidean: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _positive_seconds(self.tau, "VanRossum.tau")
        if isinstance(self.mixing, bool) or not isinstance(self.mixing, int | float) or not 0 <= self.mixing <= 1:
            raise InputError(
                f"VanRossum.mixing must be a number from 0 (labelled line) to 1 (summed), got {self.mixing!r}."
            )
        object.__setattr__(self, "tau", quantity(self.tau))
        object.__setattr__(self, "mixing", float(self.mixing))

    def __repr__(self) -> str:
        return f"VanRossum(tau='{self.tau}'{f', mixing={self.mixing:g}' if self.mixing else ''})"

    @property
    def label(self) -> str:
        """``"van Rossum"``, with the mixing where it is not the labelled line."""
        return f"van Rossum, mixing {self.mixing:g}" if self.mixing else "van Rossum"

    @property
    def time_scale(self) -> float:
        """Time constant in seconds."""
        return float(self.tau.value)

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike], *, mixing: float = 0.0) -> tuple[Self, ...]:
        """Return one metric for each time constant, for example ``["1 ms", "10 ms"]``."""
        return tuple(cls(scale, mixing) for scale in _several(time_scales))

    @classmethod
    def between_trials(cls, metrics: Sequence[Self], trains: Trains) -> NDArray[np.float64]:
        """Return the distances ``(n_metrics, n_trials, n_trials)``; see `Metric.between_trials`."""
        from snncompare.representation.van_rossum import van_rossum_squared

        taus, which = np.unique([metric.time_scale for metric in metrics], return_inverse=True)
        mixing = np.array([metric.mixing for metric in metrics])[:, None, None]
        squared = np.zeros((len(metrics), trains.n_trials, trains.n_trials))
        if (mixing < 1).any():
            squared += (1 - mixing) * van_rossum_squared(trains, taus)[which]
        if (mixing > 0).any():
            squared += mixing * van_rossum_squared(pool_units(trains), taus)[which]
        return np.sqrt(squared)


@final
@dataclass(frozen=True)
class SpikeCount(Metric):
    r"""Euclidean distance between the vectors of spike counts: what is left when spike times are ignored.

    .. math:: D = \sqrt{\sum_u (n_{a,u} - n_{b,u})^2}
    """

    euclidean: ClassVar[bool] = True

    @property
    def label(self) -> str:
        """``"spike count"``."""
        return "spike count"

    @property
    def time_scale(self) -> float:
        """Not a number: counts have no time scale."""
        return math.nan

    @classmethod
    def between_trials(cls, metrics: Sequence[Self], trains: Trains) -> NDArray[np.float64]:
        """Return the distances ``(n_metrics, n_trials, n_trials)``; see `Metric.between_trials`."""
        counts = (
            np.diff(trains.offsets).reshape(trains.n_trials, trains.n_units).astype(np.float64)
        )  # whole numbers: the sums are exact
        gram = counts @ counts.T
        norm = np.diagonal(gram)
        distance = np.sqrt(norm[:, None] + norm[None, :] - 2 * gram)
        return np.broadcast_to(distance, (len(metrics), trains.n_trials, trains.n_trials)).copy()


def _several(time_scales: Sequence[QuantityLike]) -> list[QuantityLike]:
    if isinstance(time_scales, str) or not hasattr(time_scales, "__iter__"):
        raise InputError(f"a sweep takes a list of time scales such as ['1 ms', '10 ms'], got {time_scales!r}.")
    several = list(time_scales)
    if not several:
        raise InputError("a sweep needs at least one time scale, got none. Write for example ['1 ms', '10 ms'].")
    return several


def _positive_seconds(given: QuantityLike, what: str) -> float:
    value = seconds(given, what)
    if value <= 0 or not math.isfinite(1.0 / value):
        raise InputError(f"{what} must be above zero, got {given}. Write for example '10 ms'.")
    return value
