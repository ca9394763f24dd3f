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
from snncompare.representation.metrics.time_scales import costs_of
from snncompare.units import QuantityLike, hertz, quantity

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
    into one (``pooled=True``). These are the ends :math:`k = 2` and :math:`k = 0` of Aronov's cost of moving a spike
    to another unit, ``relabelling``; between them the cheapest matching of the spikes of all units is found exactly, by
    an assignment problem per pair of trials (refused where that would take hours).

    Parameters
    ----------
    cost : quantity, 1/s
        :math:`q`, zero or more, for example ``"100 Hz"``.
    pooled : bool
        Whether units lose their names.
    relabelling : float, optional
        :math:`k`, zero or more, instead of ``pooled``: what it costs to move a spike to another unit.

    Raises
    ------
    InputError
        If the cost is negative or without unit, ``pooled`` is not a truth value, or ``relabelling`` is negative, no
        number, or given with ``pooled``.

    References
    ----------
    Victor & Purpura 1996, J. Neurophysiol. 76:1310; 1997, Network 8:127. Aronov 2003, J. Neurosci. Methods 124:175.
    """

    cost: QuantityLike
    pooled: bool = False
    relabelling: float | None = None

    euclidean: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if hertz(self.cost, "VictorPurpura.cost") < 0:
            raise InputError(f"VictorPurpura.cost must be zero or more, got {self.cost}. Write for example '100 Hz'.")
        if not isinstance(self.pooled, bool):
            raise InputError(f"VictorPurpura.pooled must be True or False, got {self.pooled!r}.")
        object.__setattr__(self, "cost", quantity(self.cost))
        k = self.relabelling
        if k is not None:
            if isinstance(k, bool) or not isinstance(k, int | float) or not 0 <= k < math.inf:
                raise InputError(f"VictorPurpura.relabelling must be a number of zero or more, got {k!r}.")
            if self.pooled:
                raise InputError("VictorPurpura takes pooled or relabelling, not both: pooled is relabelling=0.")
            object.__setattr__(self, "relabelling", float(k))

    def __repr__(self) -> str:
        moved = "" if self.relabelling is None else f", relabelling={self.relabelling:g}"
        return f"VictorPurpura(cost='{self.cost}'{', pooled=True' if self.pooled else ''}{moved})"

    @property
    def label(self) -> str:
        """``"Victor-Purpura"``, with the coding where it is not the labelled line."""
        if self.relabelling is not None:
            return f"Victor-Purpura, relabelling {self.relabelling:g}"
        return "Victor-Purpura, pooled" if self.pooled else "Victor-Purpura"

    @property
    def time_scale(self) -> float:
        """:math:`1/q` in seconds, to 12 digits; infinite for cost zero. A shift is worth paying up to twice that."""
        return float(f"{1.0 / self.cost.value:.12g}") if self.cost.value > 0 else math.inf

    @property
    def additive(self) -> bool:
        """True for the labelled line."""
        return self._effective_relabelling == 2.0

    @property
    def _effective_relabelling(self) -> float:
        """From 0 (pooled) to 2 (labelled line): beyond, removing and adding is cheaper."""
        if self.relabelling is None:
            return 0.0 if self.pooled else 2.0
        return min(self.relabelling, 2.0)

    @classmethod
    def sweep(
        cls, time_scales: Sequence[QuantityLike], *, pooled: bool = False, relabelling: float | None = None
    ) -> tuple[Self, ...]:
        """Return one metric of cost ``1 / time_scale`` for each time scale, for example ``["1 ms", "10 ms"]``."""
        return tuple(cls(cost, pooled, relabelling) for cost in costs_of(time_scales, "VictorPurpura time scale"))

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.relabelling import relabelled_victor_purpura
        from snncompare.representation.compiled.victor_purpura import victor_purpura

        result = np.empty((len(metrics), len(rows), len(columns)))
        for k in {metric._effective_relabelling for metric in metrics}:
            chosen = [n for n, metric in enumerate(metrics) if metric._effective_relabelling == k]
            costs = np.array([metrics[n].cost.value for n in chosen])
            if 0 < k < 2:
                result[chosen] = relabelled_victor_purpura(trains, costs, k, rows, columns)
            else:
                result[chosen] = victor_purpura(trains if k == 2 else pool_units(trains), costs, rows, columns)
        return result
