"""Bushy cell that pools the fibres of one place of the cochlea."""

from dataclasses import dataclass
from math import ceil, exp, log1p

import numpy as np
from numba import njit
from numpy.typing import NDArray

from snncompare.encoding.parameters import check_positive, check_whole, keep_times
from snncompare.units import QuantityLike

__all__ = ["PoolingBushyCell"]


@dataclass(frozen=True, kw_only=True)
class PoolingBushyCell:
    r"""Leaky integrate-and-fire neuron behind fibres that fire at random with one common probability.

    A fibre that is not refractory fires in a time step with probability :math:`p`. Their spikes drive the cell through
    exponential currents:

    .. math::

        I_t = I_{t-1} e^{-dt / \tau_s} + n_t, \qquad
        u_t = u_{t-1} e^{-dt / \tau_m} + \frac{W}{N} I_t\, dt

    with :math:`n_t` spikes of :math:`N` fibres in step t. Where :math:`u \ge 1` the cell fires, is reset to 0 in the
    next step and held there for the refractory period.

    Only the sum of the spikes matters, so it is drawn as a whole: :math:`n_t` is binomial among the fibres that are not
    refractory, in distribution the same as each fibre by itself.

    Parameters
    ----------
    n_fibres : int
        :math:`N`.
    weight : float
        :math:`W`, 1/s.
    membrane, synapse : time
        Time constants :math:`\tau_m, \tau_s`.
    refractory, fibre_refractory : time
        Of the cell and of each fibre, rounded up to whole time steps.

    Raises
    ------
    InputError
        For times that are not positive, a weight that is not, or no fibre.

    References
    ----------
    Cramer, Stradmann, Schemmel & Zenke (2022) IEEE Trans Neural Netw Learn Syst 33:2744-2757. Rothman, Young & Manis
    (1993) J Neurophysiol 70:2562-2583 (convergence on bushy cells).
    """

    n_fibres: int = 40
    weight: float = 13e3
    membrane: QuantityLike = "1 ms"
    synapse: QuantityLike = "0.5 ms"
    refractory: QuantityLike = "1 ms"
    fibre_refractory: QuantityLike = "1 ms"

    def __post_init__(self) -> None:
        check_whole(self, "n_fibres", 1)
        check_positive(self, "weight")
        keep_times(self, "membrane", "synapse", "refractory", "fibre_refractory")

    def spikes(self, probabilities: NDArray[np.float64], dt: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return spike times of one cell, seconds: beginnings of the time steps in which the threshold is reached.

        Parameters
        ----------
        probabilities : array, shape (n_samples,)
            Of a spike of each fibre in each time step, 0 to 1.
        dt : float
            Seconds.
        rng : numpy.random.Generator
        """
        return np.asarray(self.steps(self.fibre_spikes(probabilities, dt, rng), dt) * dt, dtype=np.float64)

    def fibre_spikes(
        self, probabilities: NDArray[np.float64], dt: float, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return how many fibres fire in each time step, shape (n_samples,)."""
        return np.asarray(_fibre_spikes(probabilities, self.n_fibres, _whole_steps(self.fibre_refractory, dt), rng))

    def steps(self, fibre_spikes: NDArray[np.int64], dt: float) -> NDArray[np.int64]:
        """Return the time steps in which the cell fires, given how many fibres fire in each."""
        return np.asarray(
            _cell_steps(
                fibre_spikes,
                exp(-dt / self.membrane.value),
                exp(-dt / self.synapse.value),
                self.weight / self.n_fibres * dt,
                _whole_steps(self.refractory, dt),
            )
        )


def _whole_steps(duration: QuantityLike, dt: float) -> int:
    return ceil(duration.value / dt - 1e-6)


@njit(cache=True)
def _fibre_spikes(probabilities, n_fibres, refractory, rng):  # type: ignore[no-untyped-def] # pragma: no cover
    """Count spikes: each free fibre waits an exponential time in units of its hazard -log(1 - p)."""
    found = np.zeros(probabilities.size, dtype=np.int64)
    free, left = n_fibres, rng.standard_exponential()
    for k in range(probabilities.size):
        if k >= refractory:
            free += found[k - refractory]
        hazard = -log1p(-min(probabilities[k], 1.0 - 1e-16))
        while free > 0 and left < free * hazard:
            hazard -= left / free
            left = rng.standard_exponential()
            free -= 1
            found[k] += 1
        left -= free * hazard
    return found


@njit(cache=True)
def _cell_steps(inputs, leak, decay, weight, refractory):  # type: ignore[no-untyped-def] # pragma: no cover
    fired = np.empty(inputs.size // (refractory + 1) + 1, dtype=np.int64)
    n_fired, potential, current, free_from = 0, 0.0, 0.0, 0
    for k in range(inputs.size):
        current = current * decay + inputs[k]
        if k < free_from:
            continue
        potential = potential * leak + weight * current
        if potential >= 1.0:
            fired[n_fired] = k
            n_fired += 1
            potential = 0.0
            free_from = k + 1 + refractory
    return fired[:n_fired]
