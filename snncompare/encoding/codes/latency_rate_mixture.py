"""One knob from a rate code to a latency code, the number of spikes being held fixed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.codes.feature_code import FeatureCode, check_order, feature_table, feature_values, spikes_of
from snncompare.encoding.encoder import Spikes
from snncompare.encoding.parameters import check_between, check_whole, keep_times
from snncompare.encoding.stimuli import Features, Image
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["LatencyRateMixture"]


@dataclass(frozen=True, kw_only=True)
class LatencyRateMixture(FeatureCode):
    r"""Each feature by an ON and an OFF unit, which share a fixed number of spikes.

    If counts told the feature at one end of the knob and every train kept its count, counts would tell it at the other
    end too. So what is fixed is the count of the *pair*: :math:`K` spikes of each feature in each presentation, for
    every feature and every knob, and with it the count of the presentation. The knob :math:`m` moves the feature
    :math:`x` from how the pair shares its spikes to when the two units start firing:

    .. math::

        \mathrm{E}[k_{ON}] &= \frac{K}{2} + (1 - m) \left(\frac{K}{2} - 1\right) (2 x - 1),
        \qquad k_{OFF} = K - k_{ON} \\
        t_{ON} &= t_e + (t_l - t_e) \left[ m (1 - x) + (1 - m) u_{ON} \right], \qquad
        t_{OFF} = t_e + (t_l - t_e) \left[ m x + (1 - m) u_{OFF} \right]

    Counts are one of the two whole numbers around their expectation, drawn so that the expectation holds; :math:`u`
    are uniform from 0 to 1. After its first spike, at :math:`t`, a unit's other spikes are uniform in the rest of the
    window, at least ``shortest_interval`` apart.

    - :math:`m = 0`, rate code: counts tell the feature; first spikes tell nothing, and given the counts no spike time
      tells anything.
    - :math:`m = 1`, latency code: every train has :math:`K/2` spikes; first spikes tell the feature.
    - Between them, for uniform features: the correlation of feature and first spike is
      :math:`m / \sqrt{m^2 + (1 - m)^2}`, and the slope of the count falls as :math:`1 - m`.

    The same random numbers are used for every knob. Every unit fires at least once.

    Parameters
    ----------
    mixture : float
        :math:`m`, from 0 (rate) to 1 (latency).
    spikes_per_feature : int
        :math:`K`, even, at least 4.
    window : time
        Length of a presentation.
    earliest, latest : time
        :math:`t_e, t_l`, limits of the first spikes.
    shortest_interval : time
        Between two spikes of a unit, and from the last one to the end of the window; not shorter than the time step of
        who receives the spikes.

    Notes
    -----
    Own definition. That latency and rate of sensory neurons change together, and that either can be read: VanRullen,
    Guyonneau & Thorpe (2005) Trends Neurosci 28:1-4. ON and OFF cells share the positive and the negative half of a
    signal: Schiller (1992) Trends Neurosci 15:86-92.
    """

    mixture: float = 0.5
    spikes_per_feature: int = 4
    window: QuantityLike = "100 ms"
    earliest: QuantityLike = "0 ms"
    latest: QuantityLike = "60 ms"
    shortest_interval: QuantityLike = "2 ms"

    def __post_init__(self) -> None:
        check_between(self, "mixture", 0.0, 1.0)
        check_whole(self, "spikes_per_feature", 4)
        keep_times(self, "window", "latest", "shortest_interval")
        keep_times(self, "earliest", zero=True)
        check_order(self.earliest.value, self.latest.value, self.window.value)
        if self.spikes_per_feature % 2:
            raise InputError(f"spikes_per_feature must be even, two halves, got {self.spikes_per_feature}.")
        needed = self.latest.value + (self.spikes_per_feature - 1) * self.shortest_interval.value
        if needed > self.window.value:
            raise InputError(
                f"{self.spikes_per_feature - 1} spikes after latest={self.latest}, {self.shortest_interval} apart, "
                f"need a window of {needed:g} s, got {self.window}."
            )

    def units(self, stimulus: Features | Image) -> pd.DataFrame:
        """Return two rows per feature: its columns, and ``polarity``, ``"ON"`` or ``"OFF"``."""
        table = feature_table(stimulus)
        rows = table.loc[table.index.repeat(2)].copy()
        polarity = np.tile(["ON", "OFF"], len(table))
        rows.index = pd.Index([f"{name} {which}" for name, which in zip(rows.index, polarity, strict=True)])
        return rows.assign(polarity=polarity)

    def fire(self, stimulus: Features | Image, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of all pairs, the ON unit of each first."""
        values = feature_values(stimulus)
        return self._fire(values, values, (self.mixture, self.mixture), randomness)

    def conflict(
        self, counted: Features | Image, timed: Features | Image, randomness: np.random.SeedSequence
    ) -> Spikes:
        """Return spikes whose counts tell one stimulus and whose first spikes tell another one.

        Counts are those of ``counted`` at the rate end of the knob and first spikes those of ``timed`` at the latency
        end, whatever ``mixture`` is: who answers to both shows which of the two it reads.

        Raises
        ------
        InputError
            If the two have different numbers of features.
        """
        counts_of, latencies_of = feature_values(counted), feature_values(timed)
        if counts_of.size != latencies_of.size:
            raise InputError(
                f"the two stimuli need equally many features, got {counts_of.size} and {latencies_of.size}."
            )
        return self._fire(counts_of, latencies_of, (0.0, 1.0), randomness)

    def _fire(
        self,
        counted: NDArray[np.float64],
        timed: NDArray[np.float64],
        mixture: tuple[float, float],
        randomness: np.random.SeedSequence,
    ) -> Spikes:
        """Return spikes; ``mixture``: the knob for counts, and for first spikes."""
        rng = np.random.default_rng(randomness)
        counts = self._counts(counted, mixture[0], rng.random(counted.size)).ravel()
        first = self._first_spikes(timed, mixture[1], rng.random((timed.size, 2))).ravel()
        others = rng.random((first.size, self.spikes_per_feature - 2))
        return spikes_of(self._trains(first, counts, others))

    def _counts(self, values: NDArray[np.float64], mixture: float, lot: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the counts of ON and OFF units, shape (n_features, 2)."""
        half = self.spikes_per_feature / 2
        expected = half + (1.0 - mixture) * (half - 1.0) * (2.0 * values - 1.0)
        on = np.floor(expected + lot).astype(np.int64)
        return np.stack([on, self.spikes_per_feature - on], axis=1)

    def _first_spikes(
        self, values: NDArray[np.float64], mixture: float, lot: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the first spikes of ON and OFF units, in seconds, shape (n_features, 2)."""
        told = np.stack([1.0 - values, values], axis=1)
        span = self.latest.value - self.earliest.value
        return np.asarray(self.earliest.value + span * (mixture * told + (1.0 - mixture) * lot))

    def _trains(
        self, first: NDArray[np.float64], counts: NDArray[np.int64], lot: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return all spikes, shape (n_units, spikes_per_feature - 1), NaN where a train has fewer."""
        gap = self.shortest_interval.value
        number = np.arange(1, self.spikes_per_feature - 1)
        absent = number >= counts[:, np.newaxis]
        free = self.window.value - first - counts * gap
        within = np.sort(np.where(absent, np.nan, lot), axis=1) * free[:, np.newaxis]
        return np.column_stack([first, first[:, np.newaxis] + number * gap + within])
