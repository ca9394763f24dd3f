"""Linear kernels of spike counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.kernels.kernel import Kernel
from snncompare.representation.metrics.bins import binned_counts, checked_width, seconds_of
from snncompare.representation.metrics.time_scales import several_time_scales
from snncompare.units import QuantityLike

__all__ = ["BinnedCount", "Count"]


@final
@dataclass(frozen=True)
class Count(Kernel):
    r"""Inner product of the vectors of spike counts; its squared distance is that of `SpikeCount`.

    .. math:: K_{ab} = \sum_u n_{a,u} \, n_{b,u}
    """

    @property
    def label(self) -> str:
        """``"count"``."""
        return "count"

    @property
    def time_scale(self) -> float:
        """Not a number: counts have no time scale."""
        return math.nan

    @property
    def additive(self) -> bool:
        """True."""
        return True

    @classmethod
    def gram_block(cls, kernels: Sequence[Self], trains: Trains, rows: range, columns: range) -> NDArray[np.float64]:
        """Return Gram matrices ``(n_kernels, n_rows, n_columns)``; see `Kernel.gram_block`."""
        product = _products(binned_counts(trains, None), rows, columns)
        return np.broadcast_to(product, (len(kernels), *product.shape)).copy()


@final
@dataclass(frozen=True, repr=False)
class BinnedCount(Kernel):
    r"""Inner product of the spike counts of all units in all bins; its squared distance is that of the metric.

    .. math:: K_{ab} = \sum_u \sum_k n_{a,u,k} \, n_{b,u,k}

    Parameters
    ----------
    width : quantity, s
        Of a bin; the bins must fill the window of the trials.

    Raises
    ------
    InputError
        If the width is not above zero or without unit, or if the bins leave a part of the window over.
    """

    width: QuantityLike

    def __post_init__(self) -> None:
        if self.width is None:
            raise InputError("BinnedCount needs a width such as '10 ms'; Count() takes the whole window.")
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
        """Return one kernel for each width, for example ``["10 ms", "50 ms"]``."""
        return tuple(cls(scale) for scale in several_time_scales(time_scales))

    @classmethod
    def gram_block(cls, kernels: Sequence[Self], trains: Trains, rows: range, columns: range) -> NDArray[np.float64]:
        """Return Gram matrices ``(n_kernels, n_rows, n_columns)``; see `Kernel.gram_block`."""
        return np.stack([_products(binned_counts(trains, kernel.width), rows, columns) for kernel in kernels])


def _products(counts: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    """Return inner products of whole numbers: exact, in whatever order they are added."""
    return counts[rows] @ counts[columns].T
