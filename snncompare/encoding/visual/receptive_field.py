"""Receptive fields: centre and surround, and how they grow with eccentricity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncompare.encoding.parameters import check_between, check_not_negative, check_positive, keep_times
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["ReceptiveField"]


@dataclass(frozen=True, kw_only=True)
class ReceptiveField:
    r"""Difference of Gaussians whose surround comes later.

    .. math::

        w(d) = \frac{1}{\pi r_c^2} e^{-(d / r_c)^2} - \frac{k}{\pi r_s^2} e^{-(d / r_s)^2}, \qquad
        r_c = r_0 + a\, e, \quad r_s = q\, r_c

    with :math:`d` the distance from the middle and :math:`e` the eccentricity, both in degrees of visual angle.

    Parameters
    ----------
    radius_at_fovea, radius_per_degree : float
        :math:`r_0` in degrees and :math:`a`; the radius is where a Gaussian falls to 1/e.
    surround_ratio : float
        :math:`q`, radius of the surround over that of the centre, above 1.
    surround_strength : float
        :math:`k`, integral of the surround over that of the centre, from 0 to 1.
    surround_delay : time
        By how much the surround comes later.
    spacing : float
        Distance between neighbours of a mosaic, in standard deviations of the centre, :math:`r_c / \sqrt 2`.

    References
    ----------
    Rodieck (1965) Vision Res 5:583-601. Croner & Kaplan (1995) Vision Res 35:7-24. Benardete & Kaplan (1997) Vis
    Neurosci 14:169-185 (delay of about 8 ms). Gauthier et al. (2009) J Neurosci 29:4675-4680 and Borghuis et al.
    (2008) J Neurosci 28:3178-3189 (neighbours about two standard deviations apart).
    """

    radius_at_fovea: float
    radius_per_degree: float
    surround_ratio: float
    surround_strength: float = 0.55
    surround_delay: QuantityLike = "8 ms"
    spacing: float = 2.0

    def __post_init__(self) -> None:
        check_positive(self, "radius_at_fovea", "surround_ratio", "spacing")
        check_not_negative(self, "radius_per_degree")
        check_between(self, "surround_strength", 0.0, 1.0)
        keep_times(self, "surround_delay", zero=True)
        if self.surround_ratio <= 1.0:
            raise InputError(f"surround_ratio must exceed 1, got {self.surround_ratio:g}: a surround is wider.")

    def radius(self, eccentricity: ArrayLike) -> NDArray[np.float64]:
        """Return the centre radius (degrees) at the given eccentricities (degrees)."""
        return self.radius_at_fovea + self.radius_per_degree * np.asarray(eccentricity, dtype=float)

    def distance(self, eccentricity: ArrayLike) -> NDArray[np.float64]:
        """Return the distance between neighbours (degrees) at the given eccentricities (degrees)."""
        return self.spacing * self.radius(eccentricity) / np.sqrt(2.0)

    def tuning(self, frequency: ArrayLike, eccentricity: float, lag: complex = 1.0) -> NDArray[np.complex128]:
        r"""Return the gain for gratings of the given spatial frequencies (cycles per degree) centred on the cell.

        :math:`e^{-(\pi r_c f)^2} - k\, u\, e^{-(\pi r_s f)^2}`, with ``lag`` :math:`u = e^{-i \omega \Delta}` the phase
        of the surround (1: simultaneous).
        """
        f, r = np.asarray(frequency, dtype=float), self.radius(eccentricity)
        surround = np.exp(-((np.pi * r * self.surround_ratio * f) ** 2))
        return np.exp(-((np.pi * r * f) ** 2)) - self.surround_strength * lag * surround + 0j
