"""Projection neurons of the antennal lobe: many receptor neurons converge, and glomeruli inhibit each other."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.low_pass import low_pass
from snncompare.encoding.olfactory.receptor_neurons import ReceptorNeurons
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

__all__ = ["ProjectionNeurons"]

_INPUT, _OWN = 0, 1
"""Numbers of the streams of randomness: spikes of the receptor neurons, spikes of the projection neurons."""


@dataclass(frozen=True, kw_only=True)
class ProjectionNeurons(Encoder):
    r"""Projection neurons, each in one glomerulus, to which all receptor neurons of one type converge.

    A stimulus is that of `ReceptorNeurons`. The receptor neurons fire, and their mean evoked rate in glomerulus i,
    :math:`O_i` (spikes behind a synaptic low-pass filter, less the spontaneous rate), is normalised by the activity of
    all glomeruli:

    .. math::

        P_i = R_{max} \frac{O_i^{\,p}}{\sigma^{\,p} + O_i^{\,p} + s^{\,p}}, \qquad
        s = m\, \frac{24}{n} \sum_{k=1}^{n} O_k

    Spikes are drawn from :math:`P_i` with refractoriness. Sums are scaled to the 24 receptor types of the data that the
    constants were fitted to. Not modelled: synaptic depression, excitation between glomeruli.

    Parameters
    ----------
    receptors : ReceptorNeurons
    per_glomerulus : int
        Projection neurons of each.
    maximum, semisaturation : frequency
        :math:`R_{max}` and :math:`\sigma`.
    exponent : float
        :math:`p`.
    lateral : float
        :math:`m`; 0: glomeruli do not inhibit each other.
    synaptic_time_constant, refractory_period, recovery : time

    Raises
    ------
    InputError
        For parameters that describe no neurons.

    References
    ----------
    Olsen, Bhandawat & Wilson (2010) Neuron 66:287-299 (input-output function and normalisation, 165 Hz, 12 Hz, 1.5);
    Luo, Axel & Abbott (2010) PNAS 107:10713-10718 (lateral term over receptor types; its strength here is our own);
    Bhandawat, Olsen, Gouwens, Schlief & Wilson (2007) Nat Neurosci 10:1474-1482 (what the tests compare with).
    """

    takes: ClassVar[type] = Signal

    receptors: ReceptorNeurons = field(default_factory=ReceptorNeurons)
    per_glomerulus: int = 3
    maximum: QuantityLike = "165 Hz"
    semisaturation: QuantityLike = "12 Hz"
    exponent: float = 1.5
    lateral: float = 0.05
    synaptic_time_constant: QuantityLike = "10 ms"
    refractory_period: QuantityLike = "2 ms"
    recovery: QuantityLike = "5 ms"

    def __post_init__(self) -> None:
        if not isinstance(self.receptors, ReceptorNeurons):
            raise InputError(f"receptors are a ReceptorNeurons value, got {type(self.receptors).__name__}.")
        check_whole(self, "per_glomerulus", 1)
        keep_frequencies(self, "maximum", "semisaturation")
        check_positive(self, "exponent")
        check_not_negative(self, "lateral")
        keep_times(self, "synaptic_time_constant")
        keep_times(self, "refractory_period", "recovery", zero=True)

    def units(self, stimulus: Signal) -> pd.DataFrame:  # noqa: ARG002 (the neurons are the same for every odour)
        """Return the neurons: ``glomerulus``, the number of its receptor type."""
        glomerulus = np.repeat(np.arange(self.receptors.n_types), self.per_glomerulus)
        number = np.tile(np.arange(self.per_glomerulus), self.receptors.n_types)
        names = [f"glomerulus {k} neuron {i}" for k, i in zip(glomerulus, number, strict=True)]
        return pd.DataFrame({"glomerulus": glomerulus}, index=names)

    def _check(self, stimulus: Signal) -> None:
        """Refuse what the receptor neurons refuse."""
        self.receptors.check(stimulus)

    def fire(self, stimulus: Signal, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes to one odour.

        Raises
        ------
        InputError
            As for `ReceptorNeurons.fire`.
        """
        self.check(stimulus)
        received = self._input(stimulus, self.receptors.fire(stimulus, child(randomness, _INPUT)))
        rates = np.repeat(self.normalised(received), self.per_glomerulus, axis=0)
        return fire_at_rates(
            rates,
            1.0 / stimulus.sampling_rate,
            np.random.default_rng(child(randomness, _OWN)),
            refractory=self.refractory_period.value,
            recovery=self.recovery.value,
        )

    def normalised(self, received: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return :math:`P` for evoked input rates :math:`O`, spikes per second, both of shape (n_types, n_samples)."""
        p = self.exponent
        lateral = self.lateral * 24.0 * received.mean(axis=0)
        own = received**p
        return np.asarray(self.maximum.value * own / (self.semisaturation.value**p + own + lateral**p))

    def _input(self, stimulus: Signal, fired: Spikes) -> NDArray[np.float64]:
        n_types, per_type = self.receptors.n_types, self.receptors.per_type
        n_samples = stimulus.values.shape[1]
        kind = np.repeat(np.arange(n_types * per_type) // per_type, fired.counts)
        sample = np.minimum((fired.times * stimulus.sampling_rate).astype(np.int64), n_samples - 1)
        counted = np.zeros((n_types, n_samples))
        np.add.at(counted, (kind, sample), stimulus.sampling_rate / per_type)
        resting = self.receptors.spontaneous_rates()[:, np.newaxis]
        # At rest before the first sample: the filter starts at the spontaneous rate.
        padded = np.concatenate([resting, counted], axis=1)
        rate = low_pass(padded, self.synaptic_time_constant.value, 1.0 / stimulus.sampling_rate)
        return np.asarray(np.maximum(rate[:, 1:] - resting, 0.0))
