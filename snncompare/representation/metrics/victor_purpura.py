"""The Victor-Purpura metric: spike trains as far apart as it costs to edit one into the other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.compiled.trains import Trains, pool_units
from snncompare.representation.metrics.metric import Metric
from snncompare.representation.metrics.time_scales import positive_seconds, several_time_scales
from snncompare.units import FREQUENCY, Quantity, QuantityLike, hertz, quantity

__all__ = ["VictorPurpura"]


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

    @property
    def additive(self) -> bool:
        """True for the labelled line."""
        return not self.pooled

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike], *, pooled: bool = False) -> tuple[Self, ...]:
        """Return one metric of cost ``1 / time_scale`` for each time scale, for example ``["1 ms", "10 ms"]``."""
        costs = [
            1.0 / positive_seconds(scale, "VictorPurpura time scale") for scale in several_time_scales(time_scales)
        ]
        return tuple(cls(Quantity(cost, FREQUENCY, f"{cost:.12g} Hz"), pooled) for cost in costs)

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.victor_purpura import victor_purpura

        result = np.empty((len(metrics), len(rows), len(columns)))
        for pooled in {metric.pooled for metric in metrics}:
            chosen = [k for k, metric in enumerate(metrics) if metric.pooled == pooled]
            costs = np.array([metrics[k].cost.value for k in chosen])
            result[chosen] = victor_purpura(pool_units(trains) if pooled else trains, costs, rows, columns)
        return result
