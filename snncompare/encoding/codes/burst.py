"""Burst code: the stronger, the more spikes in a burst and the shorter their intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.codes.feature_code import FeatureCode, feature_values, spikes_of
from snncompare.encoding.encoder import Spikes
from snncompare.encoding.parameters import check_whole, keep_times
from snncompare.encoding.stimuli import Features, Image
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["BurstCode"]

_ROUNDING = 1e-9
"""Part of a spike by which most_spikes * x may pass a whole number by rounding of floats."""


@dataclass(frozen=True, kw_only=True)
class BurstCode(FeatureCode):
    r"""One burst per feature.

    .. math:: n_j = \lceil n_{max} x_j \rceil, \qquad I_j = I_{max} - (I_{max} - I_{min}) x_j

    The burst starts at the onset; its :math:`n_j` spikes are :math:`I_j` apart. A feature of 0 is silent.

    Parameters
    ----------
    most_spikes : int
        :math:`n_{max}`.
    shortest_interval, longest_interval : time
        :math:`I_{min}, I_{max}`.
    onset : time
        First spike of all bursts.
    window : time
        Length of a presentation; the longest burst must end in it.

    References
    ----------
    Guo, Fouda, Eltawil & Salama (2021) Front Neurosci 15:638474, section on burst coding (there in whole time steps,
    with most_spikes = 5 and a shortest interval of 2 ms).
    """

    most_spikes: int = 5
    shortest_interval: QuantityLike = "2 ms"
    longest_interval: QuantityLike = "20 ms"
    onset: QuantityLike = "0 ms"
    window: QuantityLike = "100 ms"

    def __post_init__(self) -> None:
        check_whole(self, "most_spikes", 1)
        keep_times(self, "shortest_interval", "longest_interval", "window")
        keep_times(self, "onset", zero=True)
        if self.shortest_interval.value > self.longest_interval.value:
            raise InputError(
                f"shortest_interval {self.shortest_interval} is longer than longest_interval {self.longest_interval}."
            )
        # A burst of n spikes is longest for the smallest feature that has n.
        least = np.arange(self.most_spikes) / self.most_spikes
        end = self.onset.value + float((np.arange(self.most_spikes) * self.intervals(least)).max())
        if end > self.window.value:
            raise InputError(f"the longest burst ends after {end:g} s, beyond the window of {self.window}.")

    def counts(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the number of spikes of each burst."""
        return np.ceil(self.most_spikes * values - _ROUNDING).astype(np.int64)

    def intervals(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the interspike interval of each burst, in seconds."""
        longest = self.longest_interval.value
        return np.asarray(longest - (longest - self.shortest_interval.value) * values)

    def fire(self, stimulus: Features | Image, randomness: np.random.SeedSequence) -> Spikes:  # noqa: ARG002
        """Return the bursts; there is no randomness in them."""
        values = feature_values(stimulus)
        number = np.arange(self.most_spikes)
        times = self.onset.value + number * self.intervals(values)[:, np.newaxis]
        return spikes_of(np.where(number < self.counts(values)[:, np.newaxis], times, np.nan))
