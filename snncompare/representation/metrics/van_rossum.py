"""The van Rossum metric: the Euclidean distance of spike trains after exponential filtering."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.compiled.trains import Trains, pool_units
from snncompare.representation.metrics.metric import Metric
from snncompare.representation.metrics.time_scales import positive_seconds, several_time_scales
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
        positive_seconds(self.tau, "VanRossum.tau")
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

    @property
    def additive(self) -> bool:
        """True for the labelled line."""
        return self.mixing == 0

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike], *, mixing: float = 0.0) -> tuple[Self, ...]:
        """Return one metric for each time constant, for example ``["1 ms", "10 ms"]``."""
        return tuple(cls(scale, mixing) for scale in several_time_scales(time_scales))

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.van_rossum import van_rossum_squared

        taus, which = np.unique([metric.time_scale for metric in metrics], return_inverse=True)
        mixing = np.array([metric.mixing for metric in metrics])[:, None, None]
        squared = np.zeros((len(metrics), len(rows), len(columns)))
        if (mixing < 1).any():
            squared += (1 - mixing) * van_rossum_squared(trains, taus, rows, columns)[which]
        if (mixing > 0).any():
            squared += mixing * van_rossum_squared(pool_units(trains), taus, rows, columns)[which]
        return np.sqrt(squared)
