"""Cones: from luminance to contrast, with light adaptation."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from snncompare.encoding.parameters import check_between, check_positive, keep_times
from snncompare.units import QuantityLike

__all__ = ["Cones", "SeeingCones"]

_REFERENCE = 0.5


@dataclass(frozen=True, kw_only=True)
class Cones:
    r"""Photoreceptors whose gain and speed follow the light, after Clark et al. (2013).

    With :math:`s` the luminance, :math:`z` its slow average and :math:`d` the dark light,

    .. math::

        \tau_z \dot z = s - z, \qquad
        \tau (0.5 + d)\, \dot r = s + d - [\gamma s + (1 - \gamma) z + d]\, r, \qquad
        c = \frac{r - 1}{1 - \gamma}

    so that for a small modulation :math:`c` is the Weber contrast :math:`\delta s / (z + d)`, low-pass filtered with
    :math:`\tau (0.5 + d) / (z + d)`: less sensitive and faster in more light. Large increments saturate at
    :math:`c = 1 / \gamma`. Before a movie the cones are adapted to grey (`Retina.background`).

    Parameters
    ----------
    time_constant : time
        :math:`\tau`, at a luminance of 0.5.
    adaptation_time : time
        :math:`\tau_z`.
    instantaneous : float
        :math:`\gamma`, part of the gain that follows the light at once, from 0 to less than 1.
    dark_light : float
        :math:`d`, luminance relative to white at which the contrast gain has fallen to one half.

    References
    ----------
    Clark, Benichou, Meister & Azeredo da Silveira (2013) PLoS Comput Biol 9:e1003289, whose dynamical adaptation model
    this is with the light itself as its fast signal. Angueyra, Baudin, Schwartz & Rieke (2022) J Neurosci 42:1254-1274
    (:math:`\gamma` = 0.448 of macaque cones). Time constants and :math:`d` are chosen: the whole low-pass filter of a
    ganglion cell is what was measured (`TemporalFilter`), and what the cones have done of it is left out there.
    """

    time_constant: QuantityLike = "3 ms"
    adaptation_time: QuantityLike = "2 s"
    instantaneous: float = 0.448
    dark_light: float = 0.02

    def __post_init__(self) -> None:
        keep_times(self, "time_constant", "adaptation_time")
        check_between(self, "instantaneous", 0.0, 0.99)
        check_positive(self, "dark_light")

    def seeing(self, frames: NDArray[np.float64], shown: NDArray[np.int64], dt: float, grey: float) -> "SeeingCones":
        """Return cones in front of a movie, ready to be stepped through it.

        Parameters
        ----------
        frames : array, shape (n_frames, n_pixels)
            Luminance.
        shown : array, shape (n_steps,)
            Which frame is shown in each step.
        dt : float
            Length of a step, seconds.
        grey : float
            Luminance that they are adapted to.
        """
        return SeeingCones(self, frames, shown, dt, grey)


class SeeingCones:
    """Cones on their way through a movie: slow average and response of every pixel."""

    def __init__(
        self, cones: Cones, frames: NDArray[np.float64], shown: NDArray[np.int64], dt: float, grey: float
    ) -> None:
        self._frames, self._shown = np.ascontiguousarray(frames.T), shown
        gamma, dark = cones.instantaneous, cones.dark_light
        speed = dt / (cones.time_constant.value * (_REFERENCE + dark))
        self._constants = (gamma, dark, speed, -np.expm1(-dt / cones.adaptation_time.value))
        self._average = np.full(frames.shape[1], grey)
        self._response = np.ones(frames.shape[1])

    def steps(self, begin: int, end: int) -> NDArray[np.float64]:
        """Return the contrast of every pixel in the steps ``begin`` to ``end``, shape (n_pixels, n_steps).

        Steps must follow one another from 0 on.
        """
        out = np.empty((len(self._frames), end - begin))
        _step(self._frames, self._shown[begin:end], *self._constants, self._average, self._response, out)
        return out


@njit(cache=True)
def _step(frames, shown, gamma, dark, speed, forget, average, response, out):  # type: ignore[no-untyped-def] # pragma: no cover
    """Advance all pixels; ``speed``: dt / (τ (0.5 + d)); the exponential is the Padé approximant of order (1, 2)."""
    for pixel in range(frames.shape[0]):
        slow, now = average[pixel], response[pixel]
        for step in range(shown.size):
            light = frames[pixel, shown[step]]
            gain = gamma * light + (1.0 - gamma) * slow + dark
            x = gain * speed
            now += ((light + dark) / gain - now) * x / (1.0 + 0.5 * x + x * x / 12.0)
            slow += (light - slow) * forget
            out[pixel, step] = (now - 1.0) / (1.0 - gamma)
        average[pixel], response[pixel] = slow, now
