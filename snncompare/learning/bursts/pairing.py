"""Pairing protocols: prescribed spike trains of two neurons that burst-dependent plasticity is tried on."""

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.units import QuantityLike, hertz, seconds

__all__ = ["Trains", "burst_poisson_pairing", "periodic_pairing", "poisson_pairing"]

Trains = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Spike times of the presynaptic and of the postsynaptic neuron, seconds, ascending."""


def periodic_pairing(
    frequency: QuantityLike,
    *,
    pairs: int = 5,
    sequences: int = 15,
    rest: QuantityLike = "11 s",
    onset: QuantityLike = "10 ms",
) -> Trains:
    """Return two neurons that fire together, some pairs at a frequency, again and again.

    Parameters
    ----------
    frequency : frequency
        Of the pairs in a sequence.
    pairs, sequences : int
    rest : time
        From one period after the last pair of a sequence to the next sequence. Payeur et al. (2021, figure 2a) have
        sequences 10 s apart; their code lets one second more go by.
    onset : time
        Of the first pair.

    Raises
    ------
    InputError
        For a frequency that is not above zero, a number below one, or a negative time.
    """
    rate = _rate("frequency", frequency, least=np.finfo(float).tiny)
    for name, number in (("pairs", pairs), ("sequences", sequences)):
        if number < 1:
            raise InputError(f"{name} must be at least 1, got {number}.")
    begin = _time("onset", onset) + np.arange(sequences) * (pairs / rate + _time("rest", rest))
    times = (begin[:, None] + np.arange(pairs) / rate).ravel()
    return times, times.copy()


def poisson_pairing(
    rate: QuantityLike, duration: QuantityLike, seed: int, *, refractory: QuantityLike = "2 ms"
) -> Trains:
    """Return two independent neurons that fire at random with the same rate.

    Parameters
    ----------
    rate : frequency
        Of the spikes, refractory time included.
    duration : time
    seed : int
    refractory : time
        Shortest interval between two spikes.

    Raises
    ------
    InputError
        For a negative rate or time, or a rate that the refractory time does not allow.
    """
    fired, pause, length = _rate("rate", rate), _time("refractory", refractory), _time("duration", duration)
    if fired * pause >= 1:
        raise InputError(f"a neuron that pauses for {refractory} cannot fire at {rate}.")
    rng = np.random.default_rng(seed)
    if fired == 0:
        return np.zeros(0), np.zeros(0)
    pre, post = (_renewal(rng, 1 / fired - pause, pause, length) for _ in range(2))
    return pre, post


def burst_poisson_pairing(
    event_rate: QuantityLike,
    burst_probability: float,
    duration: QuantityLike,
    seed: int,
    *,
    refractory: QuantityLike = "20 ms",
    shortest: QuantityLike = "2 ms",
    spread: QuantityLike = "10 ms",
) -> Trains:
    """Return two independent neurons with events at random, each of them a burst of two spikes with a probability.

    Parameters
    ----------
    event_rate : frequency
        Refractory time included, and the time that bursts take.
    burst_probability : float
    duration : time
    seed : int
    refractory : time
        After every spike, before an event.
    shortest, spread : time
        The second spike of a burst follows after `shortest` and a time drawn evenly from 0 to `spread`.

    Raises
    ------
    InputError
        For a negative rate or time, a probability outside 0 to 1, or a rate that the refractory time does not allow.
    """
    rate = _rate("event_rate", event_rate)
    if not 0 <= burst_probability <= 1:
        raise InputError(f"burst_probability is a number from 0 to 1, got {burst_probability!r}.")
    length, pause = _time("duration", duration), _time("refractory", refractory)
    low, more = _time("shortest", shortest), _time("spread", spread)
    if rate == 0:
        return np.zeros(0), np.zeros(0)
    mean = 1 / rate - pause - burst_probability * (low + more / 2)
    if mean <= 0:
        raise InputError(f"events that take at least {1e3 * (1 / rate - mean):g} ms cannot come at {event_rate}.")
    rng = np.random.default_rng(seed)
    pre, post = (_bursting(rng, rate, mean, burst_probability, length, (pause, low, more)) for _ in range(2))
    return pre, post


def _bursting(
    rng: np.random.Generator,
    rate: float,
    mean: float,
    probability: float,
    length: float,
    times: tuple[float, float, float],
) -> NDArray[np.float64]:
    pause, low, more = times
    most = int(2 * rate * length + 10 * np.sqrt(rate * length) + 10)
    is_burst = rng.random(most) < probability
    second = np.where(is_burst, low + more * rng.random(most), 0.0)
    gaps = pause + rng.exponential(mean, most)
    first = np.cumsum(gaps) + np.concatenate([[0.0], np.cumsum(second)[:-1]])
    spikes = np.sort(np.concatenate([first, (first + second)[is_burst]]))
    return spikes[spikes < length]


def _renewal(rng: np.random.Generator, mean: float, pause: float, length: float) -> NDArray[np.float64]:
    number = length / (mean + pause)
    spikes = np.cumsum(pause + rng.exponential(mean, int(2 * number + 10 * np.sqrt(number) + 10)))
    return spikes[spikes < length]


def _rate(name: str, given: QuantityLike, least: float = 0.0) -> float:
    rate = hertz(given, name)
    if not least <= rate < np.inf:
        raise InputError(
            f"{name} must be a rate {'above' if least else 'from'} 0 Hz{'' if least else ' on'}, got '{given}'."
        )
    return rate


def _time(name: str, given: QuantityLike) -> float:
    time = seconds(given, name)
    if not 0 <= time < np.inf:
        raise InputError(f"{name} must be a time from 0 s on, got '{given}'.")
    return time
