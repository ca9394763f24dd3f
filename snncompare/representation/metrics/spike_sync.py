"""SPIKE-synchronisation as a distance: the fraction of spikes without a coincident spike in the other train."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics.profile import ProfileMetric

__all__ = ["SpikeSync"]


@final
@dataclass(frozen=True, kw_only=True, repr=False)
class SpikeSync(ProfileMetric):
    r"""One minus SPIKE-synchronisation: the fraction of spikes without a coincident spike in the other train.

    .. math:: D = 1 - \frac{2 c}{n_a + n_b}

    Two spikes coincide if they are closer than half of the shortest interval next to either of them; the adaptive
    form widens that window to :math:`\theta / 4` where a burst made it narrow, never beyond half of the gap between
    neighbours. From 0 to 1. Two empty trains are at 0, an empty and any other at 1. One minus PySpike's value,
    version 0.9.0. Not a metric: unequal trains may be at 0.

    Several units: the mean over units, where a unit that is silent in both trials counts 0, or pooled.

    Parameters
    ----------
    adaptive, pooled
        As in `ProfileMetric`; keywords only.

    References
    ----------
    Kreuz, Mulansky & Bozanic 2015, J. Neurophysiol. 113:3432. Adaptive: Satuvuori et al. 2017, J. Neurosci. Methods
    287:25.
    """

    name: ClassVar[str] = "SPIKE-synchronisation"

    @classmethod
    def _distances(
        cls, metrics: Sequence[Self], trains: Trains, thresholds: NDArray[np.float64], rows: range, columns: range
    ) -> NDArray[np.float64]:
        from snncompare.representation.compiled.spike_sync import spike_sync

        del metrics  # the thresholds say all
        return spike_sync(trains, thresholds, rows, columns)
