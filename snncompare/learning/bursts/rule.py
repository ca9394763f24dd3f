"""The burst-dependent rule on prescribed spike trains, from spike to spike: exact, without a simulator."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.units import QuantityLike, hertz, seconds

__all__ = ["BurstRule", "WeightCourse"]

_AT_ONCE = 1e-9
"""Seconds; spikes closer than that are at once, and rounding may lengthen the burst interval by so much."""


@dataclass(frozen=True, eq=False)
class WeightCourse:
    """A weight over time.

    Attributes
    ----------
    time : array, shape (n_changes,)
        Events and bursts of the postsynaptic neuron, seconds.
    weight : array, shape (n_changes,)
        After each of them.
    begin : float
    """

    time: NDArray[np.float64]
    weight: NDArray[np.float64]
    begin: float

    @property
    def change(self) -> float:
        """What the whole protocol has changed."""
        return float(self.weight[-1] - self.begin) if self.weight.size else 0.0


@dataclass(frozen=True, kw_only=True)
class BurstRule:
    r"""Burst-dependent plasticity of one synapse (Payeur et al. 2021, eq. 1).

    .. math::
        \frac{dw}{dt} = \eta\, [B(t) - \bar P(t) E(t)]\, \tilde E(t), \qquad
        \bar P = \min(1, \bar B/\bar E), \qquad 0 \le w \le w_{max}

    :math:`E, B` events and bursts of the postsynaptic neuron, :math:`\tilde E` the trace of presynaptic events
    (time constant :math:`\tau_{pre}`, +1 at an event), :math:`\bar E, \bar B` running averages
    (:math:`\tau_{avg}`), read before the event is counted; :math:`\bar P = 1` where :math:`\bar E = 0`. Of spikes at
    once the presynaptic one comes first. `snncompare.network.synapses.bursts.burst_dependent` is the same rule as a
    synapse of a network.

    Parameters
    ----------
    rate : float
        :math:`\eta`, change of the weight by one burst with :math:`\tilde E = 1`.
    tau_pre, tau_average : time
    event_rate, burst_rate : frequency
        :math:`\bar E/\tau_{avg}` and :math:`\bar B/\tau_{avg}` at the beginning.
    interval : time
        Longest interval within a burst.
    weight : float
        At the beginning.
    bounds : (float, float)
        Smallest and largest weight; by default none, as in the pairing protocols of the paper's figure 2.
    adaptive : bool
        Without, :math:`\bar P` stays at its first value.

    Raises
    ------
    InputError
        For a negative rate, a time that is not above zero, or a weight outside its bounds.
    """

    rate: float = 0.1
    tau_pre: QuantityLike = "50 ms"
    tau_average: QuantityLike = "15 s"
    event_rate: QuantityLike = "0 Hz"
    burst_rate: QuantityLike = "0 Hz"
    interval: QuantityLike = "16 ms"
    weight: float = 0.0
    bounds: tuple[float, float] = (-np.inf, np.inf)
    adaptive: bool = True

    def __post_init__(self) -> None:
        for name in ("tau_pre", "tau_average", "interval"):
            if not 0 < seconds(getattr(self, name), name) < np.inf:
                raise InputError(f"{name} must be a time above zero, got '{getattr(self, name)}'.")
        for name in ("event_rate", "burst_rate"):
            if not 0 <= hertz(getattr(self, name), name) < np.inf:
                raise InputError(f"{name} must be a rate from 0 Hz on, got '{getattr(self, name)}'.")
        if not 0 <= self.rate < np.inf:
            raise InputError(f"rate must be a finite number from 0 on, got {self.rate!r}.")
        if not self.bounds[0] <= self.weight <= self.bounds[1]:
            raise InputError(f"the weight {self.weight:g} lies outside its bounds, {self.bounds}.")

    def course(self, pre: NDArray[np.float64], post: NDArray[np.float64]) -> WeightCourse:
        """Return what becomes of the weight.

        Parameters
        ----------
        pre, post : array, shape (n_spikes,)
            Spike times of the two neurons, seconds, ascending.

        Raises
        ------
        InputError
            For times that are not finite and ascending, or that begin before zero.
        """
        trains = [_checked(name, times) for name, times in (("pre", pre), ("post", post))]
        tau = seconds(self.tau_average)
        time, weight = _compiled()(
            *trains,
            self.rate,
            seconds(self.tau_pre),
            tau,
            hertz(self.event_rate) * tau,
            hertz(self.burst_rate) * tau,
            seconds(self.interval) + _AT_ONCE,
            self.weight,
            *map(float, self.bounds),
            self.adaptive,
        )
        return WeightCourse(time, weight, self.weight)


def _checked(name: str, times: NDArray[np.float64]) -> NDArray[np.float64]:
    array = np.asarray(times, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all() or (np.diff(array) <= 0).any() or (array < 0).any():
        raise InputError(f"spike times of '{name}' must be finite, ascending and not below 0 s, got {array!r:.60}.")
    return array


@cache
def _compiled() -> Any:
    from numba import njit

    return njit(cache=True)(_follow)


def _follow(
    pre: NDArray[np.float64],
    post: NDArray[np.float64],
    rate: float,
    tau_pre: float,
    tau_average: float,
    events: float,
    bursts: float,
    interval: float,
    weight: float,
    low: float,
    high: float,
    adaptive: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Go through the spikes of both trains in order of time."""
    time, course = np.empty(post.size), np.empty(post.size)
    trace, t_trace, t_average, last_pre, last_post = 0.0, 0.0, 0.0, -np.inf, -np.inf
    first = min(1.0, bursts / events) if events > 0 else 1.0
    unmarked, found, k = False, 0, 0
    for t in post:
        while k < pre.size and pre[k] <= t + _AT_ONCE:
            if pre[k] - last_pre > interval:
                trace = trace * np.exp(-(pre[k] - t_trace) / tau_pre) + 1.0
                t_trace = pre[k]
            last_pre = pre[k]
            k += 1
        decay = np.exp(-(t - t_average) / tau_average)
        events, bursts, t_average = events * decay, bursts * decay, t
        eligible = trace * np.exp(-max(t - t_trace, 0.0) / tau_pre)
        is_event = t - last_post > interval
        last_post = t
        if is_event:
            probability = (min(1.0, bursts / events) if events > 0 else 1.0) if adaptive else first
            weight -= rate * probability * eligible
            events += 1.0
        elif unmarked:
            weight += rate * eligible
            bursts += 1.0
        else:
            continue
        unmarked = is_event
        weight = min(max(weight, low), high)
        time[found], course[found] = t, weight
        found += 1
    return time[:found], course[:found]
