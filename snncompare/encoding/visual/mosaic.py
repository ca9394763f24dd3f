"""Mosaics: where the cells of a class stand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.parameters import check_between
from snncompare.encoding.visual.receptive_field import ReceptiveField
from snncompare.errors import InputError

__all__ = ["Mosaic"]

_MOST = 100_000
_TALL = np.sqrt(3.0) / 2.0


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    r"""Cells in rows around the fovea, spaced as their receptive fields demand, each off its place by chance.

    Rows are rings of eccentricity :math:`e_{i+1} = e_i + \frac{\sqrt 3}{2} s(e)`, with :math:`s` the distance between
    neighbours (`ReceptiveField.distance`), and cells in a row are :math:`s` apart: the density of a hexagonal lattice,
    :math:`2 / (\sqrt 3 s^2)`, at every eccentricity. Consecutive rows start anywhere. Every cell is then moved in a
    random direction by up to ``jitter`` :math:`s`, so that no two are closer than
    :math:`(\sqrt 3 / 2 - 2\,\mathrm{jitter}) s`.

    Parameters
    ----------
    jitter : float
        From 0 to 0.4.

    References
    ----------
    Wässle, Boycott & Illing (1981) Proc R Soc Lond B 212:177-195. Dacey & Petersen (1992) PNAS 89:9666-9670. Gauthier
    et al. (2009) J Neurosci 29:4675-4680.
    """

    jitter: float = 0.15

    def __post_init__(self) -> None:
        check_between(self, "jitter", 0.0, 0.4)

    def positions(
        self,
        field: ReceptiveField,
        centre: tuple[float, float],
        size: tuple[float, float],
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Return where cells stand in a rectangle of the visual field, shape (n_cells, 2), degrees from the fovea.

        Parameters
        ----------
        field : ReceptiveField
        centre, size : (float, float)
            Middle, width and height of the rectangle, degrees.
        rng : numpy.random.Generator

        Raises
        ------
        InputError
            For a rectangle that holds more than 100000 cells.
        """
        half = 0.5 * np.asarray(size, dtype=float)
        middle = np.asarray(centre, dtype=float)
        density = 1.0 / (_TALL * float(field.distance(np.hypot(*middle))) ** 2)
        if density * size[0] * size[1] > _MOST:
            raise InputError(
                f"a field of {size[0]:g} x {size[1]:g} degrees at {np.hypot(*middle):.3g} degrees from the fovea holds "
                f"about {density * size[0] * size[1]:.0f} cells of a class; take a smaller field, go further out, or "
                "give the receptive fields more spacing."
            )
        corners = np.abs(middle) + half
        last = float(np.hypot(*corners))
        first = float(np.hypot(*np.maximum(np.abs(middle) - half, 0.0)))
        rows = [_row(e, float(field.distance(e)), self.jitter, rng) for e in _rings(field, first, last)]
        places = np.concatenate(rows)
        return places[(np.abs(places - middle) <= half).all(axis=1)]


def _rings(field: ReceptiveField, first: float, last: float) -> list[float]:
    """Return the eccentricities of rows from the fovea on; rows that end before ``first`` are left out."""
    rings, e = [], 0.0
    while e <= last + float(field.distance(last)):
        if e >= first - 2.0 * float(field.distance(first)):
            rings.append(e)
        inner = float(field.distance(e))
        e += _TALL * float(field.distance(e + 0.5 * _TALL * inner))
    return rings


def _row(e: float, apart: float, jitter: float, rng: np.random.Generator) -> NDArray[np.float64]:
    n = max(int(2.0 * np.pi * e / apart), 1)
    angle = 2.0 * np.pi * (np.arange(n) + rng.random()) / n
    off = jitter * apart * np.sqrt(rng.random(n))
    way = 2.0 * np.pi * rng.random(n)
    return np.stack([e * np.cos(angle) + off * np.cos(way), e * np.sin(angle) + off * np.sin(way)], axis=1)
