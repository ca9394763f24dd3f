"""The van Rossum metric: the Euclidean distance of spike trains after exponential filtering."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.compiled.trains import Trains, pool_units
from snncompare.representation.metrics.metric import Metric
from snncompare.representation.metrics.time_scales import checked_mixing, positive_seconds, several_time_scales
from snncompare.units import QuantityLike, quantity

__all__ = ["VanRossum"]


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

    The distance is exact, and fastest where trains are sparse. With ``grid``, a time step :math:`h`, trains are
    filtered on a grid and compared by matrix products, whatever the number of spikes: for dense trains
    (pooled populations with many more spikes than steps). Its distance :math:`\tilde D` is too small, by

    .. math:: 0 \le D^2 - \tilde D^2 \le \tanh \left( \frac{h}{2 \tau} \right) \sum_c n_c^2

    with :math:`n_c` spikes of the two trains in step c, besides a rounding of about :math:`10^{-5}`. It is a Euclidean
    distance itself, 0 for identical trains.

    Parameters
    ----------
    tau : quantity, s
        Time constant of the filter, for example ``"10 ms"``.
    mixing : float
        :math:`c` from 0 (labelled line) to 1 (summed population).
    grid : quantity, s, optional
        Step of the grid, at most tau, for example ``"0.5 ms"``. Not given: exact.

    Raises
    ------
    InputError
        If tau or the grid is not positive or without unit, the grid is coarser than tau, or mixing lies outside 0 to 1.

    References
    ----------
    van Rossum 2001, Neural Comput. 13:751, eq. 2.2. Houghton & Sen 2008, Neural Comput. 20:1495.
    """

    tau: QuantityLike
    mixing: float = 0.0
    grid: QuantityLike | None = None

    euclidean: ClassVar[bool] = True

    def __post_init__(self) -> None:
        tau = positive_seconds(self.tau, "VanRossum.tau")
        object.__setattr__(self, "tau", quantity(self.tau))
        object.__setattr__(self, "mixing", checked_mixing(self.mixing, "VanRossum.mixing"))
        if self.grid is not None:
            if positive_seconds(self.grid, "VanRossum.grid") > tau:
                raise InputError(
                    f"VanRossum.grid must be at most tau ({self.tau}), got {self.grid}: its error would be as large as "
                    "the distance. Write a finer grid, or none for exact distances."
                )
            object.__setattr__(self, "grid", quantity(self.grid))

    def __repr__(self) -> str:
        grid = "" if self.grid is None else f", grid='{self.grid}'"
        return f"VanRossum(tau='{self.tau}'{f', mixing={self.mixing:g}' if self.mixing else ''}{grid})"

    @property
    def label(self) -> str:
        """``"van Rossum"``, with the mixing where it is not the labelled line, and the grid where there is one."""
        grid = "" if self.grid is None else f", grid {self.grid}"
        return f"van Rossum, mixing {self.mixing:g}{grid}" if self.mixing else f"van Rossum{grid}"

    @property
    def time_scale(self) -> float:
        """Time constant in seconds."""
        return float(self.tau.value)

    @property
    def additive(self) -> bool:
        """True for the labelled line."""
        return self.mixing == 0

    @classmethod
    def sweep(
        cls, time_scales: Sequence[QuantityLike], *, mixing: float = 0.0, grid: QuantityLike | None = None
    ) -> tuple[Self, ...]:
        """Return one metric for each time constant, for example ``["1 ms", "10 ms"]``."""
        return tuple(cls(scale, mixing, grid) for scale in several_time_scales(time_scales))

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        squared = np.zeros((len(metrics), len(rows), len(columns)))
        for pooled in (False, True):
            share = np.array([metric.mixing if pooled else 1.0 - metric.mixing for metric in metrics])
            chosen = np.flatnonzero(share)
            if chosen.size:
                coded = pool_units(trains) if pooled else trains
                parts = _squared([metrics[k] for k in chosen], coded, rows, columns)
                squared[chosen] += share[chosen, None, None] * parts
        return np.sqrt(squared)


def _squared(metrics: Sequence[VanRossum], trains: Trains, rows: range, columns: range) -> NDArray[np.float64]:
    """Return the squared distances of the labelled line ``(n_metrics, n_rows, n_columns)``; equal ones once."""
    from snncompare.representation.compiled.grid import van_rossum_squared_on_grid
    from snncompare.representation.compiled.van_rossum import van_rossum_squared

    result = np.empty((len(metrics), len(rows), len(columns)))
    exact = [k for k, metric in enumerate(metrics) if metric.grid is None]
    if exact:
        taus, which = np.unique([metrics[k].time_scale for k in exact], return_inverse=True)
        result[exact] = van_rossum_squared(trains, taus, rows, columns)[which]
    for k, metric in enumerate(metrics):
        if metric.grid is not None:
            step = float(metric.grid.value)
            result[k] = van_rossum_squared_on_grid(trains, metric.time_scale, step, rows, columns)
    return result
