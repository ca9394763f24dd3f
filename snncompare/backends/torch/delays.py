"""Which spikes of the past arrive now: one delay for all synapses, one for each, fixed or trained.

A trained delay d is continuous. With n = floor(d/dt) and f = d/dt - n, a spike acts with 1 - f of its effect after n
steps and with f after n + 1 steps, so that what arrives is a piecewise linear function of d and has a derivative.
Without interpolation d is rounded to the nearest step (half a step upwards), as everywhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["DelayPlan", "delayed", "fixed_plan", "interpolated_plan", "rounded_steps", "spikes_arriving"]


@dataclass(frozen=True)
class DelayPlan:
    """Delays as a list of entries, each a synapse (or a share of one) and the step at which it delivers.

    Attributes
    ----------
    steps : tuple of int
        The different delays, longest first.
    group : int64 array, shape (n_entries,), optional
        Which of `steps` each entry has; None where there is one delay and each synapse is one entry.
    synapse : int64 array, shape (n_entries,), optional
        Which synapse each entry belongs to; None where entry k is synapse k.
    share : Tensor, shape (n_entries,), optional
        Part of the synapse's effect that the entry delivers; None where that is all.
    fraction : Tensor, shape (), optional
        For one delay that all synapses share: the part that arrives after ``steps[0]``, the rest after ``steps[1]``.
    """

    steps: tuple[int, ...]
    group: NDArray[np.int64] | None = None
    synapse: NDArray[np.int64] | None = None
    share: Tensor | None = None
    fraction: Tensor | None = None

    @property
    def n_groups(self) -> int:
        """Number of blocks of rows, one for each delay that is kept apart."""
        return 1 if self.group is None else len(self.steps)


def rounded_steps(delay: Tensor, dt: float) -> NDArray[np.int64]:
    """Return delays (seconds) in steps, rounded to the nearest."""
    seconds = delay.detach().cpu().numpy().astype(np.float64)
    return np.floor(seconds / dt + 0.5).astype(np.int64)


def fixed_plan(steps: int | NDArray[np.int64]) -> DelayPlan:
    """Return the plan for delays in whole steps, one for all synapses (an integer or shape ()) or one for each."""
    different = np.unique(steps)[::-1]
    if different.size <= 1:
        return DelayPlan((int(different[0]) if different.size else 0,))
    group = np.searchsorted(-different, -np.asarray(steps))
    return DelayPlan(tuple(int(step) for step in different), group)


def interpolated_plan(delay: Tensor, dt: float) -> DelayPlan:
    """Return the plan for continuous delays in seconds, of shape () for all synapses or (n_synapses,)."""
    in_steps = delay / dt
    lower = in_steps.detach().floor()
    fraction = in_steps - lower
    whole = lower.cpu().numpy().astype(np.int64)
    if delay.ndim == 0:
        return DelayPlan((int(whole) + 1, int(whole)), fraction=fraction)
    plan = fixed_plan(np.concatenate([whole, whole + 1]))
    return DelayPlan(plan.steps, plan.group, np.tile(np.arange(whole.size), 2), torch.cat([1 - fraction, fraction]))


def spikes_arriving(plan: DelayPlan, past: Sequence[Tensor | None]) -> Tensor | None:
    """Return what arrives now, or None where nothing can.

    Parameters
    ----------
    plan : DelayPlan
    past : sequence of Tensor or None
        ``past[-1 - k]`` are the spikes k steps ago, shape (batch, n_source); None before the run.

    Returns
    -------
    Tensor, shape (batch, n_groups * n_source)
        One block for each delay.
    """
    if len(plan.steps) == 1:
        return past[-1 - plan.steps[0]]
    blocks = [past[-1 - step] for step in plan.steps]
    known = next((block for block in blocks if block is not None), None)
    if known is None:
        return None
    filled = [torch.zeros_like(known) if block is None else block for block in blocks]
    if plan.fraction is not None:
        return torch.lerp(filled[1], filled[0], plan.fraction)
    return torch.cat(filled, dim=1)


def delayed(sent: Tensor, steps: int, n_steps: int) -> Tensor:
    """Return values of shape (step, batch, neuron) moved by some steps and cut to the length of the run."""
    kept = max(n_steps - steps, 0)
    return sent if steps == 0 else torch.nn.functional.pad(sent[:kept], (0, 0, 0, 0, n_steps - kept, 0))
