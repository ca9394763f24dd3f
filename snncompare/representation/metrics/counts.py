"""Metrics of spike counts: what is left when spike times are ignored."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics.metric import Metric

__all__ = ["SpikeCount"]


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

    @property
    def additive(self) -> bool:
        """True."""
        return True

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        counts = np.diff(trains.offsets).reshape(trains.n_trials, trains.n_units).astype(np.float64)
        norm = (counts**2).sum(axis=1)  # whole numbers: the sums are exact, in whatever order
        products = counts[rows] @ counts[columns].T
        distance = np.sqrt(norm[rows, None] + norm[None, columns] - 2 * products)
        return np.broadcast_to(distance, (len(metrics), len(rows), len(columns))).copy()
