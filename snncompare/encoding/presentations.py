"""Numbers and labels of presentations: what they must satisfy before stimuli are encoded."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from snncompare.errors import InputError

__all__ = ["checked_presentations", "trial_table"]


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
