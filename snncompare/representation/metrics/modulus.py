"""The modulus-metric: how different the distances of each moment to the nearest spike are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.trains import Trains, distinct_times
from snncompare.representation.metrics.codings import coded_label, require_truth_value, with_codings
from snncompare.representation.metrics.metric import Metric

__all__ = ["ModulusMetric"]


@final
@dataclass(frozen=True)
class ModulusMetric(Metric):
    r"""Modulus-metric: the difference of the distances to the nearest spike, integrated over the window, in s².

    .. math:: D = \int_{T_0}^{T_1} |d(s, a) - d(s, b)| \, ds, \qquad d(s, a) = \min_i |s - a_i|

    A burst and one spike in its place are close together: number and timing of spikes inside a burst hardly matter.
    A metric between trains as sets of times; a time with several spikes counts once. The paper leaves out trains
    without spikes; here every moment is as far from one as the window is long, which keeps it a metric.

    Several units: the mean over units, where a unit that is silent in both trials counts 0, or pooled.

    Parameters
    ----------
    pooled : bool
        Whether units lose their names.

    Raises
    ------
    InputError
        If ``pooled`` is not a truth value.

    References
    ----------
    Rusu & Florian 2014, Neural Comput. 26:306 (arXiv 1507.08939). The convention for empty trains is ours.
    """

    pooled: bool = False

    euclidean: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_truth_value(self.pooled, "ModulusMetric.pooled")

    @property
    def label(self) -> str:
        """``"modulus"``, with the coding where it is not the labelled line."""
        return coded_label("modulus", self.pooled)

    @property
    def time_scale(self) -> float:
        """Not a number: there is no time scale."""
        return math.nan

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.modulus import modulus

        return with_codings(
            [metric.pooled for metric in metrics],
            trains,
            (len(rows), len(columns)),
            lambda _, coded: modulus(distinct_times(coded), rows, columns),
        )
