"""Rank order code: units fire one after the other, the strongest first; how much stronger cannot be read."""

from dataclasses import dataclass

import numpy as np

from snncompare.encoding.codes.feature_code import FeatureCode, check_order, feature_values, spikes_of
from snncompare.encoding.encoder import Spikes
from snncompare.encoding.parameters import check_between, keep_times
from snncompare.encoding.stimuli import Features, Image
from snncompare.units import QuantityLike

__all__ = ["RankOrderCode"]


@dataclass(frozen=True, kw_only=True)
class RankOrderCode(FeatureCode):
    r"""One spike per feature at a time that depends on its rank only.

    .. math:: t_j = t_e + (t_l - t_e) \frac{\mathrm{rank}_j}{n - 1}

    with rank 0 for the largest of :math:`n` features. Equal features follow each other in random order.

    Parameters
    ----------
    window : time
        Length of a presentation.
    earliest, latest : time
        :math:`t_e, t_l`, of the largest and the smallest feature.
    threshold : float
        Features below it are silent; 0: all fire.

    References
    ----------
    Thorpe & Gautrais (1998) Rank order coding, in Computational Neuroscience: Trends in Research, 113-118.
    """

    window: QuantityLike = "100 ms"
    earliest: QuantityLike = "0 ms"
    latest: QuantityLike = "50 ms"
    threshold: float = 0.0

    def __post_init__(self) -> None:
        keep_times(self, "window", "latest")
        keep_times(self, "earliest", zero=True)
        check_between(self, "threshold", 0.0, 1.0)
        check_order(self.earliest.value, self.latest.value, self.window.value)

    def fire(self, stimulus: Features | Image, randomness: np.random.SeedSequence) -> Spikes:
        """Return at most one spike per feature."""
        values = feature_values(stimulus)
        lot = np.random.default_rng(randomness).permutation(values.size)
        rank = np.empty(values.size)
        rank[np.lexsort((lot, -values))] = np.arange(values.size)
        span = self.latest.value - self.earliest.value
        times = self.earliest.value + span * rank / max(values.size - 1, 1)
        return spikes_of(np.where(values < self.threshold, np.nan, times)[:, np.newaxis])
