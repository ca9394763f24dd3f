"""What the time-resolved measures of Kreuz and colleagues share: the adaptive threshold and the population coding."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.compiled.trains import Trains, distinct_times
from snncompare.representation.metrics.codings import coded_label, require_truth_value, with_codings
from snncompare.representation.metrics.metric import Metric
from snncompare.representation.metrics.time_scales import positive_seconds, several_time_scales
from snncompare.units import Quantity, QuantityLike, quantity

__all__ = ["AUTO", "ProfileMetric"]

AUTO = "auto"
"""The threshold is the root mean square of all inter-spike intervals of the recording."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ProfileMetric(Metric):
    r"""A measure of inter-spike intervals and spike times without a time scale, averaged over the trial's window.

    A train is a set of times here, as in the papers: a time at which it has several spikes counts once. Units that
    fire at the same time therefore become one spike when they are pooled; the labelled line keeps them apart.

    Parameters
    ----------
    adaptive : quantity, "auto" or None
        Threshold :math:`\theta` below which differences between intervals do not matter (the "minimum relevant time
        scale" of the adaptive measures): a time such as ``"10 ms"``; ``"auto"`` for the root mean square of all
        intervals of all trials and units of the recording; None for the original measure.
    pooled : bool
        Whether units lose their names. Otherwise the distance is the mean over units.
    """

    adaptive: QuantityLike | None = None
    pooled: bool = False

    euclidean: ClassVar[bool] = False
    name: ClassVar[str]

    def __post_init__(self) -> None:
        kind = type(self).__name__
        require_truth_value(self.pooled, f"{kind}.pooled")
        if isinstance(self.adaptive, str) and self.adaptive.strip() == AUTO:
            object.__setattr__(self, "adaptive", AUTO)
        elif self.adaptive is not None:
            if isinstance(self.adaptive, bool):
                raise InputError(
                    f"{kind}.adaptive must be a time such as '10 ms', 'auto' or None, got {self.adaptive}."
                )
            positive_seconds(self.adaptive, f"{kind}.adaptive")
            object.__setattr__(self, "adaptive", quantity(self.adaptive))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._written())})"

    def _written(self) -> list[str]:
        """Return the arguments that are not the default, as they are typed."""
        adaptive = [] if self.adaptive is None else [f"adaptive='{self.adaptive}'"]
        return adaptive + (["pooled=True"] if self.pooled else [])

    @property
    def label(self) -> str:
        """The name, ``A-`` before it if adaptive, and the coding where it is not the labelled line."""
        name = self.name if self.adaptive is None else f"A-{self.name}"
        return coded_label(f"{name}, auto" if self.adaptive == AUTO else name, self.pooled)

    @property
    def time_scale(self) -> float:
        """Threshold in seconds; not a number where there is none, or where it is computed from the recording."""
        return self.adaptive.value if isinstance(self.adaptive, Quantity) else math.nan

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike], *, pooled: bool = False) -> tuple[Self, ...]:
        """Return one metric for each threshold, for example ``["1 ms", "10 ms"]``."""
        return tuple(cls(adaptive=scale, pooled=pooled) for scale in several_time_scales(time_scales))

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`.

        An automatic threshold comes from all of ``trains``, whatever the block.
        """

        def compute(chosen: list[int], coded: Trains) -> NDArray[np.float64]:
            distinct, same = distinct_times(coded), [metrics[k] for k in chosen]
            return cls._distances(same, distinct, _thresholds(same, distinct), rows, columns)

        return with_codings([m.pooled for m in metrics], trains, (len(rows), len(columns)), compute)

    @classmethod
    @abstractmethod
    def _distances(
        cls, metrics: Sequence[Self], trains: Trains, thresholds: NDArray[np.float64], rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)`` of trains of distinct times, in their coding."""


def _thresholds(metrics: Sequence[ProfileMetric], trains: Trains) -> NDArray[np.float64]:
    """Return the threshold of each metric in seconds, zero for the original measure."""
    if all(metric.adaptive is None for metric in metrics):
        return np.zeros(len(metrics))
    from snncompare.representation.compiled.knots import root_mean_square_interval

    automatic = root_mean_square_interval(trains)
    return np.array(
        [
            0.0 if metric.adaptive is None else automatic if metric.adaptive == AUTO else metric.time_scale
            for metric in metrics
        ]
    )
