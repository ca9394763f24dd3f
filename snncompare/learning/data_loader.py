"""Any dataset as a PyTorch ``DataLoader``: batches of spikes in time steps, or of events, encoded by its workers."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
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


_AHEAD = 4
"""Batches that workers make before they are asked for."""


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

    Spikes that are not stored (`SpikeDataset.build`) are encoded by the workers while the network learns. A trial goes
    to the same worker in every epoch, which remembers 512 MB of spikes, so that most are encoded once. The batches of
    the k-th epoch depend on the seed and k, not on the number of workers.

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
    spikes = _Spikes(dataset, step, steps_of(dataset.source, step, limit), events)
    return _Loader(spikes, _Order(len(dataset), batch_size, workers, seed if shuffle else None), workers, seed)


class _Share(NamedTuple):
    """What one worker does of a batch of ``size`` trials: those at some ``places`` in it, numbered ``trials``."""

    places: NDArray[np.int64]
    trials: NDArray[np.int64]
    size: int


class _Order(Sampler[_Share]):
    """The shares of batches, a batch after the other, in another order each epoch.

    Every worker has a share, the first worker the first one; `DataLoader` gives them out in turn. A trial belongs to
    the share of the same worker in every epoch, which remembers its spikes (`EncodedSource`).
    """

    def __init__(self, n_trials: int, batch_size: int, workers: int, seed: int | None) -> None:
        self.n_shares, self.n_batches = max(workers, 1), math.ceil(n_trials / batch_size)
        self._n_trials, self._batch_size, self._seed, self._epoch = n_trials, batch_size, seed, 0

    def __len__(self) -> int:
        return self.n_batches * self.n_shares

    def __iter__(self) -> Iterator[_Share]:
        """Begin an epoch when the first share is asked for: PyTorch also makes iterators that it never uses."""
        order = np.arange(self._n_trials)
        if self._seed is not None:
            order = np.random.default_rng([self._seed, self._epoch]).permutation(self._n_trials)
        self._epoch += 1
        for first in range(0, order.size, self._batch_size):
            batch = order[first : first + self._batch_size]
            for share in range(self.n_shares):
                places = np.flatnonzero(batch % self.n_shares == share)
                yield _Share(places, batch[places], batch.size)


class _Made(NamedTuple):
    """Spikes and labels of a share, ``where`` they lie in the batch: place in the flat array, or step, trial, unit."""

    places: NDArray[np.int64]
    labels: NDArray[np.int64]
    where: tuple[Tensor, ...]
    time: Tensor | None


@dataclass(frozen=True)
class _Spikes(Dataset[_Made]):
    """What a worker makes of its share of a batch."""

    data: SpikeDataset
    dt: float
    n_steps: int
    events: bool

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, share: _Share) -> _Made:
        labels = np.full(share.places.size, -1) if self.data.label is None else self.data.labels[share.trials]
        step, trial, unit, time = events_in_steps(self.data.source, share.trials, self.dt, self.n_steps)
        trial = share.places[trial]
        if self.events:
            where = (torch.from_numpy(step), torch.from_numpy(trial), torch.from_numpy(unit))
            return _Made(share.places, labels, where, torch.from_numpy(time))
        flat = (step * share.size + trial) * len(self.data.units) + unit
        return _Made(share.places, labels, (torch.from_numpy(flat),), None)


class _Loader(DataLoader[Any]):
    """Puts the batches together of what the workers made."""

    def __init__(self, spikes: _Spikes, order: _Order, workers: int, seed: int) -> None:
        self._order = order
        super().__init__(
            spikes,
            sampler=order,
            batch_size=None,  # an entry of the sampler is a share
            collate_fn=_as_it_is,  # type: ignore[arg-type] # PyTorch thinks of lists
            num_workers=workers,
            prefetch_factor=_AHEAD if workers else None,
            persistent_workers=workers > 0,
            generator=torch.Generator().manual_seed(seed),  # leave the global one alone
        )

    def __len__(self) -> int:
        return self._order.n_batches

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override] # PyTorch names its own class of iterators
        made = super().__iter__()
        for first in made:
            yield self._batch([first, *islice(made, self._order.n_shares - 1)])

    def _batch(self, shares: list[_Made]) -> tuple[Tensor | Events, Tensor]:
        spikes: _Spikes = self.dataset  # type: ignore[assignment]
        labels = np.empty(sum(share.places.size for share in shares), dtype=np.int64)
        for share in shares:
            labels[share.places] = share.labels
        shape = (spikes.n_steps, labels.size, len(spikes.data.units))
        if spikes.events:
            return _events(shares, shape), torch.from_numpy(labels)
        counts = np.zeros(math.prod(shape), dtype=np.float32)
        for share in shares:
            np.add.at(counts, share.where[0].numpy(), np.float32(1.0))  # fast where the array is flat
        return torch.from_numpy(counts.reshape(shape)), torch.from_numpy(labels)


def _events(shares: list[_Made], shape: tuple[int, int, int]) -> Events:
    step, trial, unit, time = (
        torch.cat(parts) for parts in zip(*((*share.where, share.time) for share in shares), strict=True)
    )
    order = torch.argsort(trial, stable=True)
    return Events(step[order], trial[order], unit[order], time[order], shape)


def _as_it_is(made: _Made) -> _Made:
    return made
