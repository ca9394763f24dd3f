"""What a spike-train kernel is: a frozen value that gives the inner product of two trials."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.trains import Trains

__all__ = ["Kernel"]


class Kernel(ABC):
    r"""A positive-definite kernel of trials of the same units: :math:`K_{ij} = \langle \phi_i, \phi_j \rangle`.

    :math:`K_{ii} + K_{jj} - 2 K_{ij}` is a squared Euclidean distance. A new kernel is a frozen subclass with the
    attributes below and `gram_block`; it names the source that says that it is positive definite.
    """

    @property
    @abstractmethod
    def label(self) -> str:
        """Name of the kernel and of its population coding, without the time scale."""

    @property
    @abstractmethod
    def time_scale(self) -> float:
        """Time scale in seconds; not a number for a kernel without one."""

    @property
    def additive(self) -> bool:
        """Whether the kernel of a population is the sum over its units."""
        return False

    @classmethod
    @abstractmethod
    def gram_block(cls, kernels: Sequence[Self], trains: Trains, rows: range, columns: range) -> NDArray[np.float64]:
        """Return a block of the Gram matrices of trials, for several kernels of this class at once.

        The value of a pair of trials does not depend, not even in its last digit, on the block it is computed in.

        Parameters
        ----------
        kernels : sequence of kernels of this class
        trains : Trains
        rows, columns : range
            Trials. Either the same range, or the columns lie after the rows.

        Returns
        -------
        array (n_kernels, len(rows), len(columns))
        """
