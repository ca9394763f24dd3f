"""The Hunter-Milton dissimilarity: how far the spikes of two trains are from their nearest in the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics.codings import coded_label, require_truth_value, with_codings
from snncompare.representation.metrics.metric import Metric
from snncompare.representation.metrics.time_scales import positive_seconds, several_time_scales
from snncompare.units import QuantityLike, quantity

__all__ = ["HunterMilton"]


@final
@dataclass(frozen=True, repr=False)
class HunterMilton(Metric):
    r"""Hunter-Milton dissimilarity: one minus the mean closeness of each spike to the nearest in the other train.

    .. math::

        D = 1 - \frac{1}{2} \left( \frac{1}{n_a} \sum_{s \in a} e^{-\min_r |t_s - t_r| / \tau}
        + \frac{1}{n_b} \sum_{r \in b} e^{-\min_s |t_s - t_r| / \tau} \right)

    From 0 to 1. Two empty trains are at 0, an empty and another train at 1 (as in spikedist 0.8.0). Not a metric: a
    spike doubled in place changes nothing, and the triangle inequality can fail.

    Several units: the mean over units (labelled line), where a unit that is silent in both trials counts 0, or the
    trains of all units pooled into one.

    Parameters
    ----------
    tau : quantity, s
        Time constant, for example ``"10 ms"``.
    pooled : bool
        Whether units lose their names.

    Raises
    ------
    InputError
        If tau is not above zero or without unit, or ``pooled`` is not a truth value.

    References
    ----------
    Hunter & Milton 2003, J. Neurophysiol. 90:387.
    """

    tau: QuantityLike
    pooled: bool = False

    euclidean: ClassVar[bool] = False

    def __post_init__(self) -> None:
        positive_seconds(self.tau, "HunterMilton.tau")
        require_truth_value(self.pooled, "HunterMilton.pooled")
        object.__setattr__(self, "tau", quantity(self.tau))

    def __repr__(self) -> str:
        return f"HunterMilton(tau='{self.tau}'{', pooled=True' if self.pooled else ''})"

    @property
    def label(self) -> str:
        """``"Hunter-Milton"``, with the coding where it is not the labelled line."""
        return coded_label("Hunter-Milton", self.pooled)

    @property
    def time_scale(self) -> float:
        """Time constant in seconds."""
        return float(self.tau.value)

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike], *, pooled: bool = False) -> tuple[Self, ...]:
        """Return one metric for each time constant, for example ``["1 ms", "10 ms"]``."""
        return tuple(cls(scale, pooled) for scale in several_time_scales(time_scales))

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.nearest_spikes import hunter_milton

        def compute(chosen: list[int], coded: Trains) -> NDArray[np.float64]:
            return hunter_milton(coded, np.array([metrics[k].time_scale for k in chosen]), rows, columns)

        return with_codings([metric.pooled for metric in metrics], trains, (len(rows), len(columns)), compute)
