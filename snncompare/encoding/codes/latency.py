"""Latency code: one spike per feature, the earlier the stronger."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.codes.feature_code import FeatureCode, check_order, feature_table, feature_values, spikes_of
from snncompare.encoding.codes.latency_laws import LatencyLaw, LinearLatency
from snncompare.encoding.encoder import Spikes
from snncompare.encoding.parameters import check_between, keep_times
from snncompare.encoding.stimuli import Features, Image
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["LatencyCode"]


@dataclass(frozen=True, kw_only=True)
class LatencyCode(FeatureCode):
    r"""One spike per feature at a latency that follows a law.

    .. math:: t_j = t_e + L(x_j) + \epsilon_j

    A feature below the threshold, or whose latency would be beyond ``latest``, stays silent. The jitter
    :math:`\epsilon` is normal, cut to the window (its density is rescaled, no spike is lost).

    Parameters
    ----------
    law : LatencyLaw
        :math:`L`: `LinearLatency`, `LogarithmicLatency`, `ChargingLatency` or `PowerLatency`.
    window : time
        Length of a presentation.
    earliest, latest : time
        :math:`t_e`, and the last moment of a spike without jitter.
    threshold : float
        Features below it are silent; 0: all fire.
    jitter : time
        Standard deviation of :math:`\epsilon` before it is cut to the window.
    bias : time, optional
        When one more unit, ``bias``, fires in every presentation: a reference for networks that read differences of
        times.

    References
    ----------
    Thorpe, Delorme & VanRullen (2001) Neural Netw 14:715-725; the laws name their own.
    """

    law: LatencyLaw = field(default_factory=LinearLatency)
    window: QuantityLike = "100 ms"
    earliest: QuantityLike = "0 ms"
    latest: QuantityLike = "50 ms"
    threshold: float = 0.0
    jitter: QuantityLike = "0 ms"
    bias: QuantityLike | None = None

    def __post_init__(self) -> None:
        keep_times(self, "window", "latest")
        keep_times(self, "earliest", "jitter", zero=True)
        check_between(self, "threshold", 0.0, 1.0)
        check_order(self.earliest.value, self.latest.value, self.window.value)
        if not isinstance(self.law, LatencyLaw):
            raise InputError(f"law must be a law of latency such as LinearLatency(), got {self.law!r}.")
        if self.bias is not None:
            keep_times(self, "bias", zero=True)
            if self.bias.value > self.window.value:
                raise InputError(f"bias lies beyond the window: {self.bias} of {self.window}.")

    def units(self, stimulus: Features | Image) -> pd.DataFrame:
        """Return one row per feature, and a last one for the bias if there is one (its columns are -1)."""
        table = feature_table(stimulus)
        if self.bias is None:
            return table
        return pd.concat([table, pd.DataFrame(-1, index=["bias"], columns=table.columns)])

    def latencies(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return times of spikes without jitter, in seconds; NaN where there is none."""
        span = self.latest.value - self.earliest.value
        latency = self.law.latency(values, span)
        # Within rounding the latest spike of a law is `latest` itself.
        silent = (values < self.threshold) | (latency > span * (1.0 + 1e-12))
        return np.where(silent, np.nan, self.earliest.value + np.minimum(latency, span))

    def fire(self, stimulus: Features | Image, randomness: np.random.SeedSequence) -> Spikes:
        """Return at most one spike per feature."""
        times = self.latencies(feature_values(stimulus))
        if self.jitter.value > 0.0:
            times = self._jittered(times, np.random.default_rng(randomness))
        if self.bias is not None:
            times = np.append(times, self.bias.value)
        return spikes_of(times[:, np.newaxis])

    def _jittered(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        from scipy.special import ndtr, ndtri

        sd, window = self.jitter.value, self.window.value
        low, high = ndtr(-times / sd), ndtr((window - times) / sd)
        return np.clip(times + sd * ndtri(low + rng.random(times.size) * (high - low)), 0.0, window)
