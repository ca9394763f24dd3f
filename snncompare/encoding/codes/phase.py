"""Phase code: one spike per cycle of an oscillation, the earlier in the cycle the stronger."""

from dataclasses import dataclass

import numpy as np

from snncompare.encoding.codes.feature_code import FeatureCode, feature_values, spikes_of
from snncompare.encoding.encoder import Spikes
from snncompare.encoding.parameters import check_between, check_not_negative, keep_frequencies, keep_times
from snncompare.encoding.stimuli import Features, Image
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["PhaseCode"]

_WHOLE = 1e-6
"""Fraction of a cycle by which a window may miss a whole number of cycles: rounding of decimals to floats."""


@dataclass(frozen=True, kw_only=True)
class PhaseCode(FeatureCode):
    r"""One spike of each feature in every cycle of an oscillation that all units share.

    .. math:: t_{jk} = \frac{1}{f} \left( k + \phi_e + (\phi_l - \phi_e)(1 - x_j) + \epsilon_{jk} \right)

    Phases are parts of a cycle, from 0 to 1; the oscillation starts with the window. The jitter is normal and wraps
    within its cycle, so that every cycle keeps one spike.

    Parameters
    ----------
    frequency : frequency
        :math:`f`.
    window : time
        Length of a presentation: a whole number of cycles.
    earliest_phase, latest_phase : float
        :math:`\phi_e, \phi_l` of features 1 and 0. A full cycle apart they could not be told from each other.
    jitter : float
        Standard deviation of :math:`\epsilon`, as part of a cycle.
    threshold : float
        Features below it are silent; 0: all fire.

    References
    ----------
    O'Keefe & Recce (1993) Hippocampus 3:317-330 (earlier phases for stronger drive); Hopfield (1995) Nature 376:33-36.
    """

    frequency: QuantityLike = "20 Hz"
    window: QuantityLike = "200 ms"
    earliest_phase: float = 0.0
    latest_phase: float = 0.5
    jitter: float = 0.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        keep_frequencies(self, "frequency")
        keep_times(self, "window")
        check_not_negative(self, "jitter")
        for name in ("earliest_phase", "latest_phase", "threshold"):
            check_between(self, name, 0.0, 1.0)
        if not 0.0 < self.latest_phase - self.earliest_phase < 1.0:
            raise InputError(
                "latest_phase must follow earliest_phase by less than a cycle, got "
                f"{self.earliest_phase!r} and {self.latest_phase!r}."
            )
        cycles = self.window.value * self.frequency.value
        if abs(cycles - round(cycles)) > _WHOLE or cycles < 1 - _WHOLE:
            raise InputError(
                f"a window of {self.window} is {cycles:g} cycles of {self.frequency}; take a whole number of cycles."
            )

    def fire(self, stimulus: Features | Image, randomness: np.random.SeedSequence) -> Spikes:
        """Return one spike per feature and cycle."""
        values = feature_values(stimulus)
        cycles = np.arange(round(self.window.value * self.frequency.value))
        phase = self.earliest_phase + (self.latest_phase - self.earliest_phase) * (1.0 - values)
        phases = np.repeat(phase[:, np.newaxis], cycles.size, axis=1)
        if self.jitter > 0.0:
            noise = np.random.default_rng(randomness).standard_normal(phases.shape)
            phases = (phases + self.jitter * noise) % 1.0
        phases[values < self.threshold] = np.nan
        return spikes_of((cycles + phases) / self.frequency.value)
