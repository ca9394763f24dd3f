r"""Bursts beyond what follows from the event rate: a residual for every train.

Short intervals come about by chance wherever the rate is high, and a mechanism that makes every event a burst with the
same probability fires more bursts wherever there are more events. Neither says anything about a stimulus that the event
rate does not say. What does is a hazard of the second spike that differs between conditions in another way.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.recording.bursts import BURST, EVENT, burst_interval, spike_kinds
from snncompare.recording.recording import Recording
from snncompare.representation.unit_dissimilarities import condition_means
from snncompare.units import QuantityLike

__all__ = ["BurstExcess", "burst_excess", "crossed_excess"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

BINS = 4
"""Bins per burst interval in which the event rate over time is kept: 4 ms for 16 ms."""

PRIOR = 0.5
"""Standard deviation, over units, of what multiplies the rate after an event; it matters where data say little."""

PAIRS = 10.0
"""Pairs of events of Poisson trains that the clustering of a unit is estimated with, besides its own."""


@dataclass(frozen=True, eq=False)
class BurstExcess:
    r"""Bursts of every train, and what the event rate explains of them.

    Attributes
    ----------
    bursts : array (n_trials, n_units)
        Bursts that were seen.
    chance : array (n_trials, n_units)
        Expected if what follows an event came at the rate of events: the sum of :math:`\pi_j` of `burst_excess`.
    exposure : array (n_trials, n_units)
        Seconds after events that chance leaves: the sum of :math:`(1 - \pi_j) |X_j|`.
    hazard : array (n_units,)
        Hz; :math:`g_u`, of a second spike beyond chance: the unit's propensity to burst.
    clustering : array (n_units,)
        Events in trials that have another one, over the number expected if all trials of a condition were alike; 1 for
        Poisson events, above 1 where the rate varies from trial to trial.
    excess : array (n_trials, n_units)
        ``bursts - chance - hazard * exposure``.
    """

    bursts: Array
    chance: Array
    exposure: Array
    hazard: Array
    clustering: Array
    excess: Array


def burst_excess(recording: Recording, condition: Integers, interval: QuantityLike = "16 ms") -> BurstExcess:
    r"""Return the bursts of every train that do not follow from the event rate.

    The event at :math:`t_j` is a burst if a second spike comes within :math:`X_j`, the time :math:`T` after it, or
    until the trial ends. Two things make second spikes for all stimuli alike: the rate of events of unit u,
    :math:`\lambda_{uc}(t)` in condition c, which makes one by chance with probability :math:`\pi_j`, and a propensity
    of the unit, :math:`g_u`, which makes one where chance does not:

    .. math::

        \mathrm{E}[B_{ui}] = \sum_j \pi_j + g_u \sum_j (1 - \pi_j) |X_j|, \qquad
        \pi_j = 1 - \exp\Big(-\kappa_u \int_{X_j} \lambda_{uc}(t) \, dt\Big)

    :math:`\lambda` is estimated from the *other* trials of the condition, in bins of a quarter of :math:`T`: events
    over time at risk (no spike in the last :math:`T`), to which half a bin is added, what an event takes from the risk
    of its own bin. :math:`\kappa_u` is the number of events that follow events of the same trial over that expected
    (both with 10 more, for units that fire little): it is above 1 if the rate varies from trial to trial, and then
    events are followed by more than :math:`\lambda`. :math:`g_u` makes the residuals of a unit add up to zero. They are
    zero on average in every condition if bursts are chance, or if every event becomes a burst with the same
    probability, or both; also with rates that vary over time and trials. Residuals of one condition share the error of
    :math:`\lambda`, so compare them across halves of the trials: `crossed_excess`.

    Parameters
    ----------
    recording : Recording
        With trials of one common window.
    condition : array (n_trials,)
        Condition of every trial, counted from 0, at least two trials each.
    interval : time
        :math:`T`.

    References
    ----------
    Aalen 1978, Ann. Stat. 6:701 (events over time at risk); Aalen 1989, Stat. Med. 8:907 (additive hazards).
    """
    longest, kinds = burst_interval(interval), spike_kinds(recording, interval)
    shape = (recording.n_trials, recording.n_units)
    start, stop = recording.trials[["start", "stop"]].to_numpy(dtype=np.float64)[0]
    n_bins = max(int(np.ceil((stop - start) / longest * BINS)), 1)
    times, train = recording.times - start, np.repeat(np.arange(shape[0] * shape[1]), np.diff(recording.offsets))
    until = np.minimum(times + longest, stop - start)
    until[:-1] = np.where(train[1:] == train[:-1], np.minimum(until[:-1], times[1:]), until[:-1])
    first = kinds == EVENT
    width, own = (stop - start) / n_bins, train[first]
    free, begun = _at_risk(times, until, first, train, shape, width, n_bins)
    rate = _rate_of_others(free, begun, condition, width)
    end = np.minimum(times[first] + longest, stop - start)
    met = _integrals(rate, times[first], end, own, width)
    to_come = _integrals(rate * free / width, until[first], np.full(own.size, stop - start), own, width)

    def per_train(of: Integers, values: Array | None = None) -> Array:
        return np.bincount(of, values, shape[0] * shape[1]).reshape(shape).astype(np.float64)

    number, bursts = per_train(own), per_train(train[kinds == BURST])
    pairs = (number * (number - 1) / 2).sum(axis=0)
    clustering = (pairs + PAIRS) / (per_train(own, to_come).sum(axis=0) + PAIRS)
    none = np.exp(-clustering[own % shape[1]] * met)
    chance, lasted = per_train(own, 1 - none), per_train(own, none * (end - times[first]))
    hazard = _ratio((bursts - chance).sum(axis=0), lasted.sum(axis=0), 0.0)
    return BurstExcess(bursts, chance, lasted, hazard, clustering, bursts - chance - hazard * lasted)


def crossed_excess(
    recording: Recording, condition: Integers, chosen: NDArray[np.bool_], interval: QuantityLike = "16 ms"
) -> tuple[Array, Array]:
    r"""Return the mean bursts of conditions that do not follow from the event rate, in two halves of the trials.

    .. math:: z_{uc} = \bar B_{uc} - \alpha_u \bar C_{uc} - g_u \bar X_{uc}

    with chance :math:`C` and exposure :math:`X` of `burst_excess`. Two constants of the unit are free: the propensity
    :math:`g_u`, and :math:`\alpha_u`, which multiplies the rate after an event (below 1: the neuron recovers slowly
    from a spike, above 1: bursts come in proportion to the rate). Both are fitted in each half, with the chance and
    exposure of the *other* half as instruments, because regression on what is itself noisy would find :math:`\alpha_u`
    too small. :math:`\alpha_u` is drawn towards 1, as a Gaussian prior of standard deviation 0.5 does.

    What is left differs between conditions only if bursts do by more than any such neuron's would. It errs on the safe
    side: a burst code that runs in parallel with the unit's event rate is counted as following from the rate.

    Parameters
    ----------
    recording, condition, interval
        As in `burst_excess`; four trials of each condition at least.
    chosen : boolean array (n_trials,)
        The first half.

    Returns
    -------
    two arrays (n_conditions, n_units)
        Of the first half, and of the rest.
    """
    halves = []
    for mask in (chosen, ~chosen):
        found, own = burst_excess(recording.select(trials=mask, traces=[]), condition[mask], interval), condition[mask]
        halves.append([condition_means(values, own) for values in (found.bursts, found.chance, found.exposure)])
    number = np.bincount(condition).mean() / 2
    return _left(halves[0], halves[1], number), _left(halves[1], halves[0], number)


def _left(half: list[Array], other_half: list[Array], number: float) -> Array:
    """Return what chance and exposure leave of the bursts, with those of the other half as instruments."""
    bursts, chance, exposure = half
    _, chance_, exposure_ = other_half

    def without(values: Array, by: Array, instrument: Array) -> Array:
        slope = _ratio((instrument * values).sum(axis=0), (instrument * by).sum(axis=0), 0.0)
        return np.asarray(values - by * slope)

    rest, own = without(bursts - chance, exposure, exposure_), without(chance, exposure, exposure_)
    other = without(chance_, exposure_, exposure)
    noise = bursts.mean(axis=0) / number / PRIOR**2
    weight = _ratio((other * rest).sum(axis=0), np.maximum((other * own).sum(axis=0), 0.0) + noise, 0.0)
    return np.asarray(rest - weight * own)


def _at_risk(
    times: Array,
    until: Array,
    first: NDArray[np.bool_],
    train: Integers,
    shape: tuple[int, int],
    width: float,
    n_bins: int,
) -> tuple[Array, Array]:
    """Return seconds at risk of an event, and events, in the bins of every train: (n_trials, n_units, n_bins) each."""
    size = shape[0] * shape[1] * n_bins
    home = np.minimum((times / width).astype(np.int64), n_bins - 1)
    busy = np.zeros(size)
    for step in range(BINS + 2):
        bins = home + step
        inside = np.minimum(until, (bins + 1) * width) - np.maximum(times, bins * width)
        of = (inside > 0) & (bins < n_bins)
        busy += np.bincount(train[of] * n_bins + bins[of], inside[of], size)
    begun = np.bincount(train[first] * n_bins + home[first], minlength=size).astype(np.float64)
    return (width - busy).clip(0).reshape(*shape, n_bins), begun.reshape(*shape, n_bins)


def _rate_of_others(free: Array, begun: Array, condition: Integers, width: float) -> Array:
    """Return the rate of events (Hz) over time in the other trials of the condition, for every train."""
    rate = np.empty_like(free)
    for c in np.unique(condition):
        rows = np.flatnonzero(condition == c)
        number = begun[rows].sum(axis=0) - begun[rows]
        rate[rows] = number / (free[rows].sum(axis=0) - free[rows] + width / 2)
    return rate


def _integrals(rate: Array, begin: Array, end: Array, train: Integers, width: float) -> Array:
    """Return the integral of the rate of each event's train from begin to end, array (n_events,)."""
    n_bins = rate.shape[2]
    summed = np.zeros((rate.shape[0] * rate.shape[1], n_bins + 1))
    np.cumsum(rate.reshape(-1, n_bins) * width, axis=1, out=summed[:, 1:])

    def at(time: Array) -> Array:
        k = np.minimum((time / width).astype(np.int64), n_bins - 1)
        part = time / width - k
        return np.asarray(summed[train, k] * (1 - part) + summed[train, k + 1] * part)

    return at(end) - at(begin)


def _ratio(above: Array, below: Array, otherwise: float) -> Array:
    a, b = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.divide(a, b, out=np.full(a.shape, otherwise), where=b > 1e-12)
