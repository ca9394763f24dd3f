"""The Victor-Purpura interval metric: trains as far apart as it costs to edit one's intervals into the other's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics.codings import coded_label, require_truth_value, with_codings
from snncompare.representation.metrics.metric import Metric
from snncompare.representation.metrics.time_scales import costs_of
from snncompare.units import QuantityLike, hertz, quantity

__all__ = ["VictorPurpuraIntervals", "intervals_of"]


@final
@dataclass(frozen=True, repr=False)
class VictorPurpuraIntervals(Metric):
    r"""Victor-Purpura interval metric: the cheapest way to edit one train's intervals into the other's.

    .. math:: D = \min \left( \#\text{insertions} + \#\text{deletions} + q \sum_{\text{changes}} |\Delta \tau| \right)

    Adding or removing an interval costs 1, changing its length by :math:`\Delta \tau` costs :math:`q |\Delta \tau|`;
    intervals keep their order. The space is not Euclidean.

    The intervals are those between successive spikes. The time before the first and after the last spike is none, so
    that the distance does not see when a train starts, and trains of no and of one spike are at distance 0: a metric
    between sequences of intervals. With ``ends=True`` the time from the start of the window to the first spike and
    from the last spike to the end of the window are intervals like the others (an empty train is one interval, the
    window), and it is a metric between trains.

    Several units: the distances of the units are added (labelled line), or the trains of all units are first pooled
    into one.

    Parameters
    ----------
    cost : quantity, 1/s
        :math:`q`, zero or more, for example ``"100 Hz"``. With 0 the difference in the number of intervals is left.
    pooled : bool
        Whether units lose their names.
    ends : bool
        Whether the window's ends bound intervals.

    Raises
    ------
    InputError
        If the cost is negative or without unit, or a truth value is none.

    References
    ----------
    Victor & Purpura 1996, J. Neurophysiol. 76:1310; 1997, Network 8:127.
    """

    cost: QuantityLike
    pooled: bool = False
    ends: bool = False

    euclidean: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if hertz(self.cost, "VictorPurpuraIntervals.cost") < 0:
            raise InputError(
                f"VictorPurpuraIntervals.cost must be zero or more, got {self.cost}. Write for example '100 Hz'."
            )
        require_truth_value(self.pooled, "VictorPurpuraIntervals.pooled")
        require_truth_value(self.ends, "VictorPurpuraIntervals.ends")
        object.__setattr__(self, "cost", quantity(self.cost))

    def __repr__(self) -> str:
        chosen = "".join(f", {name}=True" for name in ("pooled", "ends") if getattr(self, name))
        return f"VictorPurpuraIntervals(cost='{self.cost}'{chosen})"

    @property
    def label(self) -> str:
        """``"Victor-Purpura intervals"``, with ends and coding where they are not the default."""
        return coded_label(f"Victor-Purpura intervals{' with ends' if self.ends else ''}", self.pooled)

    @property
    def time_scale(self) -> float:
        """:math:`1/q` in seconds, to 12 digits; infinite for cost zero."""
        return float(f"{1.0 / self.cost.value:.12g}") if self.cost.value > 0 else math.inf

    @property
    def additive(self) -> bool:
        """True for the labelled line."""
        return not self.pooled

    @classmethod
    def sweep(
        cls, time_scales: Sequence[QuantityLike], *, pooled: bool = False, ends: bool = False
    ) -> tuple[Self, ...]:
        """Return one metric of cost ``1 / time_scale`` for each time scale, for example ``["1 ms", "10 ms"]``."""
        return tuple(cls(cost, pooled, ends) for cost in costs_of(time_scales, "VictorPurpuraIntervals time scale"))

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.victor_purpura import victor_purpura

        def compute(chosen: list[int], coded: Trains) -> NDArray[np.float64]:
            result = np.empty((len(chosen), len(rows), len(columns)))
            for ends in {metrics[k].ends for k in chosen}:
                positions = [n for n, k in enumerate(chosen) if metrics[k].ends == ends]
                costs = np.array([metrics[chosen[n]].cost.value for n in positions])
                result[positions] = victor_purpura(intervals_of(coded, ends), costs, rows, columns, ascending=False)
            return result

        return with_codings([metric.pooled for metric in metrics], trains, (len(rows), len(columns)), compute)


def intervals_of(trains: Trains, ends: bool) -> Trains:
    """Return the intervals of each train in the place of its spikes, with the ends of the window or without."""
    counts = np.diff(trains.offsets)
    starts = trains.offsets[:-1]
    if ends:
        bounded = np.insert(trains.times, starts, trains.start)
        bounded = np.insert(bounded, trains.offsets[1:] + np.arange(1, counts.size + 1), trains.stop)
        counts = counts + 2
    else:
        bounded = trains.times
    gaps = np.diff(bounded)
    within = np.ones(max(bounded.size - 1, 0), dtype=bool)
    last = np.cumsum(counts)[:-1] - 1
    within[last[(last >= 0) & (last < within.size)]] = False
    lengths = np.maximum(counts - 1, 0)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return trains._replace(times=gaps[within], offsets=offsets)
