"""Kernels that are inner products of filtered spike trains."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.trains import Trains, pool_units
from snncompare.representation.kernels.kernel import Kernel
from snncompare.representation.metrics.time_scales import checked_mixing, positive_seconds, several_time_scales
from snncompare.units import QuantityLike, quantity

__all__ = ["Gaussian", "Laplacian"]

Products = Callable[[Trains, NDArray[np.float64], range, range], NDArray[np.float64]]


class _Filtered(Kernel):
    """A sum over pairs of spikes of a function of their difference in time."""

    mixing: float

    @property
    def additive(self) -> bool:
        """True for the labelled line."""
        return self.mixing == 0


def _mixed(
    products: Products, kernels: Sequence[_Filtered], trains: Trains, rows: range, columns: range
) -> NDArray[np.float64]:
    """Return Gram matrices ``(n_kernels, n_rows, n_columns)``: of the units one by one, and of the pooled trains."""
    scales, which = np.unique([kernel.time_scale for kernel in kernels], return_inverse=True)
    mixing = np.array([kernel.mixing for kernel in kernels])[:, None, None]
    result = np.zeros((len(kernels), len(rows), len(columns)))
    if (mixing < 1).any():
        result += (1 - mixing) * products(trains, scales, rows, columns)[which]
    if (mixing > 0).any():
        result += mixing * products(pool_units(trains), scales, rows, columns)[which]
    return result


@final
@dataclass(frozen=True, repr=False)
class Laplacian(_Filtered):
    r"""Laplacian cross-intensity kernel: the inner product of the trains after exponential filtering.

    .. math:: K_{ab} = \sum_{s \in a} \sum_{r \in b} e^{-|t_s - t_r| / \tau}

    :math:`K_{aa} + K_{bb} - 2 K_{ab}` is the squared `VanRossum` distance of the same ``tau`` and ``mixing``, and one
    spike has the norm 1. Exact: the relative error is a few roundings per spike.

    Several units: with mixing :math:`c`, :math:`K = (1 - c) \, K_\text{labelled line} + c \, K_\text{summed}`.

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
    Positive definite: Paiva, Park & Principe 2009, Neural Comput. 21:424. Mixing: Houghton & Sen 2008, Neural Comput.
    20:1495.
    """

    tau: QuantityLike
    mixing: float = 0.0

    def __post_init__(self) -> None:
        positive_seconds(self.tau, "Laplacian.tau")
        object.__setattr__(self, "tau", quantity(self.tau))
        object.__setattr__(self, "mixing", checked_mixing(self.mixing, "Laplacian.mixing"))

    def __repr__(self) -> str:
        return f"Laplacian(tau='{self.tau}'{f', mixing={self.mixing:g}' if self.mixing else ''})"

    @property
    def label(self) -> str:
        """``"Laplacian"``, with the mixing where it is not the labelled line."""
        return f"Laplacian, mixing {self.mixing:g}" if self.mixing else "Laplacian"

    @property
    def time_scale(self) -> float:
        """Time constant in seconds."""
        return float(self.tau.value)

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike], *, mixing: float = 0.0) -> tuple[Self, ...]:
        """Return one kernel for each time constant, for example ``["1 ms", "10 ms"]``."""
        return tuple(cls(scale, mixing) for scale in several_time_scales(time_scales))

    @classmethod
    def gram_block(cls, kernels: Sequence[Self], trains: Trains, rows: range, columns: range) -> NDArray[np.float64]:
        """Return Gram matrices ``(n_kernels, n_rows, n_columns)``; see `Kernel.gram_block`."""
        from snncompare.representation.compiled.cross_intensity import laplacian_products

        return _mixed(laplacian_products, kernels, trains, rows, columns)


@final
@dataclass(frozen=True, repr=False)
class Gaussian(_Filtered):
    r"""Gaussian cross-intensity kernel: the inner product of the trains after Gaussian filtering.

    .. math:: K_{ab} = \sum_{s \in a} \sum_{r \in b} e^{-(t_s - t_r)^2 / (4 \sigma^2)}

    :math:`\sigma` is the standard deviation of the filter, that of the kernel is :math:`\sqrt{2} \sigma`; one spike has
    the norm 1, and the cosine is Schreiber's similarity. Exact: terms below :math:`e^{-60}` are left out.

    Several units: as in `Laplacian`.

    Parameters
    ----------
    sigma : quantity, s
        Standard deviation of the filter, for example ``"5 ms"``.
    mixing : float
        From 0 (labelled line) to 1 (summed population).

    Raises
    ------
    InputError
        If sigma is not positive or without unit, or mixing lies outside 0 to 1.

    References
    ----------
    Positive definite: Paiva, Park & Principe 2009, Neural Comput. 21:424. Schreiber et al. 2003, Neurocomputing 52:925.
    """

    sigma: QuantityLike
    mixing: float = 0.0

    def __post_init__(self) -> None:
        positive_seconds(self.sigma, "Gaussian.sigma")
        object.__setattr__(self, "sigma", quantity(self.sigma))
        object.__setattr__(self, "mixing", checked_mixing(self.mixing, "Gaussian.mixing"))

    def __repr__(self) -> str:
        return f"Gaussian(sigma='{self.sigma}'{f', mixing={self.mixing:g}' if self.mixing else ''})"

    @property
    def label(self) -> str:
        """``"Gaussian"``, with the mixing where it is not the labelled line."""
        return f"Gaussian, mixing {self.mixing:g}" if self.mixing else "Gaussian"

    @property
    def time_scale(self) -> float:
        """Standard deviation of the filter in seconds."""
        return float(self.sigma.value)

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike], *, mixing: float = 0.0) -> tuple[Self, ...]:
        """Return one kernel for each standard deviation, for example ``["1 ms", "10 ms"]``."""
        return tuple(cls(scale, mixing) for scale in several_time_scales(time_scales))

    @classmethod
    def gram_block(cls, kernels: Sequence[Self], trains: Trains, rows: range, columns: range) -> NDArray[np.float64]:
        """Return Gram matrices ``(n_kernels, n_rows, n_columns)``; see `Kernel.gram_block`."""
        from snncompare.representation.compiled.gaussian import gaussian_products

        return _mixed(gaussian_products, kernels, trains, rows, columns)
