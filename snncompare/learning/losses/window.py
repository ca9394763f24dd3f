"""The part of a trial in which a loss is counted."""

from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor

from snncompare.errors import InputError
from snncompare.learning.losses.loss import Loss
from snncompare.units import seconds
from snncompare.values import check_fields

__all__ = ["Window", "Windowed"]

Window = tuple[str | None, str | None]

_WHOLE = 1e-6
"""Part of a step by which a time may miss the grid: rounding of decimals to floats."""


@dataclass(frozen=True, kw_only=True)
class Windowed(Loss):
    """A loss that may be counted in a part of the trial only.

    Parameters
    ----------
    window : (time or None, time or None), optional
        From and until when, since the start of the trial; None: the trial's start or end. Step k lies in it if its time
        ``k*dt`` does, the end not included.
    dt : float, optional
        Time step, seconds; `for_step` sets it.

    Raises
    ------
    InputError
        For a window that ends before it begins, or times that are negative.
    """

    window: Window | None = None
    dt: float | None = None

    def __post_init__(self) -> None:
        if self.window is not None and (isinstance(self.window, str) or len(self.window) != 2):
            raise InputError(f"window is a start and an end, for example ('2100 ms', None); got {self.window!r}.")
        check_fields(self)
        if self.window is None:
            return
        start, stop = self._times()
        if start < 0 or (stop is not None and stop <= start):
            raise InputError(f"window must begin at 0 s or later and end after it begins, got {self.window!r}.")

    def _times(self) -> tuple[float, float | None]:
        start, stop = self.window or (None, None)
        return (
            0.0 if start is None else seconds(start, "window"),
            None if stop is None else seconds(stop, "window"),
        )

    def for_step(self, dt: float) -> Self:
        """Return this loss for a time step in seconds."""
        return replace(self, dt=dt)

    def steps(self, n_steps: int) -> range:
        """Return the steps that the loss counts.

        Raises
        ------
        InputError
            If the window holds no step of a trial of `n_steps`, or the time step is not known yet.
        """
        if self.window is None:
            return range(n_steps)
        if self.dt is None:
            raise InputError("a loss with a window needs the time step first: loss.for_step(dt).")
        start, stop = (None if time is None else -int(-(time / self.dt - _WHOLE) // 1) for time in self._times())
        counted = range(max(0, start or 0), n_steps if stop is None else min(n_steps, stop))
        if not counted:
            raise InputError(
                f"the window {self.window!r} of the loss holds no step of a trial of {n_steps * self.dt:g} s in steps "
                f"of {self.dt:g} s."
            )
        return counted

    def inside(self, values: Tensor) -> Tensor:
        """Return the counted steps of values (step, batch, neuron)."""
        if self.window is None:
            return values
        counted = self.steps(values.shape[0])
        return values[counted.start : counted.stop]
