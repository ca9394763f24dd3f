"""How a run is carried out: what everything that is bound for runs of one kind depends on."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

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
        Number of trials.
    dtype : torch.dtype
    device : torch.device
    exact : bool
        Every operation in Brian2's order, as numpy computes it.
    gradients : bool
        Whether spikes have derivatives.
    smooth : bool
        Whether spikes are numbers between 0 and 1.
    """

    batch: int
    dtype: torch.dtype
    device: torch.device
    exact: bool
    gradients: bool
    smooth: bool

    def scope(self, known: Mapping[str, Known | Once]) -> Scope:
        """Return a scope in which some names are known."""
        return Scope(tensor_functions(self.dtype, exact=self.exact), not self.exact, dict(known))
