"""Send-on-delta: a spike whenever a signal has moved by one step, up or down."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import ArrayLike, NDArray

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.parameters import keep_times
from snncompare.encoding.stimuli import Signal
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["LevelCrossing"]

_MOST_SPIKES = 10_000_000
"""Per channel; more means that the step is in another unit than the signal."""


@dataclass(frozen=True, kw_only=True)
class LevelCrossing(Encoder):
    r"""Asynchronous delta modulation: each channel has one unit for up (``on``) and one for down (``off``).

    A reference :math:`q` starts at the first sample. Where the signal, a straight line between samples, reaches
    :math:`q + \delta`, ``on`` fires and :math:`q \to q + \delta`; where it reaches :math:`q - \delta`, ``off`` fires
    and :math:`q \to q - \delta`. Without a refractory period, the first sample and the spikes give the signal back with
    an error of at most one step at every time, see `reconstruction`. There is no noise.

    Parameters
    ----------
    step : float or tuple of float
        :math:`\delta` in the unit of the signal: one for all channels, or one per channel.
    refractory_period : time
        After a spike, its channel is silent for so long; a crossing meanwhile waits, and is dropped if the signal comes
        back.

    Raises
    ------
    InputError
        For steps that are not positive, and times below zero.

    References
    ----------
    Miskowicz (2006) Sensors 6:49-63 (send-on-delta); Mark & Todd (1981) IEEE Trans Commun 29:24-32 (asynchronous
    sampling); Corradi & Indiveri (2015) IEEE Trans Biomed Circuits Syst 9:699-709 (delta modulator of biosignals).
    """

    takes: ClassVar[type] = Signal

    step: float | tuple[float, ...]
    refractory_period: QuantityLike = "0 ms"

    def __post_init__(self) -> None:
        keep_times(self, "refractory_period", zero=True)
        steps = np.atleast_1d(np.asarray(self.step))
        if steps.dtype.kind not in "iuf" or steps.ndim != 1 or not (np.isfinite(steps) & (steps > 0)).all():
            raise InputError(f"step must be positive, one number or one per channel, got {self.step!r}.")
        if not np.isscalar(self.step):
            object.__setattr__(self, "step", tuple(float(step) for step in steps))

    def units(self, stimulus: Signal) -> pd.DataFrame:
        """Return two units per channel: ``channel``, ``polarity`` (``on``, ``off``) and ``step``."""
        rows = [
            (channel, polarity, step)
            for channel, step in zip(stimulus.channels, self._steps(stimulus).tolist(), strict=True)
            for polarity in ("on", "off")
        ]
        names = [f"{channel} {polarity}" for channel, polarity, _ in rows]
        return pd.DataFrame(rows, columns=["channel", "polarity", "step"], index=names)

    def _check(self, stimulus: Signal) -> None:
        """Refuse what is no signal with these channels, and steps that are far below its movements."""
        moved = np.abs(np.diff(stimulus.values, axis=1)).sum(axis=1) / self._steps(stimulus)
        if moved.max() > _MOST_SPIKES:
            name = stimulus.channels[int(moved.argmax())]
            raise InputError(f"channel '{name}' moves by {moved.max():.2g} steps; take a larger step.")

    def fire(self, stimulus: Signal, randomness: np.random.SeedSequence) -> Spikes:  # noqa: ARG002 (nothing is random)
        """Return the spikes, channel after channel, first up, then down.

        Raises
        ------
        InputError
            For steps that are not one per channel, or too small.
        """
        self.check(stimulus)
        dt = 1.0 / stimulus.sampling_rate
        trains = []
        for values, step in zip(stimulus.values, self._steps(stimulus), strict=True):
            room = int(np.abs(np.diff(values)).sum() / step) + 2
            times, signs = np.empty(room), np.empty(room, dtype=np.int8)
            n = _crossings(values, step, dt, self.refractory_period.value, times, signs)
            trains += [times[:n][signs[:n] > 0], times[:n][signs[:n] < 0]]
        return Spikes(np.concatenate(trains), np.array([train.size for train in trains], dtype=np.int64))

    def reconstruction(self, stimulus: Signal, spikes: Spikes, times: ArrayLike) -> NDArray[np.float64]:
        """Return the reference of each channel over time, which the spikes and the first samples alone determine.

        Parameters
        ----------
        stimulus : Signal
            Only its first sample is looked at.
        spikes : Spikes
            Of this stimulus.
        times : array, shape (n_times,)
            Seconds.

        Returns
        -------
        array, shape (n_channels, n_times)
        """
        trains = np.split(spikes.times, np.cumsum(spikes.counts)[:-1])
        fired = np.stack([np.searchsorted(train, np.asarray(times), side="right") for train in trains])
        return stimulus.values[:, :1] + self._steps(stimulus)[:, np.newaxis] * (fired[::2] - fired[1::2])

    def _steps(self, stimulus: Signal) -> NDArray[np.float64]:
        steps = np.atleast_1d(np.asarray(self.step, dtype=np.float64))
        if steps.size not in (1, len(stimulus.values)):
            raise InputError(
                f"there are {steps.size} steps for {len(stimulus.values)} channels; give one, or one each."
            )
        return np.broadcast_to(steps, len(stimulus.values)).copy()


@njit(cache=True)
def _crossings(values, step, dt, refractory, times, signs):  # type: ignore[no-untyped-def] # pragma: no cover
    n, level, free = 0, values[0], 0.0
    for k in range(values.size - 1):
        start, end = values[k], values[k + 1]
        while True:
            if end >= level + step:
                sign = 1
            elif end <= level - step:
                sign = -1
            else:
                break
            target = level + sign * step
            share = 0.0 if (start - target) * sign >= 0.0 else (target - start) / (end - start)
            at = max((k + share) * dt, free)
            if at > (k + 1) * dt:
                break
            times[n] = at
            signs[n] = sign
            n += 1
            level = target
            free = at + refractory
    return n
