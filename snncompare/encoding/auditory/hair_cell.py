"""Inner hair cells: displacement of the hair bundle to receptor potential."""

from dataclasses import dataclass
from math import exp, tau

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.parameters import check_positive, check_whole, keep_frequencies, keep_times
from snncompare.units import QuantityLike

__all__ = ["HairCell"]


@dataclass(frozen=True, kw_only=True)
class HairCell:
    r"""Asymmetric transduction, then a membrane too slow for high frequencies.

    .. math::

        \tau_c \dot u &= \tau_c\, D\, \dot x - u \\
        O(u) &= \left[1 + e^{(u_0 - u)/s_0} \left(1 + e^{(u_1 - u)/s_1}\right)\right]^{-1} \\
        V &= h * \frac{O(u) - O(0)}{1 - O(0)}

    with the motion of the basilar membrane :math:`x` (Pa), displacement of the hair bundle :math:`u` (nm), fraction of
    open channels :math:`O`, and :math:`h` a cascade of equal one-pole low-pass filters. :math:`V` is the receptor
    potential relative to its range. For displacements above :math:`s_1` the cell is a half-wave rectifier, so that
    high frequencies, which the membrane does not follow, leave a steady potential.

    Parameters
    ----------
    displacement : float
        :math:`D`, displacement of the bundle per pascal, nm/Pa. A tone at the CF of 0 dB SPL moves it by 1.1 nm.
    coupling_time_constant : time
        :math:`\tau_c`, of the viscous coupling of the bundle.
    u0, s0, u1, s1 : float
        Of the Boltzmann function, nm.
    cutoff : frequency
        -3 dB corner of each low-pass filter.
    order : int
        Number of low-pass filters.

    Raises
    ------
    InputError
        For parameters that describe no cell.

    References
    ----------
    Sumner, Lopez-Poveda, O'Mard & Meddis (2002) J Acoust Soc Am 111:2178-2188 (Boltzmann function and coupling;
    values of guinea pig). The low-pass filters are set so that phase locking fades as in the cat (Johnson 1980 J Acoust
    Soc Am 68:1115-1122; Weiss & Rose 1988 Hear Res 33:175-180 for the approach); in guinea pig it fades at lower
    frequencies (Palmer & Russell 1986 Hear Res 24:1-15), about as with a cutoff of "1.5 kHz".
    """

    displacement: float = 4e4
    coupling_time_constant: QuantityLike = "2.13 ms"
    u0: float = 7.0
    s0: float = 85.0
    u1: float = 7.0
    s1: float = 5.0
    cutoff: QuantityLike = "2.6 kHz"
    order: int = 4

    def __post_init__(self) -> None:
        keep_times(self, "coupling_time_constant")
        keep_frequencies(self, "cutoff")
        check_positive(self, "displacement", "u0", "s0", "u1", "s1")
        check_whole(self, "order", 1)

    def respond(self, motion: NDArray[np.float32], rate: float) -> None:
        """Turn the motion of `LANES` places (Pa) into receptor potentials, in place; see `receptor_potential`."""
        from snncompare.encoding.auditory.membrane_kernel import receptor_potential

        receptor_potential(
            motion,
            float(self.displacement),
            exp(-1.0 / (rate * self.coupling_time_constant.value)),
            np.array([self.u0, self.s0, self.u1, self.s1], dtype=np.float64),
            exp(-tau * self.cutoff.value / rate),
            tuple(range(self.order)),
        )
