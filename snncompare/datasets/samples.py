"""Samples: labelled stimuli, read or generated one at a time, and the spikes an encoder makes of them."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.source import SpikeSource
from snncompare.encoding.encoder import Encoder, Spikes, presentation_seed
from snncompare.encoding.presentations import trial_table
from snncompare.errors import InputError

__all__ = ["EncodedSource", "Samples"]

_KEPT = 1 << 29
"""Bytes of spikes that a source keeps in memory: training meets every trial in every epoch, in another order, so that
the first trials that fit are as good to keep as any."""


class Samples(ABC):
    """Labelled stimuli."""

    @property
    @abstractmethod
    def table(self) -> pd.DataFrame:
        """One row per sample, index = names (unique), columns = labels such as ``digit`` and ``speaker``."""

    @abstractmethod
    def stimulus(self, position: int) -> Any:
        """Return the stimulus of a sample, a value of `snncompare.encoding.stimuli`; always the same one."""

    def target(self, position: int) -> xr.DataArray | None:  # noqa: ARG002 (those that have a task answer)
        """Return what is to be answered over time; see `SpikeSource.target`."""
        return None

    def number(self, position: int) -> int:
        """Return the number of the presentation, which its noise depends on; the same in every selection of samples."""
        return position

    def noise_seed(self, seed: int) -> int:
        """Return the seed of the noise in a dataset of this seed; another one where the stimuli are random too."""
        return seed

    def stimuli(self) -> xr.DataArray | None:
        """Return all stimuli as one array; see `SpikeSource.stimuli`."""
        return None


class EncodedSource(SpikeSource):
    """Samples as an encoder delivers them.

    Parameters
    ----------
    samples : Samples
    encoder : Encoder
    seed : int
        Of the encoder's noise; see `Encoder.fire`.
    """

    def __init__(self, samples: Samples, encoder: Encoder, seed: int) -> None:
        if len(samples.table) == 0:
            raise InputError("the dataset has no samples; ask for at least one.")
        encoder.check(samples.stimulus(0))
        self.samples = samples
        self.encoder = encoder
        self.seed = seed
        self._kept: dict[int, Spikes] = {}
        self._room = _KEPT

    @cached_property
    def units(self) -> pd.DataFrame:
        """Those of the encoder for the first stimulus."""
        return self.encoder.units(self.samples.stimulus(0))

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One trial per sample, from 0 to the duration of its presentation."""
        n = len(self.samples.table)
        return trial_table(self.samples.table, [self.encoder.duration(self.samples.stimulus(i)) for i in range(n)])

    @property
    def labels(self) -> pd.DataFrame:
        """Those of the samples."""
        return self.samples.table

    @property
    def provenance(self) -> dict[str, Any]:
        """Encoder and seed."""
        return {"encoder": self.encoder.described(), "seed": self.seed}

    def spikes(self, positions: NDArray[np.int64]) -> Spikes:
        """Return the spikes of some trials.

        Raises
        ------
        InputError
            If a stimulus leads to another number of units than the first one.
        """
        fired = [self._fire(int(position)) for position in positions]
        if not fired:
            return Spikes(np.empty(0), np.empty((0, len(self.units)), dtype=np.int64))
        return Spikes(np.concatenate([one.times for one in fired]), np.stack([one.counts for one in fired]))

    def stimulus(self, position: int) -> Any:
        """Return the stimulus."""
        return self.samples.stimulus(position)

    def stimuli(self) -> xr.DataArray | None:
        """Return all stimuli, where the samples make one array of them."""
        return self.samples.stimuli()

    def target(self, position: int) -> xr.DataArray | None:
        """Return what is to be answered."""
        return self.samples.target(position)

    def _fire(self, position: int) -> Spikes:
        kept = self._kept.get(position)
        if kept is not None:
            return kept
        spikes = self._fire_anew(position)
        size = spikes.times.nbytes + spikes.counts.nbytes
        if size <= self._room:
            self._kept[position] = spikes
            self._room -= size
        return spikes

    def _fire_anew(self, position: int) -> Spikes:
        randomness = presentation_seed(self.samples.noise_seed(self.seed), self.samples.number(position))
        spikes = self.encoder.fire(self.samples.stimulus(position), randomness)
        if spikes.counts.shape != (len(self.units),):
            name = self.samples.table.index[position]
            raise InputError(
                f"sample {name!r} leads to {spikes.counts.size} units, the first one to {len(self.units)}; the samples "
                "of a dataset need one shape."
            )
        return spikes
