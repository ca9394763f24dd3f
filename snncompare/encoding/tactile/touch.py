"""A patch of skin and the afferents below it: indentation in, spikes out."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.integrate_and_fire import integrate_and_fire
from snncompare.encoding.parameters import check_not_negative, check_whole
from snncompare.encoding.stimuli import Signal
from snncompare.encoding.tactile.afferents import RA1, SA1, Afferent
from snncompare.errors import InputError

__all__ = ["TouchAfferents"]

_MOST_MM = 20.0
"""Deeper indentations are micrometres or metres given as millimetres."""


@dataclass(frozen=True, kw_only=True)
class TouchAfferents(Encoder):
    r"""Tactile afferents of glabrous skin, leaky integrate-and-fire neurons behind filters of indentation.

    A stimulus is a `Signal` with one channel per skin site: the indentation of the skin there in **mm** (0: no
    contact, positive: into the skin). Each kind of afferent sees its own filter of it, see `Afferent`; an afferent at
    site p sees the sites q with the weights

    .. math:: w_{pq} \propto \exp(-d_{pq}^2 / 2 \sigma^2), \qquad \textstyle\sum_q w_{pq} = 1

    where :math:`d` is their distance and :math:`\sigma` the receptive field of its kind.

    Parameters
    ----------
    kinds : tuple of Afferent
        `SA1`, `RA1`, `PC` or others.
    per_site : int
        Afferents of each kind at each site; they differ in sensitivity and noise.
    sites : tuple of (float, float), optional
        Positions of the channels on the skin in mm; needed for receptive fields over several sites.
    heterogeneity : float
        Standard deviation of the natural logarithm of the sensitivity over afferents.
    seed : int
        Which afferents were drawn; the noise has its own seed, see `Encoder.encode`.

    Raises
    ------
    InputError
        For parameters that describe no skin.

    References
    ----------
    Kim, Sripati & Bensmaia (2010) J Neurophysiol 104:1484-1496; Dong, Mihalas, Kim, Yoshioka, Bensmaia & Niebur (2013)
    J Neurophysiol 109:1065-1080; Saal, Delhaye, Rayhaun & Bensmaia (2017) PNAS 114:E5693-E5702 (integrate-and-fire
    neurons behind indentation, velocity and acceleration; the parameters here are our own, set by the published
    responses named in the tests). Freeman & Johnson (1982) J Physiol 323:43-64 (leaky integrator and vibration).
    """

    takes: ClassVar[type] = Signal

    kinds: tuple[Afferent, ...] = (SA1(), RA1())
    per_site: int = 1
    sites: tuple[tuple[float, float], ...] | None = None
    heterogeneity: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", tuple(self.kinds))
        if not self.kinds or not all(isinstance(kind, Afferent) for kind in self.kinds):
            raise InputError(f"kinds are one or more of SA1(), RA1(), PC() or other Afferent values, got {self.kinds}.")
        check_whole(self, "per_site", 1)
        check_whole(self, "seed", 0)
        check_not_negative(self, "heterogeneity")
        if self.sites is None:
            if any(kind.field_mm > 0 for kind in self.kinds):
                raise InputError("a receptive field (field_mm above 0) needs the positions of the sites; give sites.")
            return
        places = np.asarray(self.sites, dtype=np.float64)
        if places.ndim != 2 or places.shape[1] != 2 or not np.isfinite(places).all():
            raise InputError(f"sites are pairs of finite numbers (x, y) in mm, got {self.sites!r:.100}.")
        object.__setattr__(self, "sites", tuple((float(x), float(y)) for x, y in places))

    def units(self, stimulus: Signal) -> pd.DataFrame:
        """Return the afferents: ``kind``, ``site`` (channel), ``x_mm``, ``y_mm`` and ``sensitivity`` (1: typical)."""
        n_sites = len(stimulus.channels)
        places = np.full((n_sites, 2), np.nan) if self.sites is None else np.asarray(self.sites)
        rows = [
            (type(kind).__name__, stimulus.channels[p], *places[p], sensitivity[p, i])
            for kind, sensitivity in zip(self.kinds, self._sensitivities(n_sites), strict=True)
            for p in range(n_sites)
            for i in range(self.per_site)
        ]
        table = pd.DataFrame(rows, columns=["kind", "site", "x_mm", "y_mm", "sensitivity"])
        number = table.groupby(["kind", "site"]).cumcount().astype(str)
        return table.set_axis(table["kind"] + " at " + table["site"] + " number " + number, axis=0)

    def _check(self, stimulus: Signal) -> None:
        """Refuse what is no indentation of these sites, finely enough sampled."""
        if self.sites is not None and len(stimulus.values) != len(self.sites):
            raise InputError(f"there are {len(self.sites)} sites, and the signal has {len(stimulus.values)} channels.")
        least = max(kind.least_rate for kind in self.kinds)
        if stimulus.sampling_rate < least:
            raise InputError(
                f"a sampling rate of {stimulus.sampling_rate:g} Hz is too low for these afferents; interpolate the "
                f"indentation to at least {least:.0f} Hz."
            )
        deepest = np.abs(stimulus.values).max()
        if deepest > _MOST_MM:
            raise InputError(f"indentation is given in mm; {deepest:g} mm is more than skin bears ({_MOST_MM:g} mm).")

    def fire(self, stimulus: Signal, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of one touch, kind after kind, site after site.

        Raises
        ------
        InputError
            For a signal with other channels, too low a sampling rate, or indentations in another unit.
        """
        self.check(stimulus)
        dt = 1.0 / stimulus.sampling_rate
        sensitivities = self._sensitivities(len(stimulus.values))
        drives = []
        for kind, sensitivity in zip(self.kinds, sensitivities, strict=True):
            seen = np.repeat(self._pooled(stimulus.values, kind.field_mm), self.per_site, axis=0)
            drives.append(kind.drive(seen, dt, sensitivity.reshape(-1, 1)))
        size = sensitivities[0].size

        def every(name: str) -> NDArray[np.float64]:
            found = [getattr(kind, name) for kind in self.kinds]
            return np.repeat([float(getattr(value, "value", value)) for value in found], size)

        return integrate_and_fire(
            np.concatenate(drives),
            dt,
            randomness,
            membrane=every("membrane_time_constant"),
            refractory=every("refractory_period"),
            noise=every("noise_sd"),
            adaptation=every("adaptation"),
            recovery=every("adaptation_time_constant"),
        )

    def _pooled(self, values: NDArray[np.float64], field: float) -> NDArray[np.float64]:
        if self.sites is None or field == 0:
            return values
        places = np.asarray(self.sites)
        squared = ((places[:, np.newaxis] - places) ** 2).sum(axis=-1)
        weights = np.exp(-squared / (2.0 * field**2))
        return np.asarray((weights / weights.sum(axis=1, keepdims=True)) @ values)

    def _sensitivities(self, n_sites: int) -> list[NDArray[np.float64]]:
        """Return one array (n_sites, per_site) per kind; a site's does not depend on how many there are."""
        drawn = [np.random.SeedSequence(self.seed, spawn_key=(k,)) for k in range(len(self.kinds))]
        shape = (n_sites, self.per_site)
        return [np.exp(self.heterogeneity * np.random.default_rng(one).standard_normal(shape)) for one in drawn]
