r"""What happens to the spikes of a population of neurons on their way to the synapses: loss, a rate cap, jitter.

In this order, each event of neuron i fired in step k

1. is lost with probability p;
2. is dropped if its window (:math:`\lfloor k\,dt / T \rfloor`) already has as many events of the population as fit;
   within a step, neurons are served in the order of their numbers;
3. sets out :math:`L + \mathrm{round}(\sigma z / dt)` steps later, z standard normal, cut off at 0 and 2 L. Nothing acts
   before it happened, so all events get a constant latency of :math:`L = \lceil 3 \sigma / dt - 1/2 \rceil` steps,
   which is 0 where the jitter is lost in the time grid. Events of one neuron stay in order: where one would set out
   together with its predecessor or before it, it waits for the next step.

What is lost and dropped is counted, as the counters of a chip do.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.analog.frozen.counters import normal, uniform
from snncompare.backends.emulation import Arrivals

__all__ = ["EventCounts", "Link", "LinkRules"]

_DEVIATIONS = 3.0
"""Standard deviations of the jitter that the latency leaves room for."""


@dataclass(frozen=True)
class LinkRules:
    """What a population's spikes have to pass, in time steps.

    Attributes
    ----------
    loss : float
        Probability that an event is lost.
    most : int, optional
        Events of all neurons of the population that fit into a window; None: any number.
    window : float
        Steps of a window, at least 1.
    jitter : float
        Standard deviation, in steps.
    """

    loss: float = 0.0
    most: int | None = None
    window: float = 1.0
    jitter: float = 0.0

    @property
    def latency(self) -> int:
        """Steps that every event is late, so that jitter can make it earlier."""
        return max(0, int(np.ceil(_DEVIATIONS * self.jitter - 0.5)))

    @property
    def silent(self) -> bool:
        """Whether every event passes at once."""
        return self.loss == 0.0 and self.most is None and self.latency == 0


@dataclass(frozen=True)
class EventCounts:
    """What became of the events of a population, one number for each copy.

    Attributes
    ----------
    fired, lost, dropped : int64 array (copy,)
        Spikes fired; lost at random; dropped because the window was full.
    """

    fired: NDArray[np.int64]
    lost: NDArray[np.int64]
    dropped: NDArray[np.int64]


class Link:
    """The way of a population's spikes in one run.

    Parameters
    ----------
    rules : LinkRules
    key : tuple of str and int
        What the draws are for: the seed of the run and the population.
    device_seed, trial : int64 array (copy,)
        Of each copy, on which its draws depend.
    size : int
        Neurons.
    """

    def __init__(
        self,
        rules: LinkRules,
        key: tuple[str | int, ...],
        device_seed: NDArray[np.int64],
        trial: NDArray[np.int64],
        size: int,
    ) -> None:
        self.rules, self._key, self._device, self._trial = rules, key, device_seed, trial
        self._fired, self._lost, self._dropped = (np.zeros(device_seed.size, dtype=np.int64) for _ in range(3))
        self._window, self._passed = -1, np.zeros(device_seed.size, dtype=np.int64)
        self._last = np.full((device_seed.size, size), -1, dtype=np.int64)

    def send(self, step: int, fired: NDArray[np.bool_]) -> Arrivals:
        """Return which events of this step set out, and when, see `EmulatedRun.events`."""
        copy, neuron = np.nonzero(fired)
        if copy.size == 0:
            return []
        self._fired += np.bincount(copy, minlength=self._fired.size)
        copy, neuron = self._kept(step, copy, neuron)
        copy, neuron = self._passing(step, copy, neuron)
        if self.rules.latency == 0:
            return [(0, _raster(fired.shape, copy, neuron))]
        delay = self._delays(step, copy, neuron)
        return [
            (int(each), _raster(fired.shape, copy[delay == each], neuron[delay == each])) for each in np.unique(delay)
        ]

    def counts(self) -> EventCounts:
        """Return what became of the events so far."""
        return EventCounts(self._fired.copy(), self._lost.copy(), self._dropped.copy())

    def _draw(self, draw: Any, what: str, step: int, copy: NDArray[np.int64], neuron: NDArray[np.int64]) -> Any:
        return draw((what, *self._key), self._device[copy], self._trial[copy], step, neuron)

    def _kept(self, step: int, copy: NDArray[Any], neuron: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        if self.rules.loss == 0.0:
            return copy, neuron
        kept = self._draw(uniform, "event loss", step, copy, neuron) >= self.rules.loss
        self._lost += np.bincount(copy[~kept], minlength=self._lost.size)
        return copy[kept], neuron[kept]

    def _passing(self, step: int, copy: NDArray[Any], neuron: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        if self.rules.most is None:
            return copy, neuron
        window = int(np.floor(step / self.rules.window + 1e-9))
        if window != self._window:
            self._window = window
            self._passed[:] = 0
        begins = np.searchsorted(copy, np.arange(self._passed.size))  # events are sorted by copy, then neuron
        place = np.arange(copy.size) - begins[copy] + self._passed[copy]
        passes = place < self.rules.most
        self._passed += np.bincount(copy[passes], minlength=self._passed.size)
        self._dropped += np.bincount(copy[~passes], minlength=self._dropped.size)
        return copy[passes], neuron[passes]

    def _delays(self, step: int, copy: NDArray[Any], neuron: NDArray[Any]) -> NDArray[np.int64]:
        z = self._draw(normal, "jitter", step, copy, neuron)
        drawn = self.rules.latency + np.rint(self.rules.jitter * z)
        delay = np.clip(drawn, 0, 2 * self.rules.latency).astype(np.int64)
        delay = np.maximum(delay, self._last[copy, neuron] + 1 - step)
        self._last[copy, neuron] = step + delay
        return delay


def _raster(shape: tuple[int, ...], copy: NDArray[Any], neuron: NDArray[Any]) -> NDArray[np.bool_]:
    raster = np.zeros(shape, dtype=np.bool_)
    raster[copy, neuron] = True
    return raster
