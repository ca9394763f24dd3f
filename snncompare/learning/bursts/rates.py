"""What a population did in a stretch of a simulation: event rate, burst rate, burst probability."""

import numpy as np
import pandas as pd

from snncompare.errors import InputError
from snncompare.recording.bursts import BURST, EVENT, spike_kinds
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = ["RATES", "population_rates", "ratio"]

RATES = ("event_rate", "burst_rate", "burst_probability")


def population_rates(recording: Recording, settle: QuantityLike = "0 s") -> pd.DataFrame:
    """Return event rate, burst rate (hertz per neuron) and burst probability of each population of one trial.

    Parameters
    ----------
    recording : Recording
        Of a model: units with the column ``population``.
    settle : time
        Beginning that is not counted; events and bursts are told apart with it.

    Raises
    ------
    InputError
        If nothing is left to count in.
    """
    window = recording.trials[["start", "stop"]].to_numpy(dtype=np.float64)
    first, length = window[:, :1] + seconds(settle, "settle"), float((window[:, 1] - window[:, 0]).sum())
    counted = length - len(window) * seconds(settle)
    if counted <= 0:
        raise InputError(f"the recording lasts {length:g} s; nothing is left after '{settle}'.")
    trial, unit = recording.spike_index()
    late, kinds = recording.times >= first[trial, 0], spike_kinds(recording)
    population = recording.units["population"].to_numpy()
    rows = {}
    for name in dict.fromkeys(population):
        own = late & (population[unit] == name)
        scale = counted * (population == name).sum()
        events, bursts = ((own & (kinds == kind)).sum() for kind in (EVENT, BURST))
        rows[name] = (events / scale, bursts / scale, ratio(bursts, events))
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(RATES))


def ratio(above: float, below: float) -> float:
    """Return a quotient, NaN where nothing is below."""
    return float(above / below) if below > 0 else float("nan")
