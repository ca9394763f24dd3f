r"""Training that several processes share: each takes its part of every batch, and gradients are averaged.

Start a script as ``torchrun --nproc-per-node=2 train.py``; `fit` finds the other processes. The n trials of a batch
are divided into parts of :math:`n_r` trials, and the gradients of all parts are summed with the weights
:math:`n_r/n` before clipping, so that what is learnt is what one process would learn from the whole batch, up to
rounding. This is what `DistributedDataParallel` does (Li et al. 2020, PVLDB 13:3005), carried out after a gradient
engine has filled in ``grad``: its own wrapper hooks into one backward pass through one forward pass, which rules that
run forwards, or that change weights within a trial, do not have.
"""

import atexit
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from snncompare.learning.losses import Penalty

__all__ = ["Processes", "SharedPenalty", "joined"]


@dataclass(frozen=True)
class Processes:
    """The processes that train together.

    Attributes
    ----------
    rank, size : int
        Number of this process, and how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and tells of progress."""
        return self.rank == 0

    def part(self, n_trials: int) -> slice:
        """Return which trials of a batch are this process's; all where there are fewer trials than processes."""
        if self.size == 1 or n_trials < self.size:
            return slice(0, n_trials)
        edges = np.linspace(0, n_trials, self.size + 1).round().astype(int)
        return slice(int(edges[self.rank]), int(edges[self.rank + 1]))

    def trials(self, n_trials: int) -> int:
        """Return how many trials of a batch all parts together hold."""
        return n_trials * self.size if n_trials < self.size else n_trials

    def total(self, values: Sequence[float]) -> list[float]:
        """Return sums over all processes."""
        if self.size == 1:
            return list(values)
        summed = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(summed)
        return [float(value) for value in summed]

    def average(self, parameters: Sequence[nn.Parameter], weight: float) -> None:
        """Replace gradients by their sum over processes, each times its weight; missing ones count as zero."""
        if self.size == 1:
            return
        for parameter in parameters:
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad * weight
            dist.all_reduce(gradient)
            parameter.grad = gradient

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.size > 1:
            dist.barrier()


def joined() -> Processes:
    """Return the processes that train together: those of the present process group, or those that torchrun started.

    Those that torchrun started stay joined until they end: what has been left cannot safely be joined again.
    """
    if not dist.is_available():
        return Processes()
    if not dist.is_initialized():
        if not dist.is_torchelastic_launched() or int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return Processes()
        dist.init_process_group("gloo")
        atexit.register(_leave)
    return Processes(dist.get_rank(), dist.get_world_size())


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


@dataclass(frozen=True)
class SharedPenalty(Penalty):
    """A penalty of the counts of a whole batch, of which this process has a part.

    Its value is that of the whole batch in every process. Its gradient is that by this process's counts, times the
    number of all trials by that of its own, which the averaging of gradients takes off again.

    Parameters
    ----------
    penalty : Penalty
    processes : Processes
    """

    penalty: Penalty
    processes: Processes

    @property
    def populations(self) -> tuple[str, ...] | None:  # type: ignore[override]
        """Those it applies to."""
        return self.penalty.populations

    @property
    def needs_steps(self) -> bool:  # type: ignore[override]
        """Whether it depends on more than counts."""
        return self.penalty.needs_steps

    def of_counts(self, counts: Tensor, duration: float) -> Tensor:
        """Return the penalty for the counts of all processes."""
        sizes = torch.zeros(self.processes.size, dtype=torch.int64)
        sizes[self.processes.rank] = counts.shape[0]
        dist.all_reduce(sizes)
        first = int(sizes[: self.processes.rank].sum())
        everyone = counts.new_zeros((int(sizes.sum()), *counts.shape[1:]))
        everyone[first : first + counts.shape[0]] = counts.detach()
        dist.all_reduce(everyone)
        value = self.penalty.of_counts(
            torch.cat([everyone[:first], counts, everyone[first + counts.shape[0] :]]), duration
        )
        return value + (everyone.shape[0] / counts.shape[0] - 1.0) * (value - value.detach())

    def of_spikes(self, spikes: Tensor, dt: float) -> Tensor:
        """Return the penalty for spikes; those that look at single steps are means over trials already."""
        return self.penalty.of_spikes(spikes, dt) if self.needs_steps else super().of_spikes(spikes, dt)
