"""Any dataset as a PyTorch ``DataLoader``: batches of spikes in time steps, or of events, encoded by its workers."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.datasets.time_grid import events_in_steps, steps_of
from snncompare.recording.arguments import whole_number
from snncompare.units import QuantityLike, seconds

__all__ = ["Events", "data_loader"]


class Events(NamedTuple):
    """The spikes of a batch, one after the other: by trial, then unit, then time.

    Each of shape (n_spikes,): ``step``, ``trial`` (position in the batch) and ``unit``, int64; ``time``, float64,
    seconds from the start of the trial. ``shape``: (n_steps, n_trials, n_units).
    """

    step: Tensor
    trial: Tensor
    unit: Tensor
    time: Tensor
    shape: tuple[int, int, int]

    def sparse(self) -> Tensor:
        """Return spikes per step as a sparse tensor of float32, of that shape."""
        where = torch.stack([self.step, self.trial, self.unit])
        spikes = torch.ones(where.shape[1])
        return torch.sparse_coo_tensor(where, spikes, self.shape, check_invariants=True).coalesce()


def data_loader(
    dataset: SpikeDataset,
    *,
    dt: QuantityLike,
    batch_size: int,
    workers: int = 0,
    seed: int = 0,
    duration: QuantityLike | None = None,
    events: bool = False,
    shuffle: bool = True,
) -> "DataLoader[tuple[Tensor | Events, Tensor]]":
    """Return a loader that yields ``(spikes, labels)``, every trial once an epoch.

    Spikes that are not stored (`SpikeDataset.build`) are encoded by the workers while the network learns. The batches
    of the k-th epoch depend on the seed and k, not on the number of workers.

    Parameters
    ----------
    dataset : SpikeDataset
    dt : time
        Time step; see `SpikeDataset.counts`.
    batch_size : int
        Trials; the last batch of an epoch may be smaller.
    workers : int
        Processes that encode; 0 encodes in this one.
    seed : int
        Of the order of trials.
    duration : time, optional
        What the steps cover; default: the longest window of the dataset. Silence follows shorter trials.
    events : bool
        Yield `Events` instead of an array; for many units and few spikes.
    shuffle : bool
        Otherwise the trials come in their order.

    Returns
    -------
    torch.utils.data.DataLoader
        ``spikes``: float32, spikes per step, shape (step, batch, unit): time first, as the networks of
        `snncompare.backends.torch` take it; or `Events`. ``labels``: int64, shape (batch,), -1 without classes.

    Raises
    ------
    InputError
        For sizes, workers and seeds that are no whole numbers of at least 1, 0 and 0, or times that are not positive.
    """
    batch_size = whole_number("batch_size", batch_size, 1)
    workers, seed = whole_number("workers", workers, 0), whole_number("seed", seed, 0)
    step = seconds(dt, "dt")
    limit = None if duration is None else seconds(duration, "duration")
    loader: DataLoader[Any] = DataLoader(
        _Batches(dataset, step, steps_of(dataset.source, step, limit), events),
        sampler=_Order(len(dataset), batch_size, seed if shuffle else None),
        batch_size=None,  # an entry of the sampler is a batch
        num_workers=workers,
        persistent_workers=workers > 0,
        generator=torch.Generator().manual_seed(seed),  # leave the global one alone
    )
    return loader


class _Order(Sampler[NDArray[np.int64]]):
    """Positions of trials, a batch at a time, in another order each epoch."""

    def __init__(self, n_trials: int, batch_size: int, seed: int | None) -> None:
        self._n_trials, self._batch_size, self._seed, self._epoch = n_trials, batch_size, seed, 0

    def __len__(self) -> int:
        return math.ceil(self._n_trials / self._batch_size)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        """Begin an epoch when the first batch is asked for: PyTorch also makes iterators that it never uses."""
        order = np.arange(self._n_trials)
        if self._seed is not None:
            order = np.random.default_rng([self._seed, self._epoch]).permutation(self._n_trials)
        self._epoch += 1
        for first in range(0, order.size, self._batch_size):
            yield order[first : first + self._batch_size]


@dataclass(frozen=True)
class _Batches(Dataset[tuple[Tensor | Events, Tensor]]):
    """What a worker makes of the positions of a batch."""

    data: SpikeDataset
    dt: float
    n_steps: int
    events: bool

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, indices: NDArray[np.int64]) -> tuple[Tensor | Events, Tensor]:
        labels = np.full(indices.size, -1) if self.data.label is None else self.data.labels[indices]
        shape = (self.n_steps, int(indices.size), len(self.data.units))
        step, trial, unit, time = events_in_steps(self.data.source, indices, self.dt, self.n_steps)
        if self.events:
            where = (torch.from_numpy(step), torch.from_numpy(trial), torch.from_numpy(unit))
            return Events(*where, torch.from_numpy(time), shape), torch.from_numpy(labels)
        counts = np.zeros(shape, dtype=np.float32)
        np.add.at(counts, (step, trial, unit), np.float32(1.0))
        return torch.from_numpy(counts), torch.from_numpy(labels)
