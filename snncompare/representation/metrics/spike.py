"""The SPIKE-distance: how far the spikes around each moment are from spikes of the other train."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics.codings import require_truth_value
from snncompare.representation.metrics.profile import ProfileMetric

__all__ = ["SPIKE"]


@final
@dataclass(frozen=True, kw_only=True, repr=False)
class SPIKE(ProfileMetric):
    r"""SPIKE-distance: the spike-time differences around each moment, relative to the local intervals, averaged.

    .. math::

        D = \frac{1}{T} \int_{T_0}^{T_1} \frac{S_a(t) \, \nu_b(t) + S_b(t) \, \nu_a(t)}
        {(\nu_a + \nu_b) \max(\bar\nu, \theta)} \, dt, \qquad
        D_\text{RI} = \frac{1}{T} \int_{T_0}^{T_1} \frac{S_a(t) + S_b(t)}{2 \max(\bar\nu, \theta)} \, dt

    with the interval :math:`\nu(t)` between the spikes around :math:`t`, the mean :math:`\bar\nu` of both trains, and
    :math:`S_a(t)` the line between the distances of the previous and the next spike of a to their nearest spikes of b.
    At the edges the train is continued by one interval as in `ISI`, and :math:`S` keeps the value of the outermost
    spike; an empty train has spikes on both edges. From 0 to 1. Not a metric: the triangle inequality may fail, and
    an empty train is at 0 from one whose only spikes lie on the edges. Equal to PySpike 0.9.0, but for two trains with
    a single spike each, both on the end of the window: these are equal, hence 0 here and not a number there.

    Several units: the mean over units, where a unit that is silent in both trials counts 0, or pooled.

    Parameters
    ----------
    rate_independent : bool
        Whether to weigh both trains alike, :math:`D_\text{RI}`, so that a difference in rate alone does not matter.
    adaptive, pooled
        As in `ProfileMetric`; keywords only.

    References
    ----------
    Kreuz et al. 2013, J. Neurophysiol. 109:1457. Adaptive and rate-independent: Satuvuori et al. 2017, J. Neurosci.
    Methods 287:25.
    """

    rate_independent: bool = False

    name: ClassVar[str] = "SPIKE"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_truth_value(self.rate_independent, "SPIKE.rate_independent")

    def _written(self) -> list[str]:
        return (["rate_independent=True"] if self.rate_independent else []) + super()._written()

    @property
    def label(self) -> str:
        """As of `ProfileMetric`, with ``RI-`` or ``RIA-`` in front if rate-independent."""
        plain = super().label
        if not self.rate_independent:
            return plain
        return f"RIA-{plain.removeprefix('A-')}" if self.adaptive is not None else f"RI-{plain}"

    @classmethod
    def _distances(
        cls, metrics: Sequence[Self], trains: Trains, thresholds: NDArray[np.float64], rows: range, columns: range
    ) -> NDArray[np.float64]:
        from snncompare.representation.compiled.spike import spike

        rate_independent = np.array([metric.rate_independent for metric in metrics])
        return spike(trains, thresholds, rate_independent, rows, columns)
