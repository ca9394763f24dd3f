"""Where the spikes of a dataset come from: a recording, a generator, or stimuli that an encoder turns into spikes."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare import provenance
from snncompare.encoding.encoder import Spikes
from snncompare.recording.recording import Recording

__all__ = ["RecordingSource", "SelectedSource", "SpikeSource"]


class SpikeSource(ABC):
    """Spike trains of named units in named trials, made when they are asked for.

    The spikes of a trial are the same whenever and wherever they are made, alone or with others.
    """

    recipe: Mapping[str, Any] | None = None
    """All that the spikes depend on, plain data; None where no recipe says it."""

    @property
    @abstractmethod
    def units(self) -> pd.DataFrame:
        """One row per unit, index = names."""

    @property
    @abstractmethod
    def trials(self) -> pd.DataFrame:
        """One row per trial, index = names; columns ``start``, ``stop`` (s) and labels. Known without encoding."""

    @property
    def labels(self) -> pd.DataFrame:
        """One row per trial, index = names, without windows where those cost more to find out than the labels."""
        return self.trials

    @abstractmethod
    def spikes(self, positions: NDArray[np.int64]) -> Spikes:
        """Return the spikes of the trials at these positions, in this order; counts of shape (n, n_units).

        Times are relative to the reference of the trial, as in a `Recording`: from ``start`` to ``stop``.
        """

    def stimulus(self, position: int) -> Any:  # noqa: ARG002 (those that keep stimuli answer)
        """Return what was presented in a trial, of `snncompare.encoding.stimuli`; None if nothing is kept."""
        return None

    def stimuli(self) -> xr.DataArray | None:
        """Return all stimuli as one array, first dimension ``trial`` (names); None where they do not make one."""
        return None

    def target(self, position: int) -> xr.DataArray | None:  # noqa: ARG002 (those that set a task answer)
        """Return what is to be answered over time, dimensions ``time`` (s) and perhaps ``output``, or None."""
        return None

    @property
    def provenance(self) -> dict[str, Any]:
        """How the spikes came about, plain data."""
        return {}

    def fingerprint(self) -> str:
        """Return a SHA-256 that differs where spikes differ: of the recipe, or of the spikes where there is none."""
        if self.recipe is not None:
            return provenance.fingerprint(self.recipe)
        recording = self.recording()
        digest = hashlib.sha256()
        for array in (recording.times, recording.offsets):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def build(
        self,
        positions: NDArray[np.int64] | None = None,  # noqa: ARG002 (those that encode answer)
        *,
        folder: str | Path | None = None,  # noqa: ARG002
        workers: int | None = 1,  # noqa: ARG002
        progress: bool = True,  # noqa: ARG002
    ) -> Path | None:
        """Encode and store the spikes of some trials; return the folder, or None where there is nothing to encode."""
        return None

    def recording(self, positions: NDArray[np.int64] | None = None) -> Recording:
        """Return the trials at these positions, all by default."""
        chosen = np.arange(len(self.trials)) if positions is None else positions
        times, counts = self.spikes(chosen)
        return Recording(
            times=times,
            offsets=np.concatenate([[0], np.cumsum(counts.ravel())]),
            units=self.units,
            trials=self.trials.iloc[chosen],
            provenance=self.provenance,
        )


class RecordingSource(SpikeSource):
    """The spikes of a recording."""

    def __init__(self, recording: Recording, stimulus: xr.DataArray | None = None) -> None:
        self._recording = recording
        self._stimulus = stimulus

    @property
    def units(self) -> pd.DataFrame:
        """Those of the recording."""
        return self._recording.units

    @property
    def trials(self) -> pd.DataFrame:
        """Those of the recording."""
        return self._recording.trials

    @property
    def provenance(self) -> dict[str, Any]:
        """That of the recording."""
        return dict(self._recording.provenance)

    def spikes(self, positions: NDArray[np.int64]) -> Spikes:
        """Return the spikes of some trials."""
        n_units, offsets = self._recording.n_units, self._recording.offsets
        first = offsets[positions * n_units]
        n_spikes = offsets[(positions + 1) * n_units] - first
        ends = np.cumsum(n_spikes)
        where = np.arange(ends[-1] if ends.size else 0) + np.repeat(first - (ends - n_spikes), n_spikes)
        counts = np.diff(offsets).reshape(-1, n_units)[positions]
        return Spikes(self._recording.times[where], counts)

    def stimulus(self, position: int) -> Any:
        """Return the entry of the stimulus array."""
        return None if self._stimulus is None else self._stimulus[position]

    def stimuli(self) -> xr.DataArray | None:
        """Return the stimulus array."""
        return self._stimulus

    def recording(self, positions: NDArray[np.int64] | None = None) -> Recording:
        """Return the recording itself, or some of its trials."""
        return self._recording if positions is None else super().recording(positions)


class SelectedSource(SpikeSource):
    """Some trials of another source."""

    def __init__(self, source: SpikeSource, positions: NDArray[np.int64]) -> None:
        self._source = source
        self._positions = positions
        self.recipe = source.recipe

    @property
    def units(self) -> pd.DataFrame:
        """Those of the whole."""
        return self._source.units

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Those that were selected."""
        return self._source.trials.iloc[self._positions]

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Those of the selected trials."""
        return self._source.labels.iloc[self._positions]

    @property
    def provenance(self) -> dict[str, Any]:
        """That of the whole."""
        return self._source.provenance

    def spikes(self, positions: NDArray[np.int64]) -> Spikes:
        """Return the spikes of some trials."""
        return self._source.spikes(self._positions[positions])

    def stimulus(self, position: int) -> Any:
        """Return what was presented."""
        return self._source.stimulus(int(self._positions[position]))

    def fingerprint(self) -> str:
        """Return a hash of the fingerprint of the whole and of the positions."""
        return provenance.fingerprint([self._source.fingerprint(), self._positions.tolist()])

    def build(
        self,
        positions: NDArray[np.int64] | None = None,
        *,
        folder: str | Path | None = None,
        workers: int | None = 1,
        progress: bool = True,
    ) -> Path | None:
        """Encode and store the spikes of the selected trials, in the folder of the whole."""
        chosen = self._positions if positions is None else self._positions[positions]
        return self._source.build(chosen, folder=folder, workers=workers, progress=progress)

    def stimuli(self) -> xr.DataArray | None:
        """Return the stimuli of the trials that were selected."""
        whole = self._source.stimuli()
        return None if whole is None else whole[self._positions]

    def target(self, position: int) -> xr.DataArray | None:
        """Return what is to be answered."""
        return self._source.target(int(self._positions[position]))
