"""Olfactory receptor neurons: concentrations of odorants in, spikes out."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.low_pass import low_pass
from snncompare.encoding.parameters import (
    check_not_negative,
    check_positive,
    check_whole,
    keep_frequencies,
    keep_times,
)
from snncompare.encoding.point_process import fire_at_rates
from snncompare.encoding.randomness import child
from snncompare.encoding.stimuli import Signal
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["ReceptorNeurons"]

_SPONTANEOUS, _AFFINITIES = 0, 1
"""First number of the keys that keep the two things that are drawn apart."""

_STEPS_PER_TIME_CONSTANT = 5


@dataclass(frozen=True, kw_only=True)
class ReceptorNeurons(Encoder):
    r"""Olfactory receptor neurons of several types, with the response statistics of the fruit fly.

    A stimulus is a `Signal` with one channel per odorant: its concentration over time, 0 or more, in the unit of
    ``reference`` (for example dilution). All neurons of type i express one receptor, which odorants j with the
    concentrations :math:`c_j` activate as competing agonists; adaptation :math:`A` shifts its range:

    .. math::

        x_i &= \sum_j \frac{q_{ij}}{1 - q_{ij}} \Big(\frac{c_j}{c_{ref}}\Big)^n, \qquad
        \tau_a \dot A_i = x_i - A_i, \qquad a_i = \frac{x_i}{1 + x_i + \alpha A_i} \\
        r_i &= r^0_i + R\, (h * a_i)

    where :math:`h` is a low-pass filter of second order (transduction). :math:`R q_{ij}`, the rate that odorant j alone
    evokes in type i before it adapts, at the reference concentration, has an exponential distribution over types and
    odorants (cut at R). To a background of concentration well above the reference, the gain falls as one over the
    background, Weber's law. Spikes are drawn from the rates with refractoriness, see `fire_at_rates`. Not modelled:
    inhibitory odorants, odorant-specific dynamics.

    Parameters
    ----------
    n_types : int
        Receptor types.
    per_type : int
        Neurons of each.
    mean_response : frequency
        Mean of the exponential distribution.
    maximum : frequency
        :math:`R`; above three mean responses.
    reference : float
        :math:`c_{ref}`.
    hill : float
        :math:`n`.
    spontaneous : frequency
        Mean over types of :math:`r^0`, which has a gamma distribution of shape 2.
    adaptation : float
        :math:`\alpha`; a saturating step leaves the share :math:`1 / (1 + \alpha)` of its first response.
    adaptation_time_constant, transduction_time_constant : time
        :math:`\tau_a` and that of :math:`h`.
    refractory_period, recovery : time
    seed : int
        Which receptors were drawn. Those of an odorant depend on the number of its channel, not on the other odorants.

    Raises
    ------
    InputError
        For parameters that describe no receptors.

    References
    ----------
    Hallem & Carlson (2006) Cell 125:143-160 (responses of 24 receptors to 110 odorants); Stevens (2016) PNAS
    113:6737-6742 (they are distributed exponentially); Nagel & Wilson (2011) Nat Neurosci 14:208-216 (transduction and
    adaptation); Gorur-Shandilya, Demir, Long, Clark & Emonet (2017) eLife 6:e27670 (Weber's law).
    """

    takes: ClassVar[type] = Signal

    n_types: int = 24
    per_type: int = 20
    mean_response: QuantityLike = "40 Hz"
    maximum: QuantityLike = "250 Hz"
    reference: float = 0.01
    hill: float = 1.0
    spontaneous: QuantityLike = "8 Hz"
    adaptation: float = 1.0
    adaptation_time_constant: QuantityLike = "200 ms"
    transduction_time_constant: QuantityLike = "10 ms"
    refractory_period: QuantityLike = "2 ms"
    recovery: QuantityLike = "2 ms"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("n_types", 1), ("per_type", 1), ("seed", 0)):
            check_whole(self, name, least)
        keep_frequencies(self, "mean_response", "maximum")
        keep_frequencies(self, "spontaneous", zero=True)
        check_positive(self, "reference", "hill")
        check_not_negative(self, "adaptation")
        keep_times(self, "adaptation_time_constant", "transduction_time_constant")
        keep_times(self, "refractory_period", "recovery", zero=True)
        if self.maximum.value < 3.0 * self.mean_response.value:
            raise InputError(
                f"the maximum, {self.maximum}, must be three mean responses ({self.mean_response}) or more, so that "
                "their distribution is exponential."
            )

    def units(self, stimulus: Signal) -> pd.DataFrame:  # noqa: ARG002 (the neurons are the same for every odour)
        """Return the neurons: ``type``, ``spontaneous_hz``."""
        kind = np.repeat(np.arange(self.n_types), self.per_type)
        number = np.tile(np.arange(self.per_type), self.n_types)
        return pd.DataFrame(
            {"type": kind, "spontaneous_hz": self.spontaneous_rates()[kind]},
            index=[f"receptor {k} neuron {i}" for k, i in zip(kind, number, strict=True)],
        )

    def _check(self, stimulus: Signal) -> None:
        """Refuse what is no course of concentrations, finely enough sampled."""
        if stimulus.values.min() < 0:
            raise InputError(f"concentrations are 0 or more, the lowest here is {stimulus.values.min():g}.")
        least = _STEPS_PER_TIME_CONSTANT / self.transduction_time_constant.value
        if stimulus.sampling_rate < least:
            raise InputError(
                f"a sampling rate of {stimulus.sampling_rate:g} Hz is too low for a transduction time constant of "
                f"{self.transduction_time_constant}; interpolate the concentrations to at least {least:.0f} Hz."
            )

    def fire(self, stimulus: Signal, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes to one odour.

        Raises
        ------
        InputError
            For negative concentrations or too low a sampling rate.
        """
        rates = np.repeat(self.rates(stimulus), self.per_type, axis=0)
        fired = [
            fire_at_rates(
                rate[np.newaxis],
                1.0 / stimulus.sampling_rate,
                np.random.default_rng(child(randomness, j)),
                refractory=self.refractory_period.value,
                recovery=self.recovery.value,
            )
            for j, rate in enumerate(rates)
        ]
        return Spikes(np.concatenate([one.times for one in fired]), np.concatenate([one.counts for one in fired]))

    def rates(self, stimulus: Signal) -> NDArray[np.float64]:
        """Return :math:`r_i`, spikes per second before refractoriness, shape (n_types, n_samples).

        Raises
        ------
        InputError
            As for `fire`.
        """
        self.check(stimulus)
        dt = 1.0 / stimulus.sampling_rate
        share = self.responses(len(stimulus.values)) / self.maximum.value
        bound = (share / (1.0 - share)) @ (stimulus.values / self.reference) ** self.hill
        adapted = low_pass(bound, self.adaptation_time_constant.value, dt)
        active = bound / (1.0 + bound + self.adaptation * adapted)
        slow = low_pass(active, self.transduction_time_constant.value, dt, order=2)
        return np.asarray(self.spontaneous_rates()[:, np.newaxis] + self.maximum.value * slow)

    def responses(self, n_odorants: int) -> NDArray[np.float64]:
        """Return :math:`R q_{ij}`, spikes per second, shape (n_types, n_odorants)."""
        mean, most = self.mean_response.value, self.maximum.value
        columns = []
        for j in range(n_odorants):
            key = np.random.SeedSequence(self.seed, spawn_key=(_AFFINITIES, j))
            uniform = np.random.default_rng(key).uniform(size=self.n_types)
            columns.append(-mean * np.log1p(-uniform * -np.expm1(-most / mean)))
        return np.stack(columns, axis=1)

    def spontaneous_rates(self) -> NDArray[np.float64]:
        """Return :math:`r^0_i`, spikes per second, shape (n_types,)."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(_SPONTANEOUS,)))
        return np.asarray(rng.gamma(2.0, self.spontaneous.value / 2.0, self.n_types))
