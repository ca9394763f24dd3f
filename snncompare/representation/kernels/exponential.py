"""A nonlinear kernel on top of a Euclidean metric."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.kernels.kernel import Kernel
from snncompare.representation.metrics.metric import Metric

__all__ = ["Exponential"]


@final
@dataclass(frozen=True, repr=False)
class Exponential(Kernel):
    r"""Gaussian function of a Euclidean distance: a kernel that sees more than the mean response.

    .. math:: K_{ab} = e^{-D_{ab}^2 / (2 s^2)}

    It is positive definite for every scale if and only if :math:`D` is the distance of a Euclidean space (Schoenberg
    1938). Edit distances such as Victor-Purpura's are not (Aronov & Victor 2004), and are therefore refused.

    Parameters
    ----------
    metric : Metric
        A Euclidean one, for example ``VanRossum(tau="10 ms")``.
    scale : float
        :math:`s`, above zero, in the units of the metric (numbers of spikes; no physical unit).

    Raises
    ------
    InputError
        If the metric is none or not Euclidean, or the scale is no number above zero.

    References
    ----------
    Schoenberg 1938, Trans. Am. Math. Soc. 44:522. Aronov & Victor 2004, Phys. Rev. E 69:061905. Park, Seth, Paiva, Li &
    Principe 2013, IEEE Signal Process. Mag. 30:149 (such kernels on spike trains).
    """

    metric: Metric
    scale: float

    def __post_init__(self) -> None:
        if not isinstance(self.metric, Metric):
            raise InputError(
                f"Exponential.metric must be a metric such as VanRossum(tau='10 ms'), got {self.metric!r}."
            )
        if not self.metric.euclidean:
            raise InputError(
                f"Exponential needs a Euclidean metric; {self.metric.label} is none (Aronov & Victor 2004), and the "
                "result would not be positive definite. Use for example VanRossum, SpikeCount or BinnedCount."
            )
        number = isinstance(self.scale, Real) and not isinstance(self.scale, bool)
        if not number or not 0 < self.scale < math.inf:
            raise InputError(f"Exponential.scale must be a number above zero, got {self.scale!r}.")
        object.__setattr__(self, "scale", float(self.scale))

    def __repr__(self) -> str:
        return f"Exponential({self.metric!r}, scale={self.scale:g})"

    @property
    def label(self) -> str:
        """Name of the metric and the scale."""
        return f"exponential of {self.metric.label}, scale {self.scale:g}"

    @property
    def time_scale(self) -> float:
        """That of the metric."""
        return self.metric.time_scale

    @classmethod
    def gram_block(cls, kernels: Sequence[Self], trains: Trains, rows: range, columns: range) -> NDArray[np.float64]:
        """Return Gram matrices ``(n_kernels, n_rows, n_columns)``; see `Kernel.gram_block`."""
        result = np.empty((len(kernels), len(rows), len(columns)))
        for kind in dict.fromkeys(type(kernel.metric) for kernel in kernels):
            chosen = [k for k, kernel in enumerate(kernels) if type(kernel.metric) is kind]
            result[chosen] = kind.between_trials([kernels[k].metric for k in chosen], trains, rows, columns)
        scales = np.array([kernel.scale for kernel in kernels])[:, None, None]
        return np.exp(-0.5 * (result / scales) ** 2)
