"""How a run is carried out: what everything that is bound for runs of one kind depends on."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.backends.torch.functions import tensor_functions
from snncompare.backends.torch.partial import Scope
from snncompare.backends.torch.sums import Known, Once

__all__ = ["RunOptions"]


@dataclass(frozen=True)
class RunOptions:
    """How a run is carried out.

    Attributes
    ----------
    batch : int
        Number of trials, or of copies where several devices carry them out.
    dtype : torch.dtype
    device : torch.device
    exact : bool
        Every operation in Brian2's order, as numpy computes it.
    gradients : bool
        Whether spikes have derivatives.
    smooth : bool
        Whether spikes are numbers between 0 and 1.
    devices : int
        Emulated chips that carry out the same trials, the device changing slowest; 0 where nothing is emulated.
    whole : bool
        Whether every spike counts once.
    """

    batch: int
    dtype: torch.dtype
    device: torch.device
    exact: bool
    gradients: bool
    smooth: bool
    devices: int = 0
    whole: bool = False

    @property
    def by_events(self) -> bool:
        """Whether spikes are delivered one by one, not by products: where that is exact, and on emulated chips."""
        fits = self.whole and not self.gradients and not self.smooth and self.device.type == "cpu"
        return self.exact or (fits and self.devices > 0)

    @property
    def trials(self) -> int:
        """Trials of each device."""
        return self.batch // max(self.devices, 1)

    def of_devices(self, value: Tensor) -> Tensor:
        """Return a value of the copies (copy, neuron), the same in all trials, as (device, neuron); others as it is."""
        return value[:: self.trials] if value.ndim == 2 else value

    def of_copies(self, value: Tensor) -> Tensor:
        """Return a value of the devices (device, ...) as (copy, ...); others, of one axis, as it is."""
        return value.repeat_interleave(self.trials, 0) if value.ndim == 2 else value

    def scope(self, known: Mapping[str, Known | Once]) -> Scope:
        """Return a scope in which some names are known."""
        return Scope(tensor_functions(self.dtype, exact=self.exact), not self.exact, dict(known))
