"""Metrics of when units fire first: the latencies themselves, and the order of the units."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import one_of
from snncompare.representation.compiled.trains import Trains, first_spikes
from snncompare.representation.metrics.codings import coded_label, require_truth_value, with_codings
from snncompare.representation.metrics.metric import Metric
from snncompare.units import QuantityLike, quantity, seconds

__all__ = ["FirstSpikeLatency", "RankOrder"]

WINDOW_END = "window end"
"""The rule by which a silent unit has the latency of the end of the trial's window."""

RANKINGS = ("kendall", "footrule")


@final
@dataclass(frozen=True, repr=False)
class FirstSpikeLatency(Metric):
    r"""Euclidean distance between the vectors of first-spike times of the units, in seconds.

    .. math:: D = \sqrt{\sum_u (l_{a,u} - l_{b,u})^2}

    A unit that does not fire has no latency, so the rule must be chosen: it is given a time not before the end of the
    window, which makes silence the latest response. The later that time, the more silence weighs against timing.

    Parameters
    ----------
    silent : str or quantity, s
        ``"window end"``, or a time on the clock of the trials such as ``"1 s"``.
    pooled : bool
        Whether units lose their names: then one latency is left, of the first spike of any unit.

    Raises
    ------
    InputError
        If the time of silent units has no unit, or lies before the end of the window.
    """

    silent: QuantityLike
    pooled: bool = False

    euclidean: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_truth_value(self.pooled, "FirstSpikeLatency.pooled")
        if not isinstance(self.silent, str) or self.silent != WINDOW_END:
            seconds(self.silent, "FirstSpikeLatency.silent, unless it is 'window end',")
            object.__setattr__(self, "silent", quantity(self.silent))

    def __repr__(self) -> str:
        return f"FirstSpikeLatency(silent='{self.silent}'{', pooled=True' if self.pooled else ''})"

    @property
    def label(self) -> str:
        """``"first-spike latency"``, with the time of silent units and the coding where they are not the usual ones."""
        silent = "" if self.silent == WINDOW_END else f", silent {self.silent}"
        return coded_label(f"first-spike latency{silent}", self.pooled)

    @property
    def time_scale(self) -> float:
        """Not a number: there is no time scale."""
        return math.nan

    @property
    def additive(self) -> bool:
        """True for the labelled line."""
        return not self.pooled

    def _latencies(self, trains: Trains) -> NDArray[np.float64]:
        """Return the latencies ``(n_trials, n_units)`` with silent units by the rule."""
        silent = trains.stop if self.silent == WINDOW_END else self.silent.value
        if silent < trains.stop:
            raise InputError(
                f"silent units cannot have a latency of {self.silent} where the window lasts until {trains.stop:g} s: "
                f"silence would be an early response. Write '{trains.stop:g} s' or later, or 'window end'."
            )
        first = first_spikes(trains)
        return np.where(np.isinf(first), silent, first)

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.vectors import product_of_differences

        def compute(chosen: list[int], coded: Trains) -> NDArray[np.float64]:
            latencies = [metrics[k]._latencies(coded) for k in chosen]
            return np.sqrt([product_of_differences(values, values, rows, columns) for values in latencies])

        return with_codings([m.pooled for m in metrics], trains, (len(rows), len(columns)), compute)


@final
@dataclass(frozen=True)
class RankOrder(Metric):
    r"""Distance between the orders in which the units fire their first spike, from 0 (same) to 1 (reversed).

    .. math::

        D_\text{Kendall} = \frac{2}{P (P - 1)} \sum_{u < v} \frac{|s_a(u, v) - s_b(u, v)|}{2}, \qquad
        D_\text{footrule} = \frac{1}{\lfloor P^2 / 2 \rfloor} \sum_u |r_{a,u} - r_{b,u}|

    with :math:`s(u, v)` = -1, 0 or 1 for u before, with or after v, and ranks :math:`r` of the :math:`P` units. Units
    that fire at the same time are tied and share their mean rank. Units that do not fire come last, tied with each
    other. When the units fire does not matter, only in which order; both are metrics between orders with ties.

    Parameters
    ----------
    distance : {"kendall", "footrule"}
        Pairs of units in another order, or Spearman's footrule: how far the units are from their place.

    Raises
    ------
    InputError
        If there is no such distance, or if the trials have one unit only, which has no order.

    References
    ----------
    Fagin, Kumar, Mahdian, Sivakumar & Vee 2006, SIAM J. Discrete Math. 20:628 (rankings with ties). Thorpe, Delorme &
    Van Rullen 2001, Neural Netw. 14:715 (rank order as a code).
    """

    distance: str = "kendall"

    euclidean: ClassVar[bool] = False

    def __post_init__(self) -> None:
        one_of("distance between rank orders", self.distance, RANKINGS)

    @property
    def label(self) -> str:
        """``"rank order"`` and the distance."""
        return f"rank order, {self.distance}"

    @property
    def time_scale(self) -> float:
        """Not a number: there is no time scale."""
        return math.nan

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.vectors import rank_disagreement

        if trains.n_units < 2:
            raise InputError("the rank order of units needs at least two units, got one; FirstSpikeLatency takes one.")
        first = first_spikes(trains)
        compute = {
            "kendall": lambda: rank_disagreement(first, rows, columns),
            "footrule": lambda: _footrule(first, rows, columns),
        }
        return np.stack([compute[metric.distance]() for metric in metrics])


def _footrule(first: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    """Return Spearman's footrule; ranks are whole or half numbers, so the sums are exact in any block."""
    from scipy.stats import rankdata

    ranks = rankdata(first, axis=1)
    total = np.zeros((len(rows), len(columns)))
    for of_unit in ranks.T:
        total += np.abs(of_unit[rows, None] - of_unit[None, columns])
    return total / (ranks.shape[1] ** 2 // 2)
