"""The pieces of a recording, as the readers of files hand them over."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.recording.marks import Marks

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Parts", "ragged", "trains_of_rows"]


class Parts(TypedDict):
    """Arguments of `Recording`: see there for shapes and units."""

    times: NDArray[np.float64]
    offsets: NDArray[np.int64]
    units: pd.DataFrame
    trials: pd.DataFrame
    marks: dict[str, Marks]
    provenance: dict[str, Any]
    traces: NotRequired["dict[str, xr.DataArray]"]


def ragged(trains: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the trains end to end, shape (n_spikes,), and their offsets, shape (n_trains + 1,)."""
    offsets = np.zeros(len(trains) + 1, dtype=np.int64)
    np.cumsum([train.size for train in trains], out=offsets[1:])
    times = np.concatenate(trains) if trains else np.zeros(0)
    return times.astype(np.float64, copy=False), offsets


def trains_of_rows(
    times: NDArray[np.float64], train: NDArray[np.int64], n_trains: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return spike times sorted by train, then time, shape (n_spikes,), and the offsets, shape (n_trains + 1,).

    Parameters
    ----------
    times : array of shape (n_spikes,)
    train : array of shape (n_spikes,)
        Number of the train of each spike.
    n_trains : int
    """
    offsets = np.zeros(n_trains + 1, dtype=np.int64)
    np.cumsum(np.bincount(train, minlength=n_trains), out=offsets[1:])
    return times[np.lexsort((times, train))], offsets
