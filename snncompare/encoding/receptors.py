"""A population of auditory receptor neurons: sound envelopes in, spikes out."""

from dataclasses import dataclass
from math import ceil, exp
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.parameters import check_between, check_not_negative, check_positive, check_whole, keep_times
from snncompare.encoding.randomness import child
from snncompare.encoding.stimuli import Signal
from snncompare.errors import InputError
from snncompare.units import QuantityLike

if TYPE_CHECKING:
    from snncompare.encoding.receptor_kernel import ReceptorStep

__all__ = ["ReceptorPopulation"]

_STEPS_PER_TIME_CONSTANT = 10
"""Samples per membrane time constant below which input that is constant within a sample is too coarse."""


@dataclass(frozen=True, kw_only=True)
class ReceptorPopulation(Encoder):
    r"""Auditory receptor neurons of a grasshopper, with staggered thresholds.

    A stimulus is a `Signal` of one channel, the envelope of a sound: its amplitude, not negative, relative to the same
    amplitude 1 as the thresholds. Its sampling rate, also the time step of the integration, is at least ten samples
    per membrane time constant. The noise of a train depends on the randomness of the presentation and the number of
    the receptor, not on the size of the population.

    Each receptor takes the logarithm of the envelope :math:`A`, delayed by the latency :math:`\delta`, and drives an
    adaptive leaky integrate-and-fire neuron with it; :math:`v` and :math:`a` are in units of the distance from rest
    to threshold:

    .. math::

        I(t) &= g \min(R, \max(0, 20 \log_{10} A(t - \delta) - \theta)) \\
        \tau_m \dot v &= -v + I(t) - a + \sigma \sqrt{2 \tau_m}\, \xi(t) \\
        \tau_a \dot a &= -a

    A spike is fired where :math:`v` reaches 1; then :math:`v = 0` for the refractory period and
    :math:`a \to a + \Delta_a`. Membrane and adaptation start at 0, as after a long silence.

    The default values fit the rate, the distribution of interspike intervals and the spike-triggered average of the
    neuron in the dataset ``grasshopper_receptor``, on its own two sounds. Its slow decline of rate over seconds is
    not modelled.

    Parameters
    ----------
    size : int
        Number of receptors.
    threshold_db : float
        Mean of the thresholds :math:`\theta`, in dB relative to amplitude 1.
    spread_db : float
        Thresholds lie evenly between ``threshold_db - spread_db`` and ``threshold_db + spread_db``; receptor 0 is the
        most sensitive one.
    gain : float
        Mean of :math:`g`, drive per dB above threshold.
    dynamic_range_db : float
        :math:`R`, the level above threshold from which the drive grows no further.
    membrane_time_constant : time
        :math:`\tau_m`.
    adaptation_time_constant : time
        :math:`\tau_a`.
    adaptation : float
        Mean of :math:`\Delta_a`.
    noise_sd : float
        :math:`\sigma`, standard deviation of :math:`v` that the intrinsic noise alone causes.
    refractory_period : time
        Absolute refractory period; every interval between spikes of a receptor is longer.
    latency : time
        :math:`\delta`, from the sound at the ear to the spike in the nerve.
    heterogeneity : float
        Standard deviation of the natural logarithm of :math:`g` and of :math:`\Delta_a` over receptors.
    seed : int
        Which receptors were drawn; the noise has its own seed, see `Encoder.encode`.

    Raises
    ------
    InputError
        For parameters that describe no neuron.

    References
    ----------
    Machens et al. (2001) J Neurosci 21:3215-3227 (receptors, logarithmic intensity); Gollisch, Schütze, Benda & Herz
    (2002) J Neurosci 22:10434-10448 (intensity coding, dynamic range); Benda & Herz (2003) Neural Comput
    15:2523-2564 (adaptation as a subtracted current); Rokem et al. (2006) J Neurophysiol 95:2541-2552 (the
    recording).
    """

    takes: ClassVar[type] = Signal

    size: int = 40
    threshold_db: float = -29.0
    spread_db: float = 10.0
    gain: float = 0.093
    dynamic_range_db: float = 25.0
    membrane_time_constant: QuantityLike = "2.6 ms"
    adaptation_time_constant: QuantityLike = "40 ms"
    adaptation: float = 0.073
    noise_sd: float = 0.25
    refractory_period: QuantityLike = "3 ms"
    latency: QuantityLike = "6 ms"
    heterogeneity: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        keep_times(self, "membrane_time_constant", "adaptation_time_constant", "refractory_period")
        keep_times(self, "latency", zero=True)
        check_whole(self, "size", 1)
        check_whole(self, "seed", 0)
        check_between(self, "threshold_db", -1000.0, 1000.0)
        check_positive(self, "gain", "dynamic_range_db")
        check_not_negative(self, "spread_db", "adaptation", "noise_sd", "heterogeneity")

    def units(self, stimulus: Signal) -> pd.DataFrame:  # noqa: ARG002 (the receptors are the same for every sound)
        """Return the receptors: one row each, columns ``threshold_db``, ``gain`` (per dB) and ``adaptation``."""
        return self._receptors()

    def _check(self, stimulus: Signal) -> None:
        """Refuse what is not the envelope of one sound, finely enough sampled."""
        if len(stimulus.values) != 1:
            raise InputError(
                f"receptors hear one channel, the envelope of a sound, got {len(stimulus.values)}; "
                "give one signal per sound."
            )
        lowest = stimulus.values.min()
        if lowest < 0:
            raise InputError(f"an envelope holds amplitudes of 0 or more, the lowest here is negative: {lowest:g}.")
        needed = _STEPS_PER_TIME_CONSTANT / self.membrane_time_constant.value
        if stimulus.sampling_rate < needed:
            raise InputError(
                f"a sampling rate of {stimulus.sampling_rate:g} Hz is too low for a membrane time constant of "
                f"{self.membrane_time_constant}; resample the envelope to at least {needed:.0f} Hz."
            )

    def fire(self, stimulus: Signal, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes that the receptors fire to one sound.

        Raises
        ------
        InputError
            For an envelope of several channels or with negative values, and a sampling rate that is too low.
        """
        from snncompare.encoding.receptor_kernel import threshold_crossings

        self.check(stimulus)
        rate = stimulus.sampling_rate
        delay = round(self.latency.value * rate)
        heard = max(stimulus.values.shape[1] - delay - 1, 0)
        with np.errstate(divide="ignore"):
            level = 20.0 * np.log10(stimulus.values[0, :heard])
        trains = []
        for j, step in enumerate(self._steps(rate)):
            noise = np.random.default_rng(child(randomness, j)).standard_normal(heard, dtype=np.float32)
            found = np.empty(heard // (step.refractory_steps + 1) + 1, dtype=np.int64)
            trains.append(found[: threshold_crossings(level, noise, step, found)])
        counts = np.array([train.size for train in trains], dtype=np.int64)
        return Spikes((np.concatenate(trains) + 1 + delay) / rate, counts)

    def _receptors(self) -> pd.DataFrame:
        position = np.linspace(-1.0, 1.0, self.size) if self.size > 1 else np.zeros(1)
        factor = np.exp(self.heterogeneity * np.random.default_rng(self.seed).standard_normal((self.size, 2)))
        return pd.DataFrame(
            {
                "threshold_db": self.threshold_db + self.spread_db * position,
                "gain": self.gain * factor[:, 0],
                "adaptation": self.adaptation * factor[:, 1],
            },
            index=[f"receptor {j}" for j in range(self.size)],
        )

    def _steps(self, rate: float) -> "list[ReceptorStep]":
        from snncompare.encoding.receptor_kernel import ReceptorStep

        return [
            ReceptorStep(
                threshold_db=threshold,
                dynamic_range_db=float(self.dynamic_range_db),
                gain=gain,
                membrane_decay=exp(-1.0 / (rate * self.membrane_time_constant.value)),
                adaptation_decay=exp(-1.0 / (rate * self.adaptation_time_constant.value)),
                adaptation=adaptation,
                noise_sd=float(self.noise_sd),
                refractory_steps=ceil(self.refractory_period.value * rate - 1e-9),
            )
            for threshold, gain, adaptation in self._receptors().to_numpy().tolist()
        ]
