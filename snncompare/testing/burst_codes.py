"""Spike trains whose events and bursts carry a stimulus on purpose: the ground truth of burst analyses."""

from typing import Literal

import numpy as np
import pandas as pd

from snncompare.recording.arguments import one_of, whole_number
from snncompare.recording.recording import Recording

__all__ = ["CODES", "burst_code"]

CODES = ("events", "bursts", "both", "rate")
"""What carries the stimulus: event rate (constant burst probability), burst probability (constant event rate), both
independently of each other, or the rate of Poisson trains without bursts."""


def burst_code(
    code: Literal["events", "bursts", "both", "rate"],
    *,
    n_conditions: int = 8,
    n_trials: int = 20,
    n_units: int = 30,
    duration: float = 0.5,
    rate: float = 12.0,
    depth: float = 0.6,
    probability: float = 0.3,
    gain: float = 0.0,
    transient: float = 0.0,
    recovery: float = 0.0,
    seed: int = 0,
) -> Recording:
    r"""Return trials of units whose events are Poisson and become bursts by chance.

    Events of unit u at condition c come at :math:`r (1 + d \cos(\phi_c - \phi_u))`, and are followed, with probability
    :math:`p (1 + d \cos(\phi_c - \psi_u))`, by a second spike after 2 to 12 ms (uniformly). The code says which of the
    two cosines is there; preferred angles of both are drawn independently. In ``"rate"`` there are no second spikes,
    and the rate is that of ``"events"`` with all spikes: short intervals come about by chance only.

    Parameters
    ----------
    code : {"events", "bursts", "both", "rate"}
    n_conditions, n_trials, n_units : int
        Trials of each condition.
    duration : float
        Seconds.
    rate, depth, probability : float
        :math:`r` (Hz), :math:`d` (0 to 1) and :math:`p`.
    gain : float
        Coefficient of variation of a factor of the rate of each train (gamma): rates that vary from trial to trial.
    transient : float
        Factor by which the rate of the first fifth of the window exceeds that of the rest.
    recovery : float
        Probability that a spike is lost that follows another within 10 ms: neurons that recover slowly from a spike.
    seed : int

    Returns
    -------
    Recording
        The column ``condition`` of the trials counts from 0.

    Raises
    ------
    InputError
        For an unknown code or a number that is no whole number.
    """
    one_of("burst code", code, CODES)
    for name, value in {"n_conditions": n_conditions, "n_trials": n_trials, "n_units": n_units}.items():
        whole_number(name, value, 1)
    rng = np.random.default_rng(whole_number("seed", seed, 0))
    condition = np.tile(np.arange(n_conditions), n_trials)
    angle = 2 * np.pi * condition[:, None] / n_conditions
    shape = (condition.size, n_units)
    tuning = [1 + depth * np.cos(angle - rng.uniform(0, 2 * np.pi, n_units)) for _ in range(2)]
    events = np.full(shape, rate) * (tuning[0] if code != "bursts" else 1)
    bursting = np.full(shape, probability) * (tuning[1] if code in {"bursts", "both"} else 1)
    if code == "rate":
        events, bursting = events * (1 + probability), np.zeros(shape)
    if gain > 0:
        events = events * rng.gamma(gain**-2, gain**2, shape)
    number = rng.poisson(events * duration * (1 + transient / 5))
    train = np.repeat(np.arange(number.size), number.ravel())
    early = rng.random(train.size) < (1 + transient) / (5 + transient)
    times = duration * np.where(early, rng.random(train.size) / 5, 0.2 + 0.8 * rng.random(train.size))
    second = rng.random(train.size) < bursting.ravel()[train]
    times = np.concatenate([times, times[second] + rng.uniform(2e-3, 12e-3, second.sum())])
    train = np.concatenate([train, train[second]])
    order = np.lexsort((times, train))
    times, train = times[order], train[order]
    soon = np.concatenate([[False], (train[1:] == train[:-1]) & (times[1:] - times[:-1] < 10e-3)])
    inside = (times <= duration) & ~(soon & (rng.random(times.size) < recovery))
    return Recording.from_arrays(
        times=times[inside],
        unit=train[inside] % n_units,
        trial=train[inside] // n_units,
        units=pd.DataFrame(index=pd.RangeIndex(n_units)),
        trials=pd.DataFrame({"start": 0.0, "stop": duration, "condition": condition}),
        provenance={"ground_truth": {"code": code, "seed": int(seed)}},
    )
