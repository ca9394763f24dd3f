"""Rate code: the stronger, the more spikes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.codes.feature_code import FeatureCode, feature_values, spikes_of
from snncompare.encoding.encoder import Spikes
from snncompare.encoding.parameters import keep_frequencies, keep_times
from snncompare.encoding.stimuli import Features, Image
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["RateCode"]


@dataclass(frozen=True, kw_only=True)
class RateCode(FeatureCode):
    r"""Spikes at a rate that rises with the feature in a straight line.

    .. math:: r_j = r_{low} + x_j (r_{high} - r_{low}), \qquad \text{mean rate} \; \frac{r_j}{1 + r_j t_a}

    Poisson intervals are :math:`t_a` plus an exponential random number of mean :math:`1/r_j`; regular ones are always
    :math:`t_a + 1/r_j`, the first spike being at a random phase, so that the expected count is the rate times the
    window in both.

    Parameters
    ----------
    highest_rate, lowest_rate : rate
        Of features 1 and 0, without refractoriness.
    window : time
        Length of a presentation.
    refractory : time
        :math:`t_a`, absolute refractory period.
    regular : bool
        Whether intervals are all equal.

    References
    ----------
    Adrian & Zotterman (1926) J Physiol 61:151-171; Poisson firing as in Shadlen & Newsome (1998) J Neurosci
    18:3870-3896.
    """

    highest_rate: QuantityLike = "100 Hz"
    lowest_rate: QuantityLike = "0 Hz"
    window: QuantityLike = "100 ms"
    refractory: QuantityLike = "0 ms"
    regular: bool = False

    def __post_init__(self) -> None:
        keep_frequencies(self, "highest_rate")
        keep_frequencies(self, "lowest_rate", zero=True)
        keep_times(self, "window")
        keep_times(self, "refractory", zero=True)
        if self.lowest_rate.value > self.highest_rate.value:
            raise InputError(f"lowest_rate {self.lowest_rate} lies above highest_rate {self.highest_rate}.")

    def rates(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rates without refractoriness, in hertz."""
        low = self.lowest_rate.value
        return np.asarray(low + values * (self.highest_rate.value - low))

    def fire(self, stimulus: Features | Image, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of all features."""
        rates, rng = self.rates(feature_values(stimulus)), np.random.default_rng(randomness)
        if self.regular:
            return self._regular(rates, rng)
        from snncompare.encoding.point_process import fire_at_rates

        return fire_at_rates(rates[:, np.newaxis], self.window.value, rng, refractory=self.refractory.value)

    def _regular(self, rates: NDArray[np.float64], rng: np.random.Generator) -> Spikes:
        with np.errstate(divide="ignore"):
            interval = self.refractory.value + 1.0 / rates
        phase = rng.random(rates.size)
        silent = np.isinf(interval)
        interval[silent] = 1.0
        most = int(np.ceil(self.window.value / interval[~silent].min(initial=np.inf))) + 1
        times = (phase[:, np.newaxis] + np.arange(most)) * interval[:, np.newaxis]
        times[silent] = np.nan
        return spikes_of(np.where(times < self.window.value, times, np.nan))
