"""From a ganglion cell's firing rate to its spikes: refractory point process, or noisy integrate-and-fire."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from snncompare.encoding.encoder import Spikes
from snncompare.encoding.parameters import check_positive, keep_times
from snncompare.encoding.point_process import fire_at_rates
from snncompare.units import QuantityLike

__all__ = ["IntegrateAndFire", "PoissonSpiking"]

_GUESSES = 4096
"""Equal intervals from which the search in a table begins."""


@dataclass(frozen=True, kw_only=True)
class PoissonSpiking:
    r"""Spikes at random with absolute and relative refractoriness.

    The hazard is :math:`q(t)\, w(t - t_l)`, with :math:`w` that of `fire_at_rates` and the free firing rate :math:`q`
    chosen so that in steady firing the rate is the one asked for:
    :math:`1 / \lambda = t_a + \int_0^\infty e^{-q (s - \tau_r (1 - e^{-s / \tau_r}))}\, ds`.

    Parameters
    ----------
    refractory : time
        :math:`t_a`.
    recovery : time
        :math:`\tau_r`; with both zero the trains are Poisson processes.

    References
    ----------
    Berry & Meister (1998) J Neurosci 18:2200-2211. Uzzell & Chichilnisky (2004) J Neurophysiol 92:780-789
    (1 ms; half recovered another 3 ms later, as others read their Figure 7).
    """

    refractory: QuantityLike = "1 ms"
    recovery: QuantityLike = "4.3 ms"

    def __post_init__(self) -> None:
        keep_times(self, "refractory", "recovery", zero=True)

    def fire(self, rates: NDArray[np.float64], dt: float, rng: np.random.Generator) -> Spikes:
        """Return spikes at the given rates (per second), shape (n_units, n_steps), constant in each step."""
        refractory, recovery = self.refractory.value, self.recovery.value
        if refractory or recovery:
            rates = _interpolated(rates, *_free_rates(refractory, recovery))
        return fire_at_rates(rates, dt, rng, refractory=refractory, recovery=recovery)


@dataclass(frozen=True, kw_only=True)
class IntegrateAndFire:
    r"""Leaky integrate-and-fire neurons with white noise, after Wohrer & Kornprobst (2009).

    .. math::

        \tau \dot V = I - V + \sigma \sqrt{2 \tau}\, \xi(t), \qquad V \ge 1: \text{ spike, } V = 0 \text{ for } t_r

    The drive :math:`I` is chosen so that in steady firing the rate is the one asked for (Siegert 1951; Brunel 2000
    J Comput Neurosci 8:183-208).

    Parameters
    ----------
    time_constant : time
        :math:`\tau`.
    noise : float
        :math:`\sigma`, standard deviation that the voltage would have without threshold; threshold is 1. Chosen: at 40
        spikes per second intervals then vary by 0.6 of their mean.
    refractory : time
        :math:`t_r`.
    step : time
        Longest step of integration; between samples a crossing is found by the chance of a Brownian bridge.

    References
    ----------
    Wohrer & Kornprobst (2009) J Comput Neurosci 26:219-249.
    """

    time_constant: QuantityLike = "20 ms"
    noise: float = 0.5
    refractory: QuantityLike = "3 ms"
    step: QuantityLike = "0.5 ms"

    def __post_init__(self) -> None:
        keep_times(self, "time_constant", "step")
        keep_times(self, "refractory", zero=True)
        check_positive(self, "noise")

    def fire(self, rates: NDArray[np.float64], dt: float, rng: np.random.Generator) -> Spikes:
        """Return spikes at the given rates (per second), shape (n_units, n_steps), constant in each step."""
        time_constant, refractory = self.time_constant.value, self.refractory.value
        drive = np.interp(rates, *_drives(time_constant, self.noise, refractory))
        n = ceil(dt / self.step.value)
        most = int((1.0 / max(refractory, dt / n) + 1.0) * rates.shape[1] * dt) + 2
        found, counts = np.empty(most), np.empty(len(rates), dtype=np.int64)
        times = []
        for unit, row in enumerate(drive):
            counts[unit] = _integrate(row, dt, n, time_constant, self.noise, refractory, rng, found)
            times.append(found[: counts[unit]].copy())
        return Spikes(np.concatenate(times), counts)


@lru_cache(maxsize=16)
def _free_rates(refractory: float, recovery: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rates and the free firing rates that lead to them."""
    free = np.concatenate([[0.0], np.geomspace(1e-2, 1e5, 400)])
    if recovery == 0.0:
        return free / (1.0 + free * refractory), free
    s = recovery * np.concatenate([[0.0], np.geomspace(1e-4, 40.0, 2000)])
    spared = s - recovery * -np.expm1(-s / recovery)
    survival = np.exp(-free[1:, np.newaxis] * spared)
    # Beyond the grid the relative refractoriness is over and the integral is that of an exponential.
    interval = refractory + np.trapezoid(survival, s, axis=1) + survival[:, -1] / free[1:]
    return np.concatenate([[0.0], 1.0 / interval]), free


@lru_cache(maxsize=16)
def _drives(time_constant: float, noise: float, refractory: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rates and the drives that lead to them; rate 0 has a drive so low that threshold is never reached."""
    from scipy.special import erfcx

    drive = np.concatenate([np.linspace(1.0 - 8.0 * noise, 1.0, 200), 1.0 + np.geomspace(1e-3, 100.0, 600)])
    upper, lower = (1.0 - drive) / (noise * sqrt(2.0)), -drive / (noise * sqrt(2.0))
    grid = np.linspace(0.0, 1.0, 2001)
    points = lower[:, np.newaxis] + (upper - lower)[:, np.newaxis] * grid
    with np.errstate(over="ignore"):
        inside = np.trapezoid(erfcx(-points), grid, axis=1) * (upper - lower)
    rate = 1.0 / (refractory + time_constant * sqrt(np.pi) * inside)
    return np.concatenate([[0.0], rate]), np.concatenate([[drive[0]], drive])


@njit(cache=True)
def _interpolated(values, x, y):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return what `numpy.interp` returns, the interval being searched for from where one of equal intervals begins."""
    found, slopes = np.empty_like(values), (y[1:] - y[:-1]) / (x[1:] - x[:-1])
    per_unit = _GUESSES / (x[-1] - x[0])
    guesses = np.searchsorted(x[1:-1], x[0] + np.arange(_GUESSES + 1) / per_unit, side="right")
    for row in range(values.shape[0]):
        for step in range(values.shape[1]):
            value = min(max(values[row, step], x[0]), x[-1])
            k = guesses[int((value - x[0]) * per_unit)]
            while k > 0 and value < x[k]:
                k -= 1
            while k < slopes.size - 1 and value >= x[k + 1]:
                k += 1
            found[row, step] = y[k] + slopes[k] * (value - x[k])
    return found


@njit(cache=True)
def _integrate(drive, dt, n, time_constant, noise, refractory, rng, found):  # type: ignore[no-untyped-def] # pragma: no cover
    """Write the spike times of one neuron and return their number; it starts anywhere below drive and threshold."""
    step = dt / n
    keep = np.exp(-step / time_constant)
    spread = noise * np.sqrt(1.0 - keep * keep)
    voltage = rng.random() * min(max(drive[0], 0.0), 1.0)
    free_at, n_found = 0.0, 0
    for sample in range(drive.size):
        for part in range(n):
            end = sample * dt + (part + 1) * step
            if end <= free_at:
                continue
            length, kept, jitter = step, keep, spread
            if end - free_at < step:
                length = end - free_at
                kept = np.exp(-length / time_constant)
                jitter = noise * np.sqrt(1.0 - kept * kept)
            before = voltage
            voltage = drive[sample] + (voltage - drive[sample]) * kept + jitter * rng.standard_normal()
            crossed = voltage >= 1.0
            if not crossed:
                gap = 2.0 * (1.0 - before) * (1.0 - voltage) / (jitter * jitter)
                crossed = rng.random() < np.exp(-gap)
                where = 0.5
            else:
                where = (1.0 - before) / (voltage - before)
            if crossed and n_found < found.size:
                found[n_found] = end - (1.0 - where) * length
                n_found += 1
                free_at = found[n_found - 1] + refractory
                voltage = 0.0
    return n_found
