"""Responses of units that were recorded in different sessions, brought together by condition."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from snncompare.comparison.labelled_arrays import aligned_rows
from snncompare.errors import InputError
from snncompare.recording.arguments import a_recording
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Label
from snncompare.representation.sessions import split_sessions

__all__ = ["condition_coordinate", "in_every_session"]


def in_every_session(
    recording: Recording, join: str | None, of: Callable[[Recording], list[xr.DataArray]]
) -> list[xr.DataArray]:
    """Return arrays of a recording, computed for the units of each session in the trials of that session.

    Parameters
    ----------
    recording : Recording
    join : str or None
        Column of the units table and of the trials table that names the session; None where all units share all trials.
    of : callable
        Recording to arrays with a dimension ``unit``, some also with ``condition``.

    Returns
    -------
    list of xarray.DataArray
        Units in the order of the recording, conditions in that of the first session.

    Raises
    ------
    InputError
        If sessions differ in their conditions (both sets are shown), or units have several sessions and ``join`` is
        None.
    """
    a_recording(recording)
    if join is None:
        if "session" in recording.units and recording.units["session"].nunique() > 1:
            raise InputError(
                "units of different sessions share no trials; bring them together by condition with join='session'."
            )
        return of(recording)
    parts = [of(part) for part in split_sessions(recording, join).values()]
    together = []
    for arrays in zip(*parts, strict=True):
        first = arrays[0]
        if "condition" in first.dims:
            aligned = [array.isel(condition=aligned_rows(array, first, "condition")) for array in arrays]
        else:
            aligned = list(arrays)
        joined = xr.concat(aligned, dim="unit", join="exact", combine_attrs="override")
        together.append(joined.sel(unit=recording.units.index.to_numpy()))
    return together


def condition_coordinate(labels: tuple[Label, ...]) -> np.ndarray:
    """Return labels as an array that keeps their types."""
    return np.array(labels, dtype=None if len({type(label) for label in labels}) == 1 else object)
