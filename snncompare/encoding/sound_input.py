"""What sounds and their labels must satisfy before they are encoded."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from snncompare.errors import InputError

__all__ = ["checked_envelopes", "checked_presentations", "trial_table"]


def checked_envelopes(envelopes: ArrayLike) -> NDArray[np.float64]:
    """Return envelopes as float64, shape (n_trials, n_samples).

    Raises
    ------
    InputError
        If they are not two-dimensional numbers, are empty, or hold a value that is negative or not finite.
    """
    array = np.asarray(envelopes)
    if array.ndim != 2 or array.dtype.kind not in "iuf":
        raise InputError(
            f"envelopes must be numbers of shape (n_trials, n_samples), got {array.dtype} of shape {array.shape}; "
            "for one sound give envelope[np.newaxis]."
        )
    if array.size == 0:
        raise InputError(f"envelopes are empty, shape {array.shape}; give at least one trial of one sample.")
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        trial, sample = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"{int(bad.sum())} envelope values are negative or not finite, the first is {array[trial, sample]} "
            f"in trial {trial} at sample {sample}; an amplitude is 0 or more."
        )
    return array.astype(np.float64)


def checked_presentations(presentations: ArrayLike | None, n_trials: int) -> NDArray[np.int64]:
    """Return the numbers of the presentations, shape (n_trials,); 0, 1, 2, ... where none are given.

    Raises
    ------
    InputError
        If they are not one whole number below 2**32 per trial.
    """
    numbers = np.arange(n_trials) if presentations is None else np.asarray(presentations)
    if (
        numbers.shape != (n_trials,)
        or numbers.dtype.kind not in "iu"
        or not 0 <= numbers.min() <= numbers.max() < 2**32
    ):
        raise InputError(
            f"presentations must be {n_trials} whole numbers from 0 to 2**32 - 1, one per trial; got {numbers.dtype} "
            f"of shape {numbers.shape}."
        )
    return numbers.astype(np.int64)


def trial_table(trials: pd.DataFrame | None, durations: Sequence[float]) -> pd.DataFrame:
    """Return the table of trials: the window from 0 to the duration of each (seconds), then the labels given.

    Raises
    ------
    InputError
        If there is not one row per trial, or the labels are called ``start`` or ``stop``.
    """
    labels = pd.DataFrame(index=range(len(durations))) if trials is None else trials
    if len(labels) != len(durations):
        raise InputError(f"the trials table has {len(labels)} rows for {len(durations)} stimuli; give one row each.")
    if {"start", "stop"} & set(labels.columns):
        raise InputError("the trials table has 'start' or 'stop'; the window is that of the stimuli, leave them out.")
    window = pd.DataFrame({"start": 0.0, "stop": np.asarray(durations, dtype=np.float64)}, index=labels.index)
    return pd.concat([window, labels], axis=1)
