"""What a spike-train metric is: a frozen value that measures how far two trials are apart."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.trains import Trains

__all__ = ["Metric"]


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

    @property
    def additive(self) -> bool:
        """Whether the distance of a population is the sum over its units: of squared distances if Euclidean.

        Only then can units of different sessions, which share no trials, be joined by condition.
        """
        return False

    @classmethod
    @abstractmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return a block of the distances between trials, for several metrics of this class at once.

        The value of a pair of trials does not depend, not even in its last digit, on the block it is computed in, nor
        on the order of the two trials.

        Parameters
        ----------
        metrics : sequence of metrics of this class
        trains : Trains
        rows, columns : range
            Trials. Either the same range, or the columns lie after the rows.

        Returns
        -------
        array (n_metrics, len(rows), len(columns))
            Zero where a trial meets itself.
        """
