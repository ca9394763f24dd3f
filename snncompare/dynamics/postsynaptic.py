r"""Postsynaptic potentials: the response of a membrane to one spike, read off simulated traces.

A model need not be linear. Its response to a *small* spike is what counts, and how small is found by trying: a ladder
of weights, each with both signs, and once with two spikes in successive steps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import DescriptionError

__all__ = ["LADDER", "PostsynapticPotential", "ProbedTraces"]

LADDER = 10.0 ** np.arange(-24, 4)
"""Weights that are tried, in SI units."""

_LINEAR = 1e-4
_DECAYED = 1e-4


@dataclass(frozen=True)
class PostsynapticPotential:
    r"""The response of the membrane to one presynaptic spike, for each unit of weight.

    Parameters
    ----------
    samples : numpy.ndarray, shape (n_steps,)
        ``samples[k]`` is the response k steps after the step of the spike, delay left out, after the state update and
        before thresholds, in SI units of membrane over weight.
    dt : float
        Time step, seconds.
    """

    samples: NDArray[np.float64]
    dt: float

    @property
    def integral(self) -> float:
        r""":math:`\bar\epsilon = \sum_k \epsilon_k \, dt` (Rossbroich, Gygax & Zenke 2022)."""
        return float(self.samples.sum() * self.dt)

    @property
    def squared_integral(self) -> float:
        r""":math:`\hat\epsilon = \sum_k \epsilon_k^2 \, dt` (Rossbroich, Gygax & Zenke 2022)."""
        return float((self.samples**2).sum() * self.dt)


@dataclass(frozen=True)
class ProbedTraces:
    """How a membrane answers the ladder of weights, relative to no spike; each array (n_weights, n_steps), SI units.

    Attributes
    ----------
    plus, minus : numpy.ndarray
        One spike with the weight, and with its negative.
    twice : numpy.ndarray
        Two spikes with the weight, one step apart.
    dt : float
        Time step, seconds.
    """

    plus: NDArray[np.float64]
    minus: NDArray[np.float64]
    twice: NDArray[np.float64]
    dt: float

    def decayed(self) -> bool:
        """Return whether the second half of the response adds next to nothing to it, or there is none."""
        _, additive = self._rungs()
        if not additive.size:
            return True
        response = np.abs(self.plus[additive[-1]])
        return bool(response[response.size // 2 :].sum() <= _DECAYED * response.sum())

    def potential(self, what: str) -> PostsynapticPotential:
        """Return the response for each unit of weight: half the difference of the two signs.

        Raises
        ------
        DescriptionError
            If no response is in proportion to the weight, or it depends on the spike before; `what` did it.
        """
        linear, additive = self._rungs()
        if not additive.size:
            fault = (
                "depends on the spike before it (short-term plasticity or saturation)"
                if linear.size
                else "is not in proportion to the weight, however small"
            )
            raise DescriptionError(
                f"{what} {fault}, so the weights cannot be fluctuation-driven; choose another distribution."
            )
        rung = additive[-1]
        return PostsynapticPotential((self.plus[rung] - self.minus[rung]) / 2 / LADDER[rung], self.dt)

    def _rungs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the response mirrors that to -w and is ten times that to w/10; and where, too, spikes add up."""
        with np.errstate(all="ignore"):
            odd, even = (self.plus - self.minus) / 2, (self.plus + self.minus) / 2
            size = np.abs(odd).max(axis=1)
            linear = np.isfinite(size) & (size > 0) & (np.abs(even).max(axis=1) <= _LINEAR * size)
            linear[1:] &= np.abs(odd[1:] - 10 * odd[:-1]).max(axis=1) <= _LINEAR * size[1:]
            linear[0] = False
            rest = self.twice - self.plus
            rest[:, 1:] -= self.plus[:, :-1]
            additive = linear & (np.abs(rest).max(axis=1) <= 10 * _LINEAR * size)
        return np.flatnonzero(linear), np.flatnonzero(additive)
