"""The Schreiber dissimilarity: the angle between spike trains after Gaussian filtering."""

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

__all__ = ["Schreiber"]


@final
@dataclass(frozen=True, repr=False)
class Schreiber(Metric):
    r"""Schreiber dissimilarity: one minus the cosine of the trains after Gaussian filtering; from 0 to 1.

    .. math::

        D = 1 - \frac{K_{ab}}{\sqrt{K_{aa} K_{bb}}}, \qquad
        K_{ab} = \sum_{s \in a} \sum_{r \in b} e^{-(t_s - t_r)^2 / (4 \sigma^2)}

    the double sum being the exact inner product of the trains filtered with a Gaussian of standard deviation
    :math:`\sigma`, without edges. It does not see how many spikes there are, only where: a train and the same train
    with every spike doubled are at 0. Two empty trains are at 0, an empty and another train at 1 (as in spikedist
    0.8.0). Not a metric: :math:`\sqrt{2 D}`, the distance of the normalised trains, is one between non-empty trains.

    Several units: the mean over units (labelled line), where a unit that is silent in both trials counts 0, or the
    trains of all units pooled into one.

    Parameters
    ----------
    sigma : quantity, s
        Standard deviation of the filter, for example ``"5 ms"``.
    pooled : bool
        Whether units lose their names.

    Raises
    ------
    InputError
        If sigma is not above zero or without unit, or ``pooled`` is not a truth value.

    References
    ----------
    Schreiber, Fellous, Whitmer, Tiesinga & Sejnowski 2003, Neurocomputing 52:925.
    """

    sigma: QuantityLike
    pooled: bool = False

    euclidean: ClassVar[bool] = False

    def __post_init__(self) -> None:
        positive_seconds(self.sigma, "Schreiber.sigma")
        require_truth_value(self.pooled, "Schreiber.pooled")
        object.__setattr__(self, "sigma", quantity(self.sigma))

    def __repr__(self) -> str:
        return f"Schreiber(sigma='{self.sigma}'{', pooled=True' if self.pooled else ''})"

    @property
    def label(self) -> str:
        """``"Schreiber"``, with the coding where it is not the labelled line."""
        return coded_label("Schreiber", self.pooled)

    @property
    def time_scale(self) -> float:
        """Standard deviation of the filter in seconds."""
        return float(self.sigma.value)

    @classmethod
    def sweep(cls, time_scales: Sequence[QuantityLike], *, pooled: bool = False) -> tuple[Self, ...]:
        """Return one metric for each standard deviation, for example ``["1 ms", "10 ms"]``."""
        return tuple(cls(scale, pooled) for scale in several_time_scales(time_scales))

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.gaussian import schreiber

        def compute(chosen: list[int], coded: Trains) -> NDArray[np.float64]:
            return schreiber(coded, np.array([metrics[k].time_scale for k in chosen]), rows, columns)

        return with_codings([metric.pooled for metric in metrics], trains, (len(rows), len(columns)), compute)
