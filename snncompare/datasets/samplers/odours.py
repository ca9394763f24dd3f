"""Synthetic odours: mixtures of odorants that come at different concentrations and fluctuate like plumes."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.samplers.generated_classes import GeneratedClasses
from snncompare.encoding.envelopes import band_limited_noise
from snncompare.encoding.stimuli import Signal
from snncompare.errors import InputError
from snncompare.units import QuantityLike, hertz, seconds

__all__ = ["OdourSettings", "Odours", "odours"]

_MIXTURES = 2
"""First number of the key of the mixtures; see `generated_classes`."""
_RISE = 0.02
"""Time constant of onset and offset, seconds: that of a valve and the air behind it."""


def odours(
    files: Mapping[str, Path],  # noqa: ARG001 (nothing is read)
    *,
    n_odours: int = 20,
    n_per_class: int = 40,
    n_odorants: int = 10,
    n_components: int = 3,
    lowest: float = 0.0003,
    highest: float = 0.03,
    onset: QuantityLike = "200 ms",
    jitter: QuantityLike = "50 ms",
    pulse: QuantityLike = "500 ms",
    duration: QuantityLike = "1 s",
    fluctuation: float = 0.5,
    cutoff: QuantityLike = "10 Hz",
    sampling_rate: QuantityLike = "1 kHz",
    seed: int = 0,
) -> "Odours":
    r"""Return presentations of odours.

    Odour k is a mixture of ``n_components`` odorants in frozen proportions :math:`p` (drawn uniformly from all that sum
    to 1). Presented at the concentration C, odorant j follows

    .. math:: c_j(t) = p_j\, C\, u(t)\, e^{\sigma g(t) - \sigma^2 / 2}

    with the course of a pulse :math:`u` that rises and falls exponentially within 20 ms and Gaussian noise :math:`g`
    with a flat spectrum up to the cutoff, the same for all odorants, as they travel in the same air.

    Parameters
    ----------
    files : mapping
        Empty.
    n_odours, n_per_class : int
    n_odorants, n_components : int
        Channels of the signals, and how many of them an odour has.
    lowest, highest : float
        Concentrations C of presentations are drawn log-uniformly between these.
    onset, jitter : time
        The pulse begins at the onset, earlier or later by up to the jitter (uniform).
    pulse, duration : time
        Of the pulse and of the presentation.
    fluctuation : float
        :math:`\sigma`; 0: a clean pulse.
    cutoff, sampling_rate : frequency
    seed : int
        Mixtures, presentations and the noise of neurons. Presentation i of odour k is the same for any ``n_odours`` and
        ``n_per_class``.

    Returns
    -------
    Odours
        Labels ``odour`` (``"odour 1"``, ...), ``presentation``, ``concentration``.

    Raises
    ------
    InputError
        For numbers that make no odours, or a pulse that does not fit into the presentation.
    """
    if not (isinstance(n_odours, int) and n_odours >= 1 and 1 <= n_components <= n_odorants):
        raise InputError(
            "n_odours must be at least 1, n_components from 1 to n_odorants; got "
            f"n_odours={n_odours}, n_components={n_components}, n_odorants={n_odorants}."
        )
    if not 0 < lowest <= highest < np.inf:
        raise InputError(f"lowest and highest concentration must be positive and in order, got {lowest}, {highest}.")
    if not 0 <= fluctuation < np.inf:
        raise InputError(f"fluctuation must be 0 or more, got {fluctuation}.")
    begin, wait, length, whole = (
        seconds(value, name)
        for value, name in ((onset, "onset"), (jitter, "jitter"), (pulse, "pulse"), (duration, "duration"))
    )
    if not (0 <= wait <= begin and length > 0 and begin + wait + length <= whole):
        raise InputError(
            f"a pulse of {pulse} at {onset}, earlier or later by {jitter}, must lie inside the {duration} "
            "of a presentation."
        )
    rate, highest_frequency = hertz(sampling_rate, "sampling_rate"), hertz(cutoff, "cutoff")
    if not 0 < 2 * highest_frequency < rate:
        raise InputError(f"the cutoff, {cutoff}, must be positive and below half the sampling rate, {sampling_rate}.")
    classes = tuple(f"odour {k + 1}" for k in range(n_odours))
    settings = OdourSettings(
        n_odorants, n_components, lowest, highest, begin, wait, length, whole, fluctuation, highest_frequency, rate
    )
    return Odours(settings, classes, n_per_class, seed)


class OdourSettings(NamedTuple):
    """What all presentations share; see `odours`. Times in seconds, frequencies in hertz."""

    n_odorants: int
    n_components: int
    lowest: float
    highest: float
    onset: float
    jitter: float
    pulse: float
    duration: float
    fluctuation: float
    cutoff: float
    sampling_rate: float


class Odours(GeneratedClasses):
    """Presentations of odours; see `odours`."""

    def __init__(self, settings: OdourSettings, classes: tuple[str, ...], n_per_class: int, seed: int) -> None:
        super().__init__("odour", classes, n_per_class, seed)
        self.settings = settings

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per presentation: ``odour``, ``presentation``, ``concentration``."""
        table = super().table
        return table.assign(concentration=[self._drawn(position)[1] for position in range(len(table))])

    def proportions(self, k: int) -> NDArray[np.float64]:
        """Return the share of each odorant in odour k, shape (n_odorants,)."""
        n_odorants, n_components = self.settings.n_odorants, self.settings.n_components
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(_MIXTURES, k)))
        shares = np.zeros(n_odorants)
        shares[rng.choice(n_odorants, n_components, replace=False)] = rng.dirichlet(np.ones(n_components))
        return shares

    def stimulus(self, position: int) -> Signal:
        """Return the concentrations, one channel per odorant."""
        rng, concentration, begin = self._drawn(position)
        sigma, rate = self.settings.fluctuation, self.settings.sampling_rate
        n = round(self.settings.duration * rate)
        time = np.arange(n) / rate - begin
        pulse = np.where(time < 0, 0.0, -np.expm1(-np.maximum(time, 0.0) / _RISE))
        after = np.maximum(time - self.settings.pulse, 0.0)
        pulse *= np.exp(-after / _RISE)
        if sigma > 0:
            pulse *= np.exp(sigma * band_limited_noise(1, n, self.settings.cutoff, rate, rng)[0] - sigma**2 / 2.0)
        shares = self.proportions(position // self.n_per_class)
        names = tuple(f"odorant {j + 1}" for j in range(shares.size))
        return Signal(concentration * shares[:, np.newaxis] * pulse, f"{rate} Hz", names)

    def _drawn(self, position: int) -> tuple[np.random.Generator, float, float]:
        """Return the randomness of a presentation after its concentration and onset were drawn from it."""
        rng = self.randomness(position)
        low, high = np.log([self.settings.lowest, self.settings.highest])
        concentration = float(np.exp(rng.uniform(low, high)))
        return rng, concentration, self.settings.onset + self.settings.jitter * rng.uniform(-1.0, 1.0)
