"""The earth mover's distance: how far the spikes of one train have to travel to become the other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics.codings import coded_label, require_truth_value, with_codings
from snncompare.representation.metrics.metric import Metric

__all__ = ["EarthMover"]


@final
@dataclass(frozen=True)
class EarthMover(Metric):
    r"""Earth mover's distance: each train has mass one, spread over its spikes; the cost of moving it, in seconds.

    .. math:: D = \int_{T_0}^{T_1} \left| \frac{N_a(t)}{n_a} - \frac{N_b(t)}{n_b} \right| dt

    with :math:`N(t)` the number of spikes up to :math:`t` of :math:`n`. The number of spikes does not matter, only how
    they are distributed: a train and itself with every spike doubled are at 0. A train without spikes has no
    distribution; it is at 0 from another empty one, and at the length of the window, the furthest that mass can
    travel, from any other. So it is a metric between normalised trains: symmetric, with the triangle inequality.

    Several units: the mean over units, where a unit that is silent in both trials counts 0, or pooled.

    Parameters
    ----------
    pooled : bool
        Whether units lose their names; every spike is kept.

    Raises
    ------
    InputError
        If ``pooled`` is not a truth value.

    References
    ----------
    Sihn & Kim 2019, Front. Comput. Neurosci. 13:82. The convention for empty trains is ours.
    """

    pooled: bool = False

    euclidean: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_truth_value(self.pooled, "EarthMover.pooled")

    @property
    def label(self) -> str:
        """``"earth mover"``, with the coding where it is not the labelled line."""
        return coded_label("earth mover", self.pooled)

    @property
    def time_scale(self) -> float:
        """Not a number: there is no time scale."""
        return math.nan

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.earth_mover import earth_mover

        return with_codings(
            [metric.pooled for metric in metrics],
            trains,
            (len(rows), len(columns)),
            lambda _, coded: earth_mover(coded, rows, columns),
        )
