"""Encoded spikes kept on disk: shards of trials below a folder that is named by the hash of the recipe."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.files import cache_root
from snncompare.datasets.samples import EncodedSource, Samples
from snncompare.datasets.shards import SHARD, read_checked, shard_arrays, write_checked
from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.presentations import trial_table

__all__ = ["StoredSource"]

_REMEMBERED = 1 << 29
"""Bytes of shards that a source keeps in memory."""


class StoredSource(EncodedSource):
    """Encoded samples of which some shards may lie on disk: those are read, other trials are encoded when asked for.

    Only `build` writes. A shard is believed if its checksum, which covers the recipe, fits; otherwise its trials are
    encoded again.

    Parameters
    ----------
    samples, encoder, seed
        See `EncodedSource`.
    name : str
        Of the dataset; begins the name of the folder.
    recipe : mapping
        All that the spikes depend on, plain data.
    remake : tuple
        A function and its arguments that give this source again, in another process.
    """

    def __init__(
        self,
        samples: Samples,
        encoder: Encoder,
        seed: int,
        *,
        name: str,
        recipe: Mapping[str, Any],
        remake: tuple[Callable[..., Any], tuple[Any, ...]],
    ) -> None:
        super().__init__(samples, encoder, seed)
        self.name = name
        self.recipe = recipe
        self.root: Path | None = None
        self._remake = remake
        self._recent: OrderedDict[int, tuple[NDArray[np.int64], Spikes]] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to other processes as the recipe, not as the samples."""
        return (*self._remake, {"root": self.root})

    @property
    def folder(self) -> Path:
        """Where the shards of this recipe lie, if there are any."""
        return (self.root or cache_root() / "spikes") / f"{self.name}-{self._hash[:16]}"

    @cached_property
    def _hash(self) -> str:
        return self.fingerprint()

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One trial per sample, from 0 to the duration of its presentation."""
        kept = self._read("durations", {"durations": (np.float64, (len(self.labels),))})
        return super().trials if kept is None else trial_table(self.labels, kept["durations"].tolist())

    def spikes(self, positions: NDArray[np.int64]) -> Spikes:
        """Return the spikes of some trials, read where they are stored.

        Raises
        ------
        InputError
            If a stimulus leads to another number of units than the first one.
        """
        if len(positions) == 0 or not self.folder.is_dir():
            return super().spikes(positions)
        found = [self._stored(int(position)) for position in positions]
        absent = [i for i, one in enumerate(found) if one is None]
        for i in absent:
            found[i] = self._fire(int(positions[i]))
        made = [one for one in found if one is not None]
        return Spikes(np.concatenate([one.times for one in made]), np.stack([one.counts for one in made]))

    def build(
        self,
        positions: NDArray[np.int64] | None = None,
        *,
        folder: str | Path | None = None,
        workers: int | None = 1,
        progress: bool = True,
    ) -> Path | None:
        """Encode and store the shards that hold these trials; see `snncompare.datasets.build.build_shards`."""
        from snncompare.datasets.build import build_shards

        if folder is not None:
            self.root = Path(folder)
        return build_shards(self, positions, workers=workers, progress=progress)

    def members(self, shard: int) -> NDArray[np.int64]:
        """Return the positions of the trials of a shard."""
        return np.arange(shard * SHARD, min((shard + 1) * SHARD, len(self.labels)))

    def read_shard(self, shard: int) -> Spikes | None:
        """Return the spikes of a shard, counts as uint32; None if it is absent or damaged."""
        shape = (self.members(shard).size, len(self.units))
        arrays = self._read(f"spikes-{shard:05d}", {"times": (np.float64, None), "counts": (np.uint32, shape)})
        if arrays is None or arrays["counts"].sum(dtype=np.int64) != arrays["times"].size:
            return None
        return Spikes(arrays["times"], arrays["counts"])

    def write_shard(self, shard: int) -> int:
        """Encode and store a shard; return its bytes.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        spikes = EncodedSource.spikes(self, self.members(shard))
        return write_checked(self.folder / f"spikes-{shard:05d}.npz", shard_arrays(spikes), self._hash)

    def _read(self, name: str, expected: Mapping[str, tuple[Any, Any]]) -> dict[str, NDArray[Any]] | None:
        path = self.folder / f"{name}.npz"
        return read_checked(path, expected, self._hash) if path.is_file() else None

    def _stored(self, position: int) -> Spikes | None:
        shard, row = divmod(position, SHARD)
        if shard in self._recent:
            self._recent.move_to_end(shard)
        else:
            read = self.read_shard(shard)
            if read is None:
                return None
            bounds = np.concatenate([[0], np.cumsum(read.counts.sum(axis=1, dtype=np.int64))])
            self._recent[shard] = bounds, read
            while len(self._recent) > 1 and sum(_bytes_of(kept) for _, kept in self._recent.values()) > _REMEMBERED:
                self._recent.popitem(last=False)
        bounds, (times, counts) = self._recent[shard]
        return Spikes(times[bounds[row] : bounds[row + 1]], counts[row].astype(np.int64))


def _bytes_of(spikes: Spikes) -> int:
    return spikes.times.nbytes + spikes.counts.nbytes
