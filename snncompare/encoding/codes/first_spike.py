"""Time to first spike: what is left of a rate code when only the first spike of each train counts."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from snncompare.encoding.codes.feature_code import FeatureCode
from snncompare.encoding.codes.rate import RateCode
from snncompare.encoding.encoder import Spikes
from snncompare.encoding.stimuli import Features, Image
from snncompare.errors import InputError

__all__ = ["TimeToFirstSpike"]


@dataclass(frozen=True, kw_only=True)
class TimeToFirstSpike(FeatureCode):
    r"""The first spike of each train of a rate code, and no other.

    Of Poisson trains the time to the first spike is exponential with mean :math:`1/r_j`: earlier and also more
    reliable for stronger features. For latencies without that noise take `latency.LatencyCode`.

    Parameters
    ----------
    rate : RateCode
        Whose first spikes; given the same randomness it fires the same ones.

    References
    ----------
    Johansson & Birznieks (2004) Nat Neurosci 7:170-177 (first spikes of tactile afferents).
    """

    rate: RateCode = field(default_factory=RateCode)

    def __post_init__(self) -> None:
        if not isinstance(self.rate, RateCode):
            raise InputError(f"rate must be a RateCode, got {type(self.rate).__name__}.")

    @property
    def window(self) -> Any:
        """That of the rate code."""
        return self.rate.window

    def fire(self, stimulus: Features | Image, randomness: np.random.SeedSequence) -> Spikes:
        """Return at most one spike per feature."""
        times, counts = self.rate.fire(stimulus, randomness)
        fired = counts > 0
        first = (np.cumsum(counts) - counts)[fired]
        return Spikes(times[first], fired.astype(np.int64))
