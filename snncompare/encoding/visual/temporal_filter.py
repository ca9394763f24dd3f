"""Temporal filter of a ganglion cell: delay, low-pass cascade, high-pass stage, and its control by contrast."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from snncompare.encoding.parameters import check_between, check_positive, keep_times
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["ContrastGainControl", "TemporalFilter", "convolved"]

_NEGLIGIBLE = 1e-12
"""Part of a low-pass kernel that may come too late."""


@dataclass(frozen=True, kw_only=True)
class ContrastGainControl:
    r"""Contrast shortens the high-pass filter: responses become faster and their gain falls.

    .. math::

        T_S = \frac{T_0}{1 + (c / c_{1/2})^2}, \qquad \tau_c \dot c = |y| - c

    with :math:`y` the cell's own high-passed signal (feedback, Victor 1987) and :math:`T_0` the time constant of
    `TemporalFilter.high_pass_time`.

    Parameters
    ----------
    half_contrast : float
        :math:`c_{1/2}`, contrast that halves the time constant.
    averaging_time : time
        :math:`\tau_c`.

    References
    ----------
    Shapley & Victor (1978) J Physiol 285:275-298. Victor (1987) J Physiol 386:219-246 (feedback, cat).
    Benardete & Kaplan (1999) Vis Neurosci 16:355-368 (dependence on contrast, macaque M cells). The signal is the
    cell's own; that the animal collects it from subunits in the surround is not modelled.
    """

    half_contrast: float
    averaging_time: QuantityLike = "15 ms"

    def __post_init__(self) -> None:
        check_positive(self, "half_contrast")
        keep_times(self, "averaging_time")


@dataclass(frozen=True, kw_only=True)
class TemporalFilter:
    r"""From contrast to generator signal.

    .. math::

        H(\omega) = e^{-i \omega D} \left(1 - \frac{H_S}{1 + i \omega T_S}\right)
                    \left(\frac{1}{1 + i \omega T_L}\right)^{N_L}

    Parameters
    ----------
    delay : time
        :math:`D`.
    low_pass_delay : time
        :math:`N_L T_L`, of the whole retina, cones included.
    low_pass_stages : float
        :math:`N_L`.
    high_pass_strength : float
        :math:`H_S`, from 0 (sustained) to 1 (transient).
    high_pass_time : time
        :math:`T_S`; with a gain control its value at contrast zero, :math:`T_0`.
    gain_control : ContrastGainControl, optional
        None: linear.

    References
    ----------
    Victor (1987) J Physiol 386:219-246. Benardete & Kaplan (1997) Vis Neurosci 14:169-185, (1999) 16:355-368.
    """

    delay: QuantityLike
    low_pass_delay: QuantityLike
    low_pass_stages: float
    high_pass_strength: float
    high_pass_time: QuantityLike
    gain_control: ContrastGainControl | None = None

    def __post_init__(self) -> None:
        keep_times(self, "delay", zero=True)
        keep_times(self, "low_pass_delay", "high_pass_time")
        check_positive(self, "low_pass_stages")
        check_between(self, "high_pass_strength", 0.0, 1.0)
        if not isinstance(self.gain_control, ContrastGainControl | None):
            raise InputError(f"gain_control must be a ContrastGainControl or None, got {self.gain_control!r}.")

    def transfer(self, frequency: ArrayLike, high_pass_time: float | None = None) -> NDArray[np.complex128]:
        """Return the complex gain at the given temporal frequencies (Hz), by default for vanishing contrast."""
        iw = 2j * np.pi * np.asarray(frequency, dtype=float)
        slow = self.high_pass_time.value if high_pass_time is None else high_pass_time
        fast = self.low_pass_delay.value / self.low_pass_stages
        high = 1 - self.high_pass_strength / (1 + iw * slow)
        return np.exp(-iw * self.delay.value) * high * (1 + iw * fast) ** -self.low_pass_stages

    def low_pass(self, dt: float, cone_time: float, extra_delay: float = 0.0) -> NDArray[np.float64]:
        """Return the low-pass kernel in steps of ``dt``, of sum 1, without the part that cones have done.

        It is a gamma distribution with the mean and variance of the cascade less those of the cones (one stage of
        ``cone_time``), shifted by the delays, integrated over each step.

        Raises
        ------
        InputError
            If the cones alone are slower than the whole cell.
        """
        return _low_pass(self, dt, cone_time, extra_delay)

    def _kernel(self, dt: float, cone_time: float, extra_delay: float) -> NDArray[np.float64]:
        from scipy.stats import gamma

        total = self.low_pass_delay.value
        mean, variance = total - cone_time, total**2 / self.low_pass_stages - cone_time**2
        if min(mean, variance) <= 0.0:
            raise InputError(
                f"cones with a time constant of {1e3 * cone_time:g} ms are slower than the whole ganglion cell ("
                f"{1e3 * total:g} ms in {self.low_pass_stages:g} stages); make their time_constant smaller."
            )
        # The cones' contrast is that at the end of a step, so that a kernel of steps comes one step too early.
        shift = self.delay.value + extra_delay + dt
        edges = np.arange(ceil((shift + mean + 7 * sqrt(variance)) / dt) + 1) * dt
        held = gamma.cdf(edges, mean**2 / variance, loc=shift, scale=variance / mean)
        return np.diff(held) / held[-1]

    def high_pass(self, signal: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
        """Return low-passed signals, shape (n_cells, n_steps), after the high-pass stage and its gain control."""
        control = self.gain_control
        slow, out = self.high_pass_time.value, np.empty_like(signal)
        if control is None:
            _high_pass(signal, dt, self.high_pass_strength, slow, out)
        else:
            forget = -np.expm1(-dt / control.averaging_time.value)
            _controlled_high_pass(signal, dt, self.high_pass_strength, slow, control.half_contrast, forget, out)
        return out


def convolved(signals: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return signals, shape (n, n_steps), convolved with a kernel of steps; before the first step there is nothing."""
    first = int(np.searchsorted(np.cumsum(kernel), _NEGLIGIBLE))
    weights = np.zeros(-(-(kernel.size - first) // 4) * 4)
    weights[: kernel.size - first] = kernel[first:]
    out = np.zeros_like(signals)
    _convolve(signals, weights, first, out)
    return out


@lru_cache(maxsize=64)
def _low_pass(temporal_filter: TemporalFilter, dt: float, cone_time: float, extra_delay: float) -> NDArray[np.float64]:
    kernel = temporal_filter._kernel(dt, cone_time, extra_delay)
    kernel.setflags(write=False)
    return kernel


@njit(cache=True)
def _convolve(signals, kernel, first, out):  # type: ignore[no-untyped-def] # pragma: no cover
    """Add up signals that are ``first`` steps late and more, four delays at a time."""
    n_steps, longest = signals.shape[1], kernel.size - 1
    padded = np.zeros(longest + n_steps)
    for row in range(signals.shape[0]):
        padded[longest:] = signals[row]
        total = out[row, first:]
        for lag in range(0, kernel.size, 4):
            given = padded[longest - lag - 3 :]
            p, q, r, s = kernel[lag + 3], kernel[lag + 2], kernel[lag + 1], kernel[lag]
            for step in range(total.size):
                total[step] += p * given[step] + q * given[step + 1] + r * given[step + 2] + s * given[step + 3]


@njit(cache=True, error_model="numpy")
def _high_pass(signal, dt, strength, slow, out):  # type: ignore[no-untyped-def] # pragma: no cover
    """Run the high-pass stage exactly for signals that are linear between samples."""
    keep, lead = np.exp(-dt / slow), slow / dt
    for cell in range(signal.shape[0]):
        before, low = 0.0, 0.0
        for k in range(signal.shape[1]):
            now = signal[cell, k]
            lag = (now - before) * lead
            low = now - lag + (low - before + lag) * keep
            out[cell, k] = now - strength * low
            before = now


@njit(cache=True, error_model="numpy")
def _controlled_high_pass(signal, dt, strength, slow, half, forget, out):  # type: ignore[no-untyped-def] # pragma: no cover
    """Run the same with a time constant that follows the contrast."""
    for cell in range(signal.shape[0]):
        before, low, contrast = 0.0, 0.0, 0.0
        for k in range(signal.shape[1]):
            now = signal[cell, k]
            time_constant = slow / (1.0 + (contrast / half) ** 2)
            lag = (now - before) / dt * time_constant
            low = now - lag + (low - before + lag) * np.exp(-dt / time_constant)
            passed = now - strength * low
            contrast += (abs(passed) - contrast) * forget
            out[cell, k] = passed
            before = now
