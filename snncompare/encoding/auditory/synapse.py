"""The synapse of an inner hair cell: release of transmitter from stores that run down."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.parameters import check_positive, keep_times
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["ReleaseConstants", "Synapse"]


class ReleaseConstants(NamedTuple):
    """Of one synapse: permeabilities and stores in release events per second and release events.

    ``limit``: K, the release that the supply sustains; ``local``, ``world``: permeabilities between the stores;
    ``immediate``, ``reserve``: content of the two stores when full.
    """

    limit: float
    local: float
    world: float
    immediate: float
    reserve: float


@dataclass(frozen=True, kw_only=True)
class Synapse:
    r"""Three stores of transmitter in a row: rapid and short-term adaptation, and recovery from both.

    .. math::

        P &= K D^p, \qquad D = \max\left(0,\; D_0 + \frac{V - \min(\max(V, 0), V_0)}{V_{1/2}}\right) \\
        V_I \dot C_I &= P_L (C_L - C_I) - P\, C_I \\
        V_L \dot C_L &= P_G (1 - C_L) - P_L (C_L - C_I) \\
        r &= P\, C_I

    with the receptor potential :math:`V`, permeabilities :math:`P`, fillings :math:`C` of the immediate and the local
    store (the global one stays full), their contents :math:`V_I, V_L`, and the rate of release :math:`r`. A steady
    drive settles at :math:`r = K D^p / (1 + D^p)`, where :math:`1/K = 1/P_L + 1/P_G`: rate saturates because stores
    run down, not because permeability does, so that the onset grows further and phase locking stays.
    :math:`D_0` is such that the fibre has its spontaneous rate in silence. The other constants follow from what is
    measured when permeability steps from 0 to a reference, :math:`(\rho - 1) K`:

    .. math:: r(t) = r_{ss} + A_R e^{-t / \tau_R} + A_{ST} e^{-t / \tau_{ST}}, \qquad
        \rho = \frac{r(0)}{r_{ss}}, \quad \alpha = \frac{A_R}{A_{ST}}

    Parameters
    ----------
    rapid, short_term : time
        :math:`\tau_R` and :math:`\tau_{ST}` at the reference; louder tones adapt faster at first.
    onset_ratio : float
        :math:`\rho`, of release; refractoriness makes that of spikes smaller.
    rapid_to_short_term : float
        :math:`\alpha`.
    exponent : float
        :math:`p`, how permeability grows with receptor potential.

    Raises
    ------
    InputError
        For parameters that no stores can have.

    References
    ----------
    Westerman & Smith (1988) J Acoust Soc Am 83:2266-2276 (the stores; the constants are derived anew here);
    Westerman & Smith (1984) Hear Res 15:249-260 (time constants); Sachs & Abbas (1974) J Acoust Soc Am 56:1835-1847
    (growth of rate with a power near 1.8, then saturation).
    """

    rapid: QuantityLike = "4 ms"
    short_term: QuantityLike = "60 ms"
    onset_ratio: float = 6.0
    rapid_to_short_term: float = 4.0
    exponent: float = 1.25

    def __post_init__(self) -> None:
        keep_times(self, "rapid", "short_term")
        check_positive(self, "onset_ratio", "rapid_to_short_term", "exponent")
        if self.rapid.value >= self.short_term.value:
            raise InputError(f"rapid must be shorter than short_term, got {self.rapid} and {self.short_term}.")
        if self.onset_ratio <= 1.0:
            raise InputError(f"onset_ratio must be above 1, got {self.onset_ratio}; 1 is a synapse without adaptation.")

    def constants(self, limit: float) -> ReleaseConstants:
        r"""Return the constants of a synapse whose supply sustains a rate of release, K (1/s).

        At the reference, the initial slope gives :math:`V_I`, the sum and the product of the two eigenvalues
        give :math:`P_L` and :math:`V_L`, and :math:`1/K = 1/P_L + 1/P_G` gives :math:`P_G`.
        """
        reference = (self.onset_ratio - 1.0) * limit
        settled = reference / self.onset_ratio
        short = settled * (self.onset_ratio - 1.0) / (1.0 + self.rapid_to_short_term)
        fast = short * self.rapid_to_short_term
        immediate = reference**2 / (fast / self.rapid.value + short / self.short_term.value)
        total = 1.0 / self.rapid.value + 1.0 / self.short_term.value
        product = 1.0 / (self.rapid.value * self.short_term.value)
        local = immediate * (total - settled * immediate * product / (limit * reference)) - reference
        world = 1.0 / (1.0 / limit - 1.0 / local)
        reserve = reference * local * world / (settled * immediate * product)
        return ReleaseConstants(limit, local, world, immediate, reserve)

    def drive_at_rest(self, release: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
        """Return D0 of fibres that release at a rate (1/s) in silence; at rest :math:`r = K D_0^p / (1 + D_0^p)`.

        Raises
        ------
        InputError
            For rates at rest that the supply does not sustain.
        """
        if not (release < limit).all():
            raise InputError(f"a fibre cannot release {release.max():g} times a second at rest and {limit:g} at most.")
        return np.asarray((release / (limit - release)) ** (1.0 / self.exponent))
