"""Trigeminal ganglion afferents of a whisker: deflection angle in, spikes out."""

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.integrate_and_fire import integrate_and_fire
from snncompare.encoding.low_pass import low_pass
from snncompare.encoding.parameters import (
    check_between,
    check_not_negative,
    check_positive,
    check_whole,
    keep_frequencies,
    keep_times,
)
from snncompare.encoding.stimuli import Signal
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["WhiskerAfferents"]

_AXES = 2
_MOST_DEGREES = 180.0


@dataclass(frozen=True, kw_only=True)
class WhiskerAfferents(Encoder):
    r"""Slowly and rapidly adapting afferents of one whisker, each with a preferred direction.

    A stimulus is a `Signal` of two channels, the deflection of the whisker from rest in **degrees**: horizontal
    (positive: caudal) and vertical (positive: dorsal). For an afferent that prefers the direction :math:`\phi`, a
    deflection :math:`\vec d` and its velocity count with a weight that falls with their angle to :math:`\phi`:

    .. math::

        w(\vec y) = |\vec y|\, e^{\kappa (\cos(\angle \vec y - \phi) - 1)}, \qquad
        I = g_d\, w(h * \vec d) + g_v\, w(\tfrac{d}{dt} h * \vec d)

    where :math:`h` is a critically damped low-pass filter of second order. Rapidly adapting afferents have
    :math:`g_d = 0`. :math:`I` drives noisy leaky integrate-and-fire neurons, so that :math:`1 / g_v` is the velocity
    threshold in degrees per second of a fast deflection in the preferred direction.

    Parameters
    ----------
    size : int
        Number of afferents.
    slowly_adapting : float
        Share of slowly adapting ones.
    deflection_gain : float
        :math:`g_d` of slowly adapting afferents, per degree.
    slow_velocity_gain, rapid_velocity_gain : float
        :math:`g_v`, seconds per degree.
    slow_tuning, rapid_tuning : float
        :math:`\kappa`.
    corner : frequency
        Of the filter.
    membrane_time_constant, refractory_period, adaptation_time_constant : time
    adaptation, noise_sd : float
        Of the spike generators, see `integrate_and_fire`.
    heterogeneity : float
        Standard deviation of the natural logarithm of the gains over afferents.
    seed : int
        Which afferents were drawn.

    Raises
    ------
    InputError
        For parameters that describe no afferents.

    References
    ----------
    Lichtenstein, Carvell & Simons (1990) Somatosens Mot Res 7:47-65 (rat: 75 % slowly adapting, directions); Jones,
    Lee, Trageser, Simons & Keller (2004) J Neurophysiol 92:1470-1478 (precise spikes); Stüttgen, Rüter & Schwarz (2006)
    J Neurosci 26:7933-7941 (velocity thresholds); Kwegyir-Afful et al. (2008) Somatosens Mot Res 25:209-221 (mouse).
    The gains are our own; the tests name the published responses they lead to.
    """

    takes: ClassVar[type] = Signal

    size: int = 40
    slowly_adapting: float = 0.75
    deflection_gain: float = 0.5
    slow_velocity_gain: float = 0.005
    rapid_velocity_gain: float = 0.01
    slow_tuning: float = 1.2
    rapid_tuning: float = 0.6
    corner: QuantityLike = "300 Hz"
    membrane_time_constant: QuantityLike = "2 ms"
    refractory_period: QuantityLike = "1 ms"
    adaptation: float = 1.5
    adaptation_time_constant: QuantityLike = "20 ms"
    noise_sd: float = 0.05
    heterogeneity: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole(self, "size", 1)
        check_whole(self, "seed", 0)
        check_between(self, "slowly_adapting", 0.0, 1.0)
        check_positive(self, "deflection_gain", "slow_velocity_gain", "rapid_velocity_gain")
        check_not_negative(self, "slow_tuning", "rapid_tuning", "adaptation", "noise_sd", "heterogeneity")
        keep_times(self, "membrane_time_constant", "refractory_period", "adaptation_time_constant")
        keep_frequencies(self, "corner")

    def units(self, stimulus: Signal) -> pd.DataFrame:  # noqa: ARG002 (the afferents are the same for every deflection)
        """Return the afferents: ``kind``, ``preferred_degrees`` (0 caudal, 90 dorsal), gains and ``tuning``."""
        return self._afferents()

    def _check(self, stimulus: Signal) -> None:
        """Refuse what is no deflection in two axes, finely enough sampled."""
        if len(stimulus.values) != _AXES:
            raise InputError(
                f"a whisker is deflected in two axes (horizontal, vertical), the signal has {len(stimulus.values)} "
                "channels; give zeros for an axis without movement."
            )
        least = max(10.0 * self.corner.value, 3.0 / self.membrane_time_constant.value)
        if stimulus.sampling_rate < least:
            raise InputError(
                f"a sampling rate of {stimulus.sampling_rate:g} Hz is too low for these afferents; interpolate the "
                f"deflection to at least {least:.0f} Hz."
            )
        if np.abs(stimulus.values).max() > _MOST_DEGREES:
            raise InputError(
                f"deflections are degrees, at most {_MOST_DEGREES:g}; got {np.abs(stimulus.values).max():g}."
            )

    def fire(self, stimulus: Signal, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of one deflection.

        Raises
        ------
        InputError
            For a signal of other than two channels, too low a sampling rate, or more than half a turn.
        """
        self.check(stimulus)
        dt = 1.0 / stimulus.sampling_rate
        table = self._afferents()
        smooth = low_pass(stimulus.values, 1.0 / (2.0 * pi * self.corner.value), dt, order=2)
        velocity = np.diff(smooth, axis=1, prepend=smooth[:, :1]) / dt
        preferred, tuning, held, moved = (
            table[name].to_numpy()[:, np.newaxis]
            for name in ("preferred_degrees", "tuning", "deflection_gain", "velocity_gain")
        )
        drives = held * _weighted(smooth, np.deg2rad(preferred), tuning)
        drives += moved * _weighted(velocity, np.deg2rad(preferred), tuning)

        def every(name: str) -> NDArray[np.float64]:
            value = getattr(self, name)
            return np.full(self.size, float(getattr(value, "value", value)))

        return integrate_and_fire(
            drives,
            dt,
            randomness,
            membrane=every("membrane_time_constant"),
            refractory=every("refractory_period"),
            noise=every("noise_sd"),
            adaptation=every("adaptation"),
            recovery=every("adaptation_time_constant"),
        )

    def _afferents(self) -> pd.DataFrame:
        rng = np.random.default_rng(self.seed)
        n_slow = round(self.slowly_adapting * self.size)
        slow = np.arange(self.size) < n_slow
        # Directions of each kind are spread evenly, from a random start.
        preferred = np.concatenate(
            [(rng.uniform(0.0, 360.0) + np.arange(n) * 360.0 / max(n, 1)) % 360.0 for n in (n_slow, self.size - n_slow)]
        )
        factor = np.exp(self.heterogeneity * rng.standard_normal((self.size, 2)))
        return pd.DataFrame(
            {
                "kind": np.where(slow, "slowly adapting", "rapidly adapting"),
                "preferred_degrees": preferred,
                "deflection_gain": np.where(slow, self.deflection_gain, 0.0) * factor[:, 0],
                "velocity_gain": np.where(slow, self.slow_velocity_gain, self.rapid_velocity_gain) * factor[:, 1],
                "tuning": np.where(slow, self.slow_tuning, self.rapid_tuning),
            },
            index=[f"afferent {j}" for j in range(self.size)],
        )


def _weighted(
    vectors: NDArray[np.float64], preferred: NDArray[np.float64], tuning: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weight of vectors (2, n_samples) for each afferent, shape (n_units, n_samples)."""
    length, angle = np.hypot(*vectors), np.arctan2(vectors[1], vectors[0])
    return np.asarray(length * np.exp(tuning * (np.cos(angle - preferred) - 1.0)))
