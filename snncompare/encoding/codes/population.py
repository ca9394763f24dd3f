"""Population code: each feature by several units with overlapping tuning curves."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.codes.burst import BurstCode
from snncompare.encoding.codes.feature_code import FeatureCode, feature_table, feature_values
from snncompare.encoding.codes.first_spike import TimeToFirstSpike
from snncompare.encoding.codes.latency import LatencyCode
from snncompare.encoding.codes.phase import PhaseCode
from snncompare.encoding.codes.rank_order import RankOrderCode
from snncompare.encoding.codes.rate import RateCode
from snncompare.encoding.encoder import Spikes
from snncompare.encoding.parameters import check_positive, check_whole
from snncompare.encoding.stimuli import Features, Image
from snncompare.errors import InputError

__all__ = ["PopulationCode"]

_ONE_UNIT_A_FEATURE = (BurstCode, LatencyCode, PhaseCode, RankOrderCode, RateCode, TimeToFirstSpike)


@dataclass(frozen=True, kw_only=True)
class PopulationCode(FeatureCode):
    r"""Gaussian tuning curves, whose activation another code turns into spikes.

    .. math::

        a_{ji} = \exp \left( -\frac{(x_j - c_i)^2}{2 \sigma^2} \right), \qquad
        c_i = \frac{2 i - 3}{2 (m - 2)}, \quad \sigma = \frac{1}{\beta (m - 2)}, \quad i = 1 \ldots m

    The first and the last centre lie half a spacing outside 0 to 1, so that the ends are covered as well as the
    middle.

    Parameters
    ----------
    n_per_feature : int
        :math:`m`, units of each feature, at least 3.
    sharpness : float
        :math:`\beta`; 1.5 in the reference.
    code : LatencyCode, RateCode, TimeToFirstSpike, PhaseCode, BurstCode or RankOrderCode
        Turns the activations, from 0 to 1, into spikes. Default: latency, silent below 0.1 as in the reference.

    References
    ----------
    Bohte, Kok & La Poutré (2002) Neurocomputing 48:17-37, section 4; tuning curves in general: Eurich & Wilke (2000)
    Neural Comput 12:1519-1529.
    """

    n_per_feature: int = 8
    sharpness: float = 1.5
    code: FeatureCode = field(default_factory=lambda: LatencyCode(threshold=0.1))

    def __post_init__(self) -> None:
        check_whole(self, "n_per_feature", 3)
        check_positive(self, "sharpness")
        if not isinstance(self.code, _ONE_UNIT_A_FEATURE) or getattr(self.code, "bias", None) is not None:
            allowed = ", ".join(kind.__name__ for kind in _ONE_UNIT_A_FEATURE)
            raise InputError(
                f"code must have one unit per feature: one of {allowed} (without bias); got {type(self.code).__name__}."
            )

    @property
    def window(self) -> Any:
        """That of the code inside."""
        return self.code.window

    @property
    def centres(self) -> NDArray[np.float64]:
        """Features that the units of one feature prefer, shape (n_per_feature,)."""
        return np.asarray((2.0 * np.arange(1, self.n_per_feature + 1) - 3.0) / (2.0 * (self.n_per_feature - 2)))

    @property
    def width(self) -> float:
        """Standard deviation of the tuning curves."""
        return 1.0 / (self.sharpness * (self.n_per_feature - 2))

    def units(self, stimulus: Features | Image) -> pd.DataFrame:
        """Return ``n_per_feature`` rows per feature: its columns, and ``centre`` and ``width`` of the tuning curve."""
        table = feature_table(stimulus)
        rows = table.loc[table.index.repeat(self.n_per_feature)].copy()
        number = np.tile(np.arange(self.n_per_feature), len(table))
        rows.index = pd.Index([f"{name} unit {i}" for name, i in zip(rows.index, number, strict=True)])
        return rows.assign(centre=np.tile(self.centres, len(table)), width=self.width)

    def activations(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return :math:`a`, shape (n_features, n_per_feature)."""
        return np.exp(-0.5 * ((values[:, np.newaxis] - self.centres) / self.width) ** 2)

    def fire(self, stimulus: Features | Image, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of the code inside, to the activations."""
        return self.code.fire(Features(self.activations(feature_values(stimulus)).ravel()), randomness)
