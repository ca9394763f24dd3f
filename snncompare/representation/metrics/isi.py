"""The ISI-distance: how different the inter-spike intervals around each moment are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics.profile import ProfileMetric

__all__ = ["ISI"]


@final
@dataclass(frozen=True, kw_only=True, repr=False)
class ISI(ProfileMetric):
    r"""ISI-distance: the relative difference of the inter-spike intervals around each moment, averaged over time.

    .. math:: D = \frac{1}{T} \int_{T_0}^{T_1} \frac{|\nu_a(t) - \nu_b(t)|}{\max(\nu_a(t), \nu_b(t), \theta)} \, dt

    with the interval :math:`\nu(t)` between the spikes around :math:`t`. It compares rates, moment by moment. Before
    the first and after the last spike, the interval is the longer of the next one and the time to the window's edge;
    an empty train has one interval, the window. From 0 to 1; equal to PySpike 0.9.0. With :math:`\theta = 0` a metric
    between functions of time, but not between trains: a regular train and its shifted copy can be at 0.

    Several units: the mean over units, where a unit that is silent in both trials counts 0, or pooled.

    Parameters
    ----------
    adaptive, pooled
        As in `ProfileMetric`; keywords only.

    References
    ----------
    Kreuz et al. 2007, J. Neurosci. Methods 165:151. Adaptive: Satuvuori et al. 2017, J. Neurosci. Methods 287:25.
    """

    name: ClassVar[str] = "ISI"

    @classmethod
    def _distances(
        cls, metrics: Sequence[Self], trains: Trains, thresholds: NDArray[np.float64], rows: range, columns: range
    ) -> NDArray[np.float64]:
        from snncompare.representation.compiled.isi import isi

        del metrics  # the thresholds say all
        return isi(trains, thresholds, rows, columns)
