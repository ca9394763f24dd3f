"""Synthetic populations whose code is known, so that every measure can be tried where the truth is."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.recording.recording import Recording

__all__ = ["latency_code", "rate_code"]

WINDOW = 0.5
"""Seconds of every trial."""


def rate_code(
    *, conditions: int = 10, repeats: int = 8, units: int = 12, tuning: int = 0, noise: int = 0, rate: float = 30.0
) -> Recording:
    """Return Poisson neurons whose rates tell the condition; when a spike falls says nothing.

    Parameters
    ----------
    conditions, repeats, units : int
    tuning : int
        Seed of who prefers what: the same seed is the same population.
    noise : int
        Seed of the spikes: another measurement of the same population.
    rate : float
        Mean rate, hertz.
    """
    rates = rate * np.random.default_rng([tuning, 0]).gamma(2.0, 0.5, size=(conditions, units))
    rng = np.random.default_rng([tuning, noise, 1])
    counts = rng.poisson(rates[:, None, :] * WINDOW, size=(conditions, repeats, units))
    return _recording(counts, rng.uniform(0, WINDOW, counts.sum()))


def latency_code(
    *, conditions: int = 10, repeats: int = 8, units: int = 12, tuning: int = 0, noise: int = 0, jitter: float = 2e-3
) -> Recording:
    """Return neurons that fire once a trial, at a time that tells the condition; how often says nothing.

    Parameters
    ----------
    conditions, repeats, units, tuning, noise
        As in `rate_code`.
    jitter : float
        Standard deviation of the time over repeats, seconds.
    """
    latency = np.random.default_rng([tuning, 2]).uniform(0.05, WINDOW - 0.05, size=(conditions, units))
    rng = np.random.default_rng([tuning, noise, 3])
    counts = np.ones((conditions, repeats, units), dtype=np.int64)
    jittered = latency[:, None, :] + rng.normal(0, jitter, counts.shape)
    return _recording(counts, jittered.ravel())


def _recording(counts: NDArray[np.int64], times: NDArray[np.float64]) -> Recording:
    conditions, repeats, units = counts.shape
    trials = pd.DataFrame(
        {"condition": np.repeat(np.arange(conditions), repeats), "start": 0.0, "stop": WINDOW},
        index=range(conditions * repeats),
    )
    trial, unit = (index.ravel() for index in np.indices((conditions * repeats, units)))
    return Recording.from_arrays(
        times=times,
        unit=np.repeat(unit, counts.ravel()),
        trial=np.repeat(trial, counts.ravel()),
        units=pd.DataFrame(index=range(units)),
        trials=trials,
    )
