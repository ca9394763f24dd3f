"""What a rule for a network of ensembles gives: a learning signal for each ensemble, and how feedback changes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import torch
from torch import Tensor

from snncompare.learning.burstprop.network import BurstNetwork

__all__ = ["EnsembleRule", "Feedback", "Kept", "Signals", "follow_forward_weights", "random_feedback"]

Kept = dict[str, list[Tensor]]
"""What a rule keeps beside the weights, by name: one tensor for each hidden layer."""


class Feedback(Enum):
    """Where feedback weights Y come from."""

    LEARNED = "learned"
    """Y gets the changes of the forward weights, and both decay: they converge (Kolen and Pollack 1994, ICNN)."""
    FIXED = "fixed"
    """Random and constant (Lillicrap et al. 2016, Nat Commun 7:13276)."""
    SYMMETRIC = "symmetric"
    """The forward weights themselves."""


@dataclass
class Signals:
    """What goes down after a batch went up; lists have an entry for each layer, or hidden layer.

    Attributes
    ----------
    changes : list of Tensor
        Learning signals delta (batch, *shape) of each layer: weights change by the sum of delta x e.
    baseline, taught : list of Tensor
        Burst probabilities of each layer without and with teacher; empty for rules without bursts.
    potentials : list of Tensor
        Of the dendrites of each hidden layer, u, without teacher.
    recurrent_bursts : list of Tensor
        Burst rates of each hidden layer that drive its recurrent inhibition, without teacher.
    """

    changes: list[Tensor]
    baseline: list[Tensor] = field(default_factory=list)
    taught: list[Tensor] = field(default_factory=list)
    potentials: list[Tensor] = field(default_factory=list)
    recurrent_bursts: list[Tensor] = field(default_factory=list)


class EnsembleRule(ABC):
    """How a `BurstNetwork` learns; a value without state."""

    @abstractmethod
    def prepare(self, network: BurstNetwork, seed: int) -> Kept:
        """Return what the rule keeps beside the weights, as it is before learning."""

    @abstractmethod
    def signals(
        self, network: BurstNetwork, kept: Kept, rates: Sequence[Tensor], targets: Tensor, random: torch.Generator
    ) -> Signals:
        """Return the learning signals of a batch.

        Parameters
        ----------
        network : BurstNetwork
        kept : dict
            Not changed.
        rates : sequence of Tensor
            Event rates as `BurstNetwork.rates` returns them.
        targets : Tensor
            (batch, output), 0 or 1.
        random : torch.Generator
            For rules with noise.
        """

    def adapt(  # noqa: B027 - rules without feedback keep nothing
        self,
        network: BurstNetwork,
        kept: Kept,
        signals: Signals,
        rates: Sequence[Tensor],
        moved: Sequence[Tensor],
        decay: float,
    ) -> None:
        """Change what is kept, in place, after the weights were changed.

        Parameters
        ----------
        network, kept, signals, rates
            As in `signals`.
        moved : sequence of Tensor
            By how much the weights of each layer were changed.
        decay : float
            What they then lost, as a fraction of themselves.
        """

    def feedback_weights(self, network: BurstNetwork, kept: Kept) -> list[Tensor]:
        """Return the feedback weights onto each hidden layer; empty for a rule without."""
        del network
        return kept.get("feedback", [])


def follow_forward_weights(feedback: Sequence[Tensor], moved: Sequence[Tensor], decay: float) -> None:
    """Give feedback weights the changes and the decay of the forward weights, in place (Kolen and Pollack 1994, ICNN).

    Parameters
    ----------
    feedback : sequence of Tensor
        Onto each hidden layer.
    moved : sequence of Tensor
        By how much the weights of each layer were changed.
    decay : float
        What they then lost, as a fraction of themselves.
    """
    for weight, change in zip(feedback, moved[1:], strict=True):
        weight.add_(change).mul_(1 - decay)


def random_feedback(network: BurstNetwork, scale: float, random: torch.Generator) -> list[Tensor]:
    """Return normal feedback weights onto each hidden layer, of the shape of the weights out of it."""
    return [
        scale * torch.randn(wiring.weight_shape, generator=random, dtype=torch.float64).to(network.torch_dtype)
        for wiring in network.wirings[1:]
    ]
