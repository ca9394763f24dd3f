"""Which frequency excites which place of a cochlea, and how sharply: published laws of several mammals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncompare.errors import InputError, unknown

__all__ = [
    "INNER_HAIR_CELLS",
    "PLACE_MAPS",
    "TUNING",
    "PlaceMap",
    "characteristic_frequencies",
    "place_of",
    "ten_db_bandwidth",
]

INNER_HAIR_CELLS = 3500
"""Of a human cochlea, more than a cat has: no ear listens at more places."""


class PlaceMap(NamedTuple):
    r"""Greenwood's law of one species, :math:`F = A (10^{a x} - k)`.

    ``scale``: :math:`A` in hertz; ``slope``: :math:`a`, with x as a fraction of the length from the apex; ``offset``:
    :math:`k`; ``length``: of the basilar membrane, mm.
    """

    scale: float
    slope: float
    offset: float
    length: float


PLACE_MAPS = {
    "cat": PlaceMap(456.0, 2.1, 0.80, 25.0),
    "chinchilla": PlaceMap(163.5, 2.1, 0.85, 18.4),
    "guinea pig": PlaceMap(350.0, 2.1, 0.85, 18.5),
    "human": PlaceMap(165.4, 2.1, 0.88, 35.0),
}
"""Greenwood (1990) J Acoust Soc Am 87:2592-2605; cat: Liberman (1982) J Acoust Soc Am 72:1441-1449."""

TUNING = ("cat", "human")
"""Species whose sharpness of tuning `ten_db_bandwidth` knows."""


def place_of(frequency: ArrayLike, species: str) -> NDArray[np.float64]:
    r"""Return the place that a frequency excites most, :math:`x = \log_{10}(F / A + k) / a`, in mm from the apex.

    Parameters
    ----------
    frequency : float or array
        Hertz.
    species : str
        One of `PLACE_MAPS`.

    Raises
    ------
    InputError
        For a species without a map, and frequencies beyond the ends of its cochlea.
    """
    if species not in PLACE_MAPS:
        raise InputError(unknown("species with a map of the cochlea called", species, PLACE_MAPS))
    law = PLACE_MAPS[species]
    given = np.asarray(frequency, dtype=np.float64)
    apex, base = (law.scale * (10.0 ** (law.slope * end) - law.offset) for end in (0.0, 1.0))
    if not ((given >= apex) & (given <= base)).all():
        raise InputError(
            f"frequencies from {given.min():g} to {given.max():g} Hz lie beyond the ends of the cochlea of a "
            f"{species}, {apex:.0f} to {base:.0f} Hz; choose others or another species."
        )
    return np.asarray(law.length * np.log10(given / law.scale + law.offset) / law.slope)


def characteristic_frequencies(lowest: float, highest: float, n: int, species: str) -> NDArray[np.float64]:
    """Return the frequencies (Hz) that excite ``n`` places at equal distances, the lowest and the highest included.

    Raises
    ------
    InputError
        As for `place_of`.
    """
    law = PLACE_MAPS.get(species, PLACE_MAPS["cat"])
    ends = place_of([lowest, highest], species) / law.length
    return np.asarray(law.scale * (10.0 ** (law.slope * np.linspace(ends[0], ends[1], n)) - law.offset))


def ten_db_bandwidth(frequency: ArrayLike, tuning: str) -> NDArray[np.float64]:
    r"""Return the width (Hz) of tuning 10 dB above the threshold at the characteristic frequency CF.

    .. math::

        \text{cat:}\quad \frac{CF}{Q_{10}}, \quad \log_{10} Q_{10} = 0.4708 \log_{10} \frac{CF}{1\,kHz} + 0.4664
        \qquad
        \text{human:}\quad 1.797 \cdot 24.7 \left(4.37 \frac{CF}{1\,kHz} + 1\right)

    The factor 1.797 turns the equivalent rectangular bandwidth of a fourth-order gammatone filter into its width at
    -10 dB, :math:`2 \cdot 1.019 \sqrt{10^{1/4} - 1}`.

    Parameters
    ----------
    frequency : float or array
        CF in hertz.
    tuning : str
        One of `TUNING`.

    Raises
    ------
    InputError
        For a name that is not known.

    References
    ----------
    Cat: Zhang, Heinz, Bruce & Carney (2001) J Acoust Soc Am 109:648-670, the median of the fibres of Miller,
    Schilling, Franck & Young (1997) J Acoust Soc Am 101:3602-3616. Human listeners: Glasberg &
    Moore (1990) Hear Res 47:103-138, eq. 3.
    """
    kilohertz = np.asarray(frequency, dtype=np.float64) / 1e3
    if tuning == "cat":
        return np.asarray(1e3 * kilohertz / 10.0 ** (0.4708 * np.log10(kilohertz) + 0.4664))
    if tuning == "human":
        return np.asarray(2.0 * 1.019 * np.sqrt(10.0**0.25 - 1.0) * 24.7 * (4.37 * kilohertz + 1.0))
    raise InputError(unknown("tuning called", tuning, TUNING))
