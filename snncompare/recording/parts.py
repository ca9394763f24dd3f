"""The pieces of a recording, as the readers of files hand them over."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.recording.marks import Marks

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Parts", "ragged"]


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
