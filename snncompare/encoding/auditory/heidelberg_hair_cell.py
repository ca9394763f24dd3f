"""Hair cell as a store of transmitter that is released, lost and taken up again."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from snncompare.encoding.parameters import check_positive
from snncompare.errors import InputError

__all__ = ["MeddisHairCell"]


@dataclass(frozen=True, kw_only=True)
class MeddisHairCell:
    r"""Inner hair cell and its synapse: permeability follows the membrane, three pools of transmitter follow.

    .. math::

        k(t) &= g \frac{s + A}{s + A + B} \text{ where } s + A > 0, \text{ else } 0 \\
        \dot q &= y (M - q) + x w - k q, \quad \dot c = k q - (l + r) c, \quad \dot w = r c - x w

    with the velocity :math:`s` of the basilar membrane, the free transmitter :math:`q`, that in the cleft :math:`c` and
    that being reprocessed :math:`w`. A nerve fibre fires in a time step with probability :math:`h c\, dt`. Steps are
    those of Euler, as published; pools start at rest:

    .. math::

        c_0 = \frac{M y k_0}{l k_0 + y (l + r)}, \quad q_0 = c_0 \frac{l + r}{k_0}, \quad w_0 = c_0 \frac{r}{x},
        \quad k_0 = \frac{g A}{A + B}

    Parameters
    ----------
    replenishment, release, loss, reuptake, reprocessing : float
        :math:`y, g, l, r, x`, 1/s.
    offset, half_permeability : float
        :math:`A, B`, units of the membrane's velocity.
    gain : float
        :math:`h`, spikes per second and unit of transmitter in the cleft.
    most : float
        :math:`M`, largest amount of free transmitter.

    Raises
    ------
    InputError
        For parameters that are not positive.

    References
    ----------
    Meddis (1986) J Acoust Soc Am 79:702-711 and (1988) 83:1056-1063 (model). Meddis, Hewitt & Shackleton (1990)
    J Acoust Soc Am 87:1813-1816 (program; table I, fibre with high spontaneous rate, as used by Cramer et al. 2022).
    """

    replenishment: float = 5.05
    release: float = 2000.0
    loss: float = 2500.0
    reuptake: float = 6580.0
    reprocessing: float = 66.3
    offset: float = 5.0
    half_permeability: float = 300.0
    gain: float = 50000.0
    most: float = 1.0

    def __post_init__(self) -> None:
        check_positive(
            self,
            *("replenishment", "release", "loss", "reuptake", "reprocessing"),
            *("offset", "half_permeability", "gain", "most"),
        )

    def resting_pools(self) -> tuple[float, float, float]:
        """Return q, c and w of a membrane that does not move."""
        permeability = self.release * self.offset / (self.offset + self.half_permeability)
        cleared = self.loss + self.reuptake
        cleft = (
            self.most * self.replenishment * permeability / (self.loss * permeability + self.replenishment * cleared)
        )
        return cleft * cleared / permeability, cleft, cleft * self.reuptake / self.reprocessing

    @property
    def spontaneous_rate(self) -> float:
        """Spikes per second of a fibre in silence, refractoriness left out."""
        return self.gain * self.resting_pools()[1]

    def probabilities(self, velocity: NDArray[np.float32], dt: float) -> NDArray[np.float64]:
        """Return the probability of a spike in each time step, at most 1, shape (n_samples,).

        Parameters
        ----------
        velocity : array, shape (n_samples,)
        dt : float
            Seconds.

        Raises
        ------
        InputError
            For time steps in which the cleft cannot be followed: ``(l + r) dt`` of 2 or more.
        """
        self.refuse_coarse(dt)
        rates = (self.replenishment, self.release, self.loss + self.reuptake, self.reuptake, self.reprocessing)
        per_step = np.array([*rates, self.gain]) * dt
        return _probabilities(velocity, per_step, self.offset, self.half_permeability, self.most, self.resting_pools())

    def refuse_coarse(self, dt: float) -> None:
        """Refuse time steps in which the transmitter in the cleft swings instead of falling.

        Raises
        ------
        InputError
        """
        least = (self.loss + self.reuptake) / 2
        if dt * least >= 1.0:
            raise InputError(
                f"the hair cell needs a membrane velocity at more than {least:g} Hz, got {1 / dt:g} Hz; take a higher "
                "sampling rate."
            )


@njit(cache=True)
def _probabilities(velocity, per_step, offset, half, most, pools):  # type: ignore[no-untyped-def] # pragma: no cover
    y, g, cleared, r, x, h = per_step
    q, c, w = pools
    found = np.empty(velocity.size)
    for k in range(velocity.size):
        push = velocity[k] + offset
        open_ = g * push / (push + half) if push > 0.0 else 0.0
        refill = y * (most - q) if q < most else 0.0
        released, cleft, returned = open_ * q, c, x * w
        q = max(q + refill - released + returned, 0.0)
        c = max(c + released - cleared * cleft, 0.0)
        w = max(w + r * cleft - returned, 0.0)
        found[k] = min(h * c, 1.0)
    return found
