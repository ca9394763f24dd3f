"""What distinguishes one spike train from another: rate and interspike intervals."""

import numpy as np
import pandas as pd

from snncompare.recording.recording import Recording

__all__ = ["interval_statistics"]

_FEWEST_SPIKES = 3
"""Two intervals are the fewest that vary."""


def interval_statistics(recording: Recording) -> pd.DataFrame:
    r"""Return rate and interspike-interval statistics of every train.

    Returns
    -------
    pandas.DataFrame
        One row per train, index (trial, unit), with the columns ``rate`` (Hz), ``shortest``, ``median`` (seconds,
        interspike intervals), ``cv``, the coefficient of variation :math:`s / \bar x` of the intervals :math:`x_i`, and
        ``cv2``, the mean of :math:`2 |x_{i+1} - x_i| / (x_{i+1} + x_i)`, which ignores slow changes of rate (Holt,
        Softky, Koch & Douglas 1996, J Neurophysiol 75:1806). Trains of fewer than three spikes have NaN for intervals.
    """
    durations = (recording.trials["stop"] - recording.trials["start"]).to_numpy()
    rows = []
    for k in range(recording.n_trials * recording.n_units):
        train = recording.times[recording.offsets[k] : recording.offsets[k + 1]]
        row = {"rate": train.size / durations[k // recording.n_units]}
        if train.size >= _FEWEST_SPIKES:
            x = np.diff(train)
            row |= {"shortest": x.min(), "median": np.median(x), "cv": x.std() / x.mean()}
            row |= {"cv2": np.mean(2 * np.abs(np.diff(x)) / (x[1:] + x[:-1]))}
        rows.append(row)
    index = pd.MultiIndex.from_product([recording.trials.index, recording.units.index], names=["trial", "unit"])
    return pd.DataFrame(rows, index=index, columns=["rate", "shortest", "median", "cv", "cv2"])
